"""The workers of a Ray cluster: Ray Data hands out the shares, the rows come back in order through its object store."""

import contextlib
import json
import logging
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import ray
import ray.data

from zoo.batch.inputs import piece_numbers
from zoo.errors import InputError, ZooError

if TYPE_CHECKING:
    from zoo.model import ZooModel


def tables(
    model: "ZooModel",
    options: dict[str, Any],
    shares: Iterable[dict[str, Any]],
    wanted: Mapping[int, int],
    *,
    concurrency: int | None,
    address: str | None,
    gpus: float,
) -> Iterator[tuple[int, pa.Table]]:
    """As `Predictor.tables`, by the workers of a cluster; one that dies is replaced, and its share read again.

    Args:
        model: Travels to the workers.
        options: Of their predictors.
        shares, wanted: As there.
        concurrency, address, gpus: As `zoo.predict_files`.
    """
    with _cluster(address):
        count, cpus = _workers(concurrency, gpus)
        items = [{"share": json.dumps([share, _among(share, wanted)])} for share in shares]
        packed, options = ray.put(_packed(model)), {**options, "threads": cpus}
        conductor = ray.remote(num_cpus=0)(Conductor).remote(items, [packed], options, count, cpus, gpus)
        try:
            following = conductor.block.remote()
            while (block := ray.get(following)) is not None:
                following = conductor.block.remote()  # on its way while this one is written
                yield from _by_piece(block)
        except ray.exceptions.RayTaskError as error:
            if isinstance(cause := _raised(error), ZooError):
                raise cause from None
            raise  # with its traceback there


class Conductor:
    """Runs Ray Data, in the cluster: a process that is connected by ray:// cannot, and its log stays there.

    Args:
        items: The rows that the workers are given, one at a time.
        packed, options: As those of a `Worker`.
        count: How many workers.
        cpus, gpus: What each of them has.
    """

    def __init__(
        self,
        items: list[dict[str, str]],
        packed: "list[ray.ObjectRef[bytes]]",
        options: dict[str, Any],
        count: int,
        cpus: int,
        gpus: float,
    ):
        dataset = ray.data.from_items(items, override_num_blocks=len(items))
        dataset.context.execution_options.preserve_order = True
        answered = dataset.map_batches(
            Worker,
            fn_constructor_args=(packed, options),
            batch_size=1,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=count),
            num_cpus=cpus,
            num_gpus=gpus,
        )
        self.blocks = iter(answered.iter_batches(batch_size=None, batch_format="pyarrow"))

    def block(self) -> pa.Table | None:
        """The next rows, with a column `piece`; None after the last."""
        return next(self.blocks, None)


class Worker:
    """What runs there: one actor, which loads the model once. Its threads are as many as its processors."""

    def __init__(self, packed: "list[ray.ObjectRef[bytes]]", options: dict[str, Any]):
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"  # another worker may have the other half of the GPU
        for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
            os.environ[name] = str(options["threads"])
        from zoo.batch.predictor import Predictor
        from zoo.loading import load

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "model.keras")
            path.write_bytes(ray.get(packed[0]))
            self.predictor = Predictor(load(os.fspath(path)), **options)

    def __call__(self, batch: pa.Table) -> Iterator[pa.Table]:
        for line in batch["share"].to_pylist():
            share, wanted = json.loads(line)
            for number, table in self.predictor.tables([share], dict(wanted)):
                yield table.append_column("piece", pa.array([number] * len(table), pa.int64()))


def _packed(model: "ZooModel") -> bytes:
    """The model as one file, so that the workers need neither the Hub nor a folder of this machine."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        model.save(path)
        return path.read_bytes()


def _among(share: dict[str, Any], wanted: Mapping[int, int]) -> list[tuple[int, int]]:
    return [(number, wanted[number]) for number in piece_numbers(share) if number in wanted]


def _raised(error: BaseException) -> BaseException:
    """The error as a worker raised it, out of what Ray has wrapped around it."""
    while isinstance(error, ray.exceptions.RayTaskError) or (
        isinstance(error, ray.exceptions.UserCodeException) and error.__cause__ is not None
    ):
        error = error.cause if isinstance(error, ray.exceptions.RayTaskError) else error.__cause__
    return error


def _by_piece(block: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    numbers, rows = block["piece"].to_numpy(), block.drop_columns("piece")
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    for start, stop in zip(starts, [*starts[1:], len(numbers)], strict=True):
        yield int(numbers[start]), rows.slice(start, stop - start)


@contextlib.contextmanager
def _cluster(address: str | None) -> Iterator[None]:
    """Join the cluster for the time of the call; one that the caller has joined already is used and kept."""
    if ray.is_initialized():
        yield
        return
    try:
        ray.init(address, logging_level=logging.ERROR, log_to_driver=False)
    except (ConnectionError, ValueError) as error:
        raise InputError(
            f"No Ray cluster responds at {address} ({error}). Expected 'auto', HOST:6379 or ray://HOST:10001, and the "
            "token, where it needs one (RAY_AUTH_MODE=token); `ray start --head` starts a cluster."
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _workers(concurrency: int | None, gpus: float) -> tuple[int, int]:
    """How many workers there are to be, and how many processors each has: the whole cluster, distributed evenly.

    Raises:
        InputError: The cluster has not so many processors or GPUs.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    slots = sum(int(node.get("GPU", 0) / gpus) for node in nodes) if gpus else None
    count = concurrency or (slots if slots is not None else len(nodes))
    processors = [int(node.get("CPU", 0)) for node in nodes]
    for cpus in range(max(processors), 0, -1):
        if sum(own // cpus for own in processors) >= count and count and (slots is None or slots >= count):
            return count, cpus
    raise InputError(
        f"{count or 'No'} workers with {gpus:g} GPUs each do not fit into the cluster, which has {sum(processors)} "
        f"processors and {sum(node.get('GPU', 0) for node in nodes):g} GPUs. Expected a smaller concurrency or gpus."
    )
