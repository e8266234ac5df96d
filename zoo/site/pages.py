"""Every file of the site, in memory: the catalogue, a page a model, the cards' images, style and scripts."""

import io
import json
from collections import Counter
from collections.abc import Iterable
from importlib import resources
from typing import Any, NamedTuple

import jinja2
import linkify_it  # noqa: F401 (markdown-it asks for it only when it meets an address)
from markdown_it import MarkdownIt
from PIL import Image

import zoo
from zoo.catalogue.entry import Entry
from zoo.catalogue.layers_used import layers_used
from zoo.catalogue.multiply_adds import multiply_adds_millions
from zoo.catalogue.registry import registry
from zoo.export.card import BASELINES, card_body
from zoo.export.card_text import spoken
from zoo.printing import multiply_adds_text, parameters_text
from zoo.site import plot

ASSETS = ("style.css", "catalogue.js", "copy.js", "icon.svg")
ACCURACY = "top1_percent"  # the one metric that most models state, and all of them on the same images
ERRORS = ("error", "mae", "rmse", "mse", "l1", "irmse", "imae")  # words of a metric that is better when it is lower


class Drawing(NamedTuple):
    """A plot with its words. `unit` is of what goes across, in a point's name and at the axis."""

    name: str
    title: str
    unit: str
    note: str
    plot: plot.Plot


class Model(NamedTuple):
    """A row of the catalogue. `metrics` are the model's own, without the baselines beside them."""

    entry: Entry
    layers: list[str]
    multiply_adds: float | None
    metrics: dict[str, float]


def site_files(documentation: str | None = None) -> dict[str, bytes]:
    """Contents by path relative to the site's folder. The same registry gives the same bytes.

    Args:
        documentation: A page that all pages link to, as seen from the site's folder.
    """
    models = [_model(entry) for entry in registry().entries.values()]
    templates = _templates()
    templates.globals["documentation"] = documentation
    here = resources.files("zoo.site")
    files = {name: (here / name).read_bytes() for name in ASSETS}
    files["index.html"] = _catalogue(templates, models)
    markdown, images = _markdown(), set()
    for model in models:
        used: dict[str, set[str]] = {"images": set()}
        card = markdown.render(card_body(model.entry), used)
        images |= used["images"]
        page = templates.get_template("model.html").render(model=model, card=card, root="../")
        files[f"models/{model.entry.name}.html"] = page.encode()
    return files | {f"images/{name}": _content(name) for name in sorted(images)}


def _model(entry: Entry) -> Model:
    own = {name: value for name, value in entry.metrics.items() if not name.startswith(BASELINES)}
    return Model(entry, layers_used(entry.architecture), multiply_adds_millions(entry.name), own)


def _catalogue(templates: jinja2.Environment, models: list[Model]) -> bytes:
    page = templates.get_template("catalogue.html").render(
        models=models,
        tasks=_counted(model.entry.task for model in models),
        licences=_counted(model.entry.license for model in models),
        layers=_counted(layer for model in models for layer in model.layers),
        metrics=Counter(name for model in models for name in model.metrics).most_common(),
        drawings=_drawings([model.entry for model in models]),
        field=plot,
        root="",
    )
    return page.encode()


def _drawings(entries: list[Entry]) -> list[Drawing]:
    measured = json.loads((resources.files("zoo.site") / "speeds.json").read_text())
    speeds = measured["images_per_second"]
    return [
        Drawing(
            "parameters",
            "Top-1 accuracy on ImageNet-1k against parameters",
            "million parameters",
            "",
            plot.accuracy_plot(entries, ACCURACY, lambda entry: entry.parameters_millions),
        ),
        Drawing(
            "multiply_adds",
            "Top-1 accuracy on ImageNet-1k against multiply-adds",
            "million multiply-adds",
            "Per image, at the size that the model was evaluated at.",
            plot.accuracy_plot(entries, ACCURACY, lambda entry: multiply_adds_millions(entry.name)),
        ),
        Drawing(
            "speed",
            "Top-1 accuracy on ImageNet-1k against speed",
            "images/s",
            f"Measured on {measured['machine']}.",
            plot.accuracy_plot(entries, ACCURACY, lambda entry: speeds.get(f"{entry.architecture} {entry.input.size}")),
        ),
    ]


def _counted(names: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(names).items(), key=lambda pair: pair[0].lower())


def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("zoo.site"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["spoken"] = spoken
    environment.filters["parameters"] = parameters_text
    environment.filters["multiply_adds"] = multiply_adds_text
    environment.tests["error"] = lambda metric: any(word in ERRORS for word in metric.split("_"))
    environment.globals["version"] = zoo.__version__
    return environment


def _markdown() -> MarkdownIt:
    """CommonMark with tables and addresses as links; HTML in a card would be shown, not obeyed."""
    markdown = MarkdownIt("gfm-like", {"html": False})
    markdown.linkify.set({"fuzzy_link": False, "fuzzy_email": False})  # type: ignore[union-attr] # card.py is not a site
    markdown.add_render_rule("table_open", _table_open)
    markdown.add_render_rule("table_close", lambda *_: "</table></div>\n")
    markdown.add_render_rule("image", _image)
    return markdown


def _table_open(*_: Any) -> str:
    return '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>\n'


def _image(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    """A card's image lies in a folder of its own, knows its size before it is loaded, and opens large."""
    token = tokens[index]
    name = str(token.attrs["src"])
    env["images"].add(name)
    width, height = Image.open(io.BytesIO(_content(name))).size
    token.attrs |= {"src": f"../images/{name}", "width": width, "height": height, "loading": "lazy"}
    return f'<a class="image" href="../images/{name}">{renderer.image(tokens, index, options, env)}</a>'


def _content(name: str) -> bytes:
    return (resources.files("zoo") / "model_cards" / name).read_bytes()
