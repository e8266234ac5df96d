"""What comes out of a model, as parts of the page, and how a record of `zoo.predict` fills them."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
from PIL import Image, ImageDraw

from zoo.demo.inputs import PAINT
from zoo.explanation import explain
from zoo.export.opened import ExportedModel
from zoo.imaging import depth_colors, label_maps
from zoo.imaging.planes import read_image
from zoo.model import ZooModel
from zoo.printing import as_text
from zoo.tasks.object_detection import SHOWN
from zoo.tasks.task import Prediction

Model = ZooModel | ExportedModel
SHOWN_SIDE = 384  # pixels
SHOWN_SEASONS = 3


class Output(NamedTuple):
    """`components` puts parts on the page; `values` is what a record, its model and its source fill them with."""

    components: Callable[[], list[gr.components.Component]]
    values: Callable[[Prediction, Model, Any], Sequence[Any]]


def _bars() -> list[gr.components.Component]:
    with gr.Tab("Classes"):
        bars = gr.Label(label="Classes")
    with gr.Tab("What it looks at"):
        seen = gr.Image(label="What speaks for the first class", format="png", buttons=["download", "fullscreen"])
    return [bars, seen]


def _scores(record: Any, model: Model, source: Any) -> list[Any]:
    """Scores by name; with its number where there is no name, or another class has the same."""
    labels = [item["label"] for item in record["predictions"]]

    def name(item: dict[str, Any]) -> str:
        is_unique = item["label"] and labels.count(item["label"]) == 1
        return item["label"] if is_unique else f"{item['label'] or 'class'} {item['index']}"

    scores = {as_text(name(item)): item["score"] for item in record["predictions"]}
    if isinstance(model, ExportedModel):  # it has no layers to look into
        return [scores, None]
    return [scores, explain(model, source, label=record["predictions"][0]["index"]).image]


def _table() -> list[gr.components.Component]:
    return [gr.Dataframe(headers=["quantity", "value", "unit"], label="Quantities", interactive=False)]


def _values(record: Any, model: Model, source: Any) -> list[Any]:
    rows = [[as_text(name), value, record["units"].get(name, "")] for name, value in record["values"].items()]
    return [[[name, float(f"{value:.6g}"), as_text(unit)] for name, value, unit in rows]]


def _annotated() -> list[gr.components.Component]:
    return [gr.AnnotatedImage(label="Classes, and their fractions of the image", format="png", buttons=["fullscreen"])]


def _classes(record: Any, model: Model, source: Any) -> list[Any]:
    """The image as the model saw it, and each class but the background as a mask in its colour."""
    found = [item for item in record["classes"] if item["label"] != "background"]
    texts = {item["index"]: as_text(f"{item['label'] or item['index']} {item['area']:.1%}") for item in found}
    palette = label_maps.colors(max(texts, default=0) + 1)
    masks = [((record.label_map == index).astype(float), text) for index, text in texts.items()]
    shown = {text: "#{:02x}{:02x}{:02x}".format(*palette[index]) for index, text in texts.items()}
    image = model.preprocess(source)
    return [gr.AnnotatedImage((np.broadcast_to(image, (*image.shape[:2], 3)), masks), color_map=shown)]


def _boxed() -> list[gr.components.Component]:
    label = f"Objects, and their scores, of at least {SHOWN:.0%}"
    return [gr.AnnotatedImage(label=label, format="png", buttons=["fullscreen"])]


def _objects(record: Any, model: Model, source: Any) -> list[Any]:
    """The whole image, and each object as a box in the colour of its class, the best last and so on top."""
    found = [item for item in record["predictions"] if item["score"] >= SHOWN][::-1]
    palette = label_maps.colors(max((item["index"] for item in found), default=0) + 2)
    texts = [as_text(f"{item['label'] or item['index']} {item['score']:.0%}") for item in found]
    boxes = [(tuple(map(round, item["box"])), text) for item, text in zip(found, texts, strict=True)]
    shown = {
        text: "#{:02x}{:02x}{:02x}".format(*palette[item["index"] + 1]) for item, text in zip(found, texts, strict=True)
    }
    return [gr.AnnotatedImage((read_image(source), boxes), color_map=shown)]


def _before_and_after() -> list[gr.components.Component]:
    return [gr.ImageSlider(label="Before | after", format="png", interactive=False)]


def _enlarged(record: Any, model: Model, source: Any) -> list[Any]:
    """Beside the bicubic enlargement, which a viewer would make."""
    return [(read_image(source).resize(record.image.size, Image.Resampling.BICUBIC), record.image)]


def _mended(record: Any, model: Model, source: Any) -> list[Any]:
    damaged = Image.composite(
        Image.fromarray(source["image"]), Image.new("RGB", record.image.size, PAINT), Image.fromarray(source["mask"])
    )
    return [(damaged, record.image)]


def _image(label: str) -> Callable[[], list[gr.components.Component]]:
    return lambda: [gr.Image(label=label, format="png", buttons=["download", "fullscreen"])]


def _pixels(record: Any, model: Model, source: Any) -> list[Any]:
    return [_larger(record.image)]


def _larger(image: Image.Image) -> Image.Image:
    """A small image with each pixel as a square that can be seen."""
    times = max(1, SHOWN_SIDE // max(image.size))
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)


def _depths() -> list[gr.components.Component]:
    return [*_image("What was measured")(), *_image("Depths of all pixels")()]


def _filled(record: Any, model: Model, source: Any) -> list[Any]:
    return [depth_colors.image(model.preprocess(source)["image"][..., 0]), record.image]


def _found(record: Any, model: Model, source: Any) -> list[Any]:
    """A cross in the image as the model saw it."""
    pixels = model.preprocess(source)
    image = Image.fromarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)).copy())
    larger = _larger(image)
    times = larger.width / image.width
    x, y = ((record[name] + 0.5) * times for name in ("x", "y"))
    draw = ImageDraw.Draw(larger)
    draw.line((x - 12, y, x + 12, y), fill=PAINT, width=3)
    draw.line((x, y - 12, x, y + 12), fill=PAINT, width=3)
    return [larger]


def _plot() -> list[gr.components.Component]:
    return [gr.LinePlot(x="step", y="value", color="series", label="Series and forecast")]


def _followed(record: Any, model: Model, source: Any) -> list[Any]:
    """The last seasons and what follows them; the first step of the forecast is 0."""
    import pandas as pd

    series = model.preprocess(source)[:, 0][-SHOWN_SEASONS * model.spec.config["season"] :]
    rows = [(step - len(series), float(value), "given") for step, value in enumerate(series)]
    rows += [(step, value, "forecast") for step, value in enumerate(record["forecast"])]
    return [pd.DataFrame(rows, columns=["step", "value", "series"])]


def _features_plot() -> list[gr.components.Component]:
    return [gr.LinePlot(x="feature", y="value", label="Features")]


def _features(record: Any, model: Model, source: Any) -> list[Any]:
    import pandas as pd

    return [pd.DataFrame({"feature": range(len(record["features"])), "value": record["features"]})]


BARS = Output(_bars, _scores)
BOXES = Output(_boxed, _objects)
CLASSES = Output(_annotated, _classes)
DEPTHS = Output(_depths, _filled)
FEATURES = Output(_features_plot, _features)
FORECAST = Output(_plot, _followed)
LARGER = Output(_before_and_after, _enlarged)
MENDED = Output(_before_and_after, _mended)
QUANTITIES = Output(_table, _values)
PLACE = Output(_image("Where it is"), _found)
CANVAS = Output(_image("Canvas"), _pixels)
SLICE = Output(_image("The slice with the most"), _pixels)
