"""The section of a card on how to use the export that it is beside: what goes in, what comes out, and a snippet."""

import re
from collections.abc import Iterable
from typing import Any

from zoo.catalogue.entry import Entry
from zoo.export.answers import ANSWERS
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
    import_line, run = _RUNTIMES[name]
    rows = [
        ("in", "float32", _shape(model.input_shape), "see *Input and output*; float32 only"),
        ("out", "float32", _shape(model.output_shape), "what the network gives, see *Input and output*"),
    ]
    if "explanation" in reference:
        shape = _shape((None,) * 3)
        rows.append(("out", "float32", shape, "where the model sees its best class: 0 to 1, on its last map"))
        run = run.replace("(output,)", "output, explanation")
    snippet = (
        f"import numpy as np\n{import_line}\n\n"
        'inputs = np.load("verification.npz")["inputs"].astype("float32")  # of the right shape\n'
        f"{run}\nprint(output.shape)"
    )
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
