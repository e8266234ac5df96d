"""The lines of the README, as a new user types them: from photographs to a model on the Hub, and back elsewhere."""

import json
import re
from pathlib import Path

import pytest

from tests.training.photographs import write_photographs

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
LINES = re.search(r"## Fine-tune\n.*?```py\n(.*?)```", README, re.S)


@pytest.mark.slow  # trains; test_finetuning.py and tests/publishing have the parts
def test_photographs_become_a_published_model_that_another_process_loads(hub, tmp_path):
    assert LINES is not None
    write_photographs(tmp_path / "my_photos", {"blue": 8, "green": 8, "red": 8})
    write_photographs(tmp_path / "new_photos", {"blue": 2, "green": 2, "red": 2})
    (tmp_path / "new_photos" / "red" / "0.png").rename(tmp_path / "photo.jpg")
    code = f"import os, zoo\nos.chdir({str(tmp_path)!r})\n"
    typed = hub.run(code + LINES[1], HF_TOKEN="hf_valid", keras=True)
    assert typed.returncode == 0, typed.stderr
    assert "top1_percent" in typed.stdout
    elsewhere = f"""{code}
import json
model = zoo.load("hf://me/my-model@v1")
print(json.dumps([model.spec.labels, model.spec.base.name, zoo.predict(model, "photo.jpg")]))
"""
    elsewhere = hub.run(elsewhere, keras=True)
    assert elsewhere.returncode == 0, elsewhere.stderr
    labels, base, (record,) = json.loads(elsewhere.stdout.splitlines()[-1])
    assert (labels, base) == (["blue", "green", "red"], "tf_efficientnet_lite0.in1k")
    assert {answer["label"] for answer in record["predictions"]} == set(labels)
