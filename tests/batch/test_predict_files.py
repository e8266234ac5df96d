"""A row for every file, whatever the file is, and whatever happens to the process."""

import json
import os
import re
import signal
import sys
from pathlib import Path

import filelock
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from PIL import Image

import zoo
import zoo.export
from tests.batch.conftest import BROKEN, GOOD
from tests.evaluation_models import detector
from tests.warm import WarmPython
from zoo.batch import job
from zoo.batch.predictor import Predictor
from zoo.command_line.main import main
from zoo.errors import AccessError, InputError, MissingExtraError
from zoo.imaging.tiles import Runner

GOLDEN = Path(__file__).parents[1] / "golden"
SCRIPT = """
import sys
import zoo
zoo.predict_files("blurnet-textures", sys.argv[1], sys.argv[2], progress=lambda done, total: print(done, flush=True))
"""


def rows(path):
    return pq.read_table(path).to_pylist()


def some(photos, folder, count=3):
    """A folder with the first photographs."""
    folder.mkdir(parents=True)
    for path in sorted(photos.glob("*[0-9].jpg"))[:count]:
        os.link(path, folder / path.name)
    return folder


@pytest.fixture(scope="module")
def export(model, tmp_path_factory):
    return zoo.export.saved_model(model, tmp_path_factory.mktemp("exports"))


@pytest.mark.slow  # an export; tests/export has its answers
def test_an_export_answers_many_files_in_its_own_runtime(export, photos, whole, tmp_path):
    few, output = some(photos, tmp_path / "photos"), tmp_path / "table.parquet"
    (few / "broken.jpg").write_bytes(b"no image")
    assert zoo.predict_files(export, few, output) == {
        "output": os.fspath(output),
        "model": "blurnet-textures.grey",
        "runtime": "saved_model",
        "count": 4,
        "errors": 1,
    }
    expected = {Path(row["input"]).name: row["predictions"] for row in rows(whole)}
    for row in rows(output):
        if row["error"] is None:
            right = expected[Path(row["input"]).name]
            assert [one["label"] for one in row["predictions"]] == [one["label"] for one in right]
            scores = [[one["score"] for one in each] for each in (row["predictions"], right)]
            np.testing.assert_allclose(*scores, atol=1e-5)
    written = output.stat().st_mtime_ns
    zoo.predict_files(os.fspath(export), few, output)
    assert output.stat().st_mtime_ns == written
    with pytest.raises(InputError, match="contains another job: weights, runtime differ"):
        zoo.predict_files("blurnet-textures", few, output)


@pytest.mark.slow  # an export
def test_an_export_has_its_own_runtime_and_no_workers(export, photos, tmp_path):
    for options in ({"runtime": "auto"}, {"engine": "ray"}):
        with pytest.raises(InputError, match=r"an export.*Expected.* the model itself"):
            zoo.predict_files(export, photos, tmp_path / "table.parquet", **options)
    assert not list(tmp_path.iterdir())


def test_every_file_is_one_row_in_the_order_of_the_names(photos, whole):
    first = sorted(os.fspath(path) for path in photos.glob("*.jpg"))
    assert [row["input"] for row in rows(whole)] == first + sorted(map(os.fspath, photos.glob("more/*.jpg")))
    assert len(first) + len(list(photos.glob("more/*.jpg"))) == GOOD + BROKEN


@pytest.mark.filterwarnings("ignore:.*nobody has trained")
def test_objects_are_a_list_column(tmp_path):
    for name, edge in {"a": 10, "b": 0}.items():
        pixels = np.zeros((20, 30, 3), "uint8")
        pixels[4:edge, 5:25] = (200, 0, 0)
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{name}.png")
    zoo.predict_files(detector(), tmp_path / "photos", tmp_path / "table.parquet")
    one, none = rows(tmp_path / "table.parquet")
    assert one["predictions"] == [{"index": 0, "label": "red", "score": 0.5, "box": [5.0, 4.0, 25.0, 10.0]}]
    assert (one["width"], one["height"], none["predictions"], none["error"]) == (30, 20, [], None)


def test_a_broken_file_is_a_row_with_its_reason(whole):
    bad = [row for row in rows(whole) if row["error"] is not None]
    assert [row["input"] for row in bad] == [row["input"] for row in rows(whole) if "broken" in row["input"]]
    assert len(bad) == BROKEN
    for row in bad:
        assert row["predictions"] is None
        assert row["error"].startswith(f"{row['input']} cannot be read as an image")


