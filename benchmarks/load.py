"""Loading ResNet-50 from a local file: this zoo beside keras.applications, in turn, each in a process of its own.

    python benchmarks/load.py [--runs 7]

Prints seconds after the imports (wall clock and CPU), and the highest memory of the process, as medians, with the ratio
pair by pair. Both files hold random weights of the right shapes: what they say costs nothing to read.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PREAMBLE = """
import json, os, resource, sys, time
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, zoo
from zoo.loading import load
import zoo.architectures.resnet, h5py
path = sys.argv[1]
imported = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
wall, cpu = time.perf_counter(), time.process_time()
{call}
print(json.dumps({{"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu,
    "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}}))
"""
CALLS = {
    "zoo": "zoo.load('resnet50', weights=path)",
    "keras.applications": "keras.applications.ResNet50(weights=path)",
}
WRITE = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, numpy as np, zoo
from safetensors.numpy import save_file
from tests.golden_files import golden_state
folder = sys.argv[1]
save_file(golden_state("resnet50"), folder + "/zoo")
keras.applications.ResNet50(weights=None).save_weights(folder + "/keras.applications.weights.h5")
"""


def measure(name: str, path: Path) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", "-c", PREAMBLE.format(call=CALLS[name]), str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description="Loading ResNet-50, beside keras.applications.")
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-W", "ignore", "-c", WRITE, folder], check=True, stderr=subprocess.DEVNULL)
        paths = {"zoo": Path(folder, "zoo"), "keras.applications": Path(folder, "keras.applications.weights.h5")}
        results: dict[str, list[dict[str, float]]] = {name: [] for name in CALLS}
        for _ in range(runs + 1):
            for name in CALLS:
                results[name].append(measure(name, paths[name]))
    print(f"ResNet-50 from a local file, median of {runs} pairs after one warm-up\n")
    print("| | wall s | CPU s | highest memory, MiB |\n|---|---|---|---|")
    for name, rows in results.items():
        cells = [statistics.median(row[key] for row in rows[1:]) for key in ("wall", "cpu", "memory")]
        print(f"| {name} | {cells[0]:.2f} | {cells[1]:.2f} | {cells[2]:.0f} |")
    pairs = list(zip(results["zoo"][1:], results["keras.applications"][1:], strict=True))
    ratios = [statistics.median(ours[key] / theirs[key] for ours, theirs in pairs) for key in ("wall", "cpu", "memory")]
    print(f"| ratio | {ratios[0]:.2f} | {ratios[1]:.2f} | {ratios[2]:.2f} |")


if __name__ == "__main__":
    main()
