"""The same rows from two workers on two nodes of a cluster, one of which is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import zoo
from zoo.errors import InputError


@pytest.fixture(scope="module")
def cluster():
    """The address of two nodes with one processor each; its processes end with it."""
    code = """
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
cluster.add_node(num_cpus=1)
print(cluster.address, flush=True)
input()
cluster.shutdown()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process.stdout.readline().strip()
    process.communicate("\n")


def workers() -> set[int]:
    """The processes of Ray Data's workers on this machine."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(b"ray::MapWorker"):
                found.add(int(path.parent.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


def test_the_rows_are_the_same_where_a_worker_is_killed(cluster, model, photos, whole, tmp_path):
    before, killed = workers(), []

    def kill(done, total):
        if done and not killed:
            killed.append(min(workers() - before))
            os.kill(killed[0], signal.SIGKILL)

    output = tmp_path / "predictions.parquet"
    zoo.predict_files(model, photos, output, engine="ray", concurrency=2, address=cluster, progress=kill)
    assert killed
    assert output.read_bytes() == whole.read_bytes()


def test_what_stops_a_worker_is_reported_as_it_was_raised_there(cluster, model, photos, tmp_path):
    cells = [path.read_bytes() for path in sorted(photos.glob("*[0-9].jpg"))[:40]]
    source = tmp_path / "photos.parquet"
    pq.write_table(pa.table({"image": cells}), source, compression="none")
    content = bytearray(source.read_bytes())
    content[4:200] = bytes(196)  # the header of the first page
    source.write_bytes(content)
    with pytest.raises(InputError, match=r"photos.parquet cannot be read from row 0 on"):
        zoo.predict_files(
            model, source, tmp_path / "p.parquet", column="image", engine="ray", concurrency=1, address=cluster
        )


@pytest.mark.slow  # a cluster of Ray for one error
def test_more_workers_than_fit_are_a_sentence(cluster, model, photos, tmp_path):
    with pytest.raises(InputError, match="3 workers with 0 GPUs each do not fit into the cluster"):
        zoo.predict_files(model, photos, tmp_path / "p.parquet", engine="ray", concurrency=3, address=cluster)
