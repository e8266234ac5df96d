"""What follows a series: every stretch of it is an example, and the last ones are the validation data."""

from pathlib import Path
from typing import Any

from zoo.catalogue.entry import Entry
from zoo.errors import InputError
from zoo.imaging.forms import several
from zoo.measures.forecasting import ForecastingMeasure
from zoo.tasks.arrays import read_array
from zoo.tasks.forecasting import TASK, preprocess_series, shortest
from zoo.training.examples import HELD_OUT, Examples
from zoo.training.trainer import TaskTrainer, is_folder

SEASONS = 4  # that the network sees in training


class ForecastingTrainer(TaskTrainer):
    """Items are a series and where a stretch of it begins and ends, so that its numbers are kept once."""

    crops = True
    data = "a series: an .npy file or an array (time,), oldest first; or a list of them"

    def find(
        self, data: Any, split: str, entry: Entry, labels: tuple[str, ...] | None, *, skip_unreadable: bool = False
    ) -> Examples:
        given = list(several(data, TASK.is_several))
        if any(is_folder(one) and Path(one).is_dir() for one in given):
            raise InputError(f"{given[0]} is a folder. Expected {self.data}.")
        horizon = entry.config["horizon"]
        series = [preprocess_series(read_array(one, "series"), shortest(entry) + horizon) for one in given]
        least = min(len(one) for one in series)
        length = max(shortest(entry), min(SEASONS * entry.config["season"] + 1, (least - horizon) // 2))
        items = [(one, start, start + length) for one in series for start in range(len(one) - length - horizon + 1)]
        return Examples(tuple(items), (length, 1))

    def hold_out(self, examples: Examples, entry: Entry, seed: int) -> tuple[Examples, Examples]:
        """The last starts, and none before them whose future is theirs: what is evaluated on was never trained on."""
        training, held, horizon = [], [], entry.config["horizon"]
        last: dict[int, int] = {}
        for one, start, _ in examples.items:
            last[id(one)] = start
        for place, (one, start, _) in enumerate(examples.items):
            first_held = last[id(one)] - round(HELD_OUT * last[id(one)])
            if start >= first_held:
                held.append(place)
            elif start + horizon <= first_held:
                training.append(place)
        if not training:
            raise InputError(
                f"The series is too short to hold out an end of {horizon} steps. Expected a longer one, or "
                "validation_data=another series."
            )
        return examples.part(training), examples.part(held)

    def shape(self, entry: Entry, examples: Examples) -> tuple[int, ...]:
        return examples.shape

    def read(self, item, entry, shape, generator):
        series, start, end = item
        if shape is not None:
            end = start + shape[0]
        return series[start:end], series[end : end + entry.config["horizon"], 0]

    def loss(self, entry: Entry, examples: Examples | None) -> Any:
        return "mean_absolute_error"

    def measure(self, entry: Entry, examples: Examples | None) -> ForecastingMeasure:
        return ForecastingMeasure(entry.config["season"])


TRAINER = ForecastingTrainer()
