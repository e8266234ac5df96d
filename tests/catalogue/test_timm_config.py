"""timm's `config.json` in the layouts in which it is found, and what it can hold that is wrong."""

import json

import pytest

import zoo

# As `timm.models.push_to_hf_hub` writes it, version 1.0.
PRETRAINED = {
    "tag": "a1_in1k",
    "custom_load": False,
    "input_size": [3, 224, 224],
    "fixed_input_size": False,
    "interpolation": "bilinear",
    "crop_pct": 0.95,
    "crop_mode": "squash",
    "mean": [0.5, 0.4, 0.3],
    "std": [0.2, 0.2, 0.1],
    "num_classes": 3,
    "pool_size": [7, 7],
    "first_conv": "conv1",
    "classifier": "fc",
    "license": "mit",
}
OUTER = {"architecture": "resnet18", "num_classes": 3, "num_features": 512, "global_pool": "avg"}
ABC = ("a", "b", "c")


@pytest.fixture
def read(tmp_path):
    def read(content):
        (tmp_path / "config.json").write_text(json.dumps(content))
        return zoo.info(tmp_path)

    return read


def nested(outer=None, pretrained=None, drop=()):
    inner = {key: value for key, value in {**PRETRAINED, **(pretrained or {})}.items() if key not in drop}
    return {**{key: value for key, value in OUTER.items() if key not in drop}, "pretrained_cfg": inner, **(outer or {})}


def flat(**keys):
    return {"architecture": "resnet18", **PRETRAINED, **keys}


@pytest.mark.parametrize(
    "content",
    [
        flat(),
        nested(),
        nested({"model_args": {"num_classes": 3}}),
        nested({"model_args": None}),
        nested({"architectures": ["TimmWrapperForImageClassification"], "model_type": "timm_wrapper"}),
        nested({"model_type": "timm_wrapper", "num_labels": 3}, drop=("num_classes",)),
        nested({"architecture": "resnet18.a1_in1k"}),
        {**flat(), "pretrained_cfg": None},
    ],
)
def test_every_layout_says_the_same(content, read):
    entry = read(content)
    assert (entry.name, entry.architecture, entry.num_classes) == ("resnet18.a1_in1k", "resnet18", 3)
    assert (entry.license, entry.format, entry.source, entry.metrics) == ("mit", "timm", None, {})
    assert entry.input == zoo.info("resnet18").input.model_copy(
        update={
            "size": 224,
            "crop": 0.95,
            "crop_mode": "squash",
            "interpolation": "bilinear",
            "mean": (0.5, 0.4, 0.3),
            "std": (0.2, 0.2, 0.1),
        }
    )
    assert entry.base.name == "resnet18.a1_in1k"


@pytest.mark.parametrize(
    ("content", "labels"),
    [
        (nested({"label_names": list(ABC)}), ABC),
        (nested(pretrained={"label_names": list(ABC)}), ABC),
        (nested({"label_names": list(ABC)}, {"label_names": ["x", "y", "z"]}), ABC),
        (nested({"label_names": {"0": "a", "1": "b", "2": "c"}}), ABC),
        (nested({"label_names": {"2": "c", "0": "a"}}), ("a", "1", "c")),
        (nested({"label_names": [1, 2, 30]}), ("1", "2", "30")),
        (nested({"label_names": {"0": 7, "1": "b", "2": 9}}), ("7", "b", "9")),
        (nested({"label_names": list(ABC), "label_descriptions": {"a": "the first"}}), ABC),
        (nested({"id2label": {"0": "a", "1": "b", "2": "c"}, "label2id": {"a": 0}}), ABC),
        (flat(labels=list(ABC)), ABC),
        (flat(label_names=list(ABC), labels=["x", "y", "z"]), ABC),
        (nested({"label_names": list(ABC)}, drop=("num_classes",)), ABC),
        (nested({"label_names": []}), None),
        (nested({"label_names": None}), None),
        (nested({"num_classes": 1000}), "imagenet-1k"),
        (nested({"num_classes": 1000}, {"tag": "fb_camera"}), None),
        (nested({"num_classes": 0, "label_names": list(ABC)}), None),
        (nested({"architectures": ["TimmWrapperModel"], "label_names": list(ABC)}), None),
    ],
)
def test_the_names_of_the_classes(content, labels, read):
    entry = read(content)
    assert entry.labels == labels
    assert entry.task == ("image-features" if entry.num_classes == 0 else "image-classification")


@pytest.mark.parametrize(
    "keys", [("input_size",), ("interpolation",), ("crop_pct",), ("crop_mode",), ("mean",), ("std",), tuple(PRETRAINED)]
)
@pytest.mark.parametrize("nothing", ["missing", None, "falsy"])
def test_what_is_missing_or_null_is_timms_default(keys, nothing, read):
    default = {
        "size": 224,
        "interpolation": "bicubic",
        "crop": 0.875,
        "crop_mode": "center",
        "mean": (0.485, 0.456, 0.406),
        "std": (0.229, 0.224, 0.225),
    }
    falsy = {"interpolation": "", "crop_mode": "", "crop_pct": 0, "mean": [], "std": []}
    empty = {} if nothing == "missing" else {key: None if nothing is None else falsy.get(key) for key in keys}
    entry = read(nested(pretrained=empty, drop=keys if nothing == "missing" else ()))
    names = {"input_size": "size", "crop_pct": "crop"}
    for key in keys:
        if (name := names.get(key, key)) in default:
            assert getattr(entry.input, name) == default[name]


