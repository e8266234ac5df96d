"""From a series to a forecast: `zoo.predict`, the command line, and the errors for what is not a series."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import zoo
from zoo.command_line.main import main


@pytest.fixture(scope="module")
def forecaster():
    return zoo.load("tcn-co2")


@pytest.fixture(scope="module")
def series():
    return 330 + 3 * np.sin(np.arange(160) * 2 * np.pi / 52)


def test_a_series_gives_a_record_that_json_takes(forecaster, series):
    record = zoo.predict(forecaster, series)[0]
    assert record["task"] == "forecasting"
    assert len(json.loads(json.dumps(record))["forecast"]) == 52
    assert 320 < min(record["forecast"]) < max(record["forecast"]) < 340


def test_several_series_of_different_lengths(forecaster, series):
    records = zoo.predict(forecaster, [series, series[20:], list(series)])
    assert [record["input"] for record in records] == ["series 0", "series 1", "series 2"]
    assert records[0]["forecast"] == pytest.approx(records[2]["forecast"], abs=1e-3)


def test_the_command_line_prints_the_forecast(series, tmp_path):
    np.save(tmp_path / "series.npy", series)
    result = CliRunner().invoke(main, ["predict", "tcn-co2", str(tmp_path / "series.npy")])
    assert result.exit_code == 0, result.stderr
    assert "32" in result.stdout


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (np.zeros(52), "52 values. Expected at least 53"),
        (np.zeros((104, 2)), "series 0: A series has 2 values"),
        (np.full(104, np.nan), "NaN"),
        (np.array(["a"] * 104), "dtype"),
        ("nowhere.npy", "There is no file nowhere.npy. Expected the path of a series"),
    ],
)
def test_what_is_not_a_series_is_one_error(forecaster, wrong, sentence):
    with pytest.raises(zoo.InputError, match=sentence):
        zoo.predict(forecaster, [wrong])


def test_a_file_of_another_kind_is_refused_without_the_advice_to_unpickle_it():
    with pytest.raises(zoo.InputError, match=r"cannot be read as a series \(it is not an .npy file") as caught:
        zoo.predict("tcn-co2", __file__)
    assert "pickle" not in str(caught.value)
