"""The Hugging Face Hub, `hf://owner/name`: where its pages are, what its files are, how else it is written."""

import re
from urllib.parse import unquote

from zoo.errors import OfflineError
from zoo.hub.fetching import fetch, recorded

__all__ = ["PAGE", "fetch", "filenames", "meant", "recorded"]

PAGE = "https://huggingface.co"
# A repository as timm, transformers and the address bar of a browser write it.
_ELSEWHERE = re.compile(
    r"(?P<scheme>(?:hf:/{0,2}|hf[-_]hub:/{0,2})?(?:(?:https?://)?(?:www\.)?(?:huggingface|hf)\.co/(?:models/)?)?)"
    r"(?!(?:www\.)?(?:huggingface|hf)\.co/)(?P<repo_id>\w[\w.-]*/\w[\w.-]*?)/*"
    r"(?:@(?P<at>[^@?#]+)|/(?:tree|blob|resolve|commit)/(?P<tree>[^/?#]+)[^?#]*)?/*(?:[?#].*)?",
    re.ASCII | re.IGNORECASE,
)


def filenames(repo_id: str, *, revision: str) -> list[str]:
    """The files that a repository contains at a commit.

    Raises:
        OfflineError: The Hub cannot be reached.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.utils import httpx

    try:
        return HfApi().list_repo_files(repo_id, revision=revision)
    except (OSError, httpx.TransportError) as error:
        raise OfflineError(
            f"The files of hf://{repo_id} cannot be listed ({error}), and they are not all cached. Load it once with a "
            "network."
        ) from error


def meant(text: str) -> str | None:
    """The handle for a repository that is written as elsewhere, or None where it is none.

    Example:
        >>> from zoo.hub.hugging_face import meant
        >>> meant("https://huggingface.co/timm/resnet18.a1_in1k/tree/v1")
        'hf://timm/resnet18.a1_in1k@v1'
    """
    found = _ELSEWHERE.fullmatch(text)
    if found is None or (text.endswith(".keras") and not found["scheme"]):
        return None
    revision = found["at"] or unquote(found["tree"] or "")
    return f"hf://{found['repo_id']}" + (f"@{revision}" if revision else "")
