"""What can go wrong, one class for each thing that a caller would treat differently.

ZooError
├── UnknownModelError       LookupError     no such model, tag, repository, revision or file
├── RegistryError           ValueError      registry.yaml, zoo.json or config.json does not follow its schema
├── OfflineError            ConnectionError nothing cached and no network
├── AccessError             PermissionError gated or private repository, or a folder that cannot be written
├── IntegrityError          OSError         a file differs from what its publisher declared
├── WeightsMismatchError    ValueError      tensors missing, left over or misshapen
├── InputError              ValueError      an input, a mask or an argument that cannot be used
│   └── UnreadableError                     a file that is damaged, or of another kind than its name says
├── MissingExtraError       ImportError     an optional dependency that this call needs is not installed
├── ExportError             RuntimeError    an export that could not be made or verified
└── PublishError            RuntimeError    a publication that was refused or did not complete

A message may quote what others wrote, so it is shown as text: see `zoo/printing.py`.
"""

from collections.abc import Sequence

from zoo.printing import as_text


class ZooError(Exception):
    """Base of every error that this library raises on purpose. Each argument is a line of its message.

    Example:
        >>> import zoo
        >>> try:
        ...     zoo.info("resnet5")
        ... except zoo.ZooError as error:
        ...     type(error).__name__
        'UnknownModelError'
    """

    def __str__(self) -> str:
        return "\n".join(map(as_text, self.args))


class UnknownModelError(ZooError, LookupError):
    """No such model, tag, repository, revision or file.

    `nearest` are the names that were perhaps meant, the nearest first; empty where nothing is similar.

    Example:
        >>> import zoo
        >>> try:
        ...     zoo.info("espcn-x5")
        ... except zoo.UnknownModelError as error:
        ...     error.nearest[0].startswith("espcn-x")
        True
    """

    def __init__(self, *lines: object, nearest: Sequence[str] = ()):
        super().__init__(*lines)
        self.nearest = tuple(nearest)


class RegistryError(ZooError, ValueError):
    """A registry, `zoo.json` or `config.json` does not follow its schema."""


class OfflineError(ZooError, ConnectionError):
    """The file is not cached and the Hub cannot be reached."""


class AccessError(ZooError, PermissionError):
    """The repository is gated or private, or a folder cannot be written."""


class IntegrityError(ZooError, OSError):
    """A file differs from what its publisher declared, after a second download too."""


class WeightsMismatchError(ZooError, ValueError):
    """Tensors of a checkpoint are missing, left over or misshapen.

    `missing`, `left_over` and `misshapen` are their names in the file's format, all of them where the message has five.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> import zoo
        >>> from safetensors.numpy import save_file
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_file({"conv9/kernel": np.zeros(2)}, f"{folder}/other.safetensors")
        ...     try:
        ...         zoo.load("espcn-x2", weights=f"{folder}/other.safetensors")
        ...     except zoo.WeightsMismatchError as error:
        ...         error.left_over
        ('conv9/kernel',)
    """

    def __init__(
        self,
        *lines: object,
        missing: Sequence[str] = (),
        left_over: Sequence[str] = (),
        misshapen: Sequence[str] = (),
    ):
        super().__init__(*lines)
        self.missing, self.left_over, self.misshapen = tuple(missing), tuple(left_over), tuple(misshapen)


class InputError(ZooError, ValueError):
    """An input, a mask or an argument cannot be used."""


class UnreadableError(InputError):
    """A file is damaged, or of another kind than its name says."""


class MissingExtraError(ZooError, ImportError):
    """An optional dependency that this call needs is not installed, or too old."""


class ExportError(ZooError, RuntimeError):
    """An export could not be made or verified.

    `reason` is what a converter or a runtime reported, with the layer; empty where none did.

    Example:
        >>> import zoo.export
        >>> try:
        ...     zoo.export.verify("photos")
        ... except zoo.ExportError as error:
        ...     error.reason
        ''
    """

    def __init__(self, *lines: object, reason: str = ""):
        super().__init__(*lines)
        self.reason = reason


class PublishError(ZooError, RuntimeError):
    """A publication was refused or did not complete."""
