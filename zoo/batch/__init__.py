"""Predictions for many files: `zoo predict MODEL SOURCE -o predictions.parquet`, on this machine or on a cluster.

    inputs.py       what there is to predict, listed once, in pieces
    calibration.py  some of them, to compare a runtime in bfloat16 on
    predictor.py    from inputs to rows: threads read while the network computes
    columns.py      the rows: columns by task, with types
    job.py          what is done, on disk, so that a killed job resumes; writing.py writes it
    ray_engine.py   the same by the workers of a Ray cluster

Both engines predict the same pieces with the same code; only this process writes.
"""

import functools
import importlib
import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from zoo.arguments import Progress, at_least_one
from zoo.catalogue.handles import path_of
from zoo.catalogue.input_facts import input_facts
from zoo.errors import InputError, MissingExtraError
from zoo.tasks import find_task

if TYPE_CHECKING:  # Ray Data's own process imports this package, and needs no TensorFlow
    from zoo.batch.job import Job
    from zoo.export.opened import ExportedModel
    from zoo.model import ZooModel

# From shares and the pieces that are wanted (by number, how many rows are there) to their numbers with rows, in order.
Engine = Callable[[Iterator[dict[str, Any]], dict[int, int]], Iterator[tuple[int, Any]]]


def predict_files(
    model: "ZooModel | ExportedModel | str | os.PathLike[str]",
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    column: str | None = None,
    top: int = 5,
    batch_size: int = 8,
    runtime: str = "keras",
    engine: Literal["local", "ray"] = "local",
    concurrency: int | None = None,
    address: str | None = None,
    gpus: float = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Predict any number of files into one Parquet file, one row per file, in constant memory.

    Killed at any moment and called again with the same arguments, it resumes where it was, on either engine: finished
    rows are in the folder `OUTPUT.parts`, one file per 256 inputs or per half a minute. The finished file is then the
    same, bit for bit, as if it had never been killed. Where it exists already, nothing is computed.

    Args:
        model: A model from `zoo.load`, or a handle for it; or the folder of an export, which its own runtime runs.
        source: A folder, with all files in it and below (but hidden ones, and linked folders); a pattern of `glob` such
            as `"photos/**/*.jpg"`; a file; or several of these. With `column`, Parquet files in these forms.
        output: The file, `NAME.parquet`.
        column: The column with the bytes of an image file, or of an `.npy` file: bytes, or a struct with `bytes`
            as Hugging Face writes images.
        top: Number of classes in a classification, best first.
        batch_size: Images of one size per forward pass; on a GPU more are faster.
        runtime: What computes: `"keras"`, or `"tensorflow"`, `"openvino"`, `"onnx"` or `"litert"`, for which the model
            is converted once and kept in the cache (`zoo.runtimes`), all in float32; `"tensorflow-bfloat16"` or
            `"openvino-bfloat16"`; or `"auto"` for the fastest that is installed and agrees with Keras, as a second of
            trial shows, once for these weights on this machine; what Keras answers in a minute is answered in Keras
            where nothing was tried yet, for conversions and trial take that long. It takes bfloat16 for a classifier
            alone, on a processor that has it, of 2,000 inputs or more, and only where 200 of these have the same best
            class as in Keras but for one. A job that is resumed stays with the one it began with. An export has its
            own.
        engine: `"local"`, this process, or `"ray"`, the workers of a Ray cluster (Ray Data; extra `layerzoo[ray]`).
            The workers read the inputs themselves, so every machine needs them under the same path; the
            model and the rows travel through Ray.
        concurrency: Number of workers; each loads the model. By default one per GPU, or one per machine.
        address: Of a running cluster: `"auto"`, `"host:6379"` or `"ray://host:10001"`. By default what `ray.init()`
            finds, else one that is started on this machine for the time of the call.
        gpus: GPUs per worker; 0 for none, 0.5 for two workers per GPU.
        progress: Called as `progress(done, total)`, in rows.

    Returns:
        A record that `json.dumps` takes: `output`, `model`, `runtime` (of an export its format), `count` of rows, and
        `errors`, how many of them have no prediction; where `"auto"` chose bfloat16, `agreement`, the `images` that it
        was compared on and `same_class_percent`. Each row has `input`, the path as passed (for a column `FILE:ROW`,
        rows from 0), `model`, `error` (null, or the reason why there is no prediction) and by task what `zoo.predict`
        returns, as typed columns. A record's `image` becomes the bytes of a PNG, and so do `label_map` (values are
        classes) and `depth_map` (16 bits, metres x 256). The rows stand in the order of the names; a folder's files
        before those of its folders.

    Raises:
        InputError: The source is empty or its column unknown, arguments make no sense, another process writes
            `output`, or what is there belongs to another model, other arguments or other inputs.
        AccessError: `output` cannot be written.
        ExportError: The model cannot be run in the `runtime`.
        MissingExtraError: The extra `layerzoo[batch]`, or `layerzoo[ray]`, or that of the `runtime` is not installed.
        As `zoo.load`, for a handle. Any other error stops the job, with a note that names the file.

    Example:
        >>> import os, tempfile, zoo
        >>> photographs = os.path.join(os.path.dirname(zoo.__file__), "demo", "samples")
        >>> table = os.path.join(tempfile.mkdtemp(), "table.parquet")
        >>> zoo.predict_files("blurnet-textures", photographs + "/g*.png", table)["count"]
        2
    """
    path, sources = path_of(output), [source] if isinstance(source, str | os.PathLike) else list(source)
    workers = {"concurrency": concurrency, "address": address, "gpus": gpus}
    top, batch_size = at_least_one(top=top, batch_size=batch_size)
    _check(path, engine, runtime, workers)
    _import_extra(engine)
    from zoo.batch import columns, inputs, job
    from zoo.batch.calibration import calibration
    from zoo.export.opened import ExportedModel
    from zoo.loading import answering
    from zoo.runtimes import check_runtime, example, in_runtime
    from zoo.weights.filling import digest
    from zoo.weights.untrained import warn_of_untrained

    check_runtime(runtime)
    model = answering(model)
    if isinstance(model, ExportedModel):
        _check_export(model, engine, runtime)
        weights = model.digest
    else:
        warn_of_untrained(model)
        weights = digest(model.weights)
    task = find_task(model.spec.task)
    if not task.reads(model.output):
        raise InputError(
            f"{model.spec.name} has several outputs, which have names. Expected a model whose outputs its task turns "
            "into columns (without features=True). Use zoo.predict, whose records contain the arrays."
        )
    if (described := task.columns_of(model.spec)) is None:
        raise InputError(f"{model.spec.name} takes {input_facts(model.spec.model_dump())}, no files. Use zoo.predict.")
    given = [os.path.expanduser(os.fsdecode(each)) for each in sources], column, (path, job.parts_folder(path))
    listed = functools.partial(inputs.Listing, *given)
    listing = listed()
    settings = {"model": model.spec.name, "weights": weights, "column": column, "top": top}
    found = job.recorded(path)
    running, agreement = None, (found or {}).get("agreement")
    if isinstance(model, ExportedModel):
        running = in_runtime(model, runtime)
        runtime = running.runtime
    elif runtime == "auto" and found is not None:
        runtime = found.get("runtime", "keras")
    elif runtime == "auto":
        whole = listed()
        deque(whole, maxlen=0)
        compared = calibration(model, listed, whole, batch_size)
        batch = example(model, batch_size)
        running = in_runtime(model, runtime, batch, count=whole.count, calibration=compared)
        runtime, agreement = running.runtime, running.agreement
    if runtime != "keras":
        settings["runtime"] = runtime
    if agreement is not None:
        settings["agreement"] = agreement
    work = job.Job(path, listing, settings, columns.schema(described))
    if not work.is_finished():
        options: dict[str, Any] = {"top": top, "batch_size": batch_size}
        if engine == "local":  # a runtime that cannot do it leaves nothing begun
            options["network"] = (running or in_runtime(model, runtime)).network
        with work.opened():
            _run(work, _engine(engine, model, options, workers), progress)
    facts = {"runtime": runtime} if agreement is None else {"runtime": runtime, "agreement": agreement}
    return {**work.summary(), **facts}


def _check(output: Path, engine: str, runtime: str, workers: dict[str, Any]) -> None:
    if output.suffix != ".parquet":
        raise InputError(f"The output is called {output}. Expected NAME.parquet.")
    if engine not in ("local", "ray"):
        raise InputError(f"engine={engine!r}. Expected 'local' or 'ray'.")
    if engine == "ray" and runtime != "keras":
        raise InputError(f"runtime={runtime!r} with engine='ray', whose workers run Keras. Expected either.")
    if engine == "local" and any(workers.values()):
        given = ", ".join(name for name, value in workers.items() if value)
        raise InputError(f"The local engine has no workers, but {given} was passed. Expected engine='ray' with it.")
    if workers["concurrency"] is not None:
        at_least_one(concurrency=workers["concurrency"])
    if not isinstance(workers["gpus"], int | float) or not 0 <= workers["gpus"] < math.inf:
        raise InputError(f"gpus={workers['gpus']!r}. Expected a number of GPUs per worker, 0 for none.")


def _check_export(model: "ExportedModel", engine: str, runtime: str) -> None:
    if engine == "ray":
        raise InputError(
            f"engine='ray' with {model.folder}, an export; the workers run Keras. Expected the model itself."
        )
    if runtime != "keras":
        raise InputError(
            f"runtime={runtime!r} with {model.folder}, an export as {model.format}, which has its own. Expected no "
            "runtime, or the model itself."
        )


def _import_extra(engine: str) -> None:
    extra = "ray" if engine == "ray" else "batch"
    try:
        for name in ("filelock", "pyarrow.parquet", *(["ray.data"] if engine == "ray" else [])):
            importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(
            f"Batch prediction needs {error.name}, which is not installed. Expected: pip install 'layerzoo[{extra}]'."
        ) from error


def _engine(name: str, model: Any, options: dict[str, Any], workers: dict[str, Any]) -> Engine:
    if name == "ray":
        from zoo.batch import ray_engine

        return functools.partial(ray_engine.tables, model, options, **workers)
    from zoo.batch.predictor import Predictor

    return Predictor(model, **options).tables


def _run(work: "Job", engine: Engine, progress: Progress | None) -> None:
    """Have the pieces made that are missing, and make one file of all."""
    wanted, done = work.missing()

    def counted(tables: Iterator[tuple[int, Any]]) -> Iterator[Any]:
        nonlocal done
        for _, table in tables:
            yield table
            done += len(table)
            if progress is not None:
                progress(done, work.listing.count)

    if wanted:
        if progress is not None:
            progress(done, work.listing.count)
        for number, tables in groupby(engine(work.shares(wanted), wanted), key=itemgetter(0)):
            work.write(number, wanted[number], counted(tables))
    work.finish()
