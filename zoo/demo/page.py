"""The page of the demo: pick a model, give it an input, see its predictions.

Each task has its parts on the page, and those of one task are seen. So an image stays where it is while one model
after another looks at it.
"""

import time
from typing import Any, NamedTuple

import gradio as gr

import zoo
from zoo.catalogue.listing import list_models
from zoo.catalogue.registry import registry
from zoo.demo.facts import facts
from zoo.demo.guard import UPLOAD_BYTES
from zoo.demo.inputs import named
from zoo.demo.models import Models
from zoo.demo.views import VIEWS
from zoo.errors import InputError, ZooError
from zoo.printing import as_markdown
from zoo.tasks import find_task
from zoo.tasks.task import Prediction

FIRST = "tf_efficientnet_lite0.in1k"
LINES = 3  # of a prediction as text
WAITING = 64  # calls; more are refused for now
KEPT_SECONDS = 3600  # then uploads and predictions are deleted
# Nothing is measured, kept in the browser, shared, or offered to other programs.
OPTIONS: dict[str, Any] = {
    "share": False,
    "quiet": True,
    "footer_links": [],
    "run_history": False,
    "enable_monitoring": False,
    "mcp_server": False,
    "pwa": False,
    "ssr_mode": False,
    "max_file_size": UPLOAD_BYTES,
    "theme": gr.themes.Default(primary_hue="emerald").set(  # as dark as white letters need
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_hover_dark="*primary_800",
    ),
}


class Panel(NamedTuple):
    """The parts of one task, in two columns that are seen or not."""

    columns: tuple[gr.Column, gr.Column]
    given: list[gr.components.Component]
    answered: list[gr.components.Component]
    run: gr.Button
    samples: gr.Examples


def build(handle: str | None = None, *, own_files: bool = False, own_token: bool = False) -> gr.Blocks:
    """The page of one model, or of all of them.

    Args:
        handle: The model. None for a page on which one is picked, or its handle typed.
        own_files, own_token: Which may be typed, see `Models`.

    Raises:
        As `zoo.load`, for a handle.
    """
    is_given = handle is not None  # whoever visits such a page cannot choose another
    models = Models(own_files=own_files or is_given, own_token=own_token or is_given)
    first = models.entry(handle or FIRST)
    title = first.name if handle else "layerzoo"
    with gr.Blocks(title=title, analytics_enabled=False, delete_cache=(KEPT_SECONDS, KEPT_SECONDS)) as page:
        gr.Markdown(f"# {as_markdown(title)}")
        picked = gr.State(handle) if handle else _picker()
        with gr.Row():
            left, right = gr.Column(), gr.Column()
        tasks = [first.task] if handle else list(VIEWS)
        panels = {task: _panel(task, left, right, visible=task == first.task) for task in tasks}
        with right:
            status = gr.Markdown(elem_id="status")
            told = gr.Markdown(facts(first), elem_id="facts")
        for task, panel in panels.items():
            _connect(task, panel, picked, status, models)
        if not handle:
            _follow(picked, panels, status, told, models)
    return page.queue(max_size=WAITING, api_open=False)


def _picker() -> gr.Dropdown:
    return gr.Dropdown(
        _choices(),
        value=FIRST,
        allow_custom_value=True,
        num_choices_shown=None,
        label="Model",
        info="Pick one, or type a name of zoo list or hf://owner/name, and press Enter.",
    )


def _choices() -> list[tuple[str, str]]:
    """Every model with weights, those of this package first."""
    entries = [registry().find(name) for name in list_models(pretrained=True)]
    entries.sort(key=lambda entry: not entry.is_embedded)
    return [(f"{entry.name}, {_words(entry.task)}", entry.name) for entry in entries if not entry.random_layers]


def _words(task: str) -> str:
    return task.replace("-", " ")


def _panel(task: str, left: gr.Column, right: gr.Column, *, visible: bool) -> Panel:
    view = VIEWS[task]
    with left, gr.Column(visible=visible, elem_id=f"give-{task}") as giving:
        given = view.input.components()
        run = gr.Button("Run", variant="primary")
        samples = gr.Examples(view.samples, given, label="Samples")
    with right, gr.Column(visible=visible, elem_id=f"answer-{task}") as answering:
        answered = view.output.components()
    return Panel((giving, answering), given, answered, run, samples)


def _connect(task: str, panel: Panel, picked: gr.components.Component, status: gr.Markdown, models: Models) -> None:
    """Run the model on a click, on a sample, and on what is dropped; one call at a time on the whole page."""
    view, nothing = VIEWS[task], [None] * len(panel.answered)

    def answer(handle: str, *values: Any) -> list[Any]:
        try:
            model = models.model(handle)
            if model.spec.task != task:
                raise InputError(f"{model.spec.name} is a model of {_words(model.spec.task)}. Pick it again.")
            source = view.input.source(model, *values)
            start = time.perf_counter()
            record = zoo.predict(model, [source])[0]
            seconds = time.perf_counter() - start
            return [*view.output.values(record, model, source), _said(record, seconds)]
        except ZooError as error:
            return [*nothing, as_markdown(named(str(error)))]

    events = [panel.run.click, panel.samples.load_input_event.success]
    if isinstance(panel.given[0], gr.Image | gr.File):  # dropped, it is all that the model waits for
        events.append(panel.given[0].upload)
    for event in events:
        event(
            answer,
            [picked, *panel.given],
            [*panel.answered, status],
            concurrency_limit=1,
            concurrency_id="models",
            preprocess=not view.input.unread,
            api_visibility="private",
        )


def _said(record: Prediction, seconds: float) -> str:
    """The prediction in a few lines, and how long it took."""
    lines = find_task(record["task"]).lines(record)
    words = "; ".join(line.strip() for line in lines[:LINES]) + ("; …" if lines[LINES:] else "")
    return f"**{as_markdown(record['model'])}** took **{seconds:.2f} s**: {as_markdown(words)}"


def _follow(
    picked: gr.Dropdown, panels: dict[str, Panel], status: gr.Markdown, told: gr.Markdown, models: Models
) -> None:
    """Show the parts for the model that is picked, and empty those of the last prediction."""
    columns = [column for panel in panels.values() for column in panel.columns]
    answered = [part for panel in panels.values() for part in panel.answered]

    def follow(handle: str | None) -> list[Any]:
        try:
            entry = models.entry(handle or FIRST)
        except ZooError as error:
            return [as_markdown(error), "", *[gr.skip()] * len(columns), *[None] * len(answered)]
        shown = [gr.Column(visible=task == entry.task) for task in panels for _ in (0, 1)]
        return ["", facts(entry), *shown, *[None] * len(answered)]

    picked.change(follow, picked, [status, told, *columns, *answered], show_progress="hidden", api_visibility="private")
