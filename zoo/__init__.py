"""layerzoo: a model zoo of pretrained convolutional networks for Keras 3.

    import zoo

    model = zoo.load("resnetblur50.bt_in1k")
    zoo.predict(model, "photo.jpg")

TensorFlow is imported by the first call that builds a model, not by `import zoo`.
The modules beside this file are the verbs, one each, and what they all need; everything else has a folder of its own.
"""

import importlib
from typing import TYPE_CHECKING, Any

from zoo.backend import check_backend
from zoo.errors import (
    AccessError,
    ExportError,
    InputError,
    IntegrityError,
    MissingExtraError,
    OfflineError,
    PublishError,
    RegistryError,
    UnknownModelError,
    UnreadableError,
    WeightsMismatchError,
    ZooError,
)

if TYPE_CHECKING:
    from zoo.batch import predict_files
    from zoo.bundles import bundle
    from zoo.catalogue.entry import Entry
    from zoo.catalogue.listing import list_models
    from zoo.catalogue.resolving import info
    from zoo.choosing import Choice, choose
    from zoo.evaluation import evaluate
    from zoo.explanation import explain
    from zoo.finetuning import Run, finetune
    from zoo.loading import load
    from zoo.prediction import predict
    from zoo.publishing import Published, publish
    from zoo.saving import save

__version__ = "0.1.0"

__all__ = [
    "AccessError",
    "Choice",
    "Entry",
    "ExportError",
    "InputError",
    "IntegrityError",
    "MissingExtraError",
    "OfflineError",
    "PublishError",
    "Published",
    "RegistryError",
    "Run",
    "UnknownModelError",
    "UnreadableError",
    "WeightsMismatchError",
    "ZooError",
    "bundle",
    "choose",
    "evaluate",
    "explain",
    "finetune",
    "info",
    "list_models",
    "load",
    "predict",
    "predict_files",
    "publish",
    "save",
]

_HOMES = {
    "Choice": "zoo.choosing",
    "Entry": "zoo.catalogue.registry",
    "Published": "zoo.publishing",
    "Run": "zoo.finetuning",
    "bundle": "zoo.bundles",
    "choose": "zoo.choosing",
    "evaluate": "zoo.evaluation",
    "explain": "zoo.explanation",
    "finetune": "zoo.finetuning",
    "info": "zoo.catalogue.resolving",
    "list_models": "zoo.catalogue.listing",
    "load": "zoo.loading",
    "predict": "zoo.prediction",
    "predict_files": "zoo.batch",
    "publish": "zoo.publishing",
    "save": "zoo.saving",
}

_WITHOUT_KERAS = ("zoo.catalogue.registry", "zoo.catalogue.resolving")


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    if _HOMES[name] not in _WITHOUT_KERAS:
        check_backend()
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
