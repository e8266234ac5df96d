"""Where weights come from: the package itself, or a repository on a hub."""

import re
from typing import Any, Self
from urllib.parse import quote

EMBEDDED = "embedded"
PAGES = {"hf": "https://huggingface.co"}  # each hub by the scheme of its addresses
_ON_A_HUB = re.compile(rf"({'|'.join(PAGES)})://([\w.-]{{1,96}}/[\w.-]{{1,96}})")


class Source(str):
    """A source as `registry.yaml` and `zoo.json` write it: `embedded`, or `hf://owner/name`.

    It is the text itself, so that it is compared, printed and saved as such. A text of another form is neither embedded
    nor on a hub; a description with such a source is refused.

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
        return _ON_A_HUB.fullmatch(self) is not None

    @property
    def scheme(self) -> str:
        """Which hub, such as `hf`; empty for none."""
        return self.partition("://")[0] if self.is_hub else ""

    @property
    def repo_id(self) -> str:
        """The repository, `owner/name`; empty for what is on no hub."""
        return self.partition("://")[2] if self.is_hub else ""

    @property
    def page(self) -> str | None:
        """The address of the repository for a browser; None for what is on no hub."""
        return f"{PAGES[self.scheme]}/{quote(self.repo_id, safe='/')}" if self.is_hub else None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(
            cls._checked, core_schema.str_schema(), serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^(embedded|hf://[\w.-]{1,96}/[\w.-]{1,96})$"}

    @classmethod
    def _checked(cls, text: str) -> Self:
        from pydantic_core import PydanticCustomError

        source = cls(text)
        if not (source.is_embedded or source.is_hub):
            raise PydanticCustomError("description", "Input should be 'embedded' or 'hf://owner/name'")
        return source
