"""The page of `make demo`: every task that has a model of ours is on it, and nothing on it is cut off."""

import inspect

import numpy as np
from PIL import Image

from tools import contact_sheet, demo_scenes
from zoo.catalogue.registry import registry


def scene(width, colour):
    return demo_scenes.Scene("espcn-x2", "words", {"image": Image.new("RGB", (width, 100), colour)})


def test_scenes_wrap_into_lines_and_none_is_cut():
    page = np.asarray(contact_sheet.sheet([scene(300, "red"), scene(200, "lime"), scene(300, "blue")]))
    for colour, width in (((255, 0, 0), 300), ((0, 255, 0), 200), ((0, 0, 255), 300)):
        rows, columns = np.nonzero((page == colour).all(axis=-1))
        assert np.ptp(rows) + 1 == contact_sheet.HEIGHT
        assert np.ptp(columns) + 1 == round(width * contact_sheet.HEIGHT / 100)
    red, blue = (np.nonzero((page == colour).all(axis=-1))[0].max() for colour in ((255, 0, 0), (0, 0, 255)))
    assert red < blue


def test_captions_stand_under_their_images():
    strip = np.asarray(contact_sheet.strip(scene(100, "white")).convert("L"))
    assert (strip[-2 * contact_sheet.CAPTION :] < 128).any()
    assert (strip[: contact_sheet.TITLE] < 128).any()


def test_every_task_with_an_embedded_model_is_shown():
    tasks = {entry.task for entry in registry().entries.values() if entry.source == "embedded"}
    shown = inspect.getsource(demo_scenes)
    models = {
        entry.architecture: entry.task for entry in registry().entries.values() if f'"{entry.architecture}"' in shown
    }
    assert tasks <= set(models.values())
