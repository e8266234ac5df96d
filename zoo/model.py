"""A Keras model that knows where it comes from and how its images are prepared."""

import sys
import weakref
from typing import Any

import keras

from zoo.catalogue.entry import Entry
from zoo.tasks import find_task

_ORIGIN = "_zoo_origin"  # where a symbolic output keeps the model that it came out of
DEEPEST_GRAPH = 10_000  # layers in a row; resnetrs420 has 2,000


def allow_deep_graphs() -> None:
    """Let Keras walk deep networks: it does so by recursion, a call for each layer, and Python stops at 1,000."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), DEEPEST_GRAPH))


@keras.saving.register_keras_serializable(package="zoo")
class ZooModel(keras.Model):
    """A functional `keras.Model` with its registry entry.

    Takes RGB, channels last, 0 to 255, `(batch, height, width, 3)`, uint8 or float; normalisation is its first layer.
    Other tasks take volumes, series, coordinates, or a dict of `image` and `mask`: see `zoo.tasks`. Gives logits, or
    the physical quantity. Both are float32, whatever the dtype policy is inside.
    Nothing else differs from `keras.Model`: it compiles, fits and saves as any other, and `spec` survives
    `model.save("m.keras")`, `pickle`, `copy`, `from_config` and `keras.models.clone_model`; the weights of the latter
    two are new and count as untrained until they are set. A part of it, `keras.Model(model.input,
    model.get_layer(name).output)`, is a plain model.

    Its `__init__` takes what that of a functional model takes: only so does Keras rebuild it from its configuration.
    """

    spec: Entry
    loaded_fingerprint: str  # see zoo/weights/untrained.py; only where it was loaded from a file of others
    adapter: bytes  # its file, see zoo/weights/adapters.py; only where it was loaded from one

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.autocast = False  # the layers do it: pixels are not rounded at the door
        self.initial_fingerprints: dict[str, str] = {}
        origin = getattr(self.outputs[0], _ORIGIN, lambda: None)()
        if origin is not None:
            self._become_clone_of(origin)

    def _run_through_graph(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """As Keras' own; `clone_model` calls it, and makes a model of the class from what it returns."""
        outputs = super()._run_through_graph(inputs, *args, **kwargs)
        for output in keras.tree.flatten(outputs):
            if isinstance(output, keras.KerasTensor):
                setattr(output, _ORIGIN, weakref.ref(self))
        return outputs

    def _become_clone_of(self, origin: "ZooModel") -> None:
        from zoo.weights.untrained import fingerprints

        self.spec = origin.spec
        kept = {id(layer) for layer in origin.layers}
        self.initial_fingerprints = fingerprints(layer for layer in self.layers if id(layer) not in kept)

    def preprocess(self, source: Any) -> Any:
        """From one source to what the model takes, without the batch axis, as this checkpoint was evaluated.

        An image is resized and cropped: uint8 `(height, width, 3)`. `zoo.tasks` says what the other tasks read and
        give: a volume `(depth, height, width, 1)`, a series `(time, 1)`, (x, y) `(2,)`, or, with holes, a dict of
        `image` and `mask`.

        Raises:
            InputError: The source cannot be read, or is of another kind.
        """
        return find_task(self.spec.task).prepare(source, self.spec)

    def get_config(self) -> dict[str, Any]:
        from zoo.weights.untrained import current_spec

        return {**super().get_config(), "spec": current_spec(self).model_dump(mode="json")}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> "ZooModel":
        from zoo.weights.untrained import fingerprints

        allow_deep_graphs()
        config = dict(config)
        spec = Entry.model_validate(config.pop("spec"))
        model = super().from_config(config, custom_objects=custom_objects)
        if spec.features and isinstance(model.output, dict):  # JSON has made the strides into strings
            model = cls(model.input, {int(stride): output for stride, output in model.output.items()}, name=model.name)
        model.spec = spec
        model.initial_fingerprints = fingerprints(model.layers)
        return model


# Keras' older format, .h5, knows classes without their package.
keras.saving.get_custom_objects()["ZooModel"] = ZooModel
