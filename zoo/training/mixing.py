"""Batches of a classification, changed and mixed by layers of Keras: RandAugment, RandomErasing, MixUp and CutMix."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

ERASED = 0.25  # of the images of strong views, a part is erased
SOFT = ("label_smoothing", "mixup", "cutmix")  # options that make shares of the classes of a class


class Mixing:
    """Changes images, and mixes images with their targets, the same for the same seed.

    Targets are ints `(batch,)`, and become shares of the classes, float32 `(batch, classes)`, where images are mixed.

    Args:
        recipe: Its `augment`, `mixup` and `cutmix` decide: strong views are those of RandAugment (Cubuk et al., 2020,
            https://arxiv.org/abs/1909.13719), and parts of some are erased (Zhong et al., 2020,
            https://arxiv.org/abs/1708.04896); MixUp is of Zhang et al., 2018, https://arxiv.org/abs/1710.09412, and
            CutMix of Yun et al., 2019, https://arxiv.org/abs/1905.04899. With both, each batch has one of the two.
        classes: How many there are.

    Example:
        >>> import numpy as np
        >>> from zoo.training.mixing import Mixing
        >>> mixing = Mixing({"augment": None, "mixup": 0.2, "cutmix": 0.0}, classes=3)
        >>> images, targets = mixing(np.zeros((2, 8, 8, 3), "uint8"), np.array([0, 2]), [0, 0])
        >>> targets.shape, targets.sum(axis=1).tolist()
        ((2, 3), [1.0, 1.0])
    """

    def __init__(self, recipe: Mapping[str, Any], classes: int):
        layers = keras.layers
        self.classes = classes
        self.views: list[Any] = []
        if recipe["augment"] == "strong":
            self.views = [layers.RandAugment(value_range=(0, 255)), layers.RandomErasing(factor=ERASED)]
        elif isinstance(recipe["augment"], layers.Layer):
            self.views = [recipe["augment"]]
        self.mixers: list[Any] = []
        if recipe["mixup"]:
            self.mixers.append(layers.MixUp(alpha=recipe["mixup"]))
        if recipe["cutmix"]:
            self.mixers.append(layers.CutMix(factor=recipe["cutmix"]))

    def __call__(self, images: np.ndarray, targets: np.ndarray, seed: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Images `(batch, height, width, channels)` in [0, 255], and their targets, as they are trained on."""
        state = np.random.SeedSequence(seed)
        for layer in self.views:
            reseed(layer, state)
            images = _array(layer(images.astype(np.float32), training=True))
        if not self.mixers:
            return images, targets
        mixer = self.mixers[int(state.generate_state(1)[0]) % len(self.mixers)]
        reseed(mixer, state)
        shares = np.eye(self.classes, dtype=np.float32)[targets]
        mixed = mixer({"images": images.astype(np.float32), "labels": shares}, training=True)
        return _array(mixed["images"]), _array(mixed["labels"])


def soft_options(recipe: Mapping[str, Any]) -> dict[str, float]:
    """The options by which targets are shares of the classes, where they are."""
    return {name: recipe[name] for name in SOFT if recipe[name]}


def reseed(layer: keras.layers.Layer, sequence: np.random.SeedSequence) -> None:
    """Set the state of every generator in a layer to what the sequence gives."""
    for part in layer._flatten_layers():
        for generator in vars(part).values():
            if isinstance(generator, keras.random.SeedGenerator):
                (child,) = sequence.spawn(1)
                generator.state.assign(child.generate_state(2).astype(np.uint32))


def soft_cross_entropy(label_smoothing: float) -> Any:
    """Cross entropy for `compile`: of classes `(b,)` or their shares `(b, classes)`, and logits, a number per example.

    With `label_smoothing` that share is spread evenly over all classes (Szegedy et al., 2016,
    https://arxiv.org/abs/1512.00567, section 7).
    """
    from keras import ops

    def cross_entropy(target: Any, logits: Any) -> Any:
        if len(target.shape) < len(logits.shape):
            target = ops.one_hot(ops.cast(target, "int32"), logits.shape[-1], dtype="float32")
        return keras.losses.categorical_crossentropy(target, logits, from_logits=True, label_smoothing=label_smoothing)

    return cross_entropy


def accuracy(target: Any, logits: Any) -> Any:
    """How often the largest logit is that of the class, or of the one with the largest share."""
    from keras import ops

    if len(target.shape) == len(logits.shape):
        target = ops.argmax(target, axis=-1)
    return ops.cast(ops.equal(ops.argmax(logits, axis=-1), ops.cast(target, "int32")), "float32")


def _array(tensor: Any) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor).astype(np.float32)
