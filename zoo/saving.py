"""A model as a folder, laid out as it is published.

zoo.json              the entry: `zoo.load(folder)` and `hf://` read it
model.safetensors     the weights, called as their Keras variable paths
README.md             the card
config.json, metadata.json, model.weights.h5     what plain `keras.saving.load_model` reads

An adapter has `adapter.safetensors` in place of the weights, and nothing for plain Keras.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import safetensors.numpy

from zoo.architectures.unaltered import adapter, check_outputs, difference
from zoo.backend import dtype_policy
from zoo.catalogue.entry import Base, Entry, Measured
from zoo.catalogue.handles import path_of
from zoo.catalogue.training_record import TrainingRecord
from zoo.errors import InputError, PublishError
from zoo.loading import load_folder
from zoo.model import ZooModel
from zoo.weights.adapters import ADAPTER
from zoo.weights.untrained import current_spec, is_as_loaded
from zoo.whole import whole_folder, writable

WEIGHTS = "model.safetensors"
FILES = ("zoo.json", WEIGHTS, ADAPTER, "README.md", "config.json", "metadata.json", "model.weights.h5")
_TOLERANCE = 1e-5  # of the largest output, on the same machine


def save(model: ZooModel, output_dir: str | os.PathLike[str]) -> Path:
    """Write a model into a new folder, from which `zoo.load(folder)` gives it back; whole or not at all.

    The folder is what `zoo.publish` puts on the Hub, and plain `keras.saving.load_model` reads it too (after `import
    zoo.layers`, where the model has our layers), as a model without spec. The optimizer's state is not kept. Before the
    folder appears it is loaded and compared: it gives the same outputs as the model.

    An adapter, as `zoo.finetune(..., lora=8)` trains it, is saved as one, over the weights of its base, which
    `zoo.load` brings. Once its weights are changed it is saved whole.

    Args:
        model: A model from `zoo.load`, trained or not since. With untrained weights it can be saved, and
            `spec.random` still says so.
        output_dir: Where to write: a path at which there is nothing yet, or an empty folder.

    Returns:
        The folder. In it, `spec.base` names the model that training began with; the base's metrics are kept only while
        the weights are the base's.

    Raises:
        InputError: Not a model of the zoo, or one whose outputs no longer mean what they are read as; or the folder
            is not empty: your files are never replaced.
        AccessError: The folder cannot be written.
        PublishError: `zoo.load` of the folder would give another model.

    Example:
        >>> import tempfile, zoo
        >>> folder = zoo.save(zoo.load("espcn-x2"), tempfile.mkdtemp() + "/mine")
        >>> sorted(path.name for path in folder.iterdir())[:3]
        ['README.md', 'config.json', 'metadata.json']
        >>> zoo.load(folder).spec.base.name
        'espcn-x2.photos'
    """
    from zoo.export.published_card import published_card

    target = path_of(output_dir)
    if not isinstance(model, ZooModel):
        raise InputError(f"The model is a {type(model).__name__}. Expected one from zoo.load.")
    check_outputs(model)
    with writable(target):
        if target.is_file() or (target.is_dir() and any(target.iterdir())):
            raise InputError(f"{target} exists. Expected a new folder, since none is overwritten; choose another name.")
    snapshot = Snapshot(model)
    entry = snapshot.described(folder_name(target))
    with whole_folder(target) as place:
        write(snapshot, place, entry, str(published_card(entry, training=TrainingRecord())))
    return target


def folder_name(folder: Path) -> str:
    """The model's name, after its folder; what no name contains is left out."""
    text = os.fsencode(folder.resolve().name).decode("utf-8", "replace")
    kept = "".join(char if char.isprintable() and char not in "/\\:" else "-" for char in text)[:200].strip()
    return kept if kept.strip(".") else "model"


class Snapshot:
    """A model at one moment: its weights are read once, and everything written agrees with them.

    Attributes:
        model: The model, which stays as it is.
        tensors: Its weights as a safetensors file, called as their Keras variable paths; or its adapter.
        is_adapter: Whether `tensors` are an adapter; never where the `whole` is asked for.
        sha256: Of `tensors`.
        spec: The entry of the model; its initial weights count as trained once it has changed.
        is_unchanged: Whether the weights are known to be those that were loaded.
    """

    def __init__(self, model: ZooModel, *, whole: bool = False):
        self.model, self.spec = model, current_spec(model)
        has_adapter = self.spec.adapter is not None and hasattr(model, "adapter")
        self.is_adapter = not whole and has_adapter and is_as_loaded(model)
        self.tensors = model.adapter if self.is_adapter else _tensors(model)
        self.sha256 = hashlib.sha256(self.tensors).hexdigest()
        self.is_unchanged = self.sha256 == self.spec.sha256 or is_as_loaded(model)

    def described(
        self,
        name: str,
        *,
        unchanged: bool | None = None,
        metrics: Mapping[str, float] | None = None,
        measured: Measured | None = None,
    ) -> Entry:
        """The entry under a new name: the weights are in a file of our own format.

        Args:
            name: Of the folder or the repository.
            unchanged: Whether the weights are those that were loaded, where somebody knows it better. If they are not,
                what was measured of the base does not hold for them.
            metrics: What was measured of these weights, and `measured` on which data; instead of what is known.
            measured: See `metrics`.
        """
        spec = self.spec
        facts: dict[str, Any] = {
            "name": name,
            "source": None,
            "revision": None,
            "filename": ADAPTER if self.is_adapter else WEIGHTS,
            "sha256": self.sha256,
            "adapter": spec.adapter if self.is_adapter else None,
            "format": "zoo",
            "unused": (),
            "optional": (),
            "random_layers": (),
            "initial_weights": {} if spec.random == "none" else spec.initial_weights,
            "parameters_millions": _parameters_millions(self.model),
            "base": base_of(spec),
        }
        if not (self.is_unchanged if unchanged is None else unchanged):
            facts |= {"tag": None, "metrics": {}, "measured": None}
        if metrics:
            facts |= {"metrics": dict(metrics), "measured": measured}
        return spec.model_copy(update=facts)


