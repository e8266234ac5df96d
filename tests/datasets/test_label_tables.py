"""Tables beside images, as people write them: which rows and columns are read, and what is wrong with the others."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from zoo.datasets.label_tables import find_table, has_split, read_table
from zoo.errors import InputError, UnreadableError


def written(folder, text, name="labels.csv"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def columns(folder, text):
    table = read_table(written(folder, text), "train")
    return {name: getattr(values, "tolist", lambda values=values: values)() for name, values in table.columns.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("file,label\n1.png,cat\n2.png,dog\n", {"label": ["cat", "dog"]}),
        ("\ufefffile,label\r\n1.png,cat;dog\r\n\r\n2.png,\r\n", {"label": ["cat;dog", ""]}),
        ('file;label\n1.png;"cat;dog"\n2.png;cat\n', {"label": ["cat;dog", "cat"]}),
        ("file_name\tage (years)\n1.png\t3\n2.png\t4.5\n", {"age (years)": [3.0, 4.5]}),
        ("image , cat, dog\n1.png, 1, 0\n2.png, 0, 1\n", {"cat": [1, 0], "dog": [0, 1]}),
        ("file,sunny\n1.png,True\n2.png,false\n", {"sunny": [1, 0]}),
        ("file,label\n1.png,01\n2.png,1e\n", {"label": ["01", "1e"]}),
    ],
)
def test_columns_are_numbers_where_every_cell_is_one(text, expected, tmp_path):
    assert columns(tmp_path, text) == expected


def test_an_empty_cell_among_numbers_is_missing(tmp_path):
    table = read_table(written(tmp_path, "file,age\n1.png,3\n2.png,\n"), "train")
    np.testing.assert_array_equal(table.columns["age"], [3, np.nan])


def test_files_are_named_from_the_table_on(tmp_path):
    table = read_table(written(tmp_path / "photos", "file,label\ncat/1.png,cat\n/elsewhere/2.png,dog\n"), "train")
    assert [path.as_posix() for path in table.images] == [f"{tmp_path}/photos/cat/1.png", "/elsewhere/2.png"]


@pytest.mark.parametrize("name", ["labels.parquet", "metadata.parquet"])
def test_parquet_has_types_of_its_own(name, tmp_path):
    facts = {"file_name": ["1.png", "2.png"], "label": [["cat", "dog"], []], "ok": [True, False], "age": [1.5, None]}
    pyarrow.parquet.write_table(pa.table(facts), tmp_path / name)
    found = read_table(find_table(tmp_path, "train"), "train").columns
    assert found["label"] == [["cat", "dog"], []]
    assert found["ok"].tolist() == [1, 0]
    np.testing.assert_array_equal(found["age"], [1.5, np.nan])


def test_splits_are_folders_or_a_column(tmp_path):
    written(tmp_path / "folders" / "train", "file,label\n1.png,cat\n")
    written(tmp_path / "folders" / "valid", "file,label\n2.png,dog\n")
    written(tmp_path / "column", "file,split,label\n1.png,train,cat\n2.png,Validation,dog\n")
    written(tmp_path / "neither", "file,label\n1.png,cat\n2.png,dog\n")
    for folder in ("folders", "column"):
        assert [has_split(tmp_path / folder, split) for split in ("train", "val", "test")] == [True, True, False]
        table = read_table(find_table(tmp_path / folder, "val"), "val")
        assert ([path.name for path in table.images], table.columns) == (["2.png"], {"label": ["dog"]})
    assert not has_split(tmp_path / "neither", "val")
    assert len(read_table(find_table(tmp_path / "neither", "test"), "test").images) == 2
    with pytest.raises(InputError, match=r"no row of the split 'test', but of Validation, train"):
        read_table(tmp_path / "column" / "labels.csv", "test")


def test_a_folder_without_a_table_has_none(tmp_path):
    written(tmp_path, "file,label\n1.png,cat\n", name="notes.csv")
    assert find_table(tmp_path, "train") is None
    assert find_table(tmp_path / "notes.csv", "train") == tmp_path / "notes.csv"


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("", InputError, "has the columns none"),
        ("name,label\n1.png,cat\n", InputError, "has the columns name, label. Expected a header with one of"),
        ("file,label\n", InputError, "has no row. Expected"),
        ("file\n1.png\n", InputError, "no column beside 'file'"),
        ("file,label\n1.png,cat\n1.png,dog\n", InputError, r"1 files more than once, such as 1\.png.*cat;dog"),
        ("file,label\n1.png,cat,dog\n", UnreadableError, "row 2 has 3 cells instead of 2"),
        ("file,label,label\n1.png,cat,dog\n", UnreadableError, "two columns are called 'label'"),
    ],
)
def test_tables_without_labels_are_reported(text, error, sentence, tmp_path):
    with pytest.raises(error, match=sentence):
        read_table(written(tmp_path, text), "train")


def test_a_file_of_another_kind_is_unreadable(tmp_path):
    for name, content in (("labels.csv", b"file,label\n\xff\xfe\n"), ("labels.parquet", b"PAR1")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnreadableError, match=rf"{name} cannot be read as a table"):
            read_table(tmp_path / name, "train")
    with pytest.raises(InputError, match="There is no file"):
        read_table(tmp_path / "none.csv", "train")
