"""The same rows from a worker as from this process, and from two on two nodes of a cluster, one of which is killed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import zoo
from zoo.batch.inputs import Listing
from zoo.batch.predictor import Predictor
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
        env={**os.environ, "RAY_worker_niceness": "0"},  # by default other tests are served first
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


def test_a_worker_gives_the_rows_of_the_pieces_that_are_wanted(model, photos, tmp_path):
    """In this process: a cluster takes seconds to start."""
    from zoo.batch.ray_engine import Worker, _among, _by_piece

    source = tmp_path / "photos.parquet"
    pq.write_table(pa.table({"image": [path.read_bytes() for path in sorted(photos.glob("*[0-9].jpg"))[:300]]}), source)
    [share], wanted = list(Listing([str(source)], "image", ())), {0: 250, 1: 0, 7: 0}
    worker = Worker.__new__(Worker)
    worker.predictor = Predictor(model, top=5, batch_size=32)
    blocks = worker(pa.table({"share": [json.dumps([share, _among(share, wanted)])]}))
    found = list(_by_piece(pa.concat_tables(blocks)))
    assert [(number, len(table)) for number, table in found] == [(0, 6), (1, 44)]
    expected = [table for _, table in worker.predictor.tables([share], wanted)]
    assert pa.concat_tables(table for _, table in found) == pa.concat_tables(expected)


@pytest.mark.slow  # a cluster of Ray, whose workers import TensorFlow
def test_the_rows_are_the_same_where_a_worker_is_killed(cluster, model, photos, whole, tmp_path):
    before, killed = workers(), []

    def kill(done, total):
        if done and not killed:
            killed.append(min(workers() - before))
            os.kill(killed[0], signal.SIGKILL)

    output = tmp_path / "predictions.parquet"
    zoo.predict_files(model, photos, output, engine="ray", concurrency=2, address=cluster, progress=kill)
    assert killed
    found, expected = pq.read_table(output), pq.read_table(whole)
    assert found.schema == expected.schema
    for one, other in zip(found.to_pylist(), expected.to_pylist(), strict=True):
        scores = [[best.pop("score") for best in row["predictions"] or ()] for row in (one, other)]
        np.testing.assert_allclose(*scores, rtol=0, atol=1e-6)  # a worker sums in fewer threads
        assert one == other


@pytest.mark.slow  # a cluster of Ray for one error
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