def write(snapshot: Snapshot, folder: Path, entry: Entry, card: str) -> ZooModel:
    """Fill an empty folder, and return the model that it contains: the same, but not compiled, and with `entry` as
    spec.

    Raises:
        PublishError: The folder does not give the model back.
        OSError: It cannot be written; callers know what it is for.
    """
    loaded = write_compared(snapshot.model, snapshot.tensors, folder, entry, card)
    if not snapshot.is_adapter:
        _write_for_keras(loaded, folder)
    return loaded


def write_compared(model: ZooModel, tensors: bytes, folder: Path, entry: Entry, card: str) -> ZooModel:
    """Write the weights, as a safetensors file in the entry's format, the entry and the card, and return the model
    that the folder then contains.

    Raises:
        PublishError: It is another one.
        OSError: The folder cannot be written.
    """
    if found := adapter(model):
        raise _other(entry, found)
    (folder / entry.filename).write_bytes(tensors)
    (folder / "zoo.json").write_text(entry.model_dump_json(indent=2) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(card, encoding="utf-8")
    with dtype_policy(model):
        loaded = load_folder(folder)
    _compare(model, loaded)
    return loaded


def _tensors(model: ZooModel) -> bytes:
    """The weights as a safetensors file; seeds of dropout are not weights."""
    variables = {variable.path: variable for variable in model.variables if "seed_generator" not in variable.path}
    arrays = {path: keras.ops.convert_to_numpy(variable) for path, variable in variables.items()}
    return safetensors.numpy.save({path: np.ascontiguousarray(array, "float32") for path, array in arrays.items()})


def _parameters_millions(model: ZooModel) -> float:
    """Millions of parameters, as papers count: without the statistics of batch normalisation."""
    counted = [v for v in model.weights if not v.path.endswith(("moving_mean", "moving_variance"))]
    return round(sum(int(np.prod(variable.shape)) for variable in counted) / 1e6, 6)


def base_of(spec: Entry) -> Base | None:
    """Where the weights began: the model that was loaded, or what that one began with."""
    if spec.source is None:
        return spec.base
    return Base(name=spec.name, source=spec.source, revision=spec.revision, license=spec.license)


def _compare(model: ZooModel, loaded: ZooModel) -> None:
    """Compare the networks and their outputs.

    Raises:
        PublishError: They differ.
    """
    from zoo.export.exportable import reference_outputs, samples

    inputs = samples(model, 1)
    expected, actual = reference_outputs(model, inputs), reference_outputs(loaded, inputs)
    if not all(np.isfinite(values).all() for values in expected.values()):
        raise PublishError(
            f"{model.spec.name} outputs NaN or infinity. Expected finite numbers; train it again with a lower "
            "learning rate."
        )
    if found := difference(model, loaded, in_training=False):
        raise _other(model.spec, found)
    for name, values in expected.items():
        output, largest = actual.get(name), np.abs(values).max(initial=0)
        is_alike = output is not None and output.shape == values.shape
        if not is_alike or np.abs(values - output).max(initial=0) > _TOLERANCE * largest:
            raise _other(model.spec, f"its output {name} differs")


def _other(entry: Entry, found: str) -> PublishError:
    return PublishError(
        f"{entry.name} is not the network that its spec describes ({found}), and has other outputs once it is saved "
        "and loaded. Expected one without layers exchanged or another dtype policy; start from zoo.load and change "
        "weights only."
    )


def _write_for_keras(model: ZooModel, folder: Path) -> None:
    """What Keras itself reads. The network alone, without our class: it opens where this library is not imported."""
    network = keras.Model(model.input, model.output, name=model.name)
    with tempfile.TemporaryDirectory() as own:
        keras.saving.save_model(network, os.path.join(own, "model"), zipped=False)
        for name in ("config.json", "model.weights.h5"):
            shutil.move(os.path.join(own, "model", name), folder / name)
    # Without Keras' date: the same model gives the same files.
    (folder / "metadata.json").write_text(json.dumps({"keras_version": keras.__version__}), encoding="utf-8")
