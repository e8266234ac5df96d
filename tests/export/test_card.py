"""Cards: up to date, valid for the Hub, true to the measurements, and with snippets that run."""

import itertools
import re
import warnings
from importlib import resources

import numpy as np
import pytest
from click.testing import CliRunner
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt
from PIL import Image

import zoo
import zoo.export
from tests.marked_cases import slow_except
from zoo.catalogue.entry import Base, Measured
from zoo.catalogue.training_record import TrainingRecord
from zoo.command_line.main import main
from zoo.export.card import card_files, card_of, carded_entries, checkpoint_list
from zoo.export.card_facts import Facts, card_name, facts_of, measurements_of
from zoo.export.card_text import spoken
from zoo.export.published_card import published_card
from zoo.weights.untrained import record_loaded_values

FOLDER = zoo.export.card.resources.files("zoo") / "model_cards"
TASKS_OF_THE_HUB = {
    "depth-estimation",
    "image-classification",
    "image-feature-extraction",
    "image-segmentation",
    "image-to-image",
    "keypoint-detection",
    "object-detection",
    "other",
    "tabular-classification",
    "time-series-forecasting",
}
LICENSES_OF_THE_HUB = {"apache-2.0", "bsd-3-clause", "cc-by-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-3.0", "mit", "other"}
NAMES = [card_name(entry) for entry in carded_entries()]


def test_the_cards_that_are_checked_in_are_the_generated_ones():
    on_disk = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir() if path.name.endswith(".md")}
    assert on_disk == card_files(), "run: python -m zoo.export.card"


def test_the_list_of_licences_that_is_checked_in_is_the_generated_one():
    path = resources.files("zoo") / "checkpoints" / "README.md"
    assert path.read_text(encoding="utf-8") == checkpoint_list(), "run: python -m zoo.export.card"
    assert all(f"| {entry.filename} |" in checkpoint_list() for entry in carded_entries())


def test_every_embedded_model_has_a_card_and_a_row_in_the_index():
    assert "espcn-x2" in NAMES
    index = (FOLDER / "README.md").read_text()
    for name in NAMES:
        assert f"[{name}]({name}.md)" in index


@pytest.mark.parametrize("name", [*NAMES, "resnet50", "deeplabv3_mobilenet_v2", "medicalnet_resnet18", "edsr_base_x2"])
def test_the_hub_takes_the_metadata(name):
    text = str(zoo.export.model_card(name))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = ModelCard(text).data  # the client's own parser, which reads the model-index strictly
    assert data.library_name == "keras"
    assert data.pipeline_tag in TASKS_OF_THE_HUB
    assert data.license in LICENSES_OF_THE_HUB
    assert data.license != "other" or (data.license_name and data.license_link.startswith("https://"))
    assert {"keras", "layerzoo", zoo.info(name).task} <= set(data.tags)
    metrics = {name for name in zoo.info(name).metrics if not name.startswith(zoo.export.card.BASELINES)}
    assert len(data.eval_results or []) == len(metrics)


def test_a_licence_that_the_hub_does_not_list_is_named_and_linked():
    entry = zoo.info("resnet50").model_copy(update={"license": "dinov3-license"})
    data = zoo.export.model_card(entry).data
    assert (data.license, data.license_name) == ("other", "dinov3-license")
    assert data.license_link == "https://huggingface.co/timm/resnet50.a1_in1k"


@pytest.mark.parametrize("name", [f"{name}.coco" for name in ("retinanet_resnet50_fpn", "ssd300_vgg16")])
def test_a_licence_that_is_implied_is_said_to_be(name):
    text = str(zoo.export.model_card(name))
    assert "- Weights: bsd-3-clause. The notice beside the file calls that implied" in text
    assert "fine-tuning" not in text.split("## What it is for")[1].split("## What it is not for")[0]


def test_converted_weights_name_their_origin():
    data = zoo.export.model_card("resnet50").data
    assert data.base_model == "timm/resnet50.a1_in1k"
    assert data.datasets == ["ILSVRC/imagenet-1k"]
    assert [result.metric_value for result in data.eval_results] == [80.382, 94.598]


