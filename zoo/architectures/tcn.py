"""TCN, a forecaster of dilated causal convolutions. Bai et al., 2018, https://arxiv.org/abs/1803.01271, section 3.

Three choices of ours: the series is measured from the mean of its last season, beside its change over a season; the
network predicts the change from that mean, instead of the value; and the convolutions have no weight normalisation.
"""

from collections.abc import Sequence
from typing import Any

from keras import layers, ops


def forecasts(
    series: Any,
    *,
    horizon: int,
    season: int,
    deviation: float,
    filters: int = 16,
    kernel_size: int = 3,
    dilations: Sequence[int] = (1, 2, 4, 8, 16, 32),
    dropout: float = 0.1,
) -> Any:
    """A forecast from each moment on, the first after a season and a step: (b, t, 1) -> (b, t - season, horizon)."""
    level = layers.AveragePooling1D(season, 1, name="level")(series)[:, 1:]
    now, season_ago = series[:, season:], series[:, :-season]
    x = ops.concatenate([now - level, now - season_ago], axis=-1) / deviation
    for index, dilation in enumerate(dilations):
        x = _residual_block(x, filters, kernel_size, dilation, dropout, name=f"network-{index}")
    # Zeros at first: training starts at the mean of the last season.
    change = layers.Dense(horizon, kernel_initializer="zeros", name="linear")(x)
    return level + deviation * change


def tcn(series: Any, *, horizon: int, season: int, deviation: float, **sizes: Any) -> Any:
    """Forecast the next `horizon` steps of a series from its past.

    Args:
        series: Oldest first, `(batch, time, 1)`, in the unit of `deviation`, time at least `season + 1`. The
            forecast depends on the last `season + 1 + 2 * (kernel_size - 1) * sum(dilations)` steps; in place of those
            that a shorter series lacks the convolutions see zeros.
        horizon: How many steps are forecast.
        season: Steps after which the series roughly repeats.
        deviation: How far the series typically lies from its season's mean, a constant.
        sizes: `filters`, the channels of each convolution; `kernel_size`, the steps that it sees, a dilation apart;
            `dilations`, one for each residual block; `dropout`, the share of channels left out in training.

    Returns:
        The forecast in the unit of `series`, `(batch, horizon)`.
    """
    return forecasts(series, horizon=horizon, season=season, deviation=deviation, **sizes)[:, -1]


def _residual_block(x: Any, filters: int, kernel_size: int, dilation: int, dropout: float, *, name: str) -> Any:
    """Figure 1(b): (b, t, c) -> (b, t, filters)."""
    shortcut = x if x.shape[-1] == filters else layers.Conv1D(filters, 1, name=f"{name}-downsample")(x)
    for index in (1, 2):
        convolution = layers.Conv1D(
            filters,
            kernel_size,
            padding="causal",
            dilation_rate=dilation,
            kernel_initializer="he_normal",
            activation="relu",
            name=f"{name}-conv{index}",
        )
        x = layers.SpatialDropout1D(dropout, name=f"{name}-dropout{index}")(convolution(x))
    return layers.ReLU(name=f"{name}-relu")(layers.Add(name=f"{name}-add")([x, shortcut]))