def test_outputs_with_names_have_no_columns(photos, tmp_path):
    pyramid = zoo.load("resnet10t", weights=None, features=True)
    with pytest.raises(InputError, match="several outputs, which have names"):
        zoo.predict_files(pyramid, photos, tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == []


def test_the_answers_are_those_of_predict(model, whole):
    good = [row for row in rows(whole) if row["error"] is None][::200]
    for row, record in zip(good, zoo.predict(model, [row["input"] for row in good]), strict=True):
        assert row["model"] == record["model"]
        for mine, other in zip(row["predictions"], record["predictions"], strict=True):
            assert (mine["index"], mine["label"]) == (other["index"], other["label"])
            assert mine["score"] == pytest.approx(other["score"], abs=2e-6)


def test_killed_in_the_middle_it_goes_on_and_the_file_is_the_same_bit_for_bit(model, photos, whole, tmp_path):
    output = tmp_path / "predictions.parquet"
    process = WarmPython(SCRIPT, photos, output)
    for line in process.stdout:
        if int(line) > 600:
            process.send_signal(signal.SIGKILL)
            break
    assert process.wait() == -signal.SIGKILL
    assert not output.exists()
    done = []
    zoo.predict_files(model, photos, output, progress=lambda count, total: done.append(count))
    assert done[0] >= 512  # two pieces were kept
    assert output.read_bytes() == whole.read_bytes()
    assert os.listdir(tmp_path) == ["predictions.parquet"]


def test_what_is_finished_is_not_done_again(model, photos, whole):
    before, done = whole.stat().st_mtime_ns, []
    record = zoo.predict_files(model, photos, whole, progress=lambda count, total: done.append(count))
    facts = {"output": str(whole), "model": model.spec.name, "runtime": "keras"}
    assert record == {**facts, "count": GOOD + BROKEN, "errors": BROKEN}
    assert (whole.stat().st_mtime_ns, done) == (before, [])


def test_another_job_finds_the_file_and_refuses(model, photos, whole, tmp_path):
    with pytest.raises(InputError, match=r"predictions.parquet contains another job: top differ. Expected the same"):
        zoo.predict_files(model, photos, whole, top=2)
    with pytest.raises(InputError, match=r"inputs, count differ"):
        zoo.predict_files(model, some(photos, tmp_path / "few"), whole)
    assert os.listdir(whole.parent) == ["predictions.parquet"]


@pytest.mark.slow  # many images; the state of a job is tested around it
def test_work_is_kept_every_half_a_minute(model, photos, whole, tmp_path, monkeypatch):
    """Here after every batch: each row that was reported once is never computed again."""
    monkeypatch.setattr(job, "KEEP_SECONDS", 0)
    kept, calls, prepared = [], [], Predictor._prepared

    def stop(done, total):
        kept.append(done)
        if done > 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        zoo.predict_files(model, photos, tmp_path / "p.parquet", progress=stop)
    parts = sorted(path.name for path in (tmp_path / "p.parquet.parts").glob("0*.parquet"))
    assert parts[:2] == ["00001-000.parquet", "00001-008.parquet"]
    done = sum(pq.read_metadata(tmp_path / "p.parquet.parts" / part).num_rows for part in parts)
    assert kept[-2] <= done <= kept[-1]
    monkeypatch.setattr(Predictor, "_prepared", lambda self, item: calls.append(item) or prepared(self, item))
    zoo.predict_files(model, photos, tmp_path / "p.parquet", progress=lambda done, total: kept.append(done))
    assert len(calls) == GOOD + BROKEN - done
    assert kept[-1] == GOOD + BROKEN
    assert (tmp_path / "p.parquet").read_bytes() == whole.read_bytes()


def test_what_does_not_fit_into_the_memory_is_a_row(model, photos, tmp_path, monkeypatch):
    class ResourceExhaustedError(Exception):
        """As TensorFlow calls it."""

    def run(self, batch):
        if batch.shape[1:3] != (16, 20):
            raise ResourceExhaustedError
        return call(self, batch)

    call = Runner.__call__
    monkeypatch.setattr(Runner, "__call__", run)
    folder = some(photos, tmp_path / "some", count=2)
    Image.new("RGB", (30, 40)).save(folder / "large.png")
    found = zoo.predict_files(zoo.load("espcn-x2"), folder, tmp_path / "p.parquet")
    assert (found["count"], found["errors"]) == (3, 1)
    assert "is too large: the memory did not suffice" in rows(tmp_path / "p.parquet")[2]["error"]


@pytest.mark.parametrize("suffix", ["qoi", "png", "npy", "pipe"])
def test_no_bad_file_stops_the_others(model, photos, suffix, tmp_path):
    folder = some(photos, tmp_path / "some", count=1)
    bad = folder / f"a.{suffix}"
    if suffix == "qoi":
        bad.write_bytes((GOLDEN / "broken.qoi").read_bytes())
    elif suffix == "png":
        Image.new("L", (1, 300_000), 9).save(bad)
    elif suffix == "npy":
        with bad.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (10**12,)})
    else:
        os.mkfifo(tmp_path / "pipe")
        bad.symlink_to(tmp_path / "pipe")
    found = zoo.predict_files(model, folder, tmp_path / "p.parquet")
    # Of extreme shape is not bad, and a pipe is not a file of a folder.
    assert (found["count"], found["errors"]) == {"png": (2, 0), "pipe": (1, 0)}.get(suffix, (2, 1))


