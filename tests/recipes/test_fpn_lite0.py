"""The recipe of fpn-lite0: from frames to a file of weights and its report; and the report of what was shipped."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from PIL import Image

import zoo
from recipes import fpn_lite0

CHECKPOINTS = Path(zoo.__file__).parent / "checkpoints"


@pytest.mark.slow
def test_a_run_writes_weights_and_their_report(tmp_path, monkeypatch):
    generator = np.random.default_rng(0)
    for split in ("train", "val", "test"):
        (tmp_path / "frames" / split).mkdir(parents=True)
        for index in range(2):
            mask = generator.integers(11, size=(4, 4)).repeat(16, axis=0).repeat(16, axis=1).astype("uint8")
            Image.fromarray(mask).save(tmp_path / "frames" / split / f"{index}.png")
            Image.fromarray(np.repeat(mask[..., None] * 20, 3, axis=-1)).save(
                tmp_path / "frames" / split / f"{index}.jpg"
            )
    small = {"epochs": 2, "batch_size": 2, "image_size": (32, 32)}
    monkeypatch.setattr(fpn_lite0, "PARTS", {part: {**recipe, **small} for part, recipe in fpn_lite0.PARTS.items()})
    folders = ["--output", str(tmp_path), "--state", str(tmp_path / "runs")]
    for options in ([], ["--measure"]):
        monkeypatch.setattr(sys, "argv", ["fpn_lite0", str(tmp_path / "frames"), *folders, *options])
        fpn_lite0.main()
        report = json.loads((tmp_path / "fpn-lite0.json").read_text())
        assert len(report["classes"]) <= 11
        assert report["parts"]["third"]["epochs"] == 2
        assert all(chosen.startswith("epoch ") for chosen in report["chosen_epochs"])
    tensors = safetensors.numpy.load_file(tmp_path / "fpn-lite0.safetensors")
    assert {array.dtype.name for array in tensors.values()} <= {"float16", "int64", "int32"}
    assert not (tmp_path / "runs" / "fpn-lite0").exists()


def test_what_was_shipped_is_what_the_registry_states():
    report, entry = json.loads((CHECKPOINTS / "fpn-lite0.json").read_text()), zoo.info("fpn-lite0")
    (measured,) = [row for name, row in report["comparison"].items() if name.startswith("fpn-lite0")]
    assert {name: entry.metrics[name] for name in fpn_lite0.METRICS} == measured
    assert report["parts"] == json.loads(json.dumps(fpn_lite0.PARTS))
    assert measured["mean_iou_percent"] == pytest.approx(
        np.mean([row["iou_percent"] for row in report["classes"].values()]), abs=0.02
    )
