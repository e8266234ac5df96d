"""Damaged and hostile `.keras` files: each is a typed error, allocates little, and leaves the next load as it was."""

import io
import json
import zipfile

import keras
import pytest

import zoo
from tests.weights.memory import peak_bytes


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "whole.keras"
    zoo.load("blurnet-textures").save(path)
    return path.read_bytes()


def changed(whole, change):
    """The file with other members: `change` gets and alters a dict from name to bytes."""
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            compression = zipfile.ZIP_DEFLATED if name.startswith("bomb") else zipfile.ZIP_STORED
            archive.writestr(name, content, compression)
    return buffer.getvalue()


def configured(change):
    def apply(members):
        config = json.loads(members["config.json"])
        change(config)
        members["config.json"] = json.dumps(config).encode()

    return apply


def layer(config, name):
    return next(layer for layer in config["config"]["layers"] if layer["config"]["name"] == name)


def flipped(whole):
    """The file with other bytes in the middle of its weights, as a bad disk leaves it."""
    middle = whole.index(b"HDF") + 100_000
    return whole[:middle] + bytes(byte ^ 255 for byte in whole[middle : middle + 16]) + whole[middle + 16 :]


LAMBDA = {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "relu1", "function": "os.system"}}
DAMAGES = {
    "empty": lambda whole: b"",
    "no zip": lambda whole: b"not a zip" * 100,
    "truncated": lambda whole: whole[: len(whole) // 2],
    "cut at the end": lambda whole: whole[:-30],
    "no weights": lambda whole: changed(whole, lambda members: members.pop("model.weights.h5")),
    "no config": lambda whole: changed(whole, lambda members: members.pop("config.json")),
    "config is not JSON": lambda whole: changed(whole, lambda members: members.update({"config.json": b"{"})),
    "config is a list": lambda whole: changed(whole, lambda members: members.update({"config.json": b"[]"})),
    "config is deep": lambda whole: changed(whole, lambda members: members.update({"config.json": b"[" * 100_000})),
    "weights are not HDF5": lambda whole: changed(
        whole, lambda members: members.update({"model.weights.h5": b"x" * 10**6})
    ),
    "weights are cut": lambda whole: changed(
        whole, lambda members: members.update({"model.weights.h5": members["model.weights.h5"][:-50_000]})
    ),
    "weights are overwritten": flipped,
    "another class": lambda whole: changed(whole, configured(lambda config: config.update(class_name="Elsewhere"))),
    "no spec": lambda whole: changed(whole, configured(lambda config: config["config"].pop("spec"))),
    "spec is wrong": lambda whole: changed(whole, configured(lambda config: config["config"]["spec"].update(task="x"))),
    "no layers": lambda whole: changed(whole, configured(lambda config: config["config"].pop("layers"))),
    "unknown layer": lambda whole: changed(
        whole, configured(lambda config: layer(config, "conv2").update(class_name="Nowhere", registered_name=None))
    ),
    "layer of another module": lambda whole: changed(
        whole, configured(lambda config: layer(config, "conv2").update(module="subprocess", class_name="Popen"))
    ),
    "wrong argument": lambda whole: changed(
        whole, configured(lambda config: layer(config, "conv2")["config"].update(filters=-3))
    ),
    "other sizes": lambda whole: changed(
        whole, configured(lambda config: layer(config, "fc")["config"].update(units=9))
    ),
    "gigabytes": lambda whole: changed(
        whole, configured(lambda config: layer(config, "fc")["config"].update(units=10_000_000))
    ),
    "Lambda": lambda whole: changed(whole, configured(lambda config: layer(config, "relu1").update(LAMBDA))),
    "bomb": lambda whole: changed(whole, lambda members: members.update({"bomb": bytes(100_000_000)})),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # Keras' own, on its way to an error
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_a_typed_error(damage, whole, tmp_path):
    path = tmp_path / "mine.keras"
    path.write_bytes(DAMAGES[damage](whole))

    def load():
        with pytest.raises((zoo.RegistryError, zoo.IntegrityError, zoo.WeightsMismatchError)):
            zoo.load(path)

    assert peak_bytes(load) < 100_000_000


def test_a_whole_file_is_loaded_with_its_optimizer(tmp_path):
    model = zoo.load("blurnet-textures")
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.optimizer.build(model.trainable_variables)
    model.optimizer.iterations.assign(1)
    model.save(tmp_path / "mine.keras")
    loaded = zoo.load(tmp_path / "mine.keras")
    assert int(loaded.optimizer.iterations) == 1
    assert loaded.spec.name == "blurnet-textures.grey"
