"""From a handle to a ready Keras model."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zoo import architectures, load_arguments
from zoo.architectures.unaltered import check_outputs
from zoo.catalogue import handles, notices
from zoo.catalogue.decoded import usual_output_stride, with_decoder
from zoo.catalogue.descriptions import read_folder
from zoo.catalogue.entry import Adapter, Entry
from zoo.catalogue.handles import Handle
from zoo.catalogue.licensing import UNKNOWN
from zoo.catalogue.registries import place_of
from zoo.catalogue.registry import registry
from zoo.catalogue.resolving import Located, in_bundle, resolve
from zoo.catalogue.task_names import ProblemType
from zoo.errors import InputError, IntegrityError, RegistryError, UnknownModelError, ZooError
from zoo.export.opened import ExportedModel, is_export
from zoo.export.opened import load as load_export
from zoo.model import ZooModel
from zoo.weights import filling as weight_files
from zoo.weights.adapters import add_adapter, read_adapter, whole_layers
from zoo.weights.keras_state import unharmed
from zoo.weights.untrained import record_adapter, record_initial_values, record_loaded_values

# How files of weights end, whether they are read here or not.
_WEIGHTS = (*weight_files.PICKLED, ".safetensors", ".index.json", ".h5", ".msgpack", ".onnx", ".tflite", ".gguf")


def load(
    handle: str | os.PathLike[str],
    *,
    weights: str | os.PathLike | None = "pretrained",
    num_classes: int | None = None,
    new_head: bool = False,
    problem_type: ProblemType | None = None,
    decoder: str | None = None,
    decoder_options: Mapping[str, Any] | None = None,
    input_shape: tuple[int | None, ...] | None = None,
    in_channels: int | None = None,
    output_stride: int | None = None,
    features: bool | Sequence[int] = False,
    revision: str | None = None,
    cache_dir: str | os.PathLike | None = None,
    token: str | bool | None = None,
    offline: bool | None = None,
) -> ZooModel:
    """Build a model and fill it with verified weights.

    Args:
        handle: A name (`resnet50`, its first checkpoint; `resnet50.a1_in1k`), `hf://owner/repo[@revision]` with our
            `zoo.json` or timm's `config.json`, a folder with the same files, a `.keras` file, or `bundle.tar#resnet50`
            (`zoo.bundle`). A name in the registry is never a folder of the working directory: write `./resnet50` for
            that one. `~` is the home folder.
        weights: `"pretrained"`; None for random weights; or the path of a file in the entry's format, such as a
            `.safetensors` that timm trained; `.pt`, `.pth`, `.pth.tar`, `.bin` and `.ckpt` of PyTorch need the extra
            `layerzoo[torch]`.
        num_classes: Number of classes, up to 100,000. Where the pretrained head has another number, it is replaced by a
            new one with random weights, with a warning; the other layers keep their pretrained weights. 0 for no
            head: pooled features `(batch, channels)`.
        new_head: Always start with a new head with random weights: even where the pretrained head has `num_classes`
            classes, or a file of your own has a head with another number (otherwise an error).
        problem_type: What the head predicts, in transformers' words: `"single_label_classification"`,
            `"multi_label_classification"`, whose outputs are a logit for each of `num_classes` labels, any number of
            which apply; or `"regression"`, whose outputs are `num_classes` quantities. By default as pretrained, and
            one class for a new head. `zoo.finetune` chooses it by the data.
        decoder: Put a new decoder above the model's trunk, for a class per pixel: `"unet"`, `"fpn"`,
            `"deeplabv3plus"`, `"deeplabv3"`, `"upernet"`, `"fcn"` or, above a VGG, `"segnet"`; or for objects with
            their boxes: `"fcos"`, `"retinanet"`, `"efficientdet"` or `"yolox"`. It and its head begin
            with random weights, which training replaces; the trunk keeps its own. `num_classes` is required.
        decoder_options: What the decoder is built with beside its defaults, such as `{"separable": True}`; each file of
            `zoo.architectures.decoders` lists its own.
        input_shape: `(height, width, channels)`, or as the model takes it: `(depth, height, width, 1)`, `(time, 1)`.
            By default sizes are unknown, so any will do.
        in_channels: Channels of grey (1) or multispectral images, for models that classify, segment or find objects, in
            families that can. Where the file has others, the first convolution's filters are summed for 1, and else
            repeated (RGBRGB...) and scaled by `3 / in_channels` (timm's rule).
        output_stride: Stride of the deepest map, 8, 16 or 32 pixels: beyond it convolutions are dilated in place of
            being strided, in families that can. By default as pretrained; below `"deeplabv3plus"` 16 and below
            `"deeplabv3"` 8, where the family can.
        features: Return the feature pyramid instead of the head's output: a dict from stride to map; or only the maps
            of these strides, such as `(8, 16)`. The registry declares which families have one.
        revision: Commit, tag or branch on the Hub, where the handle has no `@`.
        cache_dir: Folder for downloads. By default the Hugging Face cache (`HF_HOME`).
        token: Hub token for private and gated repositories. By default `HF_TOKEN` or the stored login; False for none.
        offline: True to use no network at all, False for network even if `HF_HUB_OFFLINE` is set.

    Returns:
        A `keras.Model` from RGB 0 to 255, `(batch, height, width, 3)`, uint8 or float, to logits `(batch, num_classes)`
        or what its task gives, or with `features` to `{stride: (batch, height / stride, width / stride, channels)}`;
        with `model.spec` and `model.preprocess(image)`.

    Raises:
        UnknownModelError: No such model, repository, revision or file, or no pretrained weights.
        InputError: An argument has a wrong type or value, does not fit the model, or contradicts another one; the file
            of weights is of a format that is not read, or its head has another number of classes.
        OfflineError: The file is not cached and the Hub cannot be reached.
        AccessError: The repository is gated or private, or the cache cannot be written.
        IntegrityError: The file differs from what was declared, after a second download too.
        WeightsMismatchError: The file does not fit the architecture.
        MissingExtraError: The file is pickled (`.pt`, `.pth` and the like) and PyTorch is not installed.
        RegistryError: A registry or description does not follow its schema.

    Example:
        >>> import zoo
        >>> model = zoo.load("espcn-x2")
        >>> model.output_shape
        (None, None, None, 3)
    """
    options: dict[str, Any] = {"revision": revision, "cache_dir": cache_dir, "token": token, "offline": offline}
    changes: dict[str, Any] = {
        "num_classes": num_classes,
        "new_head": new_head,
        "problem_type": problem_type,
        "decoder": decoder,
        "decoder_options": decoder_options,
        "input_shape": input_shape,
        "in_channels": in_channels,
        "output_stride": output_stride,
        "features": features,
    }
    load_arguments.check(weights=weights, **changes)
    handles.check_options(cache_dir=cache_dir, token=token, offline=offline)
    parsed = handles.parse(handle, revision=revision)
    if parsed.kind == "keras" and parsed.path is not None:
        return _load_keras_file(parsed.path, {"weights": weights != "pretrained", **changes})
    located = resolve(parsed, **options)
    entry, path, own_file, adapted = located.entry, None, None, None
    if weights == "pretrained":
        entry, path, adapted = _pretrained(located, options)
    elif weights is not None:
        path = own_file = _own_file(weights)
        entry = _without_provenance(entry)
    new_layers: tuple[str, ...] = ()
    if in_channels is not None:
        if adapted is not None:
            raise InputError(f"in_channels={in_channels} does not fit {entry.name}, an adapter. Expected its base.")
        entry = load_arguments.with_channels(entry, in_channels)
    if decoder is not None and output_stride is None:
        output_stride = usual_output_stride(entry, decoder)
    if output_stride is not None:
        entry = load_arguments.with_output_stride(entry, output_stride)
    if features:
        entry = load_arguments.with_features(entry, features)
    if num_classes is None and new_head:
        num_classes = entry.num_classes or 0
    encoder = None
    if decoder_options is not None and decoder is None:
        raise InputError(f"decoder_options={dict(decoder_options)} without decoder=. Expected both, or neither.")
    if decoder is not None:
        encoder = entry
        if problem_type is not None:
            raise InputError(
                f"problem_type={problem_type!r} with decoder={decoder!r}. Expected one of the two: problem_type is "
                "of heads that answer for a whole image."
            )
        entry, new_layers = with_decoder(entry, decoder, decoder_options, num_classes)
    elif problem_type is not None and num_classes is None:
        load_arguments.check_problem_type(entry, problem_type)
    elif num_classes is not None:
        if features and num_classes:
            raise InputError(f"num_classes={num_classes} with features=True: a pyramid has no head. Expected either.")
        entry, new_layers = load_arguments.with_classes(entry, num_classes, own_file, new_head, problem_type)
    if input_shape is not None:
        load_arguments.check_shape(entry, input_shape)
    first_conv = registry().first_conv(entry.builder) if in_channels else ()
    return _filled(entry, path, input_shape, new_layers, first_conv, encoder, adapted)


def ready(model: ZooModel | str | os.PathLike[str], **options: Any) -> ZooModel:
    """The model itself, or the one that a handle means, loaded with `options`.

    Raises:
        InputError: Neither a model from `zoo.load` nor a handle, or its outputs no longer mean what they are read as.
        As `load`, for a handle.
    """
    loaded = load(model, **options) if isinstance(model, str | os.PathLike) else model
    if not isinstance(loaded, ZooModel):
        raise InputError(f"The model is a {type(loaded).__name__}. Expected one from zoo.load, or a handle.")
    check_outputs(loaded)
    return loaded


def answering(model: ZooModel | ExportedModel | str | os.PathLike[str], **options: Any) -> ZooModel | ExportedModel:
    """The model itself, or the one that a handle means, loaded with `options`; an export, or the folder of one, in its
    own runtime.

    Raises:
        As `ready`, and as `zoo.export.load` for the folder of an export.
    """
    if isinstance(model, ExportedModel):
        return model
    path = handles.parse(model).path if isinstance(model, str | os.PathLike) else None
    return load_export(path) if path is not None and is_export(path) else ready(model, **options)


def load_folder(folder: Path) -> ZooModel:
    """The model in a folder of this machine, whatever its name contains. Raises as `load`."""
    located = Located(read_folder(folder), Handle("folder", path=folder))
    entry, path, adapted = _pretrained(located, {})
    return _filled(entry, path, None, (), (), adapted=adapted)


def _load_keras_file(path: Path, changes: dict[str, Any]) -> ZooModel:
    from zoo.weights.keras_files import load_keras_file

    given = [name for name, value in changes.items() if value is not None and value is not False]
    if given:
        raise InputError(f"{path} is a whole model, and {given[0]}= cannot change it. Expected no {', '.join(given)}.")
    model = load_keras_file(path)
    notices.say(model.spec)
    return model


def pretrained_file(located: Located, options: dict[str, Any]) -> tuple[Entry, Path]:
    """The file of a model's weights on this disk, and the entry with what a download established.

    Args:
        located: The model.
        options: Of `Source.fetch`.

    Raises:
        As `load`.
    """
    entry = located.entry
    if located.handle.kind == "bundle":
        bundle, name = in_bundle(located.handle)
        return entry, bundle.fetch(name, entry.filename, options.get("cache_dir"))
    if located.folder is not None:
        if is_export(located.folder):
            raise InputError(
                f"{located.folder} is an export, which has no weights to load. Expected a model; zoo.predict, "
                "zoo.predict_files, zoo.evaluate, zoo.choose, zoo demo and zoo.export.load take exports."
            )
        return entry, _folder_file(located.folder, entry.filename)
    if entry.is_embedded:
        return entry, _embedded_file(entry)
    if entry.source is None:
        raise UnknownModelError(
            f"{entry.name} has no pretrained weights. Expected weights=None for random ones or the path of a file."
        )
    try:
        file = entry.where.fetch(entry.filename, sha256=entry.sha256, **options)
    except UnknownModelError as error:
        raise UnknownModelError(
            f"{error} The weights of a repository are read from {entry.filename} only; download another file of it, "
            f"{weight_files.FORMATS}, and pass its path as weights=."
        ) from error
    return entry.model_copy(update={"revision": file.revision, "sha256": file.sha256}), file.path


def _pretrained(located: Located, options: dict[str, Any]) -> tuple[Entry, Path, "_Adapted | None"]:
    """The network of the published file, the file of weights, of an adapter its base's, and what is added to those."""
    entry, path = pretrained_file(located, {**options, "revision": located.entry.revision})
    adapted = None
    if entry.adapter is not None:
        adapted, path = _base_of(entry, entry.adapter, path, options)
    if entry.evaluated_with:
        changed = {"config": {**entry.config, **entry.evaluated_with}, "evaluated_with": {}}
        entry = entry.model_copy(update=changed)
    return entry, path, adapted


class _Adapted(NamedTuple):
    """The entry of an adapter's base, and the adapter's file."""

    base: Entry
    adapter: bytes


def _base_of(entry: Entry, adapter: Adapter, file: Path, options: dict) -> tuple[_Adapted, Path]:
    """The base of an adapter in this `file`, as it was when that was trained, and the base's file of weights."""
    content = read_adapter(file)
    parsed = handles.parse(adapter.base, revision=adapter.revision)
    if parsed.kind not in ("registry", "hub"):
        raise RegistryError(
            f"{entry.name} is an adapter of {adapter.base!r}, which is not a model of the registry or the Hub. "
            "Expected one; tell its publisher."
        )
    options = {**options, "revision": None}
    located = resolve(parsed, **options)
    base, path = pretrained_file(located, {**options, "revision": located.entry.revision})
    if base.adapter is not None or base.sha256 != adapter.sha256:
        found = "an adapter itself" if base.adapter is not None else f"another file, with SHA-256 {base.sha256}"
        raise IntegrityError(
            f"{entry.name} is an adapter of {adapter.base}, which now is {found}. Expected the one that it was trained "
            f"on, with SHA-256 {adapter.sha256}; tell its publisher, or train it again."
        )
    return _Adapted(base, content), path


def _embedded_file(entry: Entry) -> Path:
    place = place_of(entry.name)
    path = place.checkpoints / entry.filename
    if not path.is_file():
        raise IntegrityError(f"There is no file {path}. Expected it there; install {place.distribution} again.")
    actual = hashlib.sha256(path.read_bytes()).hexdigest()
    if entry.sha256 is None:
        raise RegistryError(f"{place.path}: {entry.name} has no sha256. Expected {actual}, if the file is yours.")
    if actual != entry.sha256:
        raise IntegrityError(
            f"{path} has SHA-256 {actual}. Expected {entry.sha256}; install {place.distribution} again."
        )
    return path


def _folder_file(folder: Path, filename: str) -> Path:
    """The file of weights in a folder; where there is none, the error names what there is instead."""
    path = folder / filename
    if path.is_file():
        return path
    found = sorted(other.name for other in folder.iterdir() if other.name.lower().endswith(_WEIGHTS))
    instead = f"; it has {', '.join(found[:5])}" if found else ""
    raise InputError(
        f"{folder} has no {filename}{instead}. Expected that file; another one, {weight_files.FORMATS}, is loaded "
        "by its path: zoo.load(name, weights=path)."
    )


def _own_file(path: str | os.PathLike) -> Path:
    path = handles.path_of(path)
    if not path.is_file():
        raise InputError(
            f"There is no file {path}. Expected weights='pretrained', None or the path of a file of weights."
        )
    return path


def _without_provenance(entry: Entry) -> Entry:
    """The registry knows neither where an own file comes from nor how good it is, nor what its owner allows."""
    facts: dict[str, Any] = {
        "source": None,
        "revision": None,
        "sha256": None,
        "metrics": {},
        "measured": None,
        "license": UNKNOWN,
        "base": None,
        "adapter": None,
    }
    return entry.model_copy(update=facts)


@unharmed()
def _filled(
    entry: Entry,
    path: Path | None,
    input_shape: tuple[int | None, ...] | None,
    new_layers: tuple[str, ...],
    first_conv: tuple[str, ...],
    encoder: Entry | None = None,
    adapted: _Adapted | None = None,
) -> ZooModel:
    """Build and fill; `encoder` is what the file contains, where the model has a part of it only. Where the model is
    `adapted`, the file is that of its base."""
    if path is None:
        entry = _without_provenance(entry).model_copy(update={"random": "all"})
        model = _built(entry, input_shape)
        record_initial_values(model, model.layers)
        return model
    with weight_files.abstract():
        model = _built(entry, input_shape)
        wholes = [_built(whole, None) for whole in _wholes(entry, encoder)]
        if adapted is not None:
            wholes.append(_built(adapted.base, None))
    of_file = entry if adapted is None else adapted.base
    untrained = weight_files.fill(
        model,
        path,
        file_format=of_file.format,
        unused=of_file.unused,
        optional=of_file.optional,
        new_layers=(*new_layers, *(whole_layers(adapted.adapter) if adapted else ())),
        random_layers=of_file.random_layers,
        first_conv=first_conv,
        wholes=wholes,
    )
    if adapted is not None and entry.adapter is not None:
        others = {layer.name for whole in wholes for layer in whole.layers}
        untrained -= add_adapter(model, adapted.adapter, entry.adapter.rank, leave=new_layers, others=others)
    if untrained:
        model.spec = entry.model_copy(update={"random": "head"})
        record_initial_values(model, [layer for layer in model.layers if layer.name in untrained])
    elif adapted is not None:
        record_adapter(model, adapted.adapter)
    elif entry.is_embedded or (entry.format != "zoo" and entry.source is not None):  # not written as `zoo.save` does
        record_loaded_values(model)
    notices.say(model.spec, untrained)
    return model


def _wholes(entry: Entry, encoder: Entry | None) -> Iterator[Entry]:
    """Networks that the file may be of: a pyramid has no head, and below a decoder an encoder may end early."""
    if entry.features:
        yield entry.model_copy(update={"features": False})
    if encoder is not None:
        yield encoder
    if entry.format == "smp":
        alone = {"decoder": None, "features": False, "task": "image-classification", "num_classes": 1000}
        yield entry.model_copy(update=alone)


def _built(entry: Entry, input_shape: tuple[int | None, ...] | None) -> ZooModel:
    try:
        return architectures.build(entry, input_shape=None if input_shape is None else tuple(input_shape))
    except (ZooError, MemoryError):
        raise
    except Exception as error:  # a stranger's description: builders fail in any way
        if input_shape is None:
            raise RegistryError(
                f"{entry.name} cannot be built: config {json.dumps(entry.config):.200} does not fit {entry.builder} "
                f"({type(error).__name__}: {error!s:.200}). Expected one as `zoo info` shows them; tell its publisher."
            ) from error
        raise InputError(
            f"input_shape={input_shape} does not fit {entry.name}: its network cannot be built for it ({error}). "
            "Expected a larger one, or None for any size."
        ) from error
