"""Images per second of one model in every form that it can be served in, interleaved, medians.

    python -m benchmarks.export [--model resnet18] [--batch 8] [--rounds 15]

Classification models get random weights: speed does not depend on them. Runtimes that are not installed are left out.
Each runtime uses the threads that it chooses by itself, LiteRT as many as there are processors.
"""

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

import zoo
import zoo.export
from zoo.errors import MissingExtraError
from zoo.model import ZooModel
from zoo.processor import described
from zoo.runtimes.trial import turn


def saved(path: Path, images: np.ndarray) -> Callable[[], object]:
    """A SavedModel's call, from the same pixels each time."""
    loaded = tf.saved_model.load(str(path))
    pixels = tf.constant(images)
    return lambda: loaded(pixels, training=False)


def keras_export(model: ZooModel, folder: Path, images: np.ndarray) -> Callable[[], object]:
    """What `model.export` writes, without anything of ours."""
    model.export(str(folder / "keras"), verbose=False)
    loaded = tf.saved_model.load(str(folder / "keras"))
    pixels = tf.constant(images)
    return lambda: loaded.serve(pixels)


def litert(model: ZooModel, folder: Path, images: np.ndarray) -> Callable[[], object]:
    path = zoo.export.litert(model, folder, allow_random=True)
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path / "model.tflite"), num_threads=os.cpu_count())
    position = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(position, (1, *images.shape[1:]))
    interpreter.allocate_tensors()

    def run() -> None:
        for image in images:  # it takes one image at a time
            interpreter.set_tensor(position, image[None])
            interpreter.invoke()

    return run


def onnx(model: ZooModel, folder: Path, images: np.ndarray) -> Callable[[], object]:
    path = zoo.export.onnx(model, folder, allow_random=True)
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path / "model.onnx"), providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {model.inputs[0].name: images})


def openvino(precision: str) -> Callable[[ZooModel, Path, np.ndarray], Callable[[], object]]:
    def make(model: ZooModel, folder: Path, images: np.ndarray) -> Callable[[], object]:
        path = zoo.export.openvino(model, folder, allow_random=True)
        import openvino

        options = {"INFERENCE_PRECISION_HINT": precision}
        compiled = openvino.Core().compile_model(str(path / "model.xml"), "CPU", options)
        return lambda: compiled(images)

    return make


def ours(**options: object) -> Callable[[ZooModel, Path, np.ndarray], Callable[[], object]]:
    def make(model: ZooModel, folder: Path, images: np.ndarray) -> Callable[[], object]:
        return saved(zoo.export.saved_model(model, folder, allow_random=True, **options), images)

    return make


WAYS = {
    "Keras `predict_on_batch`": lambda model, folder, images: lambda: model.predict_on_batch(images),
    "Keras `model.export`": keras_export,
    "SavedModel, ours": ours(),
    "SavedModel, ours, folded": ours(inference_only=True),
    "SavedModel, ours, folded, bfloat16": ours(inference_only=True, dtype="bfloat16"),
    "LiteRT": litert,
    "ONNX Runtime": onnx,
    "OpenVINO, float32": openvino("f32"),
    "OpenVINO, bfloat16": openvino("bf16"),
}


def measure(model: ZooModel, images: np.ndarray, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each call by way; in each round each has a turn, so that a slow minute slows all."""
    calls = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, make in WAYS.items():
            try:
                calls[name] = make(model, Path(folder), images)
            except MissingExtraError as error:
                print(f"left out: {name} ({error})", flush=True)
        for call in calls.values():  # the first calls compile and allocate
            call()
            call()
        milliseconds: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(rounds):
            for name, call in calls.items():
                milliseconds[name] += turn(call)
    return milliseconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    embedded = zoo.info(arguments.model).is_embedded
    model = zoo.load(arguments.model) if embedded else zoo.load(arguments.model, weights=None)
    side = model.spec.input.size or 128
    images = np.random.default_rng(0).uniform(0, 255, (arguments.batch, side, side, 3)).astype("float32")
    milliseconds = measure(model, images, arguments.rounds)
    print(
        f"\n{arguments.model}, batch {arguments.batch}, {side} x {side} pixels, {arguments.rounds} rounds, "
        f"{described()}\n"
    )
    print("| served as | images/s, median | middle half |\n| --- | --- | --- |")
    for name, values in milliseconds.items():
        low, middle, high = statistics.quantiles(values, n=4)
        rates = [1000 * arguments.batch / value for value in (middle, high, low)]
        print(f"| {name} | {rates[0]:.1f} | {rates[1]:.1f} to {rates[2]:.1f} |")


if __name__ == "__main__":
    main()
