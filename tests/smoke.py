"""What the installed wheel must do outside the checkout: `python smoke.py` where nothing else is installed."""

import importlib.metadata
from pathlib import Path

import numpy as np

import zoo
import zoo.layers

assert Path(zoo.__file__).is_relative_to(Path(importlib.metadata.distribution("layerzoo").locate_file("")))
assert zoo.info("resnet50").license == "apache-2.0"
assert len(zoo.list_models()) > 50
record = zoo.predict("espcn-x2", np.full((8, 6, 3), 100, "uint8"))[0]
assert record.image.size == (12, 16)
assert np.abs(np.asarray(record.image).astype(int) - 100).max() < 8
classes = zoo.predict(zoo.load("resnet18", weights=None), np.zeros((64, 64, 3), "uint8"), top=1)[0]["predictions"]
assert classes[0]["label"]
print("the wheel loads, predicts and names classes")
