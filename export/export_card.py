"""The section of a card on how to use the export that it is beside: what goes in, what comes out, and a snippet."""

import re
from collections.abc import Iterable
from typing import Any

from zoo.catalogue.entry import Entry
from zoo.export.answers import ANSWERS
from zoo.export.exportable import takes_mask
from zoo.model import ZooModel

_SIGNATURES = {
    "serving_default": "gives what `zoo.predict` returns",
    "serving_uint8": "gives the same for uint8",
    "encoded": "gives the same for whole JPEG or PNG files, prepared as `model.preprocess` does",
    "features": "gives what goes into the head of the network",
    "explain": "gives what the network looks at, as `zoo.explain`",
}
_EXPLAINED = {
    "map": "what speaks for it at each pixel, 0 to 1; of a segmentation the confidence",
    "index": "the best class, or the first quantity: a line of labels.txt, from 0",
    "label": "that line",
}
_RUNTIMES = {
    "onnx": (
        "import onnxruntime",
        'session = onnxruntime.InferenceSession("model.onnx")\n'
        "(output,) = session.run(None, {session.get_inputs()[0].name: inputs})",
    ),
    "openvino": ("import openvino", 'output = openvino.Core().compile_model("model.xml", "CPU")(inputs)[0]'),
    "litert": (
        "from ai_edge_litert.interpreter import Interpreter",
        'interpreter = Interpreter("model.tflite")\n'
        'place, result = (details()[0]["index"] for details in (interpreter.get_input_details, '
        "interpreter.get_output_details))\n"
        "interpreter.resize_tensor_input(place, (1, *inputs.shape[1:]))  # one at a time\n"
        "interpreter.allocate_tensors()\n"
        "interpreter.set_tensor(place, inputs[:1])\n"
        "interpreter.invoke()\n"
        "output = interpreter.get_tensor(result)",
    ),
}

_STORED = 'inputs = np.load("verification.npz")["inputs"].astype("float32")  # of the right shape'
_NAMES = 'with open("labels.txt", encoding="utf-8") as file:\n    names = file.read().splitlines()\n'
_BEST = 'for place in np.argsort(-scores)[:5]:\n    print(f"{scores[place]:.2%} {names[place]}")'
_PHOTOGRAPHS = {  # what is done with the output for one photograph, by the tasks that can show it in a few lines
    "image-classification": (f"scores = np.exp(output[0] - output[0].max())\nscores /= scores.sum()\n{_NAMES}{_BEST}"),
    "multi-label-classification": f"scores = 1 / (1 + np.exp(-output[0]))\n{_NAMES}{_BEST}",
    "semantic-segmentation": (
        "classes = output[0].argmax(-1)  # of each pixel\n"
        f'{_NAMES}for place in np.unique(classes):\n    print(f"{{(classes == place).mean():.2%}} {{names[place]}}")'
    ),
}

_NAMED_RUNTIMES = {  # of several outputs, in the order of their names
    "onnx": (
        "import onnxruntime",
        'session = onnxruntime.InferenceSession("model.onnx")\n'
        "boxes, classes, count, scores = session.run(None, {session.get_inputs()[0].name: inputs})",
    ),
    "openvino": (
        "import openvino",
        'outputs = openvino.Core().compile_model("model.xml", "CPU")(inputs)\n'
        "boxes, classes, count, scores = (outputs[place] for place in range(4))",
    ),
    "litert": (
        "from ai_edge_litert.interpreter import Interpreter",
        'runner = Interpreter("model.tflite").get_signature_runner()\n'
        "(name,) = runner.get_input_details()\n"
        "outputs = runner(**{name: inputs[:1]})  # one at a time\n"
        'boxes, count = outputs["boxes"], outputs["count"]',
    ),
}


_MASKED_RUNTIMES = {  # of an image and a mask
    "onnx": (
        "import onnxruntime",
        '(output,) = onnxruntime.InferenceSession("model.onnx").run(None, inputs)',
    ),
    "openvino": _RUNTIMES["openvino"],
    "litert": (
        "from ai_edge_litert.interpreter import Interpreter",
        'runner = Interpreter("model.tflite").get_signature_runner()\n'
        "(output,) = runner(**{name: array[:1] for name, array in inputs.items()}).values()  # one at a time",
    ),
}
_STORED_BOTH = (
    'stored = np.load("verification.npz")  # of the right shape\n'
    'inputs = {name: stored[f"inputs_{name}"].astype("float32") for name in ("image", "mask")}'
)

_BOTH = (  # of a file that has two outputs in any order
    "output = interpreter.get_tensor(result)",
    'outputs = [interpreter.get_tensor(one["index"]) for one in interpreter.get_output_details()]\n'
    "output, explanation = sorted(outputs, key=lambda one: one.ndim == 3)",
)


def with_section(card: str, section: str) -> str:
    """The card of the model, its section on use replaced: that one would load the model, not this export."""
    section = f"## Use of this export\n\n{section}\n\n"
    replaced, count = re.subn(r"^## Use\n.*?(?=^## )", lambda _: section, card, flags=re.MULTILINE | re.DOTALL)
    return replaced if count else f"{card.rstrip()}\n\n{section}"


