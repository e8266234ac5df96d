"""Exports: model cards, SavedModels that serve and fine-tune, LiteRT, ONNX and OpenVINO.

Nothing here changes a model: every export is compared with it before it appears.

    zoo.export.saved_model("resnet50", "served")  # served/resnet50/1
    zoo.export.litert("espcn-x2", "phone")
    zoo.predict("served/resnet50/1", "photo.jpg")  # in its own runtime; zoo.evaluate takes it too
    zoo.export.timm("runs/mine", "mine-timm")  # timm.create_model("local-dir:mine-timm") in PyTorch
    print(zoo.export.model_card("espcn-x2"))

No module here is named as a function: importing it would put the module in the function's place.
"""

import importlib
from typing import TYPE_CHECKING, Any

from zoo.backend import check_backend

if TYPE_CHECKING:
    from zoo.export.card import model_card
    from zoo.export.opened import load
    from zoo.export.to_int8 import int8
    from zoo.export.to_litert import litert
    from zoo.export.to_onnx import onnx
    from zoo.export.to_openvino import openvino
    from zoo.export.to_saved_model import saved_model
    from zoo.export.to_timm import timm
    from zoo.export.verification import verify

__all__ = ["int8", "litert", "load", "model_card", "onnx", "openvino", "saved_model", "timm", "verify"]

_HOMES = {
    "int8": "zoo.export.to_int8",
    "litert": "zoo.export.to_litert",
    "load": "zoo.export.opened",
    "model_card": "zoo.export.card",
    "onnx": "zoo.export.to_onnx",
    "openvino": "zoo.export.to_openvino",
    "saved_model": "zoo.export.to_saved_model",
    "timm": "zoo.export.to_timm",
    "verify": "zoo.export.verification",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'zoo.export' has no attribute {name!r}")
    if name != "model_card":
        check_backend()
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
