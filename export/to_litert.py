"""LiteRT (TensorFlow Lite), for telephones and small boards; exact, or rounded to 8 bits on representative images."""

import functools
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.errors import InputError
from zoo.export.converted import check_weight_dtype, convert, fed, input_signature, runtime
from zoo.export.explanations import with_map
from zoo.export.exportable import exportable, takes_mask
from zoo.export.rounded import COUNT, photographs
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
    weight_dtype: str | None = None,
    explain: bool = False,
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
            by `model.preprocess`: the model then computes in 8 bits, with the ranges that occur on them. It is measured
            on 32 of them, and not written where too little of the outputs is left.
        weight_dtype: Store the weights alone as `"float16"`, half the size, or `"int8"`, a quarter; the file is
            measured on photographs, and not written where too little of the outputs is left. Not with
            `representative`.
        explain: Give a second output, `(1, h, w)`: where the model sees its best class, 0 to 1, on its last map; see
            `zoo.explain`. Of a segmentation the confidence. Not with `representative` or `weight_dtype`.
        allow_random: Export a model that has random weights too.

    Returns:
        The folder of the version; `export.json` in it states how far the outputs differ from the Keras model's.

    Raises:
        ExportError: As `saved_model`, or LiteRT has not every operation of the model; the message names the layer. With
            `explain`, the head needs gradients.
        MissingExtraError: The runtime is not installed: `layerzoo[litert]`.
        AccessError, InputError: As `saved_model`.

    Example:
        >>> import tempfile, zoo.export
        >>> path = zoo.export.litert("espcn-x2", tempfile.mkdtemp())
        >>> path.parent.name, (path / "model.tflite").is_file()
        ('espcn-x2-litert', True)
    """
    check_weight_dtype(weight_dtype)
    runtime("ai_edge_litert.interpreter", "litert")
    model = exportable(model, allow_random=allow_random)
    if representative is not None and takes_mask(model):
        raise InputError(f"{model.spec.name} takes an image and a mask. Expected a model of images alone in 8 bits.")
    if sum((explain, representative is not None, weight_dtype is not None)) > 1:
        raise InputError(
            "explain=True, `representative` and `weight_dtype` exclude one another: a map in 8 bits says little. "
            "Expected one of them."
        )
    options: Any = {"version": version, "allow_random": allow_random}
    if representative is not None:
        images = [model.preprocess(image) for image in representative]
        if not images:
            raise InputError("`representative` contains no image. Expected some such as the model will see.")
        return quantized(model, output_dir, images, measure=images[:: -(-len(images) // COUNT)], **options)
    types = {"float16": {"supported_types": [tf.float16]}, "int8": {}}
    target = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    settings: dict[str, Any] = {"target_spec": target}
    if weight_dtype is not None:
        settings = {"optimizations": [tf.lite.Optimize.DEFAULT], "target_spec": target | types[weight_dtype]}
    return convert(
        model,
        output_dir,
        "litert",
        write=functools.partial(_write, settings, explain),
        runners={weight_dtype or "float32": run},
        exact=weight_dtype is None,
        images=None if weight_dtype is None else photographs(model),
        explain=explain,
        **options,
    )


def quantized(
    model: ZooModel,
    output_dir: str | os.PathLike[str],
    images: Sequence[np.ndarray],
    *,
    measure: Sequence[np.ndarray] | None = None,
    version: int | None,
    allow_random: bool,
) -> Path:
    """Write a version that computes in 8 bits, with the ranges that occur on the images.

    Args:
        model: The model.
        output_dir: Where models lie.
        images: Prepared ones.
        measure: Those that it is compared on; None where it is evaluated afterwards.
        version: A number from 1; None for the next.
        allow_random: Export a model that has random weights too.
    """
    settings = {
        "optimizations": [tf.lite.Optimize.DEFAULT],
        "representative_dataset": lambda: ([image[None].astype("float32")] for image in images),
        "target_spec": {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]},
    }
    return convert(
        model,
        output_dir,
        "litert",
        write=functools.partial(_write, settings, False),
        runners={"int8": run},
        exact=False,
        images=measure,
        version=version,
        allow_random=allow_random,
    )


def _write(settings: dict[str, Any], explain: bool, model: ZooModel, folder: Path) -> None:
    signature = input_signature(model, 1, model.spec.input.size)
    network = with_map(model) if explain else model
    network.export(str(folder / FILE), format="litert", input_signature=signature, verbose=False, **settings)


def opened(folder: Path) -> Callable[[Any], Outputs]:
    """The network in the LiteRT interpreter: from float32 inputs, one after another, to its outputs, and their
    explanation where it was exported."""
    interpreter = runtime("ai_edge_litert.interpreter", "litert").Interpreter(str(folder / FILE))
    position = interpreter.get_input_details()[0]["index"]
    details = interpreter.get_output_details()
    maps = [len(one["shape"]) == 3 for one in details]
    if len(interpreter.get_input_details()) > 1 or (len(details) > 1 and (len(details) > 2 or sum(maps) != 1)):
        return _named(interpreter)
    # A network's only output, of any shape; or one and its map, the one with three axes, in any order.
    is_map = maps if len(details) > 1 else [False]
    places = {one["index"]: "explanation" if is_one else "output" for one, is_one in zip(details, is_map, strict=True)}

    def answer(inputs: np.ndarray) -> Outputs:
        inputs = inputs.astype("float32")
        interpreter.resize_tensor_input(position, (1, *inputs.shape[1:]))
        interpreter.allocate_tensors()
        found: dict[str, list[np.ndarray]] = {name: [] for name in places.values()}
        for image in inputs:
            interpreter.set_tensor(position, image[None])
            interpreter.invoke()
            for index, name in places.items():
                found[name].append(interpreter.get_tensor(index)[0])
        return {name: np.stack(values) for name, values in found.items()}

    return answer


def _named(interpreter: Any) -> Callable[[Any], Outputs]:
    """The same, of several inputs or outputs, which the file's signature has names for."""
    runner = interpreter.get_signature_runner()
    taken = list(runner.get_input_details())

    def answer(inputs: Any) -> Outputs:
        arrays = fed(taken, inputs)
        count = len(arrays[taken[0]])
        found = [runner(**{name: array[[place]] for name, array in arrays.items()}) for place in range(count)]
        names = ["output"] if len(found[0]) == 1 else list(found[0])
        return {name: np.concatenate([one[key] for one in found]) for name, key in zip(names, found[0], strict=True)}

    return answer


def run(folder: Path, inputs: Any) -> Outputs:
    """The network's outputs in the LiteRT interpreter."""
    return opened(folder)(inputs)