def saved_model_section(entry: Entry, signatures: dict[str, Any]) -> str:
    """Each signature of a SavedModel with its tensors, and a snippet that calls one."""
    rows = []
    for name, signature in signatures.items():
        inputs = signature.structured_input_signature[1]
        for way, tensors in (("in", inputs), ("out", signature.structured_outputs)):
            for tensor, spec in tensors.items():
                meaning = _meaning(entry, name, way, tensor)
                rows.append((f"`{name}`", way, f"`{tensor}`", spec.dtype.name, _shape(spec.shape), meaning))
    default = signatures["serving_default"].structured_input_signature[1]
    names = list(default)
    stored = {name: "inputs" if len(names) == 1 else f"inputs_{name}" for name in names}
    arguments = ", ".join(f'{name}=tf.constant(stored["{key}"], tf.float32)' for name, key in stored.items())
    snippet = (
        "import numpy as np\nimport tensorflow as tf\n\n"
        'signatures = tf.saved_model.load(".").signatures\n'
        'stored = np.load("assets.extra/verification.npz")  # inputs of the right shape\n'
        f'outputs = signatures["serving_default"]({arguments})\n'
        "for name, value in outputs.items():\n    print(name, value.dtype.name, value.shape)"
    )
    table = _table(("signature", "", "tensor", "dtype", "shape", "what it is"), rows)
    purposes = "\n".join(f"- `{name}` {_SIGNATURES[name]}." for name in signatures)
    call = "Called without a signature it gives the network's own outputs, which *Input and output* describes."
    return f"{purposes}\n\n{table}\n\n{call} In the folder of this version:\n\n```python\n{snippet}\n```"


def converted_section(model: ZooModel, name: str, reference: dict[str, Any]) -> str:
    """What the file of another format takes and gives, such as `reference`, and a snippet that runs it."""
    import_line, run = (_MASKED_RUNTIMES if takes_mask(model) else _RUNTIMES)[name]
    see = "see *Input and output*; float32 only"
    rows: list[tuple[str, ...]] = [("in", "float32", _shape(model.input_shape), see)] if not takes_mask(model) else []
    if takes_mask(model):
        rows += [(f"in, `{key}`", "float32", _shape(value.shape), see) for key, value in model.input.items()]
    what = "what the network gives, see *Input and output*"
    if isinstance(model.output, dict):
        return _of_several(model, name, rows, what)
    rows.append(("out", "float32", _shape(model.output_shape), what))
    if "explanation" in reference:
        shape = _shape((None,) * 3)
        rows.append(("out", "float32", shape, "where the model sees its best class: 0 to 1, on its last map"))
        run = run.replace("(output,)", "output, explanation").replace(*_BOTH)
    photograph = None if takes_mask(model) else _photograph(model)
    if photograph is None:
        before = f"import numpy as np\n{import_line}\n\n{_STORED_BOTH if takes_mask(model) else _STORED}"
        after = "print(output.shape)"
    else:
        imports = ["import numpy as np", import_line, "from PIL import Image, ImageOps"]
        before = "{}\n\n{}".format("\n".join(imports), photograph)
        after = _PHOTOGRAPHS[model.spec.task]
    table = _table(("", "dtype", "shape", "what it is"), rows)
    text = "In the folder of this version" + ("" if photograph is None else ", with a photograph of yours")
    return f"{table}\n\n{text}:\n\n```python\n{before}\n{run}\n{after}\n```"


def _photograph(model: ZooModel) -> str | None:
    """The lines that prepare a photograph as `model.preprocess` does, with Pillow alone; None where they would be more
    than a few."""
    wanted = model.spec.input
    is_plain = wanted.crop_mode == "center" and wanted.antialias and wanted.channels == "rgb" and len(wanted.mean) == 3
    fits = all(side in (None, wanted.size) for side in model.input_shape[1:3])
    if model.spec.task not in _PHOTOGRAPHS or not (is_plain and fits and model.spec.labels):
        return None
    if model.output_shape[-1] == 1:  # a logit of a class or none
        return None
    lines = ['photo = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")']
    if wanted.size is not None:
        method, trimmed = f"Image.Resampling.{wanted.interpolation.upper()}", (1 - wanted.crop) / 2
        lines.append(f"photo = ImageOps.fit(photo, ({wanted.size}, {wanted.size}), {method}, bleed={trimmed:.4g})")
    return "\n".join([*lines, 'inputs = np.asarray(photo, "float32")[None]'])


def _of_several(model: ZooModel, name: str, rows: list[tuple[str, ...]], what: str) -> str:
    """`converted_section` of a model whose outputs have names."""
    for key in sorted(model.output):
        dtype = "int32" if str(model.output[key].dtype).startswith("int") else "float32"
        rows.append((f"out, `{key}`", dtype, _shape(model.output[key].shape), what))
    import_line, run = _NAMED_RUNTIMES[name]
    snippet = f"import numpy as np\n{import_line}\n\n{_STORED}\n{run}\nprint(boxes.shape, count)"
    table = _table(("", "dtype", "shape", "what it is"), rows)
    return f"{table}\n\nIn the folder of this version:\n\n```python\n{snippet}\n```"


def _meaning(entry: Entry, signature: str, way: str, tensor: str) -> str:
    if way == "in":
        return "what one file contains, for each" if tensor == "image_bytes" else "see *Input and output*"
    if signature == "features":
        return "what goes into the head"
    if signature == "explain":
        return _EXPLAINED[tensor]
    return ANSWERS[entry.task].meanings.get(tensor, "an output of the network, by its name")


def _shape(shape: Any) -> str:
    """`(batch, any, any, 3)`: the batch may be fixed, and another side may be open."""
    sides = [("batch" if place == 0 else "any") if side is None else str(side) for place, side in enumerate(shape)]
    return f"`({', '.join(sides)}{',' if len(sides) == 1 else ''})`"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
