"""A model that is no longer what its spec describes is refused before it is trained, saved or misread."""

import keras
import numpy as np
import pytest

import zoo
import zoo.export
from zoo import architectures
from zoo.architectures.unaltered import difference
from zoo.catalogue.registry import registry
from zoo.errors import InputError, ZooError
from zoo.model import ZooModel
from zoo.training.preparation import _shape
from zoo.weights.filling import abstract

IMAGES = np.zeros((4, 8, 8, 3), "uint8"), [0, 1, 0, 1]


@pytest.fixture
def model():
    return zoo.load("blurnet-textures")


def sigmoid_in_the_head(model):
    model.get_layer("fc").activation = keras.activations.sigmoid
    return model


def sigmoid_after_the_head(model):
    changed = ZooModel(model.input, keras.layers.Activation("sigmoid")(model.output))
    changed.spec = model.spec
    return changed


def binary_crossentropy(model):
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    return model


def binary_crossentropy_by_name(model):
    model.compile("adam", "binary_crossentropy")
    return model


def softmax_in_the_head(model):
    model.get_layer("fc").activation = keras.activations.softmax
    return model


def lora(model):
    model.get_layer("fc").enable_lora(2)
    return model


def int8(model):
    model.get_layer("fc").quantize("int8")
    return model


def another_activation(model):
    layer = next(layer for layer in model.layers if isinstance(layer, keras.layers.ReLU | keras.layers.Activation))
    if isinstance(layer, keras.layers.ReLU):
        layer.max_value = 6.0
    else:
        layer.activation = keras.activations.gelu
    return model


def another_output(model):
    changed = ZooModel(model.input, 2 * model.output)
    changed.spec = model.spec
    return changed


def a_regularizer(model):
    model.get_layer("fc").kernel_regularizer = keras.regularizers.L2(0.1)
    return model


def a_constraint(model):
    model.get_layer("fc").kernel_constraint = keras.constraints.NonNeg()
    return model


def frozen_layers(model):
    model.get_layer("conv1").trainable = False
    return model


def a_frozen_model(model):
    model.trainable = False
    return model


def another_loss(model):
    model.compile("adam", "mse")
    return model


MISREAD = (sigmoid_in_the_head, sigmoid_after_the_head, softmax_in_the_head, binary_crossentropy)
MISREAD += (binary_crossentropy_by_name,)
NOT_SAVED = (*MISREAD, lora, int8, another_activation, another_output)
NOT_TRAINED = (*NOT_SAVED, a_regularizer, a_constraint, frozen_layers, a_frozen_model, another_loss)


def called(changes):
    return pytest.mark.parametrize("change", changes, ids=lambda change: change.__name__)


@called(MISREAD)
def test_outputs_that_mean_something_else_are_not_read_as_one_class(change, model, tmp_path):
    changed = change(model)
    for ask in (
        lambda: zoo.predict(changed, IMAGES[0][0]),
        lambda: zoo.export.saved_model(changed, tmp_path),
        lambda: zoo.publish(changed, "me/mine", license="apache-2.0", token="hf_x"),
    ):
        with pytest.raises(InputError, match=r"ends in a s\w+|several classes at once"):
            ask()
    assert list(tmp_path.iterdir()) == []


@called(NOT_SAVED)
def test_what_the_spec_does_not_describe_is_not_saved(change, model, tmp_path):
    with pytest.raises(ZooError, match=r"logits|several classes|is not the network that its spec describes"):
        zoo.save(change(model), tmp_path / "new" / "mine")
    assert list(tmp_path.iterdir()) == []


@called(NOT_TRAINED)
def test_what_finetune_would_drop_is_an_error_before_training(change, model, tmp_path):
    with pytest.raises(InputError, match=r"logits|several classes|spec describes|does not take over"):
        zoo.finetune(change(model), IMAGES, epochs=1, output_dir=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_sigmoid_is_still_seen_in_a_file_of_keras(model, tmp_path):
    binary_crossentropy(model).optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    with pytest.raises(InputError, match="several classes at once"):
        zoo.predict(tmp_path / "model.keras", IMAGES[0][0])


def test_other_weights_and_a_fit_by_hand_are_welcome(model, tmp_path):
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    model.get_layer("fc").kernel.assign_add(np.ones(model.get_layer("fc").kernel.shape))
    zoo.save(model, tmp_path / "mine")
    assert zoo.predict(model, IMAGES[0][0])[0]["predictions"]


@pytest.mark.parametrize(
    "name", ["espcn-x2", "sparseconvnet", "unet3d-phantoms", "tcn-co2", "conv-regressor", "segnet-basic"]
)
def test_a_model_as_it_was_loaded_is_what_its_spec_describes(name):
    model = zoo.load(name)
    with abstract():
        reference = architectures.build(model.spec, input_shape=_shape(model))
    assert difference(model, reference, in_training=True) == ""
    assert registry().find(name) == model.spec
