"""The columns of each task are what its records hold, with types and images as files."""

import io

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

import zoo
from zoo.tasks import find_task


def photo(path, name="photo.png"):
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 32, 3), dtype="uint8")).save(path / name)


def damaged(path):
    pixels = np.full((32, 32, 4), 200, "uint8")
    pixels[8:16, 8:16, 3] = 0
    Image.fromarray(pixels).save(path / "damaged.png")


def sparse(path):
    metres = np.zeros((16, 24), "uint16")
    metres[::4, ::4] = 256 * 10
    Image.fromarray(metres).save(path / "sparse.png")


def series(path):
    np.save(path / "series.npy", np.linspace(310, 330, 200))


def volume(path):
    np.save(path / "scan.npy", np.random.default_rng(0).poisson(3, (16, 16, 16)))


@pytest.mark.parametrize(
    ("handle", "write"),
    [
        ("blurnet-textures", photo),
        ("conv-regressor", photo),
        ("espcn-x2", photo),
        ("pconv-unet", damaged),
        ("segnet-basic", photo),
        pytest.param("sparseconvnet", sparse, marks=pytest.mark.slow),
        ("tcn-co2", series),
        ("unet3d-phantoms", volume),
    ],
)
def test_a_row_holds_what_the_record_holds(handle, write, tmp_path):
    (tmp_path / "inputs").mkdir()
    write(tmp_path / "inputs")
    model = zoo.load(handle)
    zoo.predict_files(model, tmp_path / "inputs", tmp_path / "p.parquet")
    (row,) = pq.read_table(tmp_path / "p.parquet").to_pylist()
    (record,) = zoo.predict(model, row["input"])
    assert row.pop("error") is None
    files = {name: row.pop(name) for name, kind in find_task(record["task"]).columns.items() if kind is bytes}
    assert row.keys() == record.keys() - {"task"}
    for name, value in row.items():
        if isinstance(value, float):
            assert value == pytest.approx(record[name], rel=1e-3, abs=1e-3)
        elif not isinstance(value, list):
            assert value == record[name]
        elif isinstance(value[0], float):
            np.testing.assert_allclose(value, record[name], rtol=1e-4)
    assert ("image" in files) == (record.image is not None)
    for name, content in files.items():
        pixels, told = np.asarray(Image.open(io.BytesIO(content))), np.asarray(getattr(record, name))
        assert pixels.shape == told.shape
        scale = 256 if name == "depth_map" else 1
        assert np.abs(pixels - scale * told.astype(float)).mean() < 1
