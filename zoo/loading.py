"""From a handle to a ready Keras model."""

import hashlib
import os
from importlib import resources
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import keras

from zoo import architectures, handles, hub, notices
from zoo import weights as weight_files
from zoo.descriptions import read_folder
from zoo.errors import InputError, IntegrityError, UnknownModelError
from zoo.handles import Handle, Located
from zoo.model import ZooModel
from zoo.registry import Entry
from zoo.untrained import remember_drawn

HEADLESS = ("image-classification", "image-features")  # tasks whose models may have no head, and change by it


def load(
    handle: str | os.PathLike[str],
    *,
    weights: str | os.PathLike | None = "pretrained",
    num_classes: int | None = None,
    input_shape: tuple[int | None, ...] | None = None,
    in_channels: int | None = None,
    features: bool = False,
    revision: str | None = None,
    cache_dir: str | os.PathLike | None = None,
    token: str | None = None,
    offline: bool | None = None,
) -> ZooModel:
    """Build a model and fill it with verified weights.

    Args:
        handle: A name (`resnet50`, its first checkpoint; `resnet50.a1_in1k`), `hf://owner/repo[@revision]` with our
            `zoo.json` or timm's `config.json`, a folder with the same files, or a `.keras` file. A name in the registry
            is never a folder of the working directory: write `./resnet50` for that one. `~` is the home folder.
        weights: `"pretrained"`; None for random weights; or the path of a file in the entry's format, such as a
            `.safetensors` that timm trained; `.pt` and `.pth` need the extra `layerzoo[torch]`.
        num_classes: A new head with random weights for so many classes; the rest is filled. With a file of your own
            whose head has `num_classes` classes, the head is filled too. 0 for no head: pooled features
            `(batch, channels)`.
        input_shape: `(height, width, 3)`. By default height and width are unknown, so any will do.
        in_channels: Channels of grey (1) or multispectral pictures. The first convolution's filters are summed over RGB
            for 1, and else repeated RGBRGB... and scaled by `3 / in_channels` (timm's rule).
        features: True for the feature pyramid instead of the head's output: a dict from stride to map.
        revision: Commit, tag or branch on the Hub, where the handle has no `@`.
        cache_dir: Folder for downloads. By default the Hugging Face cache (`HF_HOME`).
        token: Hub token for private and gated repositories. By default `HF_TOKEN` or the stored login.
        offline: True for no network at all, False for network even if `HF_HUB_OFFLINE` is set.

    Returns:
        A `keras.Model` from RGB 0 to 255, `(batch, height, width, 3)`, uint8 or float, to logits `(batch, num_classes)`
        or what its task gives, or with `features` to `{stride: (batch, height / stride, width / stride, channels)}`;
        with `model.spec` and `model.preprocess(image)`.

    Raises:
        UnknownModelError: No such model, repository, revision or file, or no pretrained weights.
        InputError: Arguments contradict each other.
        OfflineError: The file is neither cached nor to be reached.
        AccessError: The repository is gated or private, or the cache cannot be written.
        IntegrityError: The file differs from what was declared, after a second download too.
        WeightsMismatchError: The file does not fit the architecture.
        MissingExtraError: The file is pickled (`.pt`, `.pth`) and PyTorch is not installed.
        RegistryError: A registry or description does not follow its schema.

    Example:
        >>> import zoo
        >>> model = zoo.load("espcn-x2")
        >>> model.output_shape
        (None, None, None, 3)
    """
    options: dict[str, Any] = {"revision": revision, "cache_dir": cache_dir, "token": token, "offline": offline}
    parsed = handles.parse(handle, revision=revision)
    if parsed.kind == "keras" and parsed.path is not None:
        return _load_keras_file(parsed.path)
    located = handles.resolve(parsed, **options)
    entry, path = located.entry, None
    if weights == "pretrained":
        entry, path = _pretrained_file(located, {**options, "revision": entry.revision})
    elif weights is not None:
        path = _own_file(weights)
        entry = _without_provenance(entry)
    if in_channels is not None:
        entry = _with_channels(entry, in_channels)
    if features:
        entry = entry.model_copy(update={"features": True})
    new_layers: tuple[str, ...] = ()
    if num_classes is not None:
        entry, new_layers = _with_classes(entry, num_classes, None if weights == "pretrained" else path)
    return _filled(entry, path, input_shape, new_layers)


def ready(model: ZooModel | str | os.PathLike[str], **options: Any) -> ZooModel:
    """The model itself, or the one that a handle means, loaded with `options`.

    Raises:
        InputError: Neither a model from `zoo.load` nor a handle.
        As `load`, for a handle.
    """
    loaded = load(model, **options) if isinstance(model, str | os.PathLike) else model
    if not isinstance(loaded, ZooModel):
        raise InputError(f"The model is a {type(loaded).__name__}. Expected one from zoo.load, or a handle.")
    return loaded


