"""Rows per second of `zoo.predict_files` beside a bare loop of the same model, and the memory that it takes.

    python -m benchmarks.batch [--model mobilenetv2_100] [--rounds 5]

The bare loop prepares each image, calls the same graph with the same 8 at once, one after another, and keeps nothing.
The rounds are interleaved: reading alone, the bare loop, the local engine, and Ray with two workers on this machine,
which share its processors. Ray answers 512 and 1,536 files: the difference is its rate, and what the smaller took
beyond it the start-up of its workers. Memory is the highest of a process of its own. Models of the Hub get random
weights: nothing here depends on them. The images are generated: 640 x 480, noise of several sizes; one in a hundred
is broken.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

BROKEN, BATCH = 20, 8


def write_images(folder: Path, count: int) -> None:
    generator = np.random.default_rng(0)
    folder.mkdir()
    for index in range(count):
        layers = (
            Image.fromarray(generator.integers(0, 255, (480 // size, 640 // size, 3), dtype="uint8")).resize((640, 480))
            for size in (2, 16, 80)
        )
        pixels = np.mean([np.asarray(layer) for layer in layers], axis=0)
        Image.fromarray(pixels.astype("uint8")).save(folder / f"{index:05}.jpg", quality=85)
    for index in range(BROKEN):
        (folder / f"{index * count // BROKEN:05}-broken.jpg").write_bytes(b"\xff\xd8 no image")


def load(name: str):
    import zoo

    return zoo.load(name) if zoo.info(name).is_embedded else zoo.load(name, weights=None)


def prepared(model, folder: Path) -> Iterator[np.ndarray]:
    """The images that can be read, as the network takes them."""
    from zoo.errors import InputError

    for path in sorted(folder.iterdir()):
        try:
            yield model.preprocess(path)
        except InputError:
            continue


def read(model, folder: Path) -> None:
    for _ in prepared(model, folder):
        pass


def bare_loop(model, folder: Path) -> None:
    """What anybody would write first."""
    from zoo.batch.predictor import Predictor

    network, images = Predictor(model, top=5, batch_size=BATCH).runner.network, prepared(model, folder)
    while batch := list(islice(images, BATCH)):
        network(np.stack(batch))


def seconds(call: Callable[..., object], *arguments: object, **options: object) -> float:
    start = time.perf_counter()
    call(*arguments, **options)
    return time.perf_counter() - start


def rates(name: str, small: Path, large: Path, rounds: int) -> None:
    import ray

    import zoo

    model = load(name)
    ray.init(logging_level="ERROR", log_to_driver=False)
    few, many = (len(list(folder.iterdir())) for folder in (small, large))
    ways = ("reading alone, one thread", "bare loop", "local engine", "local engine / bare loop", "Ray, two workers")
    ways += ("start-up of Ray's workers, s",)
    found: dict[str, list[float]] = {way: [] for way in ways}
    bare_loop(model, small)  # warm
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            outputs = [Path(folder, f"{way}.parquet") for way in ("local", "ray", "ray-many")]
            reading = seconds(read, model, small)
            bare = seconds(bare_loop, model, small)
            local = seconds(zoo.predict_files, model, small, outputs[0])
            short = seconds(zoo.predict_files, model, small, outputs[1], engine="ray", concurrency=2)
            long = seconds(zoo.predict_files, model, large, outputs[2], engine="ray", concurrency=2)
            assert outputs[0].read_bytes() == outputs[1].read_bytes()
        rate = (many - few) / (long - short)
        values = (few / reading, few / bare, few / local, bare / local, rate, short - few / rate)
        for way, value in zip(ways, values, strict=True):
            found[way].append(value)
    ray.shutdown()
    kilobytes = statistics.mean(path.stat().st_size for path in small.iterdir()) / 1e3
    print(f"{name}, {few} files of {kilobytes:.0f} kB, batch {BATCH}, {rounds} rounds")
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    print("\n| rows/s | median | lowest to highest |\n|---|---|---|")
    for way, values in found.items():
        print(f"| {way} | {statistics.median(values):.3g} | {min(values):.3g} to {max(values):.3g} |")
    print(f"\n{pays_off(statistics.median(found[ways[2]]), statistics.median(found[ways[5]]))}")


def pays_off(rate: float, start_up: float) -> str:
    """From how many files on N machines as this one are done sooner: start-up + rows / (N rate) < rows / rate."""
    sizes = [f"{start_up * rate * machines / (machines - 1):,.0f} on {machines}" for machines in (2, 4, 16)]
    return f"Ray pays off from so many files, where each machine is as fast as this one: {', '.join(sizes)}."


def memory(name: str, folder: Path) -> float:
    """MiB at most, of a process that only does this."""
    command = [sys.executable, "-m", "benchmarks.batch", "--model", name, "--measure-memory", str(folder)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="mobilenetv2_100")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--measure-memory", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure_memory:
        import zoo

        with tempfile.TemporaryDirectory() as outputs:
            zoo.predict_files(load(arguments.model), arguments.measure_memory, Path(outputs, "p.parquet"))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    with tempfile.TemporaryDirectory() as folder:
        every = Path(folder, "every")
        write_images(every, 2000)
        small, large = part(every, 512), part(every, 1536)  # whole pieces for each of the two workers
        rates(arguments.model, small, large, arguments.rounds)
        highest = [f"{memory(arguments.model, part(every, count)):.0f} MiB for {count} files" for count in (500, 2020)]
        print(f"Highest memory of the local engine: {', '.join(highest)}.")


def part(folder: Path, count: int) -> Path:
    """The first files."""
    path = folder.parent / str(count)
    path.mkdir()
    for file in sorted(folder.iterdir())[:count]:
        os.link(file, path / file.name)
    return path


if __name__ == "__main__":
    main()
