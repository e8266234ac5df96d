"""What goes into a model, as parts of the page, and how their values become a source for `zoo.predict`.

Gradio would decode an image before this library sees it, and answer a broken one with nothing but "Error". So files
are taken unread, as the browser sends them, `{"path": ...}`, and opened where they were uploaded (`uploads.py`).
Gradio's editor would draw whatever is dropped into it, 200 megapixels too; so it has no place to drop, and gets what
could be read.
"""

import html
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
from gradio.utils import get_upload_folder
from PIL import Image

from zoo.demo import painting
from zoo.demo.uploads import uploaded
from zoo.errors import InputError
from zoo.imaging.planes import read_image
from zoo.model import ZooModel

LARGEST_SIDE = 1024  # pixels, of images for networks that take any size
LARGEST_INPUT = 4_000_000  # pixels or voxels of anything else
PAINT = "#ff00ff"


class Input(NamedTuple):
    """`components` puts parts on the page; `source` turns their values into what `zoo.predict` takes of a model.

    `source` raises InputError for what cannot be shown. Where the parts are `unread`, it gets what the browser sends.
    """

    components: Callable[[], list[gr.components.Component]]
    source: Callable[..., Any]
    unread: bool = False


def named(sentence: str) -> str:
    """A sentence with the names of files as people gave them, without the server's folders."""
    return re.sub(f"{re.escape(get_upload_folder())}/[^/ ]+/", "", sentence)


def _given(value: Any) -> Any:
    if value is None:
        raise InputError("Nothing was given yet. Expected an input; take a sample for a start.")
    return value


def _image() -> list[gr.components.Component]:
    return [
        gr.Image(
            sources=["upload", "clipboard"],
            label="Image",
            placeholder=f"# Drop an image\nor click; large ones are made smaller, {LARGEST_SIDE} pixels at most",
            height=320,
            buttons=[],
        )
    ]


def _fitting(model: ZooModel, sent: dict[str, Any] | None) -> Image.Image:
    image = read_image(uploaded(_given(sent)))
    if model.spec.input.size is None:
        image.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    return image


def _brush() -> list[gr.components.Component]:
    """The image to paint on, below a place to drop one."""
    [dropped] = _image()
    editor = gr.ImageEditor(
        label="Paint over what is to be filled",
        type="pil",
        format="png",
        sources=[],
        brush=gr.Brush(default_size=12, colors=[PAINT], color_mode="fixed"),
        transforms=[],
        layers=False,
        buttons=[],
    )
    paintings = painting.Paintings()
    editor.accept_blobs, editor.preprocess = paintings.accept, paintings.take
    dropped.upload(_canvas, dropped, editor, preprocess=False, show_progress="hidden", api_visibility="private")
    return [editor]


def _canvas(sent: dict[str, Any] | None) -> Image.Image:
    """A dropped image to paint on; its transparent pixels stay so.

    Raises:
        gradio.Error: It cannot be read.
    """
    try:
        image = read_image(uploaded(_given(sent)), "RGBA")
    except InputError as error:  # shown as HTML
        raise gr.Error(html.escape(named(str(error))), duration=None, print_exception=False) from error
    image.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    return image


def _damaged(model: ZooModel, painted: dict[str, Any] | None) -> dict[str, np.ndarray]:
    """The image, and a mask that is 0 where it is painted over or transparent."""
    pixels = np.asarray(painting.read(_given(painted and painted["background"])))
    mask = pixels[..., 3] > 0
    for layer in painted["layers"] if painted else []:
        covered = np.asarray(painting.read(layer))[..., 3] > 0
        if covered.shape != mask.shape:
            raise InputError("What was painted has another size than the image. Expected the same; drop it again.")
        mask &= ~covered
    return {"image": pixels[..., :3].copy(), "mask": mask}


def _file(label: str, *suffixes: str) -> Input:
    return Input(lambda: [gr.File(label=label, file_types=list(suffixes), height=140)], _small, unread=True)


def _small(model: ZooModel, sent: dict[str, Any] | None) -> str:
    given = uploaded(_given(sent))
    prepared = model.preprocess(given)
    array = prepared["mask"] if isinstance(prepared, dict) else prepared
    if array.size > LARGEST_INPUT:
        raise InputError(
            f"{given} contains {array.size:,} values. Expected at most {LARGEST_INPUT:,} here; `zoo predict` takes "
            "more."
        )
    return given


def _place() -> list[gr.components.Component]:
    with gr.Row():
        return [gr.Number(32, label=name, precision=0) for name in ("x, the column", "y, the row")]


def _pair(model: ZooModel, x: Any, y: Any) -> tuple[Any, Any]:
    return _given(x), _given(y)


IMAGE = Input(_image, _fitting, unread=True)
DAMAGED = Input(_brush, _damaged)
PLACE = Input(_place, _pair)
DEPTHS = _file("Depths: a 16-bit PNG of metres x 256, 0 = none; or .npy, metres", ".png", ".npy")
SERIES = _file("Series, oldest first: an .npy file", ".npy")
VOLUME = _file("Volume (depth, height, width): an .npy file", ".npy")
