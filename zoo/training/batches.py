"""Batches for Keras: the same ones for the same seed and epoch, whoever asks, so that a run can be resumed."""

import functools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np

from zoo.catalogue.entry import Entry
from zoo.training import hosts
from zoo.training.examples import Examples
from zoo.training.mixing import Mixing
from zoo.training.recipe import Augment
from zoo.training.trainer import TaskTrainer

EVALUATED = 32  # examples that go through the network together where nothing is kept for gradients


class Batches(keras.utils.PyDataset):
    """Examples, read when they are wanted, in threads beside the training.

    Args:
        trainer: Reads an example.
        entry: The entry of the model.
        examples: What there is to read.
        shape: The input that the model takes, without the batch axis.
        batch_size: Examples per batch. A shuffled pass drops a last batch that is not full; the next one starts in
            another order.
        seed: Shuffles the examples anew for each pass; None for all of them in their order.
        augment: Show other views of the examples in each pass: `"light"` or `"strong"` ones, or None.
        passes: Passes over the examples per epoch.
        mixing: Changes and mixes the images of each batch, with their targets.
    """

    def __init__(
        self,
        trainer: TaskTrainer,
        entry: Entry,
        examples: Examples,
        shape: tuple[int, ...],
        batch_size: int,
        *,
        seed: int | None = None,
        augment: Augment = None,
        passes: int = 1,
        mixing: Mixing | None = None,
    ):
        # Keras' own worker threads may be a shuffle behind: they begin an epoch before its number is set.
        super().__init__(workers=1)
        self.trainer, self.entry, self.examples, self.shape = trainer, entry, examples, shape
        self.batch_size, self.seed, self.augment, self.passes = batch_size, seed, augment, passes
        self.mixing = mixing
        self.epoch = 0
        self.share = hosts.share()  # which part of each batch this host computes, of how many
        self._pool = ThreadPoolExecutor(max_workers=os.cpu_count())

    def __len__(self) -> int:
        return self.passes * self._per_pass()

    def _per_pass(self) -> int:
        count = len(self.examples.items)
        return max(1, count // self.batch_size) if self.seed is not None else -(-count // self.batch_size)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        done, index = divmod(index, self._per_pass())
        time = self.epoch * self.passes + done
        order = _order(self.seed, time, len(self.examples.items))
        places = order[index * self.batch_size : (index + 1) * self.batch_size]
        part, parts = self.share
        places = places[part * len(places) // parts : (part + 1) * len(places) // parts]
        rows = list(self._pool.map(lambda place: self._read(place, time), places.tolist()))
        batch = keras.tree.map_structure(lambda *arrays: np.stack(arrays), *rows)
        if self.mixing is None:
            return batch
        inputs, targets = batch
        return self.mixing(inputs, targets, [self.seed or 0, time, index])

    def _read(self, place: int, time: int) -> tuple[Any, ...]:
        generator = np.random.default_rng([self.seed or 0, time, place]) if self.augment else None
        item = self.examples.items[place]
        if self.augment == "strong" and generator is not None:
            return self.trainer.read_strong(item, self.entry, self.shape, generator)
        return self.trainer.read(item, self.entry, self.shape, generator)

    def unshuffled(self, most: int, seed: int) -> "Batches":
        """The examples as they are evaluated, in their order; a sample where there are more than `most`."""
        examples, count = self.examples, len(self.examples.items)
        if count > most:
            chosen = np.random.default_rng(seed).choice(count, most, replace=False)
            examples = examples.part(np.sort(chosen).tolist())
        return Batches(self.trainer, self.entry, examples, self.shape, max(self.batch_size, min(EVALUATED, count)))


@functools.lru_cache(maxsize=8)
def _order(seed: int | None, epoch: int, count: int) -> np.ndarray:
    return np.arange(count) if seed is None else np.random.default_rng([seed, epoch]).permutation(count)
