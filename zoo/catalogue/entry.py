"""What is known about a model before it is built: frozen records that refuse what they do not know.

An `Entry` is one architecture with one checkpoint: what the registry, a `zoo.json` and a timm repository all become.
"""

import fnmatch
import reprlib
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from zoo.catalogue.bounds import (
    MOST_CHANNELS,
    MOST_CLASSES,
    Address,
    Builder,
    Classes,
    Config,
    Crop,
    Deviation,
    Filename,
    Finite,
    Labels,
    Line,
    Mean,
    Metrics,
    Name,
    Patterns,
    Scale,
    Side,
    Strides,
    Word,
)
from zoo.catalogue.decoder_names import DecoderName
from zoo.catalogue.source import Source
from zoo.catalogue.task_names import PROBLEM_TYPES, ProblemType, TaskName
from zoo.labels import read_labels
from zoo.printing import as_text, parameters_text

Format = Literal[
    "zoo", "timm", "pytorch", "medicalnet", "smp", "torchvision", "torchvision_detection", "upernet", "effdet"
]
DECODER_PREFIXES = ("decoder-", "segmentation_head-")  # of the names of a decoder's layers, and of no encoder's


class Record(BaseModel):
    """A frozen record that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Input(Record):
    """How an image becomes the model's input.

    `size` is the side in pixels of the square that the model was evaluated at; without it images keep their size.
    `crop` is the share of the resized image that is kept, `mean` and `std` are in units of [0, 1], one per channel.
    Detectors see the whole image: `"letterbox"` makes its longer side as long as the square's, with grey right of it or
    below, or with `mean` where that is the `fill`; `"shortest"` its shorter side, or less where the longer one would be
    longer than `longest`. `antialias` is whether a smaller image is averaged, or sampled as PyTorch's `interpolate`
    does. `channels` is the order of colours.
    """

    size: Side | None = None
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    crop: Crop = 1.0
    crop_mode: Literal["center", "squash", "border", "letterbox", "shortest"] = "center"
    longest: Side | None = None
    fill: Literal["grey", "mean"] = "grey"
    antialias: bool = True
    channels: Literal["rgb", "bgr"] = "rgb"
    mean: tuple[Mean, ...] = Field((0.0, 0.0, 0.0), min_length=1, max_length=MOST_CHANNELS)
    std: tuple[Deviation, ...] = Field((1.0, 1.0, 1.0), min_length=1, max_length=MOST_CHANNELS)

    @model_validator(mode="after")
    def _fit(self) -> "Input":
        if len(self.mean) != len(self.std):
            raise PydanticCustomError("description", "mean and std should have a number per channel each")
        return self


class Measured(Record):
    """Where the metrics come from: the data they were measured on, and who says so."""

    dataset: Line
    source: Line


class Quantity(Record):
    """One output of a regression, in `unit`: what the head gives, times `std`, plus `mean`, those of the targets that
    it was trained on. So a head learns years and grams at the same rate."""

    unit: Line = ""
    mean: Finite = 0.0
    std: Scale = 1.0


class Checkpoint(Record):
    """One file of weights: where it is, the input it was evaluated at, and its metrics.

    `source` is `embedded` (shipped in `zoo/checkpoints/`, or in that folder of the package that has the registry) or
    `hf://owner/repo`, where `{architecture}` and `{tag}`
    stand for themselves; without it there are no pretrained weights. `revision` is a commit and `sha256` the file's
    hash: where they are missing, the first download records them. `labels` names a list in `zoo/labels/` or is the list
    itself. `task` stands here where it is not the family's. `optional` tensors (patterns) may be missing in the file:
    as in the reference, the network then keeps the constants that it starts with. `random_layers` (patterns) are those
    that a file of the trunk alone does not hold: they begin with random values, and the loaded model's `random` says
    so. `evaluated_with` are changes of the network's `config` that belong to the published file alone, and not to
    others of the architecture.
    """

    source: Source | None = None
    revision: Line | None = None
    filename: Filename = "model.safetensors"
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    format: Format
    task: TaskName | None = None
    optional: Patterns = ()
    random_layers: Patterns = ()
    license: Line
    input: Input
    labels: Labels = None
    num_classes: Classes | None = None
    evaluated_with: Config = {}
    parameters_millions: float | None = Field(None, gt=0, le=1e6)
    metrics: Metrics = {}
    measured: Measured | None = None


class Base(Record):
    """The model whose weights the training of another one started from."""

    name: Line
    source: Line
    revision: Line | None
    license: Line


class Adapter(Record):
    """That the file has an adapter of `rank` alone, see `zoo/weights/adapters.py`: the rest of the weights are those of
    `base`, a name of the registry or `hf://owner/repo`, at this revision, in a file with this hash."""

    rank: int = Field(gt=0)
    base: Line
    revision: Line | None = None
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Entry(Checkpoint):
    """One architecture with one checkpoint: all that is known about a model before it is built.

    `builder` is `module.function` below `zoo.architectures`, or `package.module:function` of the package that has the
    registry (`zoo/catalogue/registries.py`), called with `config`. `classifier` names the layer
    that scores, `head` (patterns) all layers that follow the number of classes, where there are more. `unused` are
    the tensors of the file (as patterns) that the architecture knows and does not use. `random` says which weights
    are random, on purpose: none, the new head that `num_classes` asked for, or all; `initial_weights` contains
    their fingerprints by variable (`zoo/weights/untrained.py`); files of before 0.1.0 call it `drawn`. `features` says
    that the model gives its feature pyramid, or which strides of it. `base` is the model with whose weights this one
    began, where it was saved or published. `decoder` is a file of `zoo/architectures/decoders/`, called with
    `decoder_config` and the pyramid of what `builder` builds, the encoder. `quantities` are the outputs of a
    regression, whose names are `labels`. `adapter` says that the file is one of LoRA, over another model's weights.

    Example:
        >>> import zoo
        >>> entry = zoo.info("resnet50")
        >>> entry.task, entry.license, entry.input.size, entry.num_classes
        ('image-classification', 'apache-2.0', 224, 1000)
    """

    name: Name
    architecture: Word
    tag: Word | None
    builder: Builder
    config: Config = {}
    decoder: DecoderName | None = None
    decoder_config: Config = {}
    task: TaskName
    paper: Address
    classifier: Line | None = None
    head: Patterns = ()
    unused: Patterns = ()
    random: Literal["none", "head", "all"] = "none"
    initial_weights: dict[Line, Word] = Field(
        {}, max_length=100_000, validation_alias=AliasChoices("initial_weights", "drawn")
    )
    features: bool | Strides = False
    base: Base | None = None
    adapter: Adapter | None = None
    quantities: tuple[Quantity, ...] = Field((), max_length=MOST_CLASSES)

    @model_validator(mode="after")
    def _fit(self) -> "Entry":
        names = read_labels(self.labels)
        if names is not None and self.num_classes not in (None, len(names)):
            raise PydanticCustomError(
                "description",
                "labels should be as many as the {classes} classes of num_classes, and are {names}",
                {"classes": self.num_classes, "names": len(names)},
            )
        if self.quantities and (self.task != "image-regression" or len(self.quantities) != self.num_classes):
            raise PydanticCustomError("description", "quantities should be one per output of an image-regression")
        return self

    def __str__(self) -> str:
        """The facts that are stated, a line each, long ones shortened; `repr` has all."""
        facts = self.model_dump(mode="json", exclude_defaults=True)
        facts["parameters_millions"] = parameters_text(self.parameters_millions)
        return "\n".join(
            as_text(f"{name.removesuffix('_millions')}: {value if isinstance(value, str) else _shortened(value)}")
            for name, value in facts.items()
            if value not in (None, "")
        )

    @property
    def problem_type(self) -> ProblemType | None:
        """What transformers calls the task of a head on an image; None for other tasks."""
        return next((name for name, task in PROBLEM_TYPES.items() if task == self.task), None)

    @property
    def pretrained(self) -> bool:
        """Whether there are weights to load."""
        return self.source is not None

    @property
    def where(self) -> Source:
        """Its source, the empty one where there is none."""
        return Source(self.source or "")

    @property
    def is_embedded(self) -> bool:
        """Whether the weights are part of the package."""
        return self.where.is_embedded

    @property
    def is_on_hub(self) -> bool:
        """Whether the weights are in a repository on a hub."""
        return self.where.is_hub

    @property
    def repo_id(self) -> str:
        """The repository of the weights, `owner/name`; empty where they are on no hub."""
        return self.where.repo_id

    @property
    def head_layers(self) -> tuple[str, ...]:
        """Patterns of the layers that another number of classes makes new."""
        return self.head or ((self.classifier,) if self.classifier else ())

    def in_head(self, layer: str) -> bool:
        """Whether the layer of this name belongs to the head."""
        return any(fnmatch.fnmatchcase(layer, pattern) for pattern in self.head_layers)

    def in_backbone(self, layer: str) -> bool:
        """Whether the layer of this name belongs to neither the head nor the decoder."""
        return not self.in_head(layer) and not (self.decoder and layer.startswith(DECODER_PREFIXES))


def _shortened(value: Any) -> str:
    short = reprlib.Repr()
    short.maxdict = short.maxlist = 10
    return short.repr(value)
