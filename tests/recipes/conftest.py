"""A run that is stopped, beside one that is not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest


class Stopped(Exception):  # noqa: N818 - no error
    """Ends a run at the beginning of a round."""


@pytest.fixture
def unbroken_and_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Any, Any]]:
    """Call `train` with a state on which nothing stops it, then with one on which it is stopped in its second round
    and goes on: what it returned both times.
    """

    def train_twice(train: Callable[[Path], Any]) -> tuple[Any, Any]:
        fit, rounds = keras.Model.fit, []

        def fit_once(*arguments: Any, **options: Any) -> Any:
            rounds.append(arguments)
            if len(rounds) == 2:
                raise Stopped
            return fit(*arguments, **options)

        unbroken = train(tmp_path / "unbroken.state")
        with monkeypatch.context() as patch:
            patch.setattr(keras.Model, "fit", fit_once)
            with pytest.raises(Stopped):
                train(tmp_path / "stopped.state")
        return unbroken, train(tmp_path / "stopped.state")

    return train_twice
