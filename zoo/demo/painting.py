"""What is painted over an image: the browser sends it in parts, of which Gradio would keep and decode any number."""

import threading
from typing import Any

from PIL import Image

from zoo.demo.uploads import uploaded
from zoo.errors import InputError
from zoo.imaging.files import Content, opened_image

LAYERS = 4  # the page offers one
LARGEST_SIDE = 2048  # pixels; an image to paint on has half of it
PART_BYTES = 8 << 20  # of a layer or a background
KEPT = 16  # paintings that wait for Run


class Paintings:
    """Parts of paintings by the id that the browser chose, until they are taken."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[str, bytes]] = {}
        self._lock = threading.Lock()

    def accept(self, data: Any) -> None:
        """Keep a part, the background or a layer, as Gradio takes it from a form; others are passed over."""
        try:
            fields, part = data.data, data.files[0][1]
            name = fields["index"] if fields["type"] == "layer" else fields["type"]
            painting = fields["id"]
        except (AttributeError, LookupError, TypeError):
            return
        if name not in ("background", *map(str, range(LAYERS))) or len(part) > PART_BYTES:
            return
        with self._lock:
            self._waiting.setdefault(painting, {})[name] = part
            while len(self._waiting) > KEPT:
                del self._waiting[next(iter(self._waiting))]

    accept._is_server_fn = True  # type: ignore[attr-defined] # by this Gradio knows what a browser may call

    def take(self, sent: Any) -> dict[str, Any] | None:
        """The painting that an event names, as `{"background": ..., "layers": [...]}` of unread images."""
        if sent is None:
            return None
        with self._lock:
            parts: dict[str, Any] = self._waiting.pop(sent.id, {}) if sent.id else {}
        if not sent.id:  # a sample: files
            files = {"background": sent.background, **dict(zip(map(str, range(LAYERS)), sent.layers, strict=False))}
            parts = {name: {"path": file.path} for name, file in files.items() if file}
        return {"background": parts.pop("background", None), "layers": list(parts.values())}


def read(part: Any) -> Image.Image:
    """Decode a part, RGBA.

    Raises:
        InputError: It is too large, or no image.
    """
    source = Content(part, "What was painted") if isinstance(part, bytes) else uploaded(part)
    with opened_image(source) as opened:
        if max(opened.size) <= LARGEST_SIDE:
            return opened.convert("RGBA")
    raise InputError(f"What was painted is too large. Expected at most {LARGEST_SIDE} pixels per side; drop it again.")