def load_folder(folder: Path) -> ZooModel:
    """The model in a folder of this machine, whatever its name holds. Raises as `load`."""
    located = Located(read_folder(folder), Handle("folder", path=folder))
    entry, path = _pretrained_file(located, {})
    return _filled(entry, path, None, ())


def _load_keras_file(path: Path) -> ZooModel:
    import zoo.layers  # noqa: F401 (registers the layers that the file may hold)

    if not path.is_file():
        raise UnknownModelError(f"There is no file {path}. Expected a model saved with model.save('name.keras').")
    model = keras.saving.load_model(path)
    if isinstance(model, ZooModel):
        notices.say(model.spec)
    return model


def _pretrained_file(located: Located, options: dict) -> tuple[Entry, Path]:
    entry = located.entry
    if located.folder is not None:
        return entry, _own_file(located.folder / entry.filename)
    if entry.source == "embedded":
        return entry, _embedded_file(entry)
    if entry.source is None:
        raise UnknownModelError(
            f"{entry.name} has no pretrained weights. Expected weights=None for random ones or the path of a file."
        )
    file = hub.fetch(handles.repo_id(entry), entry.filename, sha256=entry.sha256, **options)
    return entry.model_copy(update={"revision": file.revision, "sha256": file.sha256}), file.path


def _embedded_file(entry: Entry) -> Path:
    path = Path(str(resources.files("zoo"))) / "checkpoints" / entry.filename
    actual = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
    if actual != entry.sha256:
        raise IntegrityError(f"{path} has SHA-256 {actual}. Expected {entry.sha256}; install layerzoo again.")
    return path


def _own_file(path: str | os.PathLike) -> Path:
    path = Path(path)
    if not path.is_file():
        raise InputError(
            f"There is no file {path}. Expected weights='pretrained', None or the path of a file of weights."
        )
    return path


def _without_provenance(entry: Entry) -> Entry:
    """The registry knows neither where an own file comes from nor how good it is."""
    return entry.model_copy(update={"source": None, "revision": None, "sha256": None, "metrics": {}, "measured": None})


def _with_channels(entry: Entry, in_channels: int) -> Entry:
    if in_channels < 1 or entry.classifier is None:
        raise InputError(
            f"in_channels={in_channels} does not fit {entry.name} ({entry.task}). "
            "Expected a classification model and at least 1 channel."
        )
    mean, std = (
        (sum(values) / len(values),) if in_channels == 1 else tuple(islice(cycle(values), in_channels))
        for values in (entry.input.mean, entry.input.std)
    )
    return entry.model_copy(update={"input": entry.input.model_copy(update={"mean": mean, "std": std})})


def _with_classes(entry: Entry, num_classes: int, own_file: Path | None) -> tuple[Entry, tuple[str, ...]]:
    """The entry for `num_classes`, and the layers of the head that are not to be filled."""
    smallest = 0 if entry.task in HEADLESS else 1
    if num_classes < smallest or entry.classifier is None:
        raise InputError(
            f"num_classes={num_classes} does not fit {entry.name} ({entry.task}). "
            f"Expected a model with classes and at least {smallest}."
        )
    fits = own_file is not None and weight_files.head_size(own_file, entry.classifier) == num_classes
    update: dict = {"num_classes": num_classes, "labels": None}
    if entry.task in HEADLESS:
        update["task"] = "image-classification" if num_classes else "image-features"
    if num_classes and not fits:
        update["random"] = "head"
    return entry.model_copy(update=update), () if fits else entry.head_layers


def _filled(
    entry: Entry, path: Path | None, input_shape: tuple[int | None, ...] | None, new_layers: tuple[str, ...]
) -> ZooModel:
    if path is None:
        model = architectures.build(entry.model_copy(update={"random": "all", "source": None}), input_shape=input_shape)
        remember_drawn(model, model.layers)
        return model
    with weight_files.abstract():
        model = architectures.build(entry, input_shape=input_shape)
        # A pyramid has no head: what the whole network would have used is no left-over.
        whole = architectures.build(entry.model_copy(update={"features": False})) if entry.features else None
    drawn = weight_files.fill(
        model,
        path,
        file_format=entry.format,
        unused=entry.unused,
        optional=entry.optional,
        new_layers=new_layers,
        random_layers=entry.random_layers,
        whole=whole,
    )
    if drawn:
        model.spec = entry.model_copy(update={"random": "head"})
        remember_drawn(model, [layer for layer in model.layers if layer.name in drawn])
    notices.say(model.spec)
    return model
