"""Every task has its view, and the views whose models do not lie in the package."""

import os
import re
from pathlib import Path
from typing import get_args

import pytest
from PIL import Image

import zoo
import zoo.export
from zoo.catalogue.task_names import TaskName
from zoo.demo.models import Models
from zoo.export.opened import ExportedModel

TASKS = get_args(TaskName)


def test_every_task_has_a_view_and_samples(views):
    assert set(views) == set(TASKS)
    for task, view in views.items():
        assert view.samples, task


def test_the_samples_are_files_of_the_package_and_each_is_shown(views):
    folder = Path(zoo.__file__).parent / "demo" / "samples"
    texts = str([view.samples for view in views.values()])
    shown = {name for name in re.findall(r"[\w.]+\.(?:png|jpg|npy)", texts) if str(folder / name) in texts}
    assert shown == {path.name for path in folder.iterdir()} - {"README.md"}


@pytest.mark.slow  # an export
def test_an_export_is_shown_in_its_own_runtime(views, classifier, tmp_path):
    folder = str(zoo.export.saved_model(zoo.save(classifier, tmp_path / "model"), tmp_path))
    models = Models(own_files=True, own_token=True)
    assert models.entry(folder).task == "image-classification"
    model, view = models.model(folder), views["image-classification"]
    assert isinstance(model, ExportedModel)
    [[path], *_] = view.samples
    source = view.input.source(model, {"path": path})
    bars, seen = view.output.values(zoo.predict(model, source)[0], model, source)
    assert sum(bars.values()) == pytest.approx(1)
    assert seen is None


def test_features_are_plotted_as_they_are(views, classifier, tmp_path):
    folder = zoo.save(classifier, tmp_path / "model")
    model = zoo.load(folder, num_classes=0)
    [[path], *_] = views["image-features"].samples
    view = views["image-features"]
    source = view.input.source(model, {"path": path})
    record = zoo.predict(model, source)[0]
    [table] = view.output.values(record, model, source)
    assert table["value"].tolist() == record["features"] == zoo.predict(model, path)[0]["features"]
    assert table["feature"].tolist() == list(range(len(record["features"])))


def test_each_class_has_a_bar_of_its_own(views):
    found = [(134, "crane", 0.5), (517, "crane", 0.3), (3, "shark", 0.1), (8, None, 0.1)]
    record = {"predictions": [{"index": index, "label": label, "score": score} for index, label, score in found]}
    model, source = zoo.load("tf_efficientnet_lite0"), Image.new("RGB", (64, 48))
    bars, seen = views["image-classification"].output.values(record, model, source)
    assert seen.tobytes() == zoo.explain(model, source, label=134).image.tobytes()
    assert bars == {"crane 134": 0.5, "crane 517": 0.3, "shark": 0.1, "class 8": 0.1}


def test_large_images_are_made_smaller_where_the_network_would_take_them_as_they_are(
    views, classifier, tmp_path, monkeypatch
):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    Image.new("RGB", (3000, 1500)).save(tmp_path / "large.png")
    sent, source = {"path": str(tmp_path / "large.png")}, views["image-classification"].input.source
    assert source(zoo.load("blurnet-textures"), sent).size == (1024, 512)
    assert source(classifier, sent).size == (3000, 1500)  # it resizes by itself


@pytest.mark.parametrize("task", [task for task in TASKS if not task.startswith("coordinate-")])
def test_nothing_given_is_answered_with_what_to_do(task, views):
    with pytest.raises(zoo.InputError, match="Nothing was given yet"):
        views[task].input.source(None, None)


def test_only_uploads_and_samples_are_opened(views, tmp_path, monkeypatch):
    uploads, elsewhere = tmp_path / "uploads", tmp_path / "photo.png"
    uploads.mkdir(), os.mkfifo(uploads / "pipe.png"), Image.new("RGB", (8, 8)).save(elsewhere)
    (uploads / "link.png").symlink_to(elsewhere)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(uploads))
    names = ["link.png", "pipe.png", "nothing.png", "../photo.png", "", "a\0b", "x" * 5000]
    paths = [*(f"{uploads}/{name}" for name in names), str(elsewhere), "/dev/zero", "http://localhost/a.png", None, 3]
    sentences, model = set(), zoo.load("espcn-x2")
    opening = [view.input.source for view in views.values() if view.input.unread]
    for sent in (*({"path": path} for path in paths), {"url": str(elsewhere)}, str(elsewhere), [str(elsewhere)]):
        for source in opening:
            with pytest.raises(zoo.InputError) as raised:
                source(model, sent)
            sentences.add(str(raised.value))
    assert sentences == {"That file was not uploaded to this page. Expected an upload or a sample; drop it again."}
