"""Eight bits with a promise: the file is measured on photographs of one's own, and written only if it is kept.

Networks that lose too much are repaired: the layers that eight bits hurt most stay in float32, ever more of them, until
the promise is kept; in OpenVINO NNCF finds these layers.
"""

import functools
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import zoo
from zoo.catalogue.handles import path_of
from zoo.datasets.folders import image_files_below
from zoo.errors import ExportError, InputError
from zoo.export import litert_int8, onnx_int8, openvino_int8, to_litert, to_onnx, to_openvino
from zoo.export.card_facts import card_name
from zoo.export.converted import convert, runtime
from zoo.export.exportable import exportable, takes_images, takes_mask
from zoo.export.opened import ExportedModel
from zoo.export.record import digest
from zoo.export.variants import plain_settings
from zoo.export.versions import check_version, free_place, new_version
from zoo.model import ZooModel

# What writes them, looked for before minutes of measuring.
FORMATS = {"litert": "ai_edge_litert.interpreter", "onnx": "onnxruntime.quantization", "openvino": "nncf"}
RUNNERS = {"litert": to_litert.run, "onnx": to_onnx.run, "openvino": to_openvino.run}
MOST_IMAGES = 200  # to calibrate with: more do not change the ranges
SHARES = (0, 1 / 16, 1 / 8, 1 / 4, 1 / 2)  # of the layers that stay in float32, tried one after another


@plain_settings()
def int8(
    model: ZooModel | str,
    output_dir: str | os.PathLike[str],
    *,
    format: str,
    calibrate: str | os.PathLike[str],
    validate: str | os.PathLike[str],
    max_drop: float = 1.0,
    version: int | None = None,
    allow_random: bool = False,
) -> Path:
    """Write a model that computes in 8 bits, if it is as good as promised on photographs of your own.

    Args:
        model: A classifier from `zoo.load`, or a handle for it.
        output_dir: Where models lie.
        format: `"litert"`, `"onnx"` or `"openvino"`.
        calibrate: A folder of images such as the model will see; of up to 200 of them the ranges are taken.
        validate: What `zoo.evaluate` takes: a folder of photographs, one folder per class. Other ones than those to
            calibrate with.
        max_drop: How much the metric may fall, in points: the first that `zoo.evaluate` gives, such as `top1_percent`.
        version: A number from 1; None for the next.
        allow_random: Export a model that has random weights too.

    Returns:
        The folder of the version. `export.json` in it has `promise`: the metric of the model and of this file, the
        largest drop that was allowed, the number of images, and the layers that stayed in float32.

    Raises:
        ExportError: The file would be worse than promised; says by how much, and what was tried. Otherwise as
            `litert`, `onnx` and `openvino`.
        InputError: There are no images, or the metric is not one that falls.
        MissingExtraError: The runtime is not installed: `layerzoo[litert]`, `layerzoo[onnx]` or `layerzoo[openvino]`.

    Example:
        >>> import zoo.export
        >>> options = {"format": "litert", "calibrate": "photos", "validate": "my_photos"}
        >>> zoo.export.int8("runs/mine", "phone", **options).name  # doctest: +SKIP
        '1'
    """
    check_version(version)
    if format not in FORMATS:
        raise InputError(f"format={format!r} is not written in 8 bits. Expected one of {', '.join(FORMATS)}.")
    if isinstance(max_drop, bool) or not isinstance(max_drop, int | float) or not 0 <= max_drop <= 100:
        raise InputError(f"max_drop={max_drop!r}. Expected points of the metric, from 0 to 100.")
    runtime(FORMATS[format], format)
    model = exportable(model, allow_random=allow_random)
    if not takes_images(model):
        what = "an image and a mask" if takes_mask(model) else "no images"
        raise ExportError(f"{model.spec.name} takes {what}. Expected a model of images alone.")
    name = f"{card_name(model.spec)}-{format}"
    free_place(output_dir, name, version)  # before minutes of measuring
    images = _images(path_of(calibrate))
    metric, expected, count = _measured(model, validate)
    least = expected - max_drop
    tried = []

    def metric_of(export: ExportedModel) -> float:
        return _measured(export, validate)[1]

    with tempfile.TemporaryDirectory(prefix="zoo-int8-") as place:
        candidates = _candidates(model, Path(place) / "float32", format, images, metric_of, least)
        for number, (kept, write) in enumerate(candidates):
            folder = convert(
                model,
                Path(place) / f"{number}",
                format,
                write=write,
                runners={"int8": RUNNERS[format]},
                exact=False,
                version=1,
                allow_random=allow_random,
            )
            _, found, _ = _measured(folder, validate)
            tried.append(f"{found:g} with {len(kept)} layers in float32" if kept else f"{found:g} all in 8 bits")
            if found < least:
                continue
            promise = {"metric": metric, "float32": expected, "int8": found, "max_drop": max_drop, "images": count}
            promise |= {"calibration_images": len(images), "layers_in_float32": kept}
            with new_version(output_dir, name, version) as new:
                _publish(folder, new.folder, promise)
            return new.path
    raise ExportError(
        f"{model.spec.name} falls by more than {max_drop:g} points of {metric} in 8 bits: {expected:g} in float32, "
        f"{', '.join(tried)}, on {count} examples. It is not kept; allow a larger drop, or export it in float32."
    )


