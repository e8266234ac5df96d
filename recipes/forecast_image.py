"""Draw the image of the forecaster's card: what was known, what followed, and what was forecast.

    python -m recipes.forecast_image [--output MODEL_CARDS]

The package needs its extra `train`.
"""

import matplotlib.figure

import zoo
from recipes.image_folder import image_folder
from recipes.tcn import NAME, co2, holt_winters, origins, seasonal_naive

KNOWN_WEEKS = 104


def draw() -> matplotlib.figure.Figure:
    """Two years before the last origin, and the year after it."""
    series = co2()
    origin = int(origins(len(series))[-1])
    known, dates = series[:origin], series.index[origin : origin + 52]
    lines = {
        "Holt-Winters": (holt_winters(known.to_numpy()), "tab:green"),
        "seasonal-naive": (seasonal_naive(known.to_numpy()), "tab:gray"),
        NAME: (zoo.predict(NAME, known.to_numpy())[0]["forecast"], "tab:red"),
    }
    figure = matplotlib.figure.Figure(figsize=(9, 4), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    axes.plot(series[origin - KNOWN_WEEKS : origin + 52], color="black", linewidth=1, label="measured")
    for label, (forecast, colour) in lines.items():
        axes.plot(dates, forecast, color=colour, linewidth=2 if label == NAME else 1.2, label=label)
    axes.axvline(dates[0], color="tab:gray", linestyle=":")
    axes.set_ylabel("CO$_2$ above Mauna Loa, ppm")
    axes.legend(loc="upper left")
    return figure


def main() -> None:
    draw().savefig(image_folder(__doc__) / f"{NAME}.png")


if __name__ == "__main__":
    main()
