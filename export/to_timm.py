"""Back to timm, and so to PyTorch: the weights under timm's names, and the `config.json` that it reads.

    zoo.export.timm("runs/mine", "mine-timm")
    timm.create_model("local-dir:mine-timm", pretrained=True)     # in PyTorch

The folder stays one of ours: `zoo.load("mine-timm")`.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import safetensors.numpy

from zoo.catalogue.entry import Entry
from zoo.catalogue.handles import path_of
from zoo.catalogue.registries import OURS, place_of
from zoo.catalogue.registry import registry
from zoo.catalogue.task_names import ONE_HEAD
from zoo.catalogue.training_record import TrainingRecord
from zoo.errors import ExportError, InputError
from zoo.export.exportable import trained
from zoo.export.published_card import published_card
from zoo.labels import read_labels
from zoo.layers import LayerScale
from zoo.model import ZooModel
from zoo.saving import Snapshot, folder_name, write_compared
from zoo.weights.formats import Slot, read_timm
from zoo.whole import whole_folder, writable

if TYPE_CHECKING:
    from huggingface_hub import ModelCard

# Dense layers of ours behind the pooling that are convolutions of 1 x 1 in timm, by builder. PyTorch minds the axes.
CONVOLUTIONS = {
    "dla.dla": "fc",
    "dpn.dpn": "classifier",
    "fasternet.fasternet": "conv_head",
    "hgnet.hgnet": "head-last_conv-0",
    "lcnetv2.lcnetv2": "conv_head",
    "resnetv2.resnetv2": "head-fc",
}


def timm(
    model: ZooModel | str | os.PathLike[str], output_dir: str | os.PathLike[str], *, allow_random: bool = False
) -> Path:
    """Write a model of one of timm's families as timm loads it, fine-tuned and with a new head as well.

    In PyTorch, `timm.create_model("local-dir:FOLDER", pretrained=True)` gives the same logits, for images that
    `timm.data.create_transform(**timm.data.resolve_data_config(model.pretrained_cfg))` has prepared: timm normalises
    outside of the model. `zoo.publish(..., timm=True)` puts the same files on the Hub, for `hf_hub:owner/name`.

    Args:
        model: A model from `zoo.load`, or a handle for it.
        output_dir: Where to write: a path at which there is nothing yet, or an empty folder.
        allow_random: Export a model that has random weights too.

    Returns:
        The folder: `model.safetensors`, `config.json`, our `zoo.json`, with which `zoo.load(folder)` gives the model
        back, and the card.

    Raises:
        ExportError: timm has no such network, or the weights are random.
        InputError: The folder is not empty.
        PublishError: The folder would not give the model back.
        AccessError: The folder cannot be written.
        As `zoo.load`, for a handle.

    Example:
        >>> import tempfile, zoo.export
        >>> folder = zoo.export.timm("tf_efficientnet_lite0", tempfile.mkdtemp() + "/lite0")
        >>> sorted(path.name for path in folder.iterdir())
        ['README.md', 'config.json', 'model.safetensors', 'zoo.json']
    """
    target = path_of(output_dir)
    with writable(target):
        if target.is_file() or (target.is_dir() and any(target.iterdir())):
            raise InputError(f"{target} exists. Expected a new folder, since none is overwritten; choose another name.")
    model = trained(model, allow_random=allow_random)
    check_family(model.spec)
    entry = Snapshot(model, whole=True).described(folder_name(target))
    with whole_folder(target) as folder:
        write_timm(model, folder, entry, published_card(entry, training=TrainingRecord()))
    return target


def check_family(entry: Entry) -> None:
    """Refuse what timm has not.

    Raises:
        ExportError: Names what differs.
    """
    if entry.decoder or entry.features:
        what = f"the decoder {entry.decoder}" if entry.decoder else "a feature pyramid for its output"
        raise ExportError(
            f"{entry.name} has {what}, which timm does not have. Expected a head that classifies, or none."
        )
    name = registry().default_names.get(entry.architecture)
    known = registry().find(entry.architecture) if name else None
    is_ours = known is not None and place_of(known.name).package == OURS
    if (
        known is None
        or not is_ours
        or known.format != "timm"
        or known.task not in ONE_HEAD
        or known.builder != entry.builder
    ):
        raise ExportError(
            f"{entry.name} is a network of layerzoo ({entry.builder}), which timm does not have. Expected one of "
            "timm's families, such as resnet50; onnx is read by other programs too."
        )
    if entry.quantities:
        raise ExportError(
            f"{entry.name} gives quantities in units, which timm does not have. Expected a head that classifies, or "
            "none."
        )
    if entry.config != known.config:
        changed = sorted(
            key for key in entry.config.keys() | known.config.keys() if entry.config.get(key) != known.config.get(key)
        )
        raise ExportError(
            f"{entry.name} is another network than timm's {entry.architecture}: {', '.join(changed)} differs. Expected "
            "what zoo.load builds without output_stride= and the like."
        )


def write_timm(model: ZooModel, folder: Path, entry: Entry, card: "ModelCard") -> ZooModel:
    """Fill an empty folder, and return the model that it contains.

    Raises:
        As `write_compared`.
    """
    tensors = safetensors.numpy.save(timm_tensors(model), metadata={"format": "pt"})
    sha256 = hashlib.sha256(tensors).hexdigest()
    card.data.library_name = "timm"
    card.data.tags = ["timm", *(card.data.tags or ())]
    entry = entry.model_copy(update={"format": "timm", "sha256": sha256})
    (folder / "config.json").write_text(json.dumps(timm_config(model, entry), indent=2) + "\n", encoding="utf-8")
    return write_compared(model, tensors, folder, entry, str(card))


def timm_tensors(model: ZooModel) -> dict[str, np.ndarray]:
    """All weights, by the names and in the shapes that timm's network has them in; float32."""
    found: dict[str, np.ndarray] = {}
    for layer, variable in _variables(model):
        slot = _slot(layer, variable, model.spec.builder)
        values = slot.written(keras.ops.convert_to_numpy(variable))
        found[slot.tensor] = np.ascontiguousarray(values, "float32").reshape(values.shape)
    return found


