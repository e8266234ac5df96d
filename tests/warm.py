"""Child processes in which Keras is imported already: forked from one that has done nothing with it.

To import TensorFlow takes six seconds of CPU. Whoever needs a process of its own, but not its first seconds, starts it
here; what is about importing, or about settings that are read then, starts a Python of its own.
"""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["zoo.publishing", "zoo.finetuning", "zoo.prediction", "zoo.export.to_saved_model"])


class WarmPython:
    """Python code in such a process, on TensorFlow: what of `subprocess.Popen` a test asks for, with text in pipes.

    Args:
        code: As after `python -c`.
        *arguments: The rest of `sys.argv`.
        env: The environment; None for this process' own.
        cwd: The working directory.
        log: A file for what it writes to stderr; without one that is a pipe too.
    """

    def __init__(
        self,
        code: str,
        *arguments: Any,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] = ".",
        log: Path | None = None,
    ):
        pipes = [CONTEXT.Pipe(duplex=False) for _ in range(3)]
        (stdin, given), (output, stdout), (errors, stderr) = pipes
        argv, environment = ["-c", *map(str, arguments)], dict(os.environ if env is None else env)
        inner = (stdin, stdout, stderr)
        place = str(Path(cwd).resolve())
        self.process = CONTEXT.Process(target=_become, args=(code, argv, environment, place, inner, log))
        self.process.start()
        for end in inner:
            end.close()
        self.stdin, self.stdout, self.stderr = _text(given, "w"), _text(output, "r"), _text(errors, "r")

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def poll(self) -> int | None:
        return self.returncode

    @property
    def returncode(self) -> int | None:
        return self.process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        if self.process.is_alive():
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self) -> int | None:
        self.process.join()
        for end in (self.stdin, self.stdout, self.stderr):
            with contextlib.suppress(BrokenPipeError):  # what was not read any more
                end.close()
        return self.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()
        self.communicate()

    def communicate(self, timeout: float = 600) -> tuple[str, str]:
        """Read all that it writes and wait for its end; one that hangs is killed."""
        killer, errors = threading.Timer(timeout, self.kill), list[str]()
        reader = threading.Thread(target=lambda: errors.append(self.stderr.read()))
        killer.daemon = True
        killer.start(), reader.start()
        self.stdin.close()
        output = self.stdout.read()
        reader.join(), self.wait(), killer.cancel()
        return output, errors[0]


def run(code: str, *arguments: Any, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run Python code in such a process and wait for it, as `subprocess.run` does."""
    process = WarmPython(code, *arguments, **options)
    output, errors = process.communicate()
    return subprocess.CompletedProcess(code, process.wait() or 0, output, errors)


def _text(end: Connection, mode: str) -> Any:
    """The end of a pipe as a text file."""
    with end:
        return os.fdopen(os.dup(end.fileno()), mode)


def _become(
    code: str,
    argv: list[str],
    environment: dict[str, str],
    cwd: str,
    ends: tuple[Connection, ...],
    log: Path | None,
) -> None:
    # The Hub's client reads the environment when it is imported.
    assert "huggingface_hub.constants" not in sys.modules
    for number, end in enumerate(ends):
        os.dup2(end.fileno(), number)
    if log is not None:
        with log.open("w") as errors:
            os.dup2(errors.fileno(), 2)
    sys.stdin = os.fdopen(0, closefd=False)  # multiprocessing has closed it
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = argv
    exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - the tests' own
