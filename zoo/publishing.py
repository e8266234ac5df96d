"""From a trained model to a version on the Hugging Face Hub."""

import contextlib
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from importlib import resources
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import zoo
from zoo.catalogue.entry import Base, Entry, Measured
from zoo.catalogue.handles import parse
from zoo.catalogue.licensing import check_license
from zoo.catalogue.registries import package_of_builder
from zoo.catalogue.source import Source
from zoo.catalogue.training_record import TrainingRecord, training_record
from zoo.errors import InputError, PublishError
from zoo.export.card_facts import facts_of, is_shipped
from zoo.export.published_card import published_card
from zoo.hub.request import check_repo_id
from zoo.hub.spaces import SpaceUpload
from zoo.hub.uploading import VERSION, Upload
from zoo.printing import as_text
from zoo.whole import writable

if TYPE_CHECKING:
    from huggingface_hub import ModelCard

    from zoo.finetuning import Run
    from zoo.model import ZooModel
    from zoo.saving import Snapshot


class Published(NamedTuple):
    """The result of `zoo.publish`, a tuple with names.

    Attributes:
        url: The page of the version, or of the pull request.
        commit: The hash of the commit.
        version: Its tag, such as `"v1"`; None for a pull request.
        space: The page of the Space; None without one.

    Example:
        >>> import zoo
        >>> page = "https://huggingface.co/me/my-model"
        >>> published = zoo.Published(f"{page}/tree/v1", "2f9d0c1e", "v1")
        >>> url, commit, version, space = published
        >>> version, published.space
        ('v1', None)
    """

    url: str
    commit: str
    version: str | None
    space: str | None = None


