"""Which model to take: candidates are measured on this machine, and those stay that no other one beats in everything.

measuring.py   one candidate: its accuracy, how long it takes, how large it is
drawing.py     the plot
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from zoo.arguments import Progress
from zoo.catalogue.choices import check_choice, check_limit
from zoo.catalogue.handles import path_of
from zoo.catalogue.licensing import UNKNOWN, is_non_commercial
from zoo.catalogue.listing import list_models
from zoo.catalogue.registry import registry
from zoo.catalogue.resolving import Located, resolve
from zoo.catalogue.task_names import ONE_HEAD
from zoo.errors import InputError, OfflineError
from zoo.export.opened import is_export
from zoo.export.record import megabytes, read_record
from zoo.hub.fetching import is_offline

COMMERCIAL = "commercial"


@dataclass(frozen=True)
class Choice:
    """A candidate as it was measured.

    Attributes:
        model: The handle.
        metric: What `accuracy` is: the first that the model states, such as `top1_percent`; with data, of a linear
            probe; of an export in 8 bits the one that it promised.
        accuracy: None where nothing is stated.
        milliseconds: For one input alone, in the runtime; the median.
        megabytes: Of its weights, in float32; of an export, of its files.
        license: Of the weights.
        is_best: Whether no other candidate is at least as good in all three, and better in one.

    Example:
        >>> import zoo
        >>> choice = zoo.choose("espcn-x2")[0]
        >>> choice.metric, choice.accuracy, choice.megabytes, choice.is_best
        ('psnr_db', 31.433, 0.09, True)
    """

    model: str
    metric: str
    accuracy: float | None
    milliseconds: float
    megabytes: float
    license: str
    is_best: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def choose(
    models: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    *,
    task: str = "image-classification",
    data: str | os.PathLike[str] | None = None,
    max_milliseconds: float | None = None,
    max_megabytes: float | None = None,
    license: str | None = None,
    runtime: str = "keras",
    download: bool = False,
    plot: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    say: Callable[[str], None] = lambda sentence: None,
) -> list[Choice]:
    """Measure candidates on this machine, and find those that no other beats in accuracy, time and size.

    Args:
        models: One or several: names of the registry, folders and other handles, folders of exports too, which are
            timed in their own runtime. By default all of the registry that lie on this machine already, in the package
            or the cache.
        task: What they do, where no `models` are named.
        data: A folder of photographs, one folder per class: the accuracy is that of a new linear head on a fifth of
            them, fitted to the others. By default what the models state, on the data of their cards.
        max_milliseconds: For one input alone.
        max_megabytes: Of the weights.
        license: `"commercial"` for what allows commercial use, or an identifier such as `"apache-2.0"`.
        runtime: Where they are timed, one of `zoo.runtimes.RUNTIMES`: that which will serve.
        download: Measure models of the registry that do not lie here, too; `max_megabytes` is required then.
        plot: Draw accuracy against time into this file, `.png` or `.svg`.
        progress: Called as `progress(done, total)`, in models.
        say: Called with how much will be downloaded, before it is.

    Returns:
        All that were measured and are within the limits: the best first, most accurate ones before others.

    Raises:
        InputError: No candidate, or an argument that makes no sense.
        MissingExtraError: A runtime, or matplotlib for the plot, is not installed.
        AccessError: The plot cannot be written.
        ExportError: An export is damaged.
        As `zoo.load`, and `zoo.finetune` for the data.

    Example:
        >>> import zoo
        >>> [choice.model for choice in zoo.choose(["espcn-x2", "fsrcnn-x2"])][0]
        'espcn-x2'
    """
    from zoo.choosing.drawing import check_plot, draw
    from zoo.choosing.measuring import measured
    from zoo.runtimes import check_runtime

    check_limit("max_milliseconds", max_milliseconds, "milliseconds")
    check_limit("max_megabytes", max_megabytes, "megabytes")
    check_runtime(runtime)
    if plot is not None:
        check_plot(path_of(plot))
    handles = [models] if isinstance(models, str | os.PathLike) else models
    named = {f"{handle}": resolve(handle) for handle in handles}  # each once
    found = [*named.items()] or _of_the_registry(task, download, max_megabytes)
    _check_probed(found if data is not None else ())
    check_choice("license", license, [COMMERCIAL, *(located.entry.license for _, located in found)])
    within = [
        (handle, located)
        for handle, located in found
        if _allows(located.entry.license, license) and _size(located) <= (max_megabytes or float("inf"))
    ]
    if not within:
        wanted = [f"license={license!r}"] if license else []
        wanted += [f"at most {max_megabytes:g} MB"] if max_megabytes else []
        raise InputError(
            f"None of {len(found)} models has {' and '.join(wanted)}. Expected at least one; `zoo list` shows licences "
            "and sizes."
        )
    if missing := [located for _, located in within if not is_here(located)]:
        say(_announced(missing))
    choices = []
    for done, (handle, _) in enumerate(within):
        if progress is not None:
            progress(done, len(within))
        choices.append(measured(handle, data, runtime))
    small = _within(choices, "megabytes", max_megabytes, "MB")
    kept = _within(small, "milliseconds", max_milliseconds, "ms")
    ordered = sorted(front(kept), key=lambda one: (not one.is_best, -(one.accuracy or 0), one.milliseconds))
    if plot is not None:
        draw(ordered, path_of(plot))
    return ordered


def front(choices: Sequence[Choice]) -> list[Choice]:
    """The same, with `is_best` for those that no other beats: the Pareto front. Only accuracies of the same metric are
    compared, and a model whose accuracy is unknown is not beaten."""
    return [Choice(**(asdict(one) | {"is_best": not any(_beats(other, one) for other in choices)})) for one in choices]


def is_here(located: Located) -> bool:
    """Whether the weights lie on this machine."""
    entry = located.entry
    if located.handle.kind not in ("registry", "hub"):
        return True
    if not entry.is_on_hub:
        return entry.pretrained
    file = entry.where.recorded(entry.filename, revision=entry.revision)
    return file is not None and file.path.is_file()


def _beats(one: Choice, other: Choice) -> bool:
    if one.metric != other.metric or one.accuracy is None or other.accuracy is None:
        return False
    better = (one.accuracy, -one.milliseconds, -one.megabytes), (other.accuracy, -other.milliseconds, -other.megabytes)
    return better[0] != better[1] and all(mine >= its for mine, its in zip(*better, strict=True))


def _of_the_registry(task: str, download: bool, max_megabytes: float | None) -> list[tuple[str, Located]]:
    if download and max_megabytes is None:
        raise InputError("download=True without max_megabytes: there are hundreds of models. Expected a limit with it.")
    names: Iterable[str] = list_models(task=task, pretrained=True)
    found = [(name, resolve(name)) for name in names]
    here = [(name, located) for name, located in found if download or is_here(located)]
    if not here:
        raise InputError(
            f"No model of the task {task} lies on this machine. Expected names, such as `zoo list --task {task}` shows "
            "them, or --download (download=True) with a limit of megabytes."
        )
    return here


def _check_probed(models: Iterable[tuple[str, Located]]) -> None:
    """Refuse models that cannot be probed, before any is measured."""
    for handle, located in models:
        if located.folder is not None and is_export(located.folder):
            raise InputError(
                f"{handle} is an export, whose head stays as it is, so it cannot be probed. Expected the model itself; "
                "leave it out, or leave out the data."
            )
        if located.entry.task not in ONE_HEAD:
            raise InputError(
                f"{handle} does {located.entry.task}, so it cannot be probed on photographs in a folder per class. "
                f"Expected {', '.join(ONE_HEAD[:-1])} or {ONE_HEAD[-1]}; leave it out, or leave out the data."
            )


def _within(choices: list[Choice], name: str, limit: float | None, unit: str) -> list[Choice]:
    """Those that are within a limit, as measured; an error that names the nearest where there is none."""
    found = [one for one in choices if limit is None or getattr(one, name) <= limit]
    if not found:
        nearest = min(choices, key=lambda one: getattr(one, name))
        raise InputError(
            f"None of {len(choices)} models has at most {limit:g} {unit}; {nearest.model} is the nearest, with "
            f"{getattr(nearest, name):g} {unit}. Expected a higher limit, or another runtime."
        )
    return found


def _announced(missing: list[Located]) -> str:
    """What is downloaded, and how much, as far as it is known.

    Raises:
        OfflineError: Offline mode is on.
    """
    names = ", ".join(one.entry.name for one in missing[:5]) + (", ..." if len(missing) > 5 else "")
    if is_offline():
        raise OfflineError(
            f"Not on this machine, and offline mode is on: {names}. Expected models that are, or a network "
            "(HF_HUB_OFFLINE unset)."
        )
    known, unknown = sum(map(_size, missing)), sum(not _size(one) for one in missing)
    what = "1 model is" if len(missing) == 1 else f"{len(missing)} models are"
    return f"{what} downloaded, about {known:,.0f} MB{f', {unknown} of unknown size' if unknown else ''}: {names}"


def _allows(license: str, wanted: str | None) -> bool:
    if wanted != COMMERCIAL:
        return wanted in (None, license)
    return license not in (UNKNOWN, "other") and not is_non_commercial(license)


def _size(located: Located) -> float:
    """Megabytes of the weights in float32, as far as it is known before they are loaded; of an export, of its files."""
    entry = located.entry
    if located.folder is not None and is_export(located.folder):
        return megabytes(located.folder, read_record(located.folder)[0])
    millions = entry.parameters_millions or (registry().find(entry.architecture).parameters_millions or 0)
    return 4 * millions
