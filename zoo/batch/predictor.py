"""From inputs to rows: files are read and predictions written by threads while the network computes."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

import pyarrow as pa

from zoo.batch import columns
from zoo.batch.inputs import Input, pieces
from zoo.errors import InputError
from zoo.export.opened import ExportedModel, layers_of
from zoo.imaging.tiles import Runner
from zoo.model import ZooModel
from zoo.prediction import alone, batches, by_shape, check_fits
from zoo.printing import as_text
from zoo.runtimes import in_runtime
from zoo.tasks import find_task
from zoo.tasks.task import Outputs

Item = TypeVar("Item")
Result = TypeVar("Result")
TOO_LARGE = "It is too large: the memory did not suffice for the network. Expected a smaller one."


class Ready(NamedTuple):
    """An input as `Task.prepare` gives it, or the reason why there is none; later with what came out."""

    piece: int
    name: str
    prepared: Any
    error: str | None
    output: Outputs | None = None


class Predictor:
    """A model that predicts shares, in constant memory.

    Args:
        model: The model, or an export.
        top: Number of classes in a classification.
        batch_size: Inputs of one size per forward pass.
        threads: Threads that read files and write predictions; by default as many as there are processors.
        network: Its network in another runtime: from a batch to outputs.
    """

    def __init__(
        self,
        model: ZooModel | ExportedModel,
        *,
        top: int,
        batch_size: int,
        threads: int | None = None,
        network: Callable[[Any], Outputs] | None = None,
    ):
        self.model, self.top, self.batch_size = model, top, batch_size
        self.threads = threads or os.cpu_count() or 1
        self.task = find_task(model.spec.task)
        self.schema = columns.schema(self.task.columns_of(self.model.spec) or {})
        self.runner = Runner(network or in_runtime(model, "keras").network, layers_of(model))

    def tables(self, shares: Iterable[dict[str, Any]], wanted: Mapping[int, int]) -> Iterator[tuple[int, pa.Table]]:
        """The rows of the shares' pieces that are wanted, with the number of the piece, in order, a few at a time.

        Raises:
            Exception: Any but an `InputError` about one input, which becomes its row; a note names the input.
        """
        inputs = ((piece.number, item) for share in shares for piece in pieces(share, wanted) for item in piece.inputs)
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                ready = _ahead(pool, self._prepared, inputs, self.batch_size + self.threads)
                yield from _ahead(pool, self._table, self._answered(ready), self.threads)
            finally:
                pool.shutdown(cancel_futures=True)

    def _prepared(self, numbered: tuple[int, Input]) -> Ready:
        piece, item = numbered
        try:
            prepared = self.task.prepare(item.file(), self.model.spec)
            check_fits(self.model, alone(prepared))
            return Ready(piece, item.name, prepared, None)
        except InputError as error:
            path = item.source if isinstance(item.source, str) else item.name
            said = str(error).replace(as_text(path), item.name)  # the same words on any machine
            return Ready(piece, item.name, None, said)
        except Exception as error:
            error.add_note(f"This happened while {item.name} was read.")
            raise

    def _answered(self, ready: Iterator[Ready]) -> Iterator[list[Ready]]:
        """Batches of one piece, each input with what the network gives for it."""
        for _, piece in groupby(ready, key=lambda item: item.piece):
            for batch in batches(piece, self.batch_size, lambda item: item.prepared):
                whole = [place for place, item in enumerate(batch) if item.error is None]
                for places, stacked in by_shape([batch[place].prepared for place in whole]):
                    chosen = [whole[place] for place in places]
                    try:
                        outputs = list(self.runner(stacked))
                    except Exception as error:
                        if isinstance(error, InputError) or is_out_of_memory(error):
                            for place in chosen:
                                said = str(error) if isinstance(error, InputError) else TOO_LARGE
                                batch[place] = batch[place]._replace(error=said)
                            continue
                        names = ", ".join(batch[place].name for place in chosen)
                        error.add_note(f"This happened while the network computed {names}.")
                        raise
                    for place, output in zip(chosen, outputs, strict=True):
                        batch[place] = batch[place]._replace(output=output)
                yield batch

    def _table(self, batch: list[Ready]) -> tuple[int, pa.Table]:
        return batch[0].piece, pa.Table.from_pylist([self._row(item) for item in batch], self.schema)

    def _row(self, item: Ready) -> dict[str, Any]:
        name, model = columns.text(item.name), self.model.spec.name
        if item.output is None:
            return {"input": name, "model": model, "error": columns.text(item.error or "")}
        try:
            record = self.task.record(name, self.model.spec, item.prepared, item.output, self.top)
        except InputError as error:
            return {"input": name, "model": model, "error": columns.text(str(error))}
        return columns.row(record, self.task)


def is_out_of_memory(error: Exception) -> bool:
    """Whether a network's error, of any backend, is about one batch alone."""
    return isinstance(error, MemoryError) or type(error).__name__ in ("ResourceExhaustedError", "OutOfMemoryError")


def _ahead(
    pool: ThreadPoolExecutor, function: Callable[[Item], Result], items: Iterable[Item], count: int
) -> Iterator[Result]:
    """`function` of each item, in order, computed by the pool up to `count` items ahead of who takes them."""
    waiting: deque = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) > count:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
