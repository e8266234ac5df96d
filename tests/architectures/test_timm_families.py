"""Every family of timm's, one member or more for each way in which its members differ, against timm.

The golden file of a member is the test: its tensors' names and shapes, each used once, the number of parameters, the
feature pyramid, the pooled features, and the logits.
"""

import keras
import pytest

from tests.golden_files import assert_close, read_golden, trainable_parameters, write_golden_checkpoint
from zoo import architectures, weights
from zoo.registry import registry

MEMBERS = [
    "efficientnet_es",
    "fbnetv3_b",
    "hardcorenas_a",
    "mnasnet_small",
    "seresnext26d_32x4d",
    "tinynet_e",
]


@pytest.fixture(autouse=True)
def clear():
    keras.utils.clear_session()
    yield
    keras.utils.clear_session()


def built(name, **update):
    with weights.abstract():
        return architectures.build(registry().find(name).model_copy(update=update))


def with_intermediate_outputs(model, pyramid):
    """A model that also outputs what enters its head, and the maps that `pyramid`, built apart, outputs."""
    operations = {operation.name: operation for operation in model.operations}
    maps = [operations[output._keras_history.operation.name].output for output in pyramid.output.values()]
    return keras.Model(model.inputs, [model.get_layer(model.spec.classifier).input, model.output, *maps])


@pytest.mark.parametrize("name", MEMBERS)
def test_reproduces_timm(name, tmp_path):
    arrays, meta = read_golden(name)
    pyramid = built(name, features=True)
    model = built(name)
    whole = with_intermediate_outputs(model, pyramid)
    weights.fill(model, write_golden_checkpoint(name, tmp_path), file_format="timm", unused=model.spec.unused)
    assert trainable_parameters(model) == meta["params"]
    assert model.spec.input.mean == tuple(meta["mean"])
    assert model.spec.input.std == tuple(meta["std"])
    pooled, logits, *maps = whole([arrays["images"].astype("float32")])
    assert_close(logits, arrays["logits"])
    assert_close(pooled, arrays["pooled"])
    stages = [arrays[key] for key in sorted(arrays) if key.startswith("stage")]
    for index, (stride, stage) in enumerate(zip(pyramid.output, stages, strict=True)):
        height, width = arrays["images"].shape[1:3]
        assert maps[index].shape[1:3] == (-(-height // stride), -(-width // stride))
        assert_close(keras.ops.mean(maps[index], axis=(1, 2)), stage)
