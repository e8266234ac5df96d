"""Pickled checkpoints: tensors are read, nothing is run, and without PyTorch the error names the extra."""

import argparse
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.weights.pickled import PICKLED, PickledFile

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed: the reader of .pt and .pth is not tested")


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before-PyTorch-1.6"])
def test_reads_tensors_by_name_as_a_safetensors_file_does(torch, tmp_path, zipped):
    path = tmp_path / "weights.pt"
    state = {
        "conv.weight": torch.arange(6.0).reshape(2, 3).t(),  # not contiguous
        "conv.half": torch.tensor([0.5, 2.0], dtype=torch.bfloat16),
        "bn.num_batches_tracked": torch.tensor(7),
    }
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    with PickledFile(path) as file:
        assert file.keys() == list(state)
        assert file.get_slice("conv.weight").get_shape() == [3, 2]
        assert [file.get_slice(name).get_dtype() for name in state] == ["F32", "BF16", "int64"]
        np.testing.assert_array_equal(file.get_tensor("conv.weight"), [[0, 3], [1, 4], [2, 5]])
        np.testing.assert_array_equal(file.get_tensor("conv.half"), np.array([0.5, 2], "float32"))
        assert file.get_tensor("bn.num_batches_tracked") == 7


def test_tensors_stand_where_the_format_has_them_and_nowhere_else(torch, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({"epoch": 3, "state_dict": {"fc.bias": torch.zeros(2)}}, path)
    assert PickledFile(path, "state_dict").keys() == ["fc.bias"]
    with pytest.raises(zoo.WeightsMismatchError, match="no dictionary of tensors under the key 'model'"):
        PickledFile(path, "model")
    torch.save([torch.zeros(2)], path)
    with pytest.raises(zoo.WeightsMismatchError, match="no dictionary of tensors at its top"):
        PickledFile(path)


@pytest.mark.parametrize("ending", PICKLED)
@pytest.mark.parametrize("key", [None, "state_dict", "model", "state_dict_ema"])
def test_a_checkpoint_of_a_training_is_read_whatever_its_name_ends_in(torch, tmp_path, ending, key):
    """As timm's train.py writes it, with its options; and as several devices name their tensors."""
    path = tmp_path / f"model_best{ending}"
    state = {"module.fc.bias": torch.arange(2.0)}
    others = {"epoch": 3, "args": argparse.Namespace(lr=0.1, model="resnet18"), "optimizer": {"state": {}}}
    other_weights = {"state_dict": {"module.fc.bias": torch.zeros(2)}} if key == "state_dict_ema" else {}
    torch.save({**others, **other_weights, key: state} if key else state, path)
    with PickledFile(path) as file:
        assert file.keys() == ["fc.bias"]
        np.testing.assert_array_equal(file.get_tensor("fc.bias"), [0, 1])


@pytest.mark.parametrize(
    ("make", "dtype"),
    [
        (lambda torch: torch.ones(2, dtype=torch.complex64), "complex64"),
        (lambda torch: torch.ones(2, dtype=torch.bool), "bool"),
        (lambda torch: torch.ones(2, dtype=torch.float8_e4m3fn), "float8_e4m3fn"),
        (lambda torch: torch.ones(2).to_sparse(), "sparse"),
        (lambda torch: torch.ones(2, device="meta"), "meta"),
        (lambda torch: torch.tensor(1.0), None),
    ],
)  # fmt: skip
def test_odd_tensors_are_a_mismatch(torch, tmp_path, make, dtype):
    path = tmp_path / "odd.pt"
    torch.save({"head.fc.bias": make(torch)}, path)
    with PickledFile(path) as file:
        if dtype:
            assert dtype in file.get_slice("head.fc.bias").get_dtype()
    with pytest.raises(zoo.WeightsMismatchError):
        zoo.load("resnet10t", weights=path)


def test_a_checkpoint_that_unpacks_to_more_than_it_has_is_refused(torch, tmp_path):
    torch.save({"fc.bias": torch.zeros(10_000_000)}, tmp_path / "plain.pt")
    with (
        zipfile.ZipFile(tmp_path / "plain.pt") as plain,
        zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for name in plain.namelist():
            bomb.writestr(name, plain.read(name))
    with pytest.raises(zoo.IntegrityError, match="unpacks to 40,"):
        PickledFile(tmp_path / "bomb.pt")


@pytest.mark.parametrize(
    "name",
    [
        "best.h5",
        "model.msgpack",
        "model.onnx",
        "model.tflite",
        "model.npz",
        "model.gguf",
        "weights",
        "model.weights.h5",
    ],
)
def test_another_format_is_refused_by_an_error_that_names_those_that_are_read(name, tmp_path):
    (tmp_path / name).write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(
        zoo.InputError, match=r"\.safetensors.*layerzoo\[torch\].*\.pt, \.pth, \.pth\.tar, \.bin, \.ckpt"
    ):
        zoo.load("resnet10t", weights=tmp_path / name)


@pytest.mark.parametrize(
    "name", ["model.safetensors.index.json", "pytorch_model-00001-of-00002.bin", "model-00001-of-00002.safetensors"]
)
def test_shards_are_refused_as_what_they_are(name, tmp_path):
    (tmp_path / name).write_text("{}")
    with pytest.raises(zoo.InputError, match=r"shards.*Expected one \.safetensors"):
        zoo.load("resnet10t", weights=tmp_path / name)


def test_a_folder_with_other_files_of_weights_says_which(tmp_path):
    (tmp_path / "zoo.json").write_text(zoo.info("resnet10t").model_dump_json())
    for name in ("pytorch_model.bin", "model.safetensors.index.json"):
        (tmp_path / name).touch()
    with pytest.raises(
        zoo.InputError, match=r"no model\.safetensors; it has model\.safetensors\.index\.json, pytorch_model\.bin"
    ):
        zoo.load(str(tmp_path))


class Malicious:
    def __init__(self, victim):
        self.victim = victim

    def __reduce__(self):
        return os.mkdir, (self.victim,)


@pytest.mark.parametrize("write", ["pickle", "zip", "legacy"])
def test_a_malicious_pickle_is_refused_and_not_executed(torch, tmp_path, write):
    path, victim = tmp_path / "weights.pt", tmp_path / "victim"
    content = {"fc.weight": Malicious(str(victim))}
    if write == "pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=write == "zip")
    with pytest.raises(zoo.IntegrityError, match="Nothing in it was executed") as caught:
        PickledFile(path)
    assert not victim.exists()
    assert "weights_only=False" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not a pickle", b"PK\x03\x04 not a whole zip file"])
def test_a_damaged_file_is_an_error_of_integrity(torch, tmp_path, content):
    path = tmp_path / "weights.pt"
    path.write_bytes(content)
    with pytest.raises(zoo.IntegrityError, match="not a whole PyTorch checkpoint"):
        PickledFile(path)


def test_a_pytorch_that_can_be_got_round_is_refused(torch, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "__version__", "2.5.1")
    with pytest.raises(zoo.MissingExtraError, match=r"2\.5\.1 cannot read safely.*layerzoo\[torch\]"):
        PickledFile(tmp_path / "weights.pt")


@pytest.mark.slow  # a process of its own; test_converted.py has a missing extra
def test_without_pytorch_the_error_names_the_extra_and_the_process_continues(tmp_path):
    path = tmp_path / "weights.pt"
    path.write_bytes(pickle.dumps({}))
    script = f"""
import sys
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError("as if it were not installed")
sys.meta_path.insert(0, NoTorch())
import numpy as np, zoo
try:
    zoo.load("edsr_base_x2", weights={str(path)!r})
except zoo.MissingExtraError as error:
    assert isinstance(error, ImportError) and "pip install 'layerzoo[torch]'" in str(error), error
    assert zoo.load("edsr_base_x2", weights=None)(np.zeros((1, 4, 4, 3), "float32")).shape == (1, 8, 8, 3)
    print("named")
"""
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "named\n", done.stderr
