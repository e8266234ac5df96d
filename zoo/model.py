"""A Keras model that knows where it comes from and how its pictures are prepared."""

import sys
from typing import Any

import keras

from zoo.registry import Entry
from zoo.tasks import find_task

DEEPEST_GRAPH = 10_000  # layers in a row; resnetrs420 has 2,000


def make_room_for_deep_graphs() -> None:
    """Let Keras walk deep networks: it does so by recursion, a call for each layer, and Python stops at 1,000."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), DEEPEST_GRAPH))


@keras.saving.register_keras_serializable(package="zoo")
class ZooModel(keras.Model):
    """A functional `keras.Model` with its registry entry.

    Takes RGB, channels last, 0 to 255, `(batch, height, width, 3)`, uint8 or float; normalisation is its first layer.
    Other tasks take volumes, series, coordinates, or a dict of `image` and `mask`: see `zoo.tasks`. Gives logits, or
    the physical quantity.
    Nothing else differs from `keras.Model`: it compiles, fits and saves as any other, and `spec` survives
    `model.save("m.keras")`.

    Has no `__init__` of its own: Keras rebuilds functional subclasses from their configuration only without one.
    """

    spec: Entry
    loaded_fingerprint: str  # see zoo/untrained.py; only where it was loaded from a file of others

    def preprocess(self, source: Any) -> Any:
        """From one source to what the model takes, without the batch axis, as this checkpoint was evaluated.

        A picture is resized and cropped: uint8 `(height, width, 3)`. `zoo.tasks` says what the other tasks read and
        give: a volume `(depth, height, width, 1)`, a series `(time, 1)`, (x, y) `(2,)`, or, with holes, a dict of
        `image` and `mask`.

        Raises:
            InputError: The source cannot be read, or is of another kind.
        """
        return find_task(self.spec.task).prepare(source, self.spec)

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