def timm_config(model: ZooModel, entry: Entry) -> dict[str, Any]:
    """What `config.json` says: the network, its classes, and how its images are prepared."""
    channels, known = len(entry.input.mean), registry().first_conv(entry.builder)
    first_conv = [_module(layer.name) for layer in model.layers if layer.name in known]
    labels = read_labels(entry.labels)
    facts: dict[str, Any] = {
        "architecture": entry.architecture,
        "num_classes": entry.num_classes or 0,
        "pretrained_cfg": {
            "tag": entry.tag,
            "input_size": [channels, entry.input.size, entry.input.size],
            "interpolation": entry.input.interpolation,
            "crop_pct": entry.input.crop,
            "crop_mode": entry.input.crop_mode,
            "mean": list(entry.input.mean),
            "std": list(entry.input.std),
            "num_classes": entry.num_classes or 0,
            # Older versions of timm take every file for one of three channels, and would change the filters.
            "first_conv": _one_or_all(first_conv) if channels == 3 else None,
            "classifier": _one_or_all([_module(layer) for layer in entry.head_layers]),
            "license": entry.license,
            "paper_ids": entry.paper,
        },
    }
    if labels:
        facts["label_names"] = list(labels)
    if entry.problem_type:  # transformers reads it
        facts["problem_type"] = entry.problem_type
    return facts


def _one_or_all(names: list[str]) -> str | list[str] | None:
    return names[0] if len(names) == 1 else names or None


def _module(layer: str) -> str:
    return layer.replace("-", ".")


def _variables(model: ZooModel) -> Iterator[tuple[keras.layers.Layer, keras.Variable]]:
    seen = set()  # a layer that is used twice is written once
    for layer in model.layers:
        for variable in layer.weights:
            if id(variable) not in seen and "seed_generator" not in variable.path:
                seen.add(id(variable))
                yield layer, variable


def _slot(layer: keras.layers.Layer, variable: keras.Variable, builder: str) -> Slot:
    """Where timm has a variable: `read_timm`, without a file whose names would decide."""
    slot = read_timm(layer, variable, set())
    module, _, _ = slot.tensor.rpartition(".")
    if isinstance(layer, LayerScale) and not layer.use_bias:
        leaf = "scale" if "_scale" in module.rpartition(".")[2] else "gamma"  # MetaFormer's modules are called so
        return slot._replace(tensor=f"{module}.{leaf}")
    if layer.name == CONVOLUTIONS.get(builder) and slot.stored is not None:  # the kernel, not the bias
        return slot._replace(stored=(*slot.stored, 1, 1), axes=(2, 3, 1, 0))
    return slot
