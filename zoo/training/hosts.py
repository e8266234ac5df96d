"""Several hosts, or several devices, that train one model together: each computes its share of every batch.

On JAX a process runs on each host, each makes the same call under `keras.distribution.DataParallel`, and all see the
same data and one folder of the run, which only the first of them writes. On TensorFlow one process has several devices
under `tf.distribute.MirroredStrategy`.
"""

import contextlib
import json
import zlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from zoo.command_line.quiet import written_to
from zoo.errors import InputError


def join(addresses: str, index: int) -> None:
    """Make this process one of several, before anything is computed.

    Args:
        addresses: `HOST:PORT` of the first host, then the other hosts, with commas; the same on each of them.
        index: Which of them this is, from 0.

    Raises:
        InputError: The backend is not JAX, or there is no such host.
    """
    hosts = addresses.split(",")
    if keras.backend.backend() != "jax":
        raise InputError(
            f"The backend is {keras.backend.backend()}. Several hosts need JAX: set KERAS_BACKEND=jax, and "
            "pip install 'layerzoo[jax]'."
        )
    if not 0 <= index < len(hosts) or not hosts[0].rpartition(":")[2].isdigit():
        raise InputError(
            f"hosts={addresses!r}, index {index}. Expected HOST:PORT,HOST,..., and an index from 0 to {len(hosts) - 1}."
        )
    with written_to(2, instead_of=1):  # JAX tells on stdout that the hosts have met
        keras.distribution.initialize(addresses, len(hosts), index)
        keras.distribution.set_distribution(keras.distribution.DataParallel())
        barrier("joined")


def devices() -> int:
    """How many share a batch."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.distribute.get_strategy().num_replicas_in_sync
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else distribution.device_mesh.devices.size


def share() -> tuple[int, int]:
    """Which of the hosts this is, and how many there are."""
    if keras.backend.backend() != "jax" or keras.distribution.distribution() is None:
        return 0, 1
    import jax

    return jax.process_index(), jax.process_count()


def is_primary() -> bool:
    """Whether this is the host that writes."""
    return share()[0] == 0


def barrier(name: str) -> None:
    """Wait until all hosts have reached the barrier of this `name`."""
    if share()[1] > 1:
        from jax.experimental import multihost_utils

        multihost_utils.sync_global_devices(name)


def check_agreement(value: Any, what: str) -> None:
    """Check that all hosts have the same `value`, which `json.dumps` takes.

    Raises:
        InputError: They have not; on each of them.
    """
    if share()[1] == 1:
        return
    from jax.experimental import multihost_utils

    checksums = multihost_utils.process_allgather(np.uint32(zlib.crc32(json.dumps(value, sort_keys=True).encode())))
    if len(set(np.asarray(checksums).tolist())) > 1:
        raise InputError(
            f"The hosts have different {what}. Expected the same command on each of them, the same data, and one "
            "folder of the run that all of them see."
        )


@contextlib.contextmanager
def presharded() -> Iterator[None]:
    """Within it, Keras takes each host's batches as its share, instead of sharding them itself."""
    distribution = keras.distribution.distribution()
    if distribution is None:
        yield
        return
    before, distribution.auto_shard_dataset = distribution.auto_shard_dataset, False
    try:
        yield
    finally:
        distribution.auto_shard_dataset = before


@contextlib.contextmanager
def single_process() -> Iterator[None]:
    """Within it, models are this host's own: built, loaded and called without the others."""
    distribution = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)