@pytest.mark.parametrize(
    ("arguments", "pretrained", "mean"),
    [
        ({"in_chans": 1}, {"input_size": [1, 224, 224], "mean": [0.45], "std": [0.2]}, (0.45,)),
        ({"in_chans": 1}, {}, (0.4,)),
        ({"in_chans": 5}, {}, (0.4,) * 5),
        ({}, {"input_size": [4, 224, 224], "mean": 0.5, "std": 0.2}, (0.5,) * 4),
        ({}, {"input_size": [2, 224, 224], "mean": [0.1, 0.2], "std": [1, 2]}, (0.1, 0.2)),
        ({}, {"mean": [0.25]}, (0.25,) * 3),
        ({"drop_rate": 0.2, "drop_path_rate": 0.1, "global_pool": "avg", "act_layer": None}, {}, (0.5, 0.4, 0.3)),
    ],
)
def test_channels_have_a_mean_each_or_share_theirs(arguments, pretrained, mean, read):
    entry = read(nested({"model_args": arguments}, pretrained))
    assert entry.input.mean == pytest.approx(mean)
    assert len(entry.input.std) == len(mean)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (nested({"label_names": ["a", "b"]}), "label_names: 2 names for the 3 classes"),
        (nested({"label_names": list("abcd")}), "label_names: 4 names for the 3 classes"),
        (nested({"label_names": "abc"}), "label_names"),
        (nested({"label_names": {"a": 0, "b": 1, "c": 2}}), "label_names"),
        (nested({"label_names": {"-1": "a"}}), "label_names"),
        (nested({"label_names": {"9" * 30: "a"}}), "label_names"),
        (nested({"label_names": ["a", "b", None]}), "label_names"),
        (nested({"label_names": [True, "b", "c"]}), "label_names"),
        (nested({"label_names": [[], "b", "c"]}), "label_names"),
        (nested({"num_classes": "3"}), "num_classes"),
        (nested({"num_classes": -1}), "num_classes"),
        (nested({"num_classes": 10**7}), "num_classes"),
        (nested({"num_classes": True}), "num_classes"),
        (nested({"num_classes": 3.0}), "num_classes"),
        (nested(pretrained={"input_size": [3, 224, 160]}), "input_size: 224 x 160"),
        (nested(pretrained={"input_size": [224, 224]}), "input_size"),
        (nested(pretrained={"input_size": 224}), "input_size"),
        (nested(pretrained={"input_size": [3, 10**6, 10**6]}), "input_size"),
        (nested(pretrained={"input_size": [3, 0, 0]}), "input_size"),
        (nested(pretrained={"input_size": ["3", "224", "224"]}), "input_size"),
        (nested(pretrained={"interpolation": "lanczos"}), "interpolation"),
        (nested(pretrained={"interpolation": ["bicubic"]}), "interpolation"),
        (nested(pretrained={"crop_pct": 1e-9}), "crop_pct"),
        (nested(pretrained={"crop_pct": 2}), "crop_pct"),
        (nested(pretrained={"crop_pct": "0.9"}), "crop_pct"),
        (nested(pretrained={"crop_mode": "random"}), "crop_mode"),
        (nested(pretrained={"mean": ["a", "b", "c"]}), "mean"),
        (nested(pretrained={"mean": {"r": 1}}), "mean"),
        (nested(pretrained={"std": [0, 0, 0]}), "std"),
        (nested(pretrained={"tag": "a/../b"}), "tag"),
        (nested(pretrained={"license": "mit\nname: forged"}), "license"),
        (nested({"architecture": "resnet18\n"}), "architecture"),
        (nested({"model_args": {"in_chans": 0}}), "in_chans"),
        (nested({"model_args": {"in_chans": "1"}}), "in_chans"),
        (nested({"model_args": {"num_classes": 4}}), "model_args.*num_classes"),
        (nested({"model_args": {"act_layer": "silu"}}), "model_args.*act_layer"),
        (nested({"model_args": {"global_pool": "max"}}), "model_args.*global_pool"),
        (nested({"model_args": {"output_stride": 8}}), "model_args.*output_stride"),
        (nested({"model_args": {"\x1b[2J" * 1000: 8}}), "model_args"),
        (nested({"model_args": [1]}), "model_args"),
        ({**OUTER, "pretrained_cfg": [1]}, "pretrained_cfg"),
        (nested({"architecture": ["resnet18"]}), "architecture"),
    ],
)
def test_what_cannot_be_built_is_reported_with_its_key(content, key, read, tmp_path):
    with pytest.raises(zoo.RegistryError, match=key) as caught:
        read(content)
    assert str(caught.value).startswith(f"config.json of {tmp_path}")
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (nested({"architecture": "vit_base_patch16_224"}), "'vit_base_patch16_224'"),
        (nested({"architecture": "espcn-x2"}), "'espcn-x2'"),
        ({"model_type": "bert", "architectures": ["BertModel"]}, "'bert'"),
        ({"class_name": "Functional", "config": {}}, "'Functional'"),
        ({}, "no architecture"),
        ({"architecture": None}, "no architecture"),
        ({"model_type": ["bert"]}, "no architecture"),
    ],
)
def test_a_description_of_another_kind_is_reported(content, message, read):
    with pytest.raises(zoo.UnknownModelError, match=message):
        read(content)
