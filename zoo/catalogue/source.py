"""Where weights come from: the package itself, or a repository on a hub."""

import os
import re
from typing import Any, Self
from urllib.parse import quote

from zoo.hub.hubs import HUBS, Hub, HubFile, find_hub, scheme_of

EMBEDDED = "embedded"
_REPO_ID = r"[\w.-]{1,96}/[\w.-]{1,96}"


class Source(str):
    """A source as `registry.yaml` and `zoo.json` write it: `embedded`, or the address of a repository on a hub.

    It is the text itself, so that it is compared, printed and saved as such. A text of another form is neither embedded
    nor on a hub; a description with such a source is refused. Which hubs there are, `zoo/hub/hubs.py` says.

    Example:
        >>> from zoo.catalogue.source import Source
        >>> Source("hf://timm/resnet50.a1_in1k").page
        'https://huggingface.co/timm/resnet50.a1_in1k'
    """

    @classmethod
    def of(cls, repo_id: str, scheme: str = "hf") -> Self:
        """The source that is a repository on a hub."""
        return cls(f"{scheme}://{repo_id}")

    @property
    def is_embedded(self) -> bool:
        """Whether the weights are part of the package."""
        return self == EMBEDDED

    @property
    def is_hub(self) -> bool:
        """Whether it is a repository on a hub."""
        scheme, _, repo_id = self.partition("://")
        return scheme in HUBS and re.fullmatch(_REPO_ID, repo_id) is not None

    @property
    def repo_id(self) -> str:
        """The repository, `owner/name`; empty for what is on no hub."""
        return self.partition("://")[2] if self.is_hub else ""

    @property
    def page(self) -> str | None:
        """The address of the repository for a browser; None for what is on no hub."""
        return f"{self._hub.PAGE}/{quote(self.repo_id, safe='/')}" if self.is_hub else None

    @property
    def _hub(self) -> Hub:
        return find_hub(scheme_of(self))

    def fetch(self, filename: str, **options: Any) -> HubFile:
        """Bring one of the repository's files to this disk, verified: `Hub.fetch`."""
        return self._hub.fetch(self.repo_id, filename, **options)

    def recorded(
        self, filename: str, *, revision: str | None = None, cache_dir: str | os.PathLike[str] | None = None
    ) -> HubFile | None:
        """What an earlier download established: `Hub.recorded`."""
        return self._hub.recorded(self.repo_id, filename, revision=revision, cache_dir=cache_dir)

    def filenames(self, *, revision: str) -> list[str]:
        """The files that the repository contains at a commit: `Hub.filenames`."""
        return self._hub.filenames(self.repo_id, revision=revision)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(
            cls._checked, core_schema.str_schema(), serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^({EMBEDDED}|({'|'.join(HUBS)})://{_REPO_ID})$"}

    @classmethod
    def _checked(cls, text: str) -> Self:
        from pydantic_core import PydanticCustomError

        source = cls(text)
        if not (source.is_embedded or source.is_hub):
            expected = " or ".join([f"'{EMBEDDED}'", *(f"'{scheme}://owner/name'" for scheme in HUBS)])
            raise PydanticCustomError("description", "Input should be {expected}", {"expected": expected})
        return source
