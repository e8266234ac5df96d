"""CPU seconds, user and system, of `zoo list` and `zoo info`, each in its own process: `python benchmarks/door.py`."""

import os
import statistics
import subprocess
import sys

RUNS = 9
COMMANDS = (["-c", "pass"], ["-m", "zoo", "list"], ["-m", "zoo", "info", "resnet50"])


def cpu_seconds(arguments: list[str]) -> float:
    """What one process costs."""
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    for arguments in COMMANDS:
        cpu_seconds(arguments)  # the first one reads the registry and keeps what it found
        seconds = [cpu_seconds(arguments) for _ in range(RUNS)]
        print(f"{' '.join(arguments):24} least {min(seconds):.2f} s, median {statistics.median(seconds):.2f} s of CPU")


if __name__ == "__main__":
    main()
