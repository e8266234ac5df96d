"""Pickled PyTorch checkpoints, `.pt` and the like: the only place where anything is unpickled, and only tensors.

A pickle is a program. `torch.load(weights_only=True)` runs none of it: it knows a short list of names, which rebuild
tensors and dictionaries, and refuses the rest. It does so safely since PyTorch 2.6; before, it could be got round
(https://nvd.nist.gov/vuln/detail/CVE-2025-32434).
"""

import argparse
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import AccessError, IntegrityError, MissingExtraError, WeightsMismatchError

PICKLED = (".pt", ".pth", ".pth.tar", ".bin", ".ckpt")  # how the names of such files end
SAFE_SINCE = (2, 6)
# Where a file of a whole training has its weights, the averaged ones first: timm's order, in its `models/_helpers.py`.
TRAINING_KEYS = ("state_dict_ema", "model_ema", "state_dict", "model")
# What stands before all names where a model was trained on several devices, or by transformers.
WRAPPERS = ("module.", "timm_model.")
FLOATS = {"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16"}  # as safetensors calls them


class PickledFile:
    """The tensors of a checkpoint, by name, with the methods of an open safetensors file.

    Args:
        path: The file.
        key: Under which key of the pickled dictionary the tensors stand. By default it contains them itself, or under
            one of `TRAINING_KEYS`; what a wrapper puts before all names (`WRAPPERS`) is left out then.

    Raises:
        MissingExtraError: PyTorch is not installed, or too old to be safe.
        IntegrityError: The file is damaged, or contains something else than tensors, which is not executed.
        WeightsMismatchError: The tensors do not stand where the format has them.
        AccessError: The file must not be read.
    """

    def __init__(self, path: Path, key: str | None = None):
        content = _load(path)
        if not isinstance(content, Mapping):
            content = {}
        if key is not None:
            tensors = content.get(key)
        elif _is_state(content):
            tensors = content
        else:
            tensors = next((content[name] for name in TRAINING_KEYS if _is_state(content.get(name))), None)
        if not _is_state(tensors):
            where = f"under the key {key!r}" if key else f"at its top, nor under one of the keys {TRAINING_KEYS}"
            raise WeightsMismatchError(
                f"{path} does not fit the architecture: it has no dictionary of tensors {where}. "
                "Expected a `state_dict` there; save it as the format has it."
            )
        wrapper = wrapper_of(tensors) if key is None else ""
        self.tensors = {name.removeprefix(wrapper): tensors[name] for name in tensors}

    def __enter__(self) -> "PickledFile":
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def keys(self) -> list[str]:
        """The names of the tensors."""
        return list(self.tensors)

    def get_slice(self, name: str) -> "_Slice":
        """What is known about a tensor without its values."""
        return _Slice(self.tensors[name])

    def get_tensor(self, name: str) -> np.ndarray:
        """A tensor's values; those of lower precision than NumPy has come as float32."""
        tensor = self.tensors[name].detach()
        return (tensor.float() if tensor.is_floating_point() and tensor.itemsize < 4 else tensor).numpy()


def wrapper_of(names: Collection[str]) -> str:
    """The wrapper that all names begin with, or an empty text."""
    return next((prefix for prefix in WRAPPERS if names and all(name.startswith(prefix) for name in names)), "")


class _Slice:
    def __init__(self, tensor: Any):
        self.tensor = tensor

    def get_shape(self) -> list[int]:
        return list(self.tensor.shape)

    def get_dtype(self) -> str:
        """As safetensors calls it, where it is one of those that are read; else PyTorch's own word."""
        name = str(self.tensor.dtype).removeprefix("torch.")
        is_plain = str(self.tensor.layout) == "torch.strided" and self.tensor.device.type == "cpu"
        return FLOATS.get(name, name) if is_plain else f"{name}, {self.tensor.layout} on {self.tensor.device}"


def _is_state(content: Any) -> bool:
    """Whether it is a dictionary from names to tensors, and not an empty one."""
    import torch

    return (
        isinstance(content, Mapping)
        and len(content) > 0
        and all(isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in content.items())
    )


def _check_zip(path: Path) -> None:
    """PyTorch stores its zip members as they are: one that unpacks to more than the file contains is not a checkpoint.

    Raises:
        IntegrityError: There is such a member.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > path.stat().st_size:
        raise IntegrityError(
            f"{path} is {path.stat().st_size:,} bytes and unpacks to {size:,}. Expected a PyTorch checkpoint, which is "
            "not compressed; nothing in it was executed. Download it again, or ask its publisher for safetensors."
        )


def _load(path: Path) -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError(
            f"{path.name} is a pickled PyTorch checkpoint, and PyTorch is not installed. Expected it, to read the file "
            "safely: pip install 'layerzoo[torch]'."
        ) from error
    version = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if version < SAFE_SINCE:
        raise MissingExtraError(
            f"{path.name} is a pickled PyTorch checkpoint, which PyTorch {torch.__version__} cannot read safely. "
            "Expected at least 2.6: pip install --upgrade 'layerzoo[torch]'."
        )
    try:
        _check_zip(path)
        with torch.serialization.safe_globals([argparse.Namespace]):  # the options of timm's train.py: plain attributes
            return torch.load(path, map_location="cpu", weights_only=True)
    except (IntegrityError, MemoryError):
        raise
    except PermissionError as error:
        raise AccessError(f"{path} cannot be read ({error}). Expected one of yours; see its permissions.") from error
    except Exception as error:  # a damaged pickle fails in any way
        raise IntegrityError(
            f"{path} is not a whole PyTorch checkpoint of tensors only ({type(error).__name__}). Nothing in it was "
            "executed. Expected a `state_dict`; download it again, or ask its publisher for safetensors."
        ) from error
