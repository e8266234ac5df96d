"""Rows per second of `zoo.predict_files` beside a bare loop of the same model, and the memory that it takes.

    python -m benchmarks.batch [--model mobilenetv2_100] [--rounds 5]
    python -m benchmarks.batch --model resnet50 --runtimes auto openvino-bfloat16 --rounds 2 [--photos FOLDER]
    python -m benchmarks.batch --model runs/mine --exports phone/mine-openvino/1 --rounds 2 --photos FOLDER

The bare loop prepares each image, calls the same graph with the same 8 at once, one after another, and keeps nothing.
The rounds are interleaved: reading alone, the bare loop, the local engine, and Ray with two workers on this machine,
which share its processors. Ray answers 512 and 1,536 files: the difference is its rate, and what the smaller took
beyond it the start-up of its workers. Memory is the highest of a process of its own. Models of the Hub get random
weights: nothing here depends on them. The images are generated: 640 x 480, noise of several sizes; one in a hundred
is broken.

With `--runtimes` or `--exports` the local engine answers all 2,020 files in Keras, in each of the runtimes and by each
of the exports, by turns, and the rows are compared: of a model with trained weights the same best class says that one
may be used. What is converted, and for `auto` tried, is so before. The images are then 640 x 480 crops of the
photographs below a folder, where there is one.
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

from zoo.processor import described

BROKEN, BATCH = 20, 8


def write_images(folder: Path, count: int, photos: Path | None = None) -> None:
    generator = np.random.default_rng(0)
    folder.mkdir()
    files = sorted(path for path in photos.rglob("*.*") if path.suffix in (".jpg", ".png")) if photos else []
    for index in range(count):
        if files:
            cropped(files[index % len(files)], generator).save(folder / f"{index:05}.jpg", quality=85)
            continue
        layers = (
            Image.fromarray(generator.integers(0, 255, (480 // size, 640 // size, 3), dtype="uint8")).resize((640, 480))
            for size in (2, 16, 80)
        )
        pixels = np.mean([np.asarray(layer) for layer in layers], axis=0)
        Image.fromarray(pixels.astype("uint8")).save(folder / f"{index:05}.jpg", quality=85)
    for index in range(BROKEN):
        (folder / f"{index * count // BROKEN:05}-broken.jpg").write_bytes(b"\xff\xd8 no image")


def cropped(path: Path, generator: np.random.Generator) -> Image.Image:
    """A part of a photograph, at least a half of each side, as 640 x 480."""
    image = Image.open(path).convert("RGB")
    width, height = (int(side * generator.uniform(0.5, 1)) for side in image.size)
    left, top = (generator.integers(0, all - part + 1) for all, part in zip(image.size, (width, height), strict=True))
    return image.crop((left, top, left + width, top + height)).resize((640, 480))


def load(name: str):
    import zoo

    return zoo.load(name, weights=None) if zoo.info(name).is_on_hub else zoo.load(name)


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
    print(f"{described()}, load {os.getloadavg()[0]:.1f}")
    print("\n| rows/s | median | lowest to highest |\n|---|---|---|")
    for way, values in found.items():
        print(f"| {way} | {statistics.median(values):.3g} | {min(values):.3g} to {max(values):.3g} |")
    print(f"\n{pays_off(statistics.median(found[ways[2]]), statistics.median(found[ways[5]]))}")


def by_runtime(name: str, folder: Path, runtimes: list[str], exports: list[str], rounds: int) -> None:
    """Rows per second in each runtime and by each export, and in how many rows it has the best class of Keras."""
    import pyarrow.parquet as pq

    import zoo
    import zoo.export
    from zoo.runtimes import example, in_runtime

    model = load(name)
    batch = example(model, BATCH)
    for runtime in runtimes:
        took = seconds(in_runtime, model, runtime, batch, calibration=list)
        print(f"{runtime}: converted, and tried where it chooses, in {took:.0f} s, which later jobs do not need")
    count = len(list(folder.iterdir()))
    ways = {way: (model, {"runtime": way}) for way in ("keras", *runtimes)}
    ways |= {export: (zoo.export.load(export), {}) for export in exports}
    found: dict[str, list[float]] = {way: [] for way in ways}
    classes, used = {}, {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as outputs:
            for place, (runtime, values) in enumerate(found.items()):
                output = Path(outputs, f"{place}.parquet")
                computing, options = ways[runtime]
                start = time.perf_counter()
                used[runtime] = zoo.predict_files(computing, folder, output, batch_size=BATCH, **options)
                values.append(count / (time.perf_counter() - start))
                rows = pq.read_table(output, columns=["predictions"]).to_pylist()
                classes[runtime] = [row["predictions"][0]["label"] for row in rows if row["predictions"]]
    print(f"{name}, {count} files, batch {BATCH}, {rounds} rounds\n{described()}, load {os.getloadavg()[0]:.1f}")
    print("\n| runtime | computed by | rows/s, median | beside Keras, round by round | same best class, % |")
    print("|---|---|---|---|---|")
    for runtime, values in found.items():
        ratios = ", ".join(f"{one / other:.2f}" for one, other in zip(values, found["keras"], strict=True))
        same = 100 * np.mean([one == other for one, other in zip(classes[runtime], classes["keras"], strict=True)])
        computed = used[runtime]["runtime"]
        print(f"| {runtime} | {computed} | {statistics.median(values):.3g} | {ratios} | {same:.2f} |")


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
    parser.add_argument("--runtimes", nargs="+", default=[], help="compare these with Keras, instead")
    parser.add_argument("--exports", nargs="+", default=[], help="and these folders of exports")
    parser.add_argument("--photos", type=Path, help="photographs of which the images are made")
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
        write_images(every, 2000, arguments.photos)
        if arguments.runtimes or arguments.exports:
            return by_runtime(arguments.model, every, arguments.runtimes, arguments.exports, arguments.rounds)
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
