"""TCN: causal, blind beyond its receptive field, at home in its unit, and the last season's mean at first."""

import keras
import numpy as np

from zoo.architectures.tcn import forecasts, tcn

SIZES = {"horizon": 5, "season": 4, "deviation": 2.0, "filters": 6, "dilations": (1, 2)}


def build(builder=tcn, **arguments):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, 1), name="series")
    model = keras.Model(inputs, builder(inputs, **{**SIZES, **arguments}))
    head = model.get_layer("linear").kernel
    head.assign(np.random.default_rng(0).normal(size=head.shape))
    return model


def series(length=40):
    return np.random.default_rng(0).normal(330, 2, (2, length, 1)).astype("float32")


def test_it_gives_the_horizon_of_each_series():
    assert build().output_shape == (None, 5)
    assert build()(series(5)).shape == (2, 5)


def test_a_forecast_from_each_moment_is_the_forecast_of_the_series_up_to_it():
    every, single, values = build(forecasts), build(), series()
    found = np.array(every(values))
    assert found.shape == (2, 40 - 4, 5)
    for known in (5, 6, 25, 40):  # and nothing that comes later is seen
        np.testing.assert_allclose(found[:, known - 5], single(values[:, :known]), atol=1e-3)


def test_it_sees_as_far_back_as_its_receptive_field():
    model, values = build(), series()
    field = 4 + 1 + 2 * (3 - 1) * (1 + 2)
    before, inside = values.copy(), values.copy()
    before[:, : 40 - field] += 3
    inside[:, 40 - field] += 30
    np.testing.assert_array_equal(model(before), model(values))
    assert np.abs(np.array(model(inside)) - np.array(model(values))).max() > 1e-3


def test_a_shifted_series_gives_a_shifted_forecast():
    model, values = build(), series()
    np.testing.assert_allclose(model(values + 16), np.array(model(values)) + 16, atol=2e-3)


def test_without_weights_it_is_the_mean_of_the_last_season():
    model, values = build(), series()
    model.get_layer("linear").kernel.assign(np.zeros((6, 5)))
    np.testing.assert_allclose(model(values), values[:, -4:].mean(axis=1).repeat(5, axis=1), rtol=1e-6)


def test_save_and_load(tmp_path):
    model, values = build(), series()
    model.save(tmp_path / "tcn.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "tcn.keras")(values), model(values))
