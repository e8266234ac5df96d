"""ResNets against timm."""

import keras
import numpy as np
import pytest

import zoo
from tests.golden_files import assert_classifier_reproduces, assert_close


@pytest.mark.parametrize("architecture", ["resnet18", "resnet50", "resnetblur50", "resnetaa50"])
def test_reproduces_timm(architecture, tmp_path):
    model, arrays = assert_classifier_reproduces(architecture, tmp_path)
    stages = keras.Model(model.inputs, [model.get_layer(name).output for name in stage_ends(model)])
    for index, output in enumerate(stages([arrays["images"].astype("float32")])):
        assert_close(np.asarray(output).mean(axis=(1, 2)), arrays[f"stage{index}_mean"])


def stage_ends(model):
    names = [layer.name for layer in model.layers if layer.name.endswith("-add")]
    lasts = {name.split("-")[0]: name for name in names}
    after = [model.layers[[layer.name for layer in model.layers].index(name) + 1].name for name in lasts.values()]
    return ["act1", *after]
