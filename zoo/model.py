"""A Keras model that knows where it comes from and how its pictures are prepared."""

import os
import sys
from typing import Any

import keras
import numpy as np
from PIL import Image

from zoo import preprocessing
from zoo.registry import Entry

DEEPEST_GRAPH = 10_000  # layers in a row; resnetrs420 has 2,000


def make_room_for_deep_graphs() -> None:
    """Let Keras walk deep networks: it does so by recursion, a call for each layer, and Python stops at 1,000."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), DEEPEST_GRAPH))


@keras.saving.register_keras_serializable(package="zoo")
class ZooModel(keras.Model):
    """A functional `keras.Model` with its registry entry.

    Takes RGB, channels last, 0 to 255, `(batch, height, width, 3)`, uint8 or float; normalisation is its first layer.
    Networks for volumes take `(batch, depth, height, width, 1)`, normalised; those for coordinates x and y in pixels,
    `(batch, 2)`. Gives logits, or the physical quantity.
    Forecasters take a series in its own unit, `(batch, time, 1)`, and give what follows, `(batch, horizon)`.
    Nothing else differs from `keras.Model`: it compiles, fits and saves as any other, and `spec` survives
    `model.save("m.keras")`.

    Has no `__init__` of its own: Keras rebuilds functional subclasses from their configuration only without one.
    """

    spec: Entry

    def preprocess(self, image: str | os.PathLike | Image.Image | np.ndarray) -> np.ndarray:
        """Resize and crop one image as this checkpoint was evaluated: uint8 `(height, width, 3)`.

        Where the model takes volumes: normalise one, float32 `(depth, height, width, 1)`. Where it takes coordinates:
        check (x, y), float32 `(2,)`.

        Where it takes a series: check that it is long enough, float32 `(time, 1)`.

        Raises:
            InputError: The image cannot be read.
        """
        if self.spec.task == "volume-features":
            return preprocessing.preprocess_volume(image)
        if self.spec.task == "forecasting":
            return preprocessing.preprocess_series(image, shortest=self.spec.config["season"] + 1)
        if self.spec.takes_coordinates:
            return preprocessing.preprocess_coordinates(image, self.output_shape[1:3])
        return preprocessing.preprocess(image, self.spec.input)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "spec": self.spec.model_dump(mode="json")}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> "ZooModel":
        make_room_for_deep_graphs()
        config = dict(config)
        spec = config.pop("spec")
        model = super().from_config(config, custom_objects=custom_objects)
        if isinstance(model.output, dict):  # JSON has made the strides of a feature pyramid into strings
            model = cls(model.input, {int(stride): output for stride, output in model.output.items()}, name=model.name)
        model.spec = Entry.model_validate(spec)
        return model
