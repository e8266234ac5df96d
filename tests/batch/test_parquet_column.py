"""Images that are in a column of a Parquet file."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import zoo
from zoo.batch import inputs
from zoo.errors import InputError
from zoo.tasks.arrays import read_array


@pytest.fixture(scope="module")
def cells(photos):
    """Six hundred cells: photographs, an empty one, and one that is not an image."""
    contents = [path.read_bytes() for path in sorted(photos.glob("*[0-9].jpg"))[:598]]
    return [*contents, None, b"no image"]


def write(path, cells):
    """Two row groups, of 400 and 200 rows."""
    pq.write_table(pa.table({"image": cells, "id": range(len(cells))}), path, row_group_size=400)
    return path


def test_the_cells_get_the_answers_of_the_files(model, photos, whole, cells, tmp_path):
    source = write(tmp_path / "photos.parquet", cells)
    zoo.predict_files(model, source, tmp_path / "p.parquet", column="image")
    found = pq.read_table(tmp_path / "p.parquet").to_pylist()
    assert [row["input"] for row in found] == [f"{source}:{row}" for row in range(600)]
    names = [str(path) for path in sorted(photos.glob("*[0-9].jpg"))[:598]]
    of_files = {row["input"]: row["predictions"] for row in pq.read_table(whole).to_pylist()}
    for row, name in zip(found, names, strict=False):
        assert row["predictions"][0]["label"] == of_files[name][0]["label"]
        assert row["predictions"][0]["score"] == pytest.approx(of_files[name][0]["score"], abs=2e-6)
    assert found[598]["error"] == f"{source}:598 is empty. Expected the bytes of a file."
    assert found[599]["error"].startswith(f"{source}:599 cannot be read as an image")


def test_images_as_hugging_face_writes_them_and_arrays_are_read(tmp_path):
    array = io.BytesIO()
    np.save(array, np.zeros((4, 5), "float32"))
    cells = [{"bytes": array.getvalue(), "path": None}, {"bytes": b"\x93NUMPY", "path": None}]
    pq.write_table(pa.table({"image": cells}), tmp_path / "a.parquet")
    (share,) = inputs.Listing([str(tmp_path)], "image", ())
    first, second = next(inputs.pieces(share, {0: 0})).inputs
    assert read_array(first.file(), "volume").shape == (4, 5)
    with pytest.raises(InputError, match=r"a\.parquet:1 cannot be read as a volume"):
        read_array(second.file(), "volume")


def test_only_the_pieces_that_are_wanted_are_read(cells, tmp_path):
    source = write(tmp_path / "photos.parquet", cells)
    listing = inputs.Listing([str(source)], "image", ())
    shares = list(listing)
    assert (listing.count, listing.pieces, len(shares)) == (600, 3, 2)
    found = {}
    for share in shares:
        for piece in inputs.pieces(share, {1: 0, 2: 199}):
            found[piece.number] = [item.name.rpartition(":")[2] for item in piece.inputs]
    assert found == {1: [str(row) for row in range(256, 400)], 2: ["599"]}


@pytest.mark.parametrize("value", ["photo.jpg", 3, ["photo.jpg"], {"bytes": b""}])
def test_a_struct_whose_bytes_are_none_is_refused(value, model, tmp_path):
    """A text would be taken for the path of a file of this machine."""
    pq.write_table(pa.table({"image": [{"bytes": value, "path": "photo.jpg"}]}), tmp_path / "photos.parquet")
    with pytest.raises(InputError, match="has no column 'image' of bytes"):
        zoo.predict_files(model, tmp_path / "photos.parquet", tmp_path / "out.parquet", column="image")


def test_an_unknown_column_is_one_error_with_those_that_there_are(model, cells, tmp_path):
    source = write(tmp_path / "photos.parquet", cells)
    for column in ("photo", "id"):
        with pytest.raises(InputError, match=rf"no column '{column}' of bytes.*image \(binary\), id \(int64\)"):
            zoo.predict_files(model, source, tmp_path / "p.parquet", column=column)
    (tmp_path / "no.parquet").write_text("text")
    with pytest.raises(InputError, match="cannot be read as a Parquet file"):
        zoo.predict_files(model, tmp_path / "no.parquet", tmp_path / "p.parquet", column="image")
