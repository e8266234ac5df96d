"""Pickled PyTorch checkpoints, `.pt` and `.pth`: the only place where anything is unpickled, and only tensors.

A pickle is a program. `torch.load(weights_only=True)` runs none of it: it knows a short list of names, which rebuild
tensors and dictionaries, and refuses the rest. It does so safely since PyTorch 2.6; before, it could be got round
(https://nvd.nist.gov/vuln/detail/CVE-2025-32434).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import IntegrityError, MissingExtraError, WeightsMismatchError

SUFFIXES = (".pt", ".pth")
SAFE_SINCE = (2, 6)


class PickledFile:
    """The tensors of a checkpoint, by name, with the methods of an open safetensors file.

    Args:
        path: The file.
        key: Under which key of the pickled dictionary the tensors stand; None where it holds them itself.

    Raises:
        MissingExtraError: PyTorch is not installed, or too old to be safe.
        IntegrityError: The file is damaged, or holds something else than tensors, which is not executed.
        WeightsMismatchError: The tensors do not stand where the format has them.
    """

    def __init__(self, path: Path, key: str | None = None):
        content = _load(path)
        if key is not None:
            content = content.get(key) if isinstance(content, Mapping) else None
        tensors = isinstance(content, Mapping) and all(hasattr(value, "itemsize") for value in content.values())
        if not tensors:
            where = f"under the key {key!r}" if key else "at its top"
            raise WeightsMismatchError(
                f"{path} does not fit the architecture: it has no dictionary of tensors {where}. "
                "Expected a `state_dict` there; save it as the format has it."
            )
        self.tensors: Mapping[str, Any] = content

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


class _Slice:
    def __init__(self, tensor: Any):
        self.tensor = tensor

    def get_shape(self) -> list[int]:
        return list(self.tensor.shape)

    def get_dtype(self) -> str:
        """As safetensors calls it: `F32`, `I64`."""
        return f"{'F' if self.tensor.is_floating_point() else 'I'}{8 * self.tensor.itemsize}"


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
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle fails in any way
        raise IntegrityError(
            f"{path} is not a whole PyTorch checkpoint of tensors only ({type(error).__name__}). Nothing in it was "
            "executed. Expected a `state_dict`; download it again, or ask its publisher for safetensors."
        ) from error