def _candidates(
    model: ZooModel,
    place: Path,
    format: str,
    images: list[Path],
    metric: Callable[[ExportedModel], float],
    least: float,
) -> Iterator[tuple[list[str], Callable[[ZooModel, Path], None]]]:
    """What writes a file in 8 bits, the one with most of them first, each with the layers that stay in float32."""
    prepared = [model.preprocess(image) for image in images]
    if format == "openvino":
        found = openvino_int8.candidates(model, place, prepared, metric=metric, least=least)
        yield from ((_layers(model, operations), write) for operations, write in found)
        return
    library = litert_int8 if format == "litert" else onnx_int8
    calibrated = library.Calibrated(model, place, prepared)
    order: list[str] = []
    done = -1
    for share in SHARES:
        if share and not order:
            order = calibrated.sensitive_layers()
        if (size := round(share * len(order))) > done:
            done = size
            kept = order[:size]
            yield _layers(model, kept), functools.partial(calibrated.write, kept)


def _layers(model: ZooModel, operations: Iterable[str]) -> list[str]:
    """The layers of operations, which converters name after all layers that became one: that with most weights."""
    found = []
    for operation in operations:
        words = {re.sub(r"(_\d+)+$", "", word) for word in re.split(r"[/;:]", operation)}
        found += sorted((one for one in model.layers if one.name in words), key=lambda one: -one.count_params())[:1]
    return list(dict.fromkeys(layer.name for layer in found))


def _measured(model: ZooModel | ExportedModel | Path, data: Any) -> tuple[str, float, int]:
    """The first metric of `zoo.evaluate`, and of how many examples."""
    record = zoo.evaluate(model, data)
    numbers = {name: value for name, value in record.items() if isinstance(value, int | float) and name != "count"}
    name = next(iter(numbers), "")
    if not name.endswith(("_percent", "_db")):
        raise InputError(
            f"{name or 'Nothing'} is measured of {record['model']}. Expected a metric that falls, in percent."
        )
    return name, numbers[name], record["count"]


def _images(folder: Path) -> list[Path]:
    """Images from the whole folder, evenly."""
    found, _ = image_files_below(folder)
    if not found:
        raise InputError(f"{folder} contains no images. Expected a folder of some such as the model will see.")
    return found[:: -(-len(found) // MOST_IMAGES)]


def _publish(folder: Path, target: Path, promise: dict[str, Any]) -> None:
    """Copy a candidate, with the promise that it keeps in its record and on its card."""
    for path in folder.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    card, record = target / "README.md", target / "export.json"
    found, expected = (f"{promise[name]:g}" for name in ("int8", "float32"))
    text = (
        f"{card.read_text('utf-8').rstrip()}\n\n## Eight bits\n\nOn {promise['images']} examples of its maker's, "
        f"{promise['metric']} is {found} in this file and {expected} in float32; it was allowed to fall by "
        f"{promise['max_drop']:g}. {len(promise['layers_in_float32'])} layers compute in float32.\n"
    )
    card.write_text(text, encoding="utf-8")
    facts = json.loads(record.read_text("utf-8"))
    facts |= {"promise": promise, "files": {**facts["files"], card.name: digest(card)}}
    record.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