def publish(
    model: "ZooModel | Run | str | os.PathLike[str]",
    repo_id: str,
    *,
    license: str,
    version: str = "auto",
    private: bool = False,
    saved_model: bool = False,
    timm: bool = False,
    base_model: str | None = "auto",
    metrics: Mapping[str, float] | None = None,
    create_pr: bool = False,
    allow_poor: bool = False,
    commit_message: str | None = None,
    space: str | None = None,
    token: str | None = None,
) -> Published:
    """Put a model on the Hub as its next version, with its card: `zoo.load("hf://owner/name@v1")` gives it back.

    The files are those of `zoo.save`, written into a temporary folder, loaded from there and compared: they give the
    same outputs as the model. They are uploaded in one commit, which is tagged after the Hub has confirmed its files,
    so a version is never half a model. Publishing the same model again makes no new version; an interrupted upload
    resumes.

    Args:
        model: A model from `zoo.load`, trained or not since; a run of `zoo.finetune`, or its folder (`run.json` fills
            the card); a folder from `zoo.save`, a `.keras` file or another handle.
        repo_id: "owner/name". It is created if it does not exist.
        license: An identifier of https://huggingface.co/docs/hub/repositories-licenses, such as "apache-2.0". It has
            to be compatible with the licence of the weights that training started from.
        version: "auto" for the next of v1, v2, ...; or one of these that is free.
        private: Create the repository as private. An existing one is left unchanged, and a public one is refused.
        saved_model: Add the folder `saved_model/` for servers and for `tensorflow_hub.load("hf://...")`. That of an
            earlier version is never left beside other weights; a warning names a version without it.
        timm: Publish the files of `zoo.export.timm` in place of those of Keras: in PyTorch
            `timm.create_model("hf_hub:owner/name", pretrained=True)` loads them, and `zoo.load` as ever; plain
            `keras.saving.load_model` does not.
        base_model: Repository that the card names as the origin. "auto" for the one that the weights came from.
        metrics: Metrics for the card and `spec.metrics`, with the unit in the name: `{"top1_percent": 91.2}`. None for
            those of `run.json`, or of the base while the weights are its own.
        allow_poor: Publish a run that is no better than guessing on its validation data, too.
        create_pr: Open a pull request instead; the owner merges it, and there is no version before.
        commit_message: The title of the commit.
        space: "owner/name" of a Space that shows this version in a browser, as `zoo demo` does; needs the extra
            `layerzoo[demo]`. It is created if it does not exist, in one commit of its own after the model. A Space of
            an earlier version is updated. One of a private model needs the secret `HF_TOKEN` in its
            settings.
        token: Access token with write permission. None follows `HF_TOKEN` and the login stored on this machine.

    Returns:
        The page of the version (or pull request), its commit, the version (or None), and the page of the Space.

    Raises:
        PublishError: Refused: no licence or one that the base does not allow, random weights, a run no better than
            guessing, outputs that differ once saved and loaded, a version that exists, a Space with an app of another;
            or the upload did not complete.
        AccessError: No token, or one that may not write there; or the folder for temporary files is full.
        OfflineError: The Hub cannot be reached.
        InputError: An argument that cannot be used.
        MissingExtraError: With `space`, the extra `layerzoo[demo]` is not installed.
        As `zoo.load`, for a handle; ExportError, with `saved_model`, or with `timm` for a network that it does not
            have.

    Example:
        >>> import zoo
        >>> published = zoo.publish("runs/mine", "me/my-model", license="apache-2.0")  # doctest: +SKIP
        >>> published.version  # doctest: +SKIP
        'v1'
    """
    _check_flags(private=private, saved_model=saved_model, timm=timm, create_pr=create_pr, allow_poor=allow_poor)
    _check_metrics(metrics)
    wanted = _wanted(version)
    upload = Upload(repo_id, token)
    shown = _space(space, token, create_pr=create_pr)
    if base_model not in (None, "auto"):
        check_repo_id(base_model)
    given = _given(model, repo_id, token, whole=timm)
    if shown is not None and (package := package_of_builder(given.snapshot.spec.builder)):
        raise PublishError(
            f"A Space would not load {given.snapshot.spec.name}: its network is code of {package}, which is not "
            "installed there. Leave out space."
        )
    _refuse_poor(given, allow_poor=allow_poor)
    check_license(license, given.base)
    if timm:
        from zoo.export.to_timm import check_family

        check_family(given.snapshot.spec)
    exists = upload.check(private=private, must_exist=create_pr, version=wanted)
    is_shown = shown is not None and shown.check(private=private)
    with _temporary_folder() as folder:
        entry = _entry(given, repo_id, license, metrics)
        card = published_card(entry, original=given.original, training=given.training)
        if base_model != "auto":
            card.data.base_model = base_model
        with writable(folder):
            _stage(given, entry, card, folder, saved_model=saved_model, timm=timm)
        message = commit_message or f"Publish {entry.architecture} with layerzoo {zoo.__version__}"
        if create_pr:
            return Published(*upload.propose(folder, message), None)
        if not exists:
            upload.create(private=private)
        commit = upload.commit(folder, message)
        tag = upload.tag(commit, wanted)
    page = shown.show(repo_id, tag, license, exists=is_shown, private=private) if shown else None
    return Published(f"{upload.page}/tree/{tag}", commit, tag, page)


class _Given(NamedTuple):
    """What is to be published. `original` is the entry of which these are still the weights, where that is known.

    `base` is the model that the weights come from, whose licence binds.
    """

    snapshot: "Snapshot"
    original: Entry | None
    base: Base | None
    training: TrainingRecord


def _check_flags(**flags: Any) -> None:
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise InputError(f"{name}={value!r}. Expected True or False.")


def _check_metrics(metrics: Any) -> None:
    if metrics is None:
        return
    if not isinstance(metrics, Mapping):
        raise InputError(f"metrics={metrics!r}. Expected numbers by name, such as {{'top1_percent': 91.2}}, or None.")
    for name, value in metrics.items():
        is_number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
        if not is_number or not isinstance(name, str) or not name.isprintable() or not name.strip() or len(name) > 100:
            raise InputError(
                f"metrics has {name!r}: {value!r}. Expected a name with its unit and a finite number, such as "
                "{'top1_percent': 91.2}."
            )


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    with writable(Path(tempfile.gettempdir())):
        temporary = tempfile.TemporaryDirectory(prefix="zoo-publish-")
    with temporary as folder:
        yield Path(folder)


