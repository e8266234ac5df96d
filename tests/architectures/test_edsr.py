"""EDSR against the implementation that trained it. Runs on every backend."""

import numpy as np
import pytest
from safetensors.numpy import save_file

import zoo
from tests.golden_files import assert_close, golden_state, read_golden, trainable_parameters, write_golden_checkpoint
from tests.marked_cases import first_of_each

SCALES = [2, 3, 4]
SHIFTS = ("sub_mean", "add_mean")


def without(state, *prefixes):
    return {name: values for name, values in state.items() if not name.startswith(prefixes)}


@pytest.mark.parametrize("scale", first_of_each(SCALES))
def test_reproduces_the_reference(scale, tmp_path):
    name = f"edsr_base_x{scale}"
    arrays, meta = read_golden(name)
    model = zoo.load(name, weights=write_golden_checkpoint(name, tmp_path))
    shifts = sum(int(np.prod(shape)) for tensor, shape in meta["tensors"].items() if tensor.startswith(SHIFTS))
    assert trainable_parameters(model) == meta["params"] - shifts  # in the file, not applied
    assert_close(model(arrays["images"].astype("float32")) / 255, arrays["output"])


def test_reads_the_published_pickled_files(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: EDSR's .pt files are not tested")
    arrays, _ = read_golden("edsr_base_x2")
    path = tmp_path / "pytorch_model_2x.pt"
    torch.save({name: torch.from_numpy(values) for name, values in golden_state("edsr_base_x2").items()}, path)
    model = zoo.load("edsr_base_x2", weights=path)
    assert_close(model(arrays["images"].astype("float32")) / 255, arrays["output"])


@pytest.mark.parametrize("scale", SCALES)
def test_enlarges_images_of_any_size(scale):
    model = zoo.load(f"edsr_base_x{scale}", weights=None)
    assert model.output_shape == (None, None, None, 3)
    assert tuple(model(np.zeros((1, 5, 8, 3), "uint8")).shape) == (1, 5 * scale, 8 * scale, 3)


def test_predict_gives_an_image():
    model = zoo.load("edsr_base_x2", weights=None)
    (record,) = zoo.predict(model, np.full((6, 9, 3), 128, "uint8"))
    assert (record["width"], record["height"]) == record.image.size == (18, 12)


def test_other_weights_are_refused(tmp_path):
    state, path = golden_state("edsr_base_x2"), tmp_path / "weights.safetensors"
    wrong = {
        "misshapen: tail.0.0.weight": golden_state("edsr_base_x3"),  # another scale
        "left over: tail.0.2.bias": golden_state("edsr_base_x4"),
        "missing: body.15.body.0.bias": without(state, "body.15."),  # another depth
        "missing: tail.1.bias": without(state, "tail.1."),
    }
    for problem, tensors in wrong.items():
        save_file(tensors, path)
        with pytest.raises(zoo.WeightsMismatchError, match=problem):
            zoo.load("edsr_base_x2", weights=path)
