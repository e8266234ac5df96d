"""What the tests of training share."""

from pathlib import Path

import pytest

from tests.training.photographs import write_photographs


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Three classes, one of them rarer."""
    return write_photographs(tmp_path / "photographs", {"blue": 10, "green": 10, "red": 6})
