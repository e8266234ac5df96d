"""A run that was killed and started again ends as one that never was."""

import signal

import pytest

from tests.warm import WarmPython
from zoo.finetuning import finetune

SCRIPT = """
import sys
import zoo
zoo.finetune("blurnet-textures", sys.argv[1], epochs=4, batch_size=4, output_dir=sys.argv[2])
"""


def kill_after(epoch, photographs, output):
    """Start the run in another process and kill it as soon as `epoch` is over."""
    process = WarmPython(SCRIPT, photographs, output)
    for line in process.stderr:
        if line.startswith(f"epoch {epoch}/4"):
            process.send_signal(signal.SIGKILL)
            break
    assert process.wait() == -signal.SIGKILL


@pytest.mark.slow  # three trainings; test_runs.py has a quick run that resumes
def test_a_killed_run_ends_bit_for_bit_as_one_that_was_not(photographs, tmp_path):
    kill_after(2, photographs, tmp_path / "killed")  # all layers learn then
    assert not (tmp_path / "killed" / "run.json").exists()
    resumed = finetune("blurnet-textures", photographs, epochs=4, batch_size=4, output_dir=tmp_path / "killed")
    whole = finetune("blurnet-textures", photographs, epochs=4, batch_size=4, output_dir=tmp_path / "whole")
    assert resumed.history == whole.history
    assert resumed.metrics == whole.metrics
    saved = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("killed", "whole")]
    assert saved[0] == saved[1]