@pytest.mark.parametrize("name", slow_except(set(NAMES) - {"fcos-lite0", "fpn-lite0"}, NAMES))
def test_the_usage_snippet_runs_as_it_stands(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for file in ("photo.jpg", "street.jpg"):
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype="uint8")).save(file)
    generator = np.random.default_rng(0)
    depths = np.where(generator.random((24, 32)) < 0.2, generator.integers(256, 20000, (24, 32)), 0)
    Image.fromarray(depths.astype("uint16")).save("sparse.png")
    damaged = generator.integers(0, 256, (24, 32, 4), dtype="uint8")
    damaged[..., 3] = np.where(generator.random((24, 32)) < 0.2, 0, 255)
    Image.fromarray(damaged).save("damaged.png")
    np.save("counts.npy", np.random.default_rng(0).poisson(5, (9, 24, 32)))
    np.save("series.npy", 330 + np.random.default_rng(0).normal(size=120))
    snippets = re.findall(r"```python\n(.*?)```", (FOLDER / f"{name}.md").read_text(), re.S)
    assert snippets
    for snippet in snippets:
        exec(compile(snippet, name, "exec"), {})  # noqa: S102 - our own text, as a reader would paste it
    if zoo.info(name).task == "super-resolution":
        scale = zoo.info(name).config["scale"]
        with Image.open("photo-large.png") as large:
            assert large.size == (scale * 32, scale * 24)


@pytest.mark.parametrize("name", NAMES)
def test_the_card_says_what_a_user_has_to_know(name):
    text = (FOLDER / f"{name}.md").read_text()
    entry = zoo.info(name)
    for fact in (entry.sha256, entry.license, entry.paper, measurements_of(entry)["command"]):
        assert fact in text
    for title in ("is for", "is not for", "Input and output", "Limits and biases", "Results", "Citation", "Licence"):
        assert re.search(f"^## .*{title}", text, re.M)
    image = facts_of(entry).image
    assert image is not None
    assert (FOLDER / image.file).is_file()


@pytest.mark.parametrize(
    "name", [f"{family}-x{scale}" for family in ("espcn", "fsrcnn", "wdsr") for scale in (2, 3, 4)]
)
def test_the_image_is_what_the_model_makes(name):
    from recipes.card_images import sheet

    with Image.open(FOLDER / f"{name}.png") as image:
        drawn, checked_in = np.asarray(sheet(name), "int16"), np.asarray(image, "int16")
    assert drawn.shape == checked_in.shape
    assert np.abs(drawn - checked_in).max() <= 1, "run: python -m recipes.card_images"


def test_random_weights_are_said_to_be_random_and_boast_no_metrics():
    card = zoo.export.model_card(zoo.load("resnet10t", weights=None))
    assert "it has random weights" in card.text
    assert card.data.base_model is None
    assert card.data.eval_results is None


def test_the_command_prints_the_card():
    result = CliRunner().invoke(main, ["card", "espcn-x2"])
    assert result.exit_code == 0
    assert result.stdout == (FOLDER / "espcn-x2.md").read_text()


def test_the_command_names_the_nearest_models():
    result = CliRunner().invoke(main, ["card", "espcn-x22"])
    assert result.exit_code == 1
    assert "espcn-x2" in result.stderr


def test_a_card_tells_what_was_done_to_this_model_and_no_other(tmp_path):
    model = zoo.load("espcn-x2")
    folder = zoo.save(model, tmp_path / "espcn-x2.photos")  # called as the registry's own
    saved = CliRunner().invoke(main, ["card", str(folder)])
    assert saved.exit_code == 0, saved.output
    assert saved.stdout == (folder / "README.md").read_text().rstrip() + "\n"
    assert "began as those of `espcn-x2.photos` of layerzoo" in saved.stdout
    assert f"PSNR, dB | {model.spec.metrics['psnr_db']:g}" in saved.stdout  # they are the same weights
    assert str(zoo.export.model_card(model)).rstrip() + "\n" == (FOLDER / "espcn-x2.md").read_text()
    model.get_layer("feature-conv1").bias.assign_add(np.full(64, 0.1))
    changed = zoo.export.model_card(model)
    assert "None are known" in changed.text
    assert "bicubic" not in changed.text
    assert "began as those of `espcn-x2.photos` of layerzoo" in changed.text
    assert changed.data.eval_results is None
    assert "zoo.predict(" not in changed.text  # no handle means it
    assert 'zoo.predict("./espcn-x2.photos"' in saved.stdout
    assert "Not at all: it has random weights" in zoo.export.model_card(zoo.load("espcn-x2", weights=None)).text


