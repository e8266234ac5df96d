"""LiteRT (TensorFlow Lite), for telephones and small boards; exact, or rounded to 8 bits on representative images."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.errors import InputError
from zoo.export.converted import convert, input_signature, runtime
from zoo.export.exportable import exportable
from zoo.export.variants import plain_settings
from zoo.export.verification import Outputs
from zoo.model import ZooModel

FILE = "model.tflite"


@plain_settings()
def litert(
    model: ZooModel | str,
    output_dir: str | os.PathLike[str],
    *,
    version: int | None = None,
    representative: Iterable[Any] | None = None,
    allow_random: bool = False,
) -> Path:
    """Write `<output_dir>/<name>-litert/<version>/model.tflite`, run it with the LiteRT interpreter and compare.

    It takes one image at a time, float32 raw pixels from 0 to 255, of the size that the checkpoint was evaluated at;
    where that is any size, of any size (`resize_tensor_input`).

    Args:
        model: A model from `zoo.load`, or a handle for it.
        output_dir: Where models lie.
        version: A number from 1; None for the next.
        representative: Images such as the model will see (paths, PIL images, arrays; a hundred are enough), prepared
            by `model.preprocess`: the model then computes in 8 bits, with the ranges that occur on them.
        allow_random: Export a model that has random weights too.

    Returns:
        The folder of the version; `export.json` in it states how far the outputs differ from the Keras model's.

    Raises:
        ExportError: As `saved_model`, or LiteRT has not every operation of the model; the message names the layer.
        MissingExtraError: The runtime is not installed: `layerzoo[litert]`.
        AccessError, InputError: As `saved_model`.
    """
    runtime("ai_edge_litert.interpreter", "litert")
    model = exportable(model, allow_random=allow_random)
    images = None if representative is None else [model.preprocess(image) for image in representative]
    if images == []:
        raise InputError("`representative` contains no image. Expected some such as the model will see.")

    def write(model: ZooModel, folder: Path) -> None:
        options: dict[str, Any] = {"target_spec": {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}}
        if images is not None:
            options = {
                "optimizations": [tf.lite.Optimize.DEFAULT],
                "representative_dataset": lambda: ([image[None].astype("float32")] for image in images),
                "target_spec": {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]},
            }
        signature = input_signature(model, 1, model.spec.input.size)
        model.export(str(folder / FILE), format="litert", input_signature=signature, verbose=False, **options)

    return convert(
        model,
        output_dir,
        "litert",
        write=write,
        runners={"float32" if images is None else "int8": run},
        exact=images is None,
        version=version,
        allow_random=allow_random,
    )


def opened(folder: Path) -> Callable[[np.ndarray], Outputs]:
    """The network in the LiteRT interpreter: from float32 inputs, one after another, to its outputs."""
    interpreter = runtime("ai_edge_litert.interpreter", "litert").Interpreter(str(folder / FILE))
    position = interpreter.get_input_details()[0]["index"]
    last = interpreter.get_output_details()[0]["index"]

    def answer(inputs: np.ndarray) -> Outputs:
        interpreter.resize_tensor_input(position, (1, *inputs.shape[1:]))
        interpreter.allocate_tensors()
        outputs = []
        for image in inputs:
            interpreter.set_tensor(position, image[None])
            interpreter.invoke()
            outputs.append(interpreter.get_tensor(last)[0])
        return {"output": np.stack(outputs)}

    return answer


def run(folder: Path, inputs: np.ndarray) -> Outputs:
    """The network's outputs in the LiteRT interpreter."""
    return opened(folder)(inputs.astype("float32"))