def _wanted(version: str) -> str | None:
    if version == "auto":
        return None
    if not isinstance(version, str) or not VERSION.fullmatch(version):
        raise InputError(f"version={version!r}. Expected 'auto', or 'v1', 'v2' and so on.")
    return version


def _space(space: str | None, token: str | None, *, create_pr: bool) -> SpaceUpload | None:
    if space is None:
        return None
    if create_pr:
        raise InputError("A pull request has no version that a Space could show. Leave out create_pr, or space.")
    return SpaceUpload(space, token)


def _given(
    model: "ZooModel | Run | str | os.PathLike[str]", repo_id: str, token: str | None, *, whole: bool = False
) -> _Given:
    """Load the model if necessary, and refuse one that nobody has trained."""
    from zoo.finetuning import Run
    from zoo.loading import ready
    from zoo.saving import Snapshot, base_of

    training, is_loaded = TrainingRecord(), False
    if isinstance(model, Run):
        model = model.folder
    if isinstance(model, str | os.PathLike):
        handle = parse(model)
        if handle.kind == "folder":  # a name of the registry has none, whatever lies where we are
            training = training_record(handle.path)
        is_loaded = handle.kind != "keras"
    model = ready(model, token=token)
    _refuse_untrained(model)
    snapshot = Snapshot(model, whole=whole)
    base, original = base_of(snapshot.spec), snapshot.spec if is_loaded or snapshot.is_unchanged else None
    if base is not None and base.source == Source.of(repo_id):  # the next version of the same model
        base = snapshot.spec.base
    return _Given(snapshot, original, base, training)


def _refuse_poor(given: _Given, *, allow_poor: bool) -> None:
    if given.training.poor and not allow_poor:
        raise PublishError(
            f"{given.snapshot.spec.name} is no better than guessing: {as_text(given.training.poor)}. Train it longer "
            "or on more data; or publish it as it is with allow_poor=True (--allow-poor)."
        )


def _refuse_untrained(model: "ZooModel") -> None:
    from zoo.weights.untrained import untrained

    if names := untrained(model):
        some = f"{', '.join(names[:3])}{' and more' if len(names) > 3 else ''}"
        raise PublishError(
            f"{model.spec.name} has random weights: nobody has trained {some}. Expected a model whose outputs mean "
            "something; train it first."
        )


def _entry(given: _Given, repo_id: str, license: str, metrics: Mapping[str, float] | None) -> Entry:
    """The entry as the repository will hold it."""
    entry = given.snapshot.described(
        repo_id,
        unchanged=given.original is not None,
        metrics=metrics or given.training.results,
        measured=Measured(
            dataset=as_text(given.training.data).strip() or "data of the publisher", source="its publisher"
        ),
    )
    # Of a model that is in the package the card itself describes how it was trained.
    is_ours = given.original is not None and is_shipped(given.original)
    facts = {"source": Source.of(repo_id), "license": license, "base": None if is_ours else given.base}
    return entry.model_copy(update=facts)


def _stage(given: _Given, entry: Entry, card: "ModelCard", folder: Path, *, saved_model: bool, timm: bool) -> None:
    """Write all that goes up into an empty folder."""
    from zoo.export.to_timm import write_timm
    from zoo.saving import write

    if timm:
        loaded = write_timm(given.snapshot.model, folder, entry, card)
    else:
        loaded = write(given.snapshot, folder, entry, str(card))
    image = given.original and is_shipped(given.original) and facts_of(given.original).image
    if image:
        shutil.copy(str(resources.files("zoo") / "model_cards" / image.file), folder)
    if saved_model:
        from zoo.export import saved_model as export

        with tempfile.TemporaryDirectory(prefix="zoo-publish-") as exports:
            shutil.move(export(loaded, exports), folder / "saved_model")