def test_metrics_stay_with_weights_of_others_until_they_change(tmp_path):
    spec = zoo.info("espcn-x2").model_copy(update={"format": "timm", "source": "hf://owner/repo"})
    model = zoo.load("espcn-x2")
    model.spec = spec.model_copy(update={"sha256": "0" * 64})
    record_loaded_values(model)
    assert zoo.load(zoo.save(model, tmp_path / "same")).spec.metrics == spec.metrics
    model.get_layer("feature-conv1").bias.assign_add(np.full(64, 1e-6))
    assert zoo.load(zoo.save(model, tmp_path / "other")).spec.metrics == {}


def test_a_licence_that_nobody_stated_is_not_claimed(tmp_path):
    folder = zoo.save(zoo.load("blurnet-textures"), tmp_path / "base")
    mine = zoo.load("maxpool-textures", weights=None)
    own = zoo.load(folder, weights=folder / "model.safetensors")
    for name, model in {"mine": mine, "own": own}.items():
        card = zoo.export.model_card(model)
        assert model.spec.license == "unknown"
        assert card.data.license == "unknown"
        assert "- Weights: nobody has stated one." in card.text
        assert "apache" not in str(card)
        assert "apache" not in (zoo.save(model, tmp_path / name) / "README.md").read_text()


HOSTILE = {
    "image": "![x](https://evil.example/x.png)",
    "link": "[free](https://evil.example)",
    "html": "<img src=https://evil.example/x.png onerror=alert(1)>",
    "autolink": "<https://evil.example>",
    "newlines": "a\n\n# Forged\n\n- line",
    "table": "a | b",
    "code": "a```b``c`",
    "escapes": "a\x1b[2J\u202eb",
    "yaml": "x\n---\nlicense: mit",
    "quote": '")\nimport os',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_a_stranger_wrote_is_shown_as_text(text):
    plain = zoo.info("blurnet-textures").model_copy(
        update={
            "source": None,
            "metrics": {"x": 1.0},
            "measured": Measured(dataset="x", source="x"),
            "base": Base(name="x", source="hf://x/x", revision="x", license="x"),
        }
    )
    record = TrainingRecord(data="x", command="x")
    hostile = plain.model_copy(
        update={
            **dict.fromkeys(("name", "architecture", "filename", "license", "paper", "revision"), text),
            "labels": (text,) * plain.num_classes,
            "metrics": {text: 1.0},
            "measured": Measured.model_construct(dataset=text, source=text),
            "base": Base.model_construct(name=text, source=f"hf://{text}", revision=text, license=text),
        }
    )

    def shape(card):
        """The blocks, and which links, images and HTML there are, of what GitHub and the Hub render."""
        tokens = MarkdownIt("gfm-like").parse(card.text)
        inner = [child for token in tokens for child in token.children or ()]
        links = [child.attrs["href"] for child in inner if child.type == "link_open"]
        kinds = [token.type for token in tokens], {child.type for child in inner} - {"link_open", "link_close"}
        return kinds, [link for link in links if "evil" in link and "huggingface.co" not in link]

    for card, expected in (
        (
            published_card(hostile, training=TrainingRecord(data=text, command=text)),
            published_card(plain, training=record),
        ),
        (card_of(hostile.model_copy(update={"source": f"hf://{text}"}), Facts(), {}), None),
    ):
        (blocks, inner), links = shape(card)
        assert links == []
        assert inner <= {"text", "code_inline", "softbreak", "text_special"}
        assert "# Forged" not in card.text.split("\n")
        assert ModelCard(str(card)).data.license == "other"
        assert "\x1b" not in str(card)
        if expected is not None:
            assert blocks == shape(expected)[0][0]


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("psnr_db", "PSNR, dB"),
        ("top1_percent", "top-1, %"),
        ("previous_iou_percent", "previous IoU, %"),
        ("stop_rate", "stop rate"),
        ("topology_mae_metres", "topology MAE, m"),
        ("percent", "percent"),
        ("largest_error_pixels", "largest error, pixels"),
    ],
)
def test_a_metric_is_spoken_word_by_word(metric, words):
    assert spoken(metric) == words


@pytest.mark.parametrize("name", ["fcn8s-small", "coordconv-classifier", "depth-convnet"])
def test_numbers_of_a_column_have_as_many_decimals_as_each_other(name):
    results = (FOLDER / f"{name}.md").read_text().partition("## Results")[2].partition("The paper beside it")[0]
    for row, below in itertools.pairwise(line.strip("| ").split(" | ") for line in results.splitlines()):
        for cell, other in zip(row[1:], below[1:], strict=False):
            if re.fullmatch(r"[\d.]+", cell) and re.fullmatch(r"[\d.]+", other):
                assert len(cell.partition(".")[2]) == len(other.partition(".")[2]), (row, below)
