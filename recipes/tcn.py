"""Train TCN to forecast the weekly CO2 above Mauna Loa, the series that the package statsmodels ships.

    python recipes/tcn.py [--output zoo/checkpoints] [--measure]

The package needs its extra `train`. The run is seeded, and it resumes where it was stopped. It writes the weights,
`tcn-co2.safetensors` (names are the Keras variable paths), and `tcn-co2.json`, what was measured and how.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import statsmodels.datasets
from statsmodels.tsa.holtwinters import ExponentialSmoothing

from recipes import training_run
from recipes.training_run import TrainingRun, filled
from zoo.architectures.tcn import forecasts, tcn
from zoo.training.optimizers import warmed_up_cosine

NAME = "tcn-co2"
SEASON = 52  # weeks
ARGUMENTS = {"horizon": SEASON, "season": SEASON, "deviation": 2.0}  # weeks, weeks, ppm
# Never trained on, nor used to choose anything in this file: the choices were made on the six years before.
TEST_WEEKS = 6 * SEASON
WEEKS_BETWEEN_ORIGINS = 13
SEED = 0
STEPS = 2400
STEPS_PER_ROUND = 100
BATCH_SIZE = 4
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 1e-3
# The rise steepened over the decades: each copy of the series gets another slope, so that no slope is learned by heart.
SLOPE_PPM_PER_YEAR = 1.0

Forecaster = Callable[[np.ndarray], np.ndarray]


def co2() -> pd.Series:
    """Weekly CO2 in ppm, 1958 to 2001, by date; the 59 weeks without a value, none after 1985, are interpolated."""
    return statsmodels.datasets.co2.load_pandas().data["co2"].interpolate().astype("float32")


def origins(count: int) -> np.ndarray:
    """How many weeks are known at each forecast: four times in each of the five years that another year follows."""
    return np.arange(count - TEST_WEEKS, count - ARGUMENTS["horizon"], WEEKS_BETWEEN_ORIGINS)


def draw(known: np.ndarray, count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Copies of the series with other slopes, `(count, time, 1)`, and what follows each moment, `(…, horizon)`."""
    slopes = generator.normal(0, SLOPE_PPM_PER_YEAR / SEASON, (count, 1))
    copies = (known + slopes * np.arange(len(known))).astype("float32")
    horizon = ARGUMENTS["horizon"]
    following = np.lib.stride_tricks.sliding_window_view(copies, horizon, axis=1)[:, SEASON + 1 :]
    return copies[:, :-horizon, None], np.ascontiguousarray(following)


def untrained() -> keras.Model:
    """The network, with a warm-up over one round and a cosine decay over the others."""
    keras.utils.set_random_seed(SEED)
    inputs = keras.Input((None, 1), name="series")
    model = keras.Model(inputs, forecasts(inputs, **ARGUMENTS))
    decay = warmed_up_cosine(LEARNING_RATE, STEPS, STEPS_PER_ROUND)
    model.compile(keras.optimizers.AdamW(decay, weight_decay=WEIGHT_DECAY), "mae")
    return model


def train(known: np.ndarray, state: Path) -> tuple[keras.Model, float]:
    """Train on all moments of the series at once, as the causal convolutions allow, or go on from the file `state`.

    Returns the model and the seconds it took.
    """
    run, rounds = TrainingRun(state, untrained), STEPS // STEPS_PER_ROUND
    for index in run.rounds(rounds, STEPS_PER_ROUND):
        copies = draw(known, STEPS_PER_ROUND * BATCH_SIZE, np.random.default_rng([SEED, index]))
        history = run.model.fit(*copies, BATCH_SIZE, shuffle=False, verbose=0).history
        print(f"round {index + 1}/{rounds}: {history['loss'][0]:.3f} ppm in training", flush=True)
    return run.model, run.seconds


def whole_network(path: Path) -> keras.Model:
    """The network from a series to its forecast, with the weights of a file."""
    inputs = keras.Input((None, 1), name="series")
    return filled(keras.Model(inputs, tcn(inputs, **ARGUMENTS)), path)


def seasonal_naive(known: np.ndarray) -> np.ndarray:
    """The last year again."""
    return known[-SEASON:]


def seasonal_naive_with_drift(known: np.ndarray) -> np.ndarray:
    """The last year again, risen as much as it had risen itself."""
    return known[-SEASON:] + known[-SEASON:].mean() - known[-2 * SEASON : -SEASON].mean()


def holt_winters(known: np.ndarray) -> np.ndarray:
    """Additive trend and season, every parameter fitted anew to all that is known."""
    model = ExponentialSmoothing(known, trend="add", seasonal="add", seasonal_periods=SEASON)
    return model.fit().forecast(ARGUMENTS["horizon"])


def holt_winters_10_years(known: np.ndarray) -> np.ndarray:
    """The same, fitted to the last ten years only."""
    return holt_winters(known[-10 * SEASON :])


BASELINES = {
    baseline.__name__: baseline
    for baseline in (seasonal_naive, seasonal_naive_with_drift, holt_winters, holt_winters_10_years)
}


def error(forecaster: Forecaster, series: np.ndarray, origin: int) -> float:
    """Mean absolute error in ppm over the horizon that follows the first `origin` weeks."""
    actual = series[origin : origin + ARGUMENTS["horizon"]]
    return float(np.abs(forecaster(series[:origin]) - actual).mean())


def measure(path: Path) -> dict[str, Any]:
    """Mean absolute errors in ppm of the network and of the baselines, at each origin and by year."""
    series, dates = co2().to_numpy(), co2().index
    model = whole_network(path)
    columns: dict[str, Forecaster] = {f"{name}_mae_ppm": baseline for name, baseline in BASELINES.items()}
    columns = {"mae_ppm": lambda known: model.predict(known[None, :, None], verbose=0)[0], **columns}
    rows = {
        str(dates[origin - 1].date()): {key: round(error(column, series, origin), 3) for key, column in columns.items()}
        for origin in origins(len(series))
    }
    years = sorted({date[:4] for date in rows})
    return {
        "command": "python recipes/tcn.py",
        "metric": (
            "mean absolute error in ppm over the 52 weeks after each origin, four origins per year; all before the "
            "origin is known to each method, Holt-Winters is fitted to it anew, the network is not"
        ),
        "years": {year: mean([row for date, row in rows.items() if date.startswith(year)]) for year in years},
        "mean": mean(list(rows.values())),
        "origins": rows,
        "arguments": ARGUMENTS,
        "parameters": model.count_params(),
    }


def mean(rows: list[dict[str, float]]) -> dict[str, float]:
    """The mean of each column."""
    return {key: round(float(np.mean([row[key] for row in rows])), 3) for key in rows[0]}


def main() -> None:
    """Train, write the weights, load them afresh, measure."""
    known = co2()[:-TEST_WEEKS]

    def facts(seconds: float) -> dict[str, Any]:
        run = training_run.run_facts(steps=STEPS, seed=SEED, seconds=seconds, packages=("pandas", "statsmodels"))
        return {"trained_until": str(known.index[-1].date()), **run}

    options = training_run.measuring(training_run.parser(__doc__)).parse_args()
    training_run.main(NAME, options, train=lambda state: train(known.to_numpy(), state), facts=facts, measure=measure)


if __name__ == "__main__":
    main()
