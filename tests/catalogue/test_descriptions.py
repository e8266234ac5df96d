"""Descriptions from strangers: each value is what it is and within its bounds, or one sentence names file and key."""

import json
import os
import zipfile

import pytest

import zoo

ENTRY = zoo.info("blurnet-textures").model_dump(mode="json")
RESNET = zoo.info("resnet50").model_dump(mode="json")


@pytest.fixture
def describe(tmp_path):
    def write(content, name="zoo.json"):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return tmp_path

    return write


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


INPUT = ENTRY["input"]
WRONG = {
    "name": (
        "",
        ".",
        "..",
        "a/..",
        "../a",
        "/a",
        "a/b/c",
        "a\\b",
        "C:a",
        "a\nb",
        "a\x1b[2J",
        " a",
        "a" * 201,
        3,
        None,
        "\ud800",
        "a\u202eb",
    ),
    "architecture": ("a/b", "", "a b", "..\n", 3),
    "tag": ("a/b", "a\n", 3),
    "license": ("mit\n# forged", "mit\x1b]8;;", "x" * 1001, None, ["mit"]),
    "filename": ("../x", "/etc/passwd", "C:\\x", "a/../../b", "a\\b", "", "a\0b", "x" * 201),
    "labels": (
        "/etc/passwd",
        "../labels/imagenet-1k",
        "no-such-list",
        "a\0b",
        "",
        "imagenet-1k.txt",
        ["only", "two"],
        [],
        3,
        [1] * 10,
        [""] * 10,
    ),
    "builder": ("os.system", "__init__.build", "blocks.relu", "resnet.stem", "a.b.c", "..", "x" * 101 + ".y"),
    "num_classes": (-1, 10**6, 10**400, 1.5, "ten", 11),
    "parameters_millions": (0, -1, 1e300, 10**400),
    "metrics": ({"a": "b"}, {"a\n": 1}, {"a": None}, dict.fromkeys(map(str, range(101)), 1), {"a": 10**400}),
    "paper": ("javascript:alert(1)", "https://a.b/><script>", "https://a b", "https://a\n"),
    "source": ("hf://a", "file:///etc", "hf://a/b/c", "hf://a/b\n", "hf://../b c"),
    "sha256": ("0" * 63, "g" * 64),
    "head": (["a"] * 1001, ["a\n"], "fc"),
    "initial_weights": ({"a": "b c"}, {"a\n": "b"}),
    "task": ("dancing", "forecasting", "super-resolution", None),
    "config": (
        nested(20),
        nested(500),
        {"blur": 10**400},
        {"blur": 1e9},
        {"blur": [3]},
        {"blur": "x" * 101},
        {"stem": 3},
        {"blur": "a\n"},
        {"blur": 100},
        [],
    ),
    "input": (
        None,
        {**INPUT, "size": 10**9},
        {**INPUT, "size": -1},
        {**INPUT, "crop": 1e-9},
        {**INPUT, "mean": [0, 0]},
        {**INPUT, "std": [0, 0, 0]},
        {**INPUT, "mean": [0] * 2000, "std": [1] * 2000},
        {**INPUT, "interpolation": "magic"},
        {**INPUT, "crop_mode": 3},
    ),
    "surprise": (1,),
    "a\x1b[2J\n" * 1000: (1,),
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in WRONG.items() for value in values])
def test_a_value_that_it_cannot_be_is_refused_with_file_and_key(key, value, describe):
    folder = describe({**ENTRY, key: value})
    with pytest.raises(zoo.RegistryError) as caught:
        zoo.info(folder)
    message = str(caught.value)
    assert message.startswith(f"zoo.json of {folder}")
    assert ascii(key[:20])[1:-1] in message or key == "config"
    assert len(message) < 1500
    assert message.isprintable()


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"depths": [3, 4, 600, 3]}, "config.depths"),
        ({"depths": [1] * 600}, "config.depths"),
        ({"depths": [0] * 600}, "config.depths"),
        ({"depths": [3, 4, -600, 3]}, "config.depths"),
        ({"depths": {"a": 1}}, "config.depths.a"),
        ({"groups": 10_000}, "config.groups"),
        ({"base_width": 1e5}, "config.base_width"),
        ({"unheard": 1}, "config.unheard"),
    ],
)
def test_no_network_is_far_larger_than_those_of_the_registry(config, key, describe):
    with pytest.raises(zoo.RegistryError, match=key):
        zoo.info(describe({**RESNET, "config": {**RESNET["config"], **config}}))


def test_every_model_of_the_registry_can_be_described(describe):
    for entry in map(zoo.info, zoo.list_models()):
        assert zoo.info(describe(entry.model_dump(mode="json"))) == entry


def test_labels_are_whatever_a_folder_can_be_called(describe):
    labels = ["a\nb", "\x1b[2J", "[/b]", "\u202e", "x y", "ü", "..", "/etc/passwd", "'", "9"]
    assert zoo.info(describe({**ENTRY, "labels": labels})).labels == tuple(labels)


@pytest.mark.parametrize("name", ["zoo.json", "config.json"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[]",
        b"3",
        b"null",
        b'"x"',
        b"NaN",
        b'{"name": NaN}',
        b'{"num_classes": Infinity}',
        b'{"num_classes": ' + b"1" * 5000 + b"}",
        b"\0" * 10,
        b" " * 17_000_000,
    ],
)
def test_what_is_not_a_json_object_is_refused_with_the_file(content, name, describe):
    with pytest.raises(zoo.RegistryError, match=f"^{name} of ") as caught:
        zoo.info(describe(content, name))
    assert len(str(caught.value)) < 1000


def test_a_description_that_is_not_a_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "zoo.json")
    with pytest.raises(zoo.RegistryError, match="not a file"):
        zoo.info(tmp_path)
    (tmp_path / "zoo.json").unlink()
    (tmp_path / "zoo.json").mkdir()
    with pytest.raises(zoo.RegistryError, match="not a file"):
        zoo.info(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "not a file of Keras 3"),
        ("{", "not a file of Keras 3"),
        ("[" * 100_000, "not a file of Keras 3"),
        ("[]", "zoo.load did not make"),
        ('{"class_name": "Functional", "config": {}}', "zoo.load did not make"),
        ('{"class_name": "ZooModel"}', "The spec in"),
        ('{"class_name": "ZooModel", "config": {"spec": {"name": ".."}}}', "The spec in .*: "),
        (" " * 17_000_000, "17,000,000 bytes"),
    ],
)
def test_a_keras_file_without_a_spec_is_reported(content, message, tmp_path):
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("other" if content is None else "config.json", content or "")
    with pytest.raises(zoo.RegistryError, match=message):
        zoo.info(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"\x89HDF\r\n\x1a\n", b"x" * 1000])
def test_a_file_that_is_not_an_archive_is_reported(content, tmp_path):
    path = tmp_path / "m.keras"
    path.write_bytes(content)
    with pytest.raises(zoo.RegistryError, match="not a file of Keras 3"):
        zoo.info(path)


@pytest.mark.parametrize("config", [{"filters": [8, 8]}, {"filters": [16, 32, 64, 64], "blur": 5}])
def test_what_a_builder_takes_by_default_may_be_written_out(describe, config):
    assert zoo.info(describe({**ENTRY, "config": config})).config == config
    with pytest.raises(zoo.RegistryError, match=r"config\.filters\.\* comes to"):
        zoo.info(describe({**ENTRY, "config": {"filters": [1 << 12] * 4}}))