def test_another_job_finds_the_parts_and_refuses(model, photos, tmp_path):
    """A job that an error stops is kept as one that is killed."""

    def stop(done, total):
        raise KeyboardInterrupt

    output, few = tmp_path / "predictions.parquet", some(photos, tmp_path / "few")
    with pytest.raises(KeyboardInterrupt):
        zoo.predict_files(model, few, output, progress=stop)
    with pytest.raises(InputError, match=r"parquet.parts contains another job: model, weights differ"):
        zoo.predict_files("maxpool-textures", few, output)
    assert zoo.predict_files(model, few, output)["count"] == 3


def test_a_file_that_is_named_twice_is_two_rows(model, photos, tmp_path):
    few = some(photos, tmp_path / "few")
    zoo.predict_files(model, [few, few / "00001.jpg"], tmp_path / "p.parquet")
    assert [row["input"][-9:] for row in rows(tmp_path / "p.parquet")] == [
        "00001.jpg",
        "00002.jpg",
        "00004.jpg",
        "00001.jpg",
    ]


def test_two_processes_are_not_at_work_on_one_file(model, photos, tmp_path):
    folder = tmp_path / "predictions.parquet.parts"
    folder.mkdir()
    with filelock.FileLock(folder / "lock"), pytest.raises(InputError, match="Another process writes"):
        zoo.predict_files(model, photos, tmp_path / "predictions.parquet")


def test_a_file_of_somebody_else_stays(model, photos, tmp_path):
    output = tmp_path / "predictions.parquet"
    output.write_text("mine")
    with pytest.raises(InputError, match="is not a file of predictions, and was left unchanged"):
        zoo.predict_files(model, photos, output)
    assert output.read_text() == "mine"


def test_an_output_inside_the_source_is_not_an_input(model, photos, tmp_path, monkeypatch):
    monkeypatch.chdir(some(photos, tmp_path / "few"))
    for _ in range(2):
        assert zoo.predict_files(model, ".", "predictions.parquet")["count"] == 3


def test_hidden_files_are_none_and_every_other_is(model, photos, tmp_path):
    folder = some(photos, tmp_path / "few")
    (folder / ".DS_Store").write_text("")
    for name in (".git", "@eaDir", "__MACOSX"):
        (folder / name).mkdir()
        (folder / name / "config.jpg").write_text("")
    (folder / "README.txt").write_text("holiday")
    (folder / "gone.jpg").symlink_to("nowhere")
    os.link(photos / "00001.jpg", os.fsencode(folder) + b"/\xff.jpg")  # no UTF-8
    os.mkfifo(folder / "pipe")
    Image.new("1", (20_000, 10_000)).save(folder / "huge.png")
    zoo.predict_files(model, folder, tmp_path / "p.parquet")
    found = {os.path.basename(row["input"]): row["error"] for row in rows(tmp_path / "p.parquet")}
    assert len(found) == 7
    assert found["\\udcff.jpg"] is None
    assert "not an image that Pillow knows" in found["README.txt"]
    assert "There is no file" in found["gone.jpg"]
    assert "200000000 pixels" in found["huge.png"]


def test_an_error_that_is_not_an_inputs_stops_the_job_and_names_the_files(photos, tmp_path, monkeypatch):
    def fail(runner, batch):
        raise ValueError("a shape that no kernel takes")

    monkeypatch.setattr(Runner, "__call__", fail)
    with pytest.raises(ValueError, match="shape") as caught:
        zoo.predict_files(zoo.load("espcn-x2"), some(photos, tmp_path / "few"), tmp_path / "p.parquet")
    assert re.search("network computed .*00001.jpg, .*00002.jpg", "".join(caught.value.__notes__))


