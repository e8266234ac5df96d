"""`zoo.export.verify` on exports whose records are damaged: one sentence, no memory, nothing outside the folder."""

import io
import json
import os
import shutil
import zipfile

import numpy as np
import pytest

import zoo.export
from zoo.errors import ExportError
from zoo.export.record import read_arrays


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return zoo.export.saved_model("espcn-x2", tmp_path_factory.mktemp("served"), inference_only=True)


@pytest.fixture
def exported(whole, tmp_path):
    """A SavedModel to damage."""
    return shutil.copytree(whole, tmp_path / "export")


def changed(path, **facts):
    record = json.loads(path.read_text())
    record.update(facts)
    path.write_text(json.dumps({key: value for key, value in record.items() if value is not ...}))


SHA256 = 64 * "a"
DAMAGED_RECORDS = [
    *({key: ...} for key in ("model", "format", "exact", "files")),
    *({key: value} for key in ("model", "format", "exact", "files") for value in (None, 7, [], "other", {"a": 1})),
    {"files": {}},
    {"files": {"saved_model.pb": "short"}},
    {"files": {"saved_model.pb": None}},
    *({"files": {name: SHA256}} for name in ("/etc/passwd", "../secret", "a/../../b", "", ".", "a\\b", "\0")),
    {"format": "../to_onnx"},
]


@pytest.mark.parametrize("facts", DAMAGED_RECORDS, ids=str)
def test_a_record_that_lacks_something_is_one_error(facts, exported):
    changed(exported / "assets.extra" / "export.json", **facts)
    if facts != {"model": "other"}:
        with pytest.raises(
            ExportError, match=r"is not an export of this library \(export\.json: .*Expected one version"
        ):
            zoo.export.verify(exported)


@pytest.mark.parametrize("name", ["export.json", "zoo.json", "verification.npz"])
@pytest.mark.parametrize(
    "content", [None, b"", b"\xff\xfe", b"[]", b"null", b"7", b"{}", 100_000 * b"[", b'{"a":' * 50_000, b"PK\x03\x04"]
)
def test_a_file_that_is_something_else_is_one_error(name, content, exported):
    path = exported / "assets.extra" / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    listed = {"saved_model.pb": zoo.export.record.digest(exported / "saved_model.pb")}
    if name != "export.json":
        changed(exported / "assets.extra" / "export.json", files=listed)
    with pytest.raises(ExportError, match="is not an export of this library"):
        zoo.export.verify(exported)


@pytest.mark.parametrize("name", ["export.json", "verification.npz"])
def test_a_pipe_is_not_waited_for(name, exported):
    path = exported / "assets.extra" / name
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ExportError, match=r"is not a file|verification\.npz changed"):
        zoo.export.verify(exported)
    if name == "verification.npz":
        with pytest.raises(ExportError, match="is not a file"):
            read_arrays(exported)


def npy(header, content=b""):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (2,), **header})
    return file.getvalue() + content


BOMBS = {
    "values that are not there": npy({"shape": (10**12,)}),
    "a product that overflows": npy({"shape": (2**62, 4)}),
    "a negative side": npy({"shape": (-2,)}, b"12345678"),
    "objects": npy({"descr": "|O"}, b"12345678"),
    "text": npy({"descr": "<U1"}, b"12345678"),
    "zeros": npy({"shape": (20_000_000,)}, bytes(80_000_000)),
    "no array": b"hello",
    "half a header": b"\x93NUMPY\x01\x00\xff\xff{",
    "a later version": b"\x93NUMPY\x09\x00\x00\x00",
    "more than it says": npy({}, b"123456789"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_arrays_that_claim_too_much_are_refused_before_they_are_read(name, tmp_path):
    with zipfile.ZipFile(tmp_path / "verification.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inputs.npy", BOMBS[name])
    with pytest.raises(ExportError, match=r"verification\.npz: "):
        read_arrays(tmp_path)


def test_arrays_are_read_as_numpy_reads_them(tmp_path):
    generator = np.random.default_rng(0)
    arrays = {"inputs": generator.integers(0, 9, (2, 3, 4), dtype="uint8"), "output": generator.random((5, 6)).T}
    arrays["scalar"] = np.float32(3)
    np.savez_compressed(tmp_path / "verification.npz", **arrays)
    found = read_arrays(tmp_path)
    assert found.keys() == arrays.keys()
    assert all(np.array_equal(found[name], array) for name, array in arrays.items())


@pytest.mark.parametrize("arrays", [{}, {"inputs": np.zeros(3)}, {"output": np.zeros(3)}, {"inputs": 1, "output": 2}])
def test_arrays_of_another_model_are_one_error(arrays, exported):
    path = exported / "assets.extra" / "verification.npz"
    np.savez(path, **arrays)
    listed = {"assets.extra/verification.npz": zoo.export.record.digest(path)}
    changed(exported / "assets.extra" / "export.json", files=listed)
    with pytest.raises(ExportError, match=r"[Ee]xport the model again"):
        zoo.export.verify(exported)


def test_nan_among_the_expected_outputs_is_not_agreement(exported):
    path = exported / "assets.extra" / "verification.npz"
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **arrays | {"output": np.full_like(arrays["output"], np.nan)})
    listed = {"assets.extra/verification.npz": zoo.export.record.digest(path)}
    changed(exported / "assets.extra" / "export.json", files=listed)
    with pytest.raises(ExportError, match="differs by nan"):
        zoo.export.verify(exported)
