"""What `zoo info` shows: all facts of a model, as JSON has them."""

import os
from typing import Any

from zoo.catalogue.handles import Handle
from zoo.catalogue.listing import stated
from zoo.catalogue.source import Source


def described(handle: Handle) -> dict[str, Any]:
    """All facts of a model: `zoo.info` as JSON, for a registry's model without pydantic, whose import takes longest.

    Raises:
        As `zoo.info`.
    """
    facts = stated(handle.name) if handle.kind == "registry" and handle.revision is None else None
    if facts is None or os.path.isfile(os.path.join(handle.name, "zoo.json")):
        from zoo.catalogue.resolving import info

        return info(handle).model_dump(mode="json")
    source = Source(facts["source"] or "")
    if not source.is_hub or facts["sha256"]:
        return facts
    file = source.recorded(facts["filename"], revision=facts["revision"])
    return facts if file is None else {**facts, "revision": file.revision, "sha256": file.sha256}
