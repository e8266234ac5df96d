"""transformers' `config.json` of `UperNetForSemanticSegmentation`, where its backbone is a ConvNeXt."""

import reprlib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from zoo.catalogue.bounds import Classes
from zoo.catalogue.entry import Entry
from zoo.catalogue.licensing import UNKNOWN
from zoo.catalogue.registry import registry
from zoo.catalogue.timm_config import names_of
from zoo.errors import UnknownModelError

_Widths = Annotated[list[Annotated[int, Field(gt=0, le=8192)]], Field(min_length=4, max_length=4)]


class _Backbone(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, defer_build=True)

    depths: _Widths = [3, 3, 9, 3]
    hidden_sizes: _Widths = [96, 192, 384, 768]
    patch_size: Literal[4] = 4
    num_channels: Literal[3] = 3
    hidden_act: Literal["gelu"] = "gelu"
    out_features: Annotated[list[str], Field(min_length=4, max_length=4)] = ["stage1", "stage2", "stage3", "stage4"]


class _Config(BaseModel):
    """What is read. A key that is missing has transformers' own default."""

    model_config = ConfigDict(extra="ignore", strict=True, defer_build=True)

    backbone_config: _Backbone
    hidden_size: Annotated[int, Field(gt=0, le=8192)] = 512
    pool_scales: Annotated[list[Annotated[int, Field(gt=0, le=64)]], Field(max_length=8)] = [1, 2, 3, 6]
    num_labels: Classes | None = None
    id2label: Annotated[list[str], BeforeValidator(names_of)] | None = None


def upernet_entry(content: dict[str, Any], what: str) -> Entry:
    """The entry that `config.json` describes; messages name it as `what`.

    Raises:
        UnknownModelError: The backbone is not a ConvNeXt.
        pydantic.ValidationError: A value is not what it should be.
    """
    backbone = content.get("backbone_config")
    kind = backbone.get("model_type") if isinstance(backbone, dict) else content.get("backbone")
    if kind != "convnext":
        raise UnknownModelError(
            f"{what} describes an UperNet on {reprlib.repr(kind)}. Expected one on a ConvNeXt (model_type 'convnext'); "
            "other backbones of transformers cannot be built here."
        )
    config = _Config.model_validate({key: value for key, value in content.items() if value is not None})
    names = config.id2label or []
    is_placeholder = names == [f"LABEL_{index}" for index in range(len(names))]
    labels = None if is_placeholder else tuple(names)
    sizes = {"depths": config.backbone_config.depths, "filters": config.backbone_config.hidden_sizes}
    decoder = {"filters": config.hidden_size, "grids": config.pool_scales, "align_corners": False}
    facts = {
        "name": "upernet-convnext",
        "architecture": "upernet-convnext",
        "tag": None,
        "source": None,
        "revision": None,
        "sha256": None,
        "filename": "model.safetensors",
        "config": sizes,
        "decoder_config": decoder,
        "license": UNKNOWN,
        "labels": labels,
        "num_classes": len(names) or config.num_labels,
        "parameters_millions": None,
    }
    return Entry.model_validate(registry().find("upernet_convnext_tiny").model_dump() | facts)
