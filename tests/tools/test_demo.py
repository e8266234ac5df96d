"""The page of `make demo`: every task that has a model of ours is on it, and nothing on it is cut off."""

import inspect

import numpy as np
import pytest
from PIL import Image

from tools import contact_sheet, demo_scenes
from zoo.catalogue.registry import registry


def scene(width, colour):
    return demo_scenes.Scene("espcn-x2", "words", {"image": Image.new("RGB", (width, 100), colour)})


def size(page, colour):
    rows, columns = np.nonzero((np.asarray(page) == colour).all(axis=-1))
    return np.ptp(rows) + 1, np.ptp(columns) + 1


def test_rows_are_as_wide_as_the_page_and_none_is_cut():
    red, lime, blue = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    page = contact_sheet.sheet([[scene(300, "red"), scene(200, "lime")], [scene(600, "blue")]])
    inner = contact_sheet.WIDTH - 2 * contact_sheet.MARGIN
    assert size(page, red)[0] == size(page, lime)[0]
    assert size(page, red)[1] + size(page, lime)[1] + contact_sheet.SCENE_GAP == pytest.approx(inner, abs=6)
    for colour, ratio in ((red, 3), (lime, 2), (blue, 6)):
        height, width = size(page, colour)
        assert width == pytest.approx(ratio * height, abs=1)
    assert np.nonzero((np.asarray(page) == red).all(axis=-1))[0].max() < np.argmax(
        (np.asarray(page) == blue).all(axis=-1).any(axis=1)
    )


def test_captions_stand_under_their_images():
    strip = np.asarray(contact_sheet.row([scene(600, "white")]).convert("L"))
    assert (strip[-contact_sheet.FOOT :] < 128).any()
    assert (strip[: contact_sheet.TITLE] < 128).any()


def test_the_first_row_is_photographs_with_their_names():
    assert demo_scenes.ROWS[0] == (demo_scenes.image_classification,)
    shown = demo_scenes.image_classification()
    assert [caption.rpartition(" ")[0] for caption in shown.images] == [
        "tiger cat", "espresso", "palace", "daisy", "missile", "moped"
    ]  # fmt: skip


def test_every_task_with_an_embedded_model_is_shown():
    tasks = {entry.task for entry in registry().entries.values() if entry.source == "embedded"}
    shown = inspect.getsource(demo_scenes)
    models = {
        entry.architecture: entry.task for entry in registry().entries.values() if f'"{entry.architecture}"' in shown
    }
    assert tasks <= set(models.values())