def test_a_folder_that_cannot_be_written_is_a_sentence(model, photos, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AccessError, match="cannot be written"):
        zoo.predict_files(model, photos, tmp_path / "file" / "p.parquet")


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("nowhere", {}, "There is no nowhere"),
        ("empty", {}, "empty contains nothing to predict"),
        ("photos", {"engine": "spark"}, "Expected 'local' or 'ray'"),
        ("photos", {"concurrency": 2}, "The local engine has no workers"),
        ("photos", {"batch_size": 0}, "batch_size=0. Expected a whole number of at least 1"),
        ("photos", {"output": "p.csv"}, "Expected NAME.parquet"),
        ("photos", {"model": "coordconv-classifier"}, r"takes \(x, y\) in pixels, no files"),
    ],
)
def test_what_makes_no_sense_is_a_sentence_and_leaves_nothing(
    source, options, message, model, photos, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "photos").symlink_to(photos)
    with pytest.raises(InputError, match=message):
        zoo.predict_files(**{"model": model, "source": source, "output": "p.parquet", **options})
    assert sorted(os.listdir()) == ["empty", "photos"]


@pytest.mark.parametrize(
    ("engine", "module", "extra"), [("local", "pyarrow.parquet", "batch"), ("ray", "ray.data", "ray")]
)
def test_a_missing_extra_is_a_sentence(engine, module, extra, model, photos, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)  # as Python finds a module that is not there
    with pytest.raises(MissingExtraError, match=rf"{module}, which is not installed.*layerzoo\[{extra}\]"):
        zoo.predict_files(model, photos, tmp_path / "p.parquet", engine=engine)


def test_the_command_prints_the_result(photos, tmp_path):
    few, output = some(photos, tmp_path / "few"), tmp_path / "p.parquet"
    command = ["predict", "blurnet-textures", f"{few}/*.jpg", "-o", str(output)]
    told = CliRunner().invoke(main, command)
    assert told.stdout == f"{output}\n  3 rows, 0 of them without a prediction: see the column `error`\n"
    again = CliRunner().invoke(main, [*command, "--json"])
    assert json.loads(again.stdout) == {
        "output": str(output),
        "model": "blurnet-textures.grey",
        "count": 3,
        "errors": 0,
        "runtime": "keras",
    }
    assert (told.stderr, again.stderr) == ("", "")
    refused = CliRunner().invoke(main, ["predict", "blurnet-textures", str(few), "--engine", "ray", "--gpus", "1"])
    assert refused.exit_code == 1
    assert refused.stderr == "Error: engine, gpus is for many images. Expected -o NAME.parquet with it.\n"


def test_the_graph_of_a_model_is_not_its_owners(model):
    """A compiled model stays as it was compiled."""
    compiled = zoo.load("blurnet-textures")
    compiled.compile("sgd", "mse")
    optimizer = compiled.optimizer
    images = np.zeros((2, 16, 16, 3), "uint8")
    outputs = list(Predictor(compiled, top=1, batch_size=2).runner(images))
    np.testing.assert_allclose(outputs, np.asarray(model(images, training=False)), atol=1e-4)
    assert compiled.optimizer is optimizer


def test_a_size_that_the_model_does_not_take_is_a_row(photos, tmp_path):
    folder = some(photos, tmp_path / "some", count=1)
    Image.new("RGB", (30, 40)).save(folder / "other.png")
    found = zoo.predict_files(zoo.load("espcn-x2", input_shape=(16, 20, 3)), folder, tmp_path / "p.parquet")
    assert (found["count"], found["errors"]) == (2, 1)
    assert "An input has the shape (40, 30, 3)" in rows(tmp_path / "p.parquet")[1]["error"]


@pytest.mark.parametrize("name", ["a@b #%?", "hf:", "s3:", "~", os.fsdecode(b"\xff\xfe"), "new\nline"])
def test_a_job_is_done_in_a_folder_of_any_name(name, photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = some(photos, Path(name) / "photos", count=1)
    output = os.path.join(".", name, "p.parquet")
    for _ in range(2):  # the second time it is found
        found = zoo.predict_files(zoo.load("espcn-x2"), os.path.join(".", str(folder)), output)
        assert (found["count"], found["errors"]) == (1, 0)
    cells = Path(name) / "cells.parquet"
    with cells.open("wb") as file:
        pq.write_table(pa.table({"image": [next(folder.iterdir()).read_bytes()]}), file)
    source = os.path.join(".", str(cells))
    assert zoo.predict_files(zoo.load("espcn-x2"), source, f"{output}2.parquet", column="image")["count"] == 1
