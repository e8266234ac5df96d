"""Pickled checkpoints: tensors are read, nothing is run, and without PyTorch the error names the extra."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.pickled import PickledFile

ROOT = Path(__file__).parents[1]


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


def test_without_pytorch_the_error_names_the_extra_and_the_process_goes_on(tmp_path):
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
