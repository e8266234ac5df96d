"""A second hub is one module and its line in `HUBS`: everything that takes a handle takes its addresses then."""

import ast
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import zoo
from tests.hub_server import shelf
from zoo.catalogue.handles import Handle, parse
from zoo.catalogue.registry import Registry
from zoo.command_line.main import main
from zoo.export.card import model_card
from zoo.hub.hubs import HUBS, Hub, find_hub

HANDLE = "shelf://me/enlarger"
FAMILY = """
families:
  espcn:
    builder: espcn.espcn
    task: super-resolution
    paper: https://example.com
    defaults: {source: "shelf://me/{architecture}", format: zoo, license: mit, input: {}}
    architectures:
      enlarger: {config: {scale: 2}, checkpoints: {photos: {}}}
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.setitem(HUBS, "shelf", shelf.__name__)
    monkeypatch.setenv("SHELF", str(tmp_path / "shelf"))
    return zoo.save(zoo.load("espcn-x2"), tmp_path / "shelf" / "me" / "enlarger")


@pytest.mark.parametrize("scheme", list(HUBS))
def test_a_hub_has_what_is_asked_of_one(scheme):
    wanted = [name for name in {**vars(Hub), **Hub.__annotations__} if not name.startswith("_")]
    assert len(wanted) == 5
    assert all(hasattr(find_hub(scheme), name) for name in wanted)


def test_its_models_are_loaded_described_and_pinned(repository):
    image = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype="uint8")
    model = zoo.load(HANDLE)
    assert model.spec.source == HANDLE
    assert model.spec.repo_id == "me/enlarger"
    np.testing.assert_array_equal(model(image[None]), zoo.load("espcn-x2")(image[None]))
    commit = zoo.info(HANDLE).revision
    assert zoo.load(f"{HANDLE}@{commit}").spec.sha256 == model.spec.sha256
    assert "[shelf://me/enlarger](https://shelf.example/me/enlarger)" in str(model_card(HANDLE))
    shown = CliRunner().invoke(main, ["info", HANDLE, "--json"])
    assert json.loads(shown.output)["source"] == HANDLE
    pinned = CliRunner().invoke(main, ["pin", HANDLE])
    assert commit in pinned.output


def test_its_addresses_are_reported_from_others(repository):
    assert parse(f"{HANDLE}@v1") == Handle("hub", HANDLE, "v1")
    with pytest.raises(zoo.InputError, match="Expected 'shelf://owner/name'"):
        zoo.load("shelf://nobody")
    with pytest.raises(zoo.UnknownModelError, match="'shelf://me/enlarger'"):
        zoo.load("https://shelf.example/me/enlarger")
    with pytest.raises(zoo.UnknownModelError, match="The shelf has no me/other"):
        zoo.load("shelf://me/other")


def test_the_registry_may_name_it(repository, tmp_path):
    path = tmp_path / "registry.yaml"
    path.write_text(FAMILY)
    entry = Registry(path).find("enlarger")
    assert entry.is_on_hub
    assert entry.where.fetch(entry.filename).path == repository / "model.safetensors"
    path.write_text(FAMILY.replace("shelf://", "attic://"))
    with pytest.raises(zoo.RegistryError, match="'embedded' or 'hf://owner/name' or 'shelf://owner/name'"):
        Registry(path)


@pytest.mark.filterwarnings("ignore:pkg_resources is deprecated")
def test_tensorflow_hub_finds_what_is_at_its_addresses(repository):
    from zoo.export.tf_hub import HubResolver

    (repository / "saved_model" / "variables").mkdir(parents=True)
    (repository / "saved_model" / "saved_model.pb").touch()
    resolver = HubResolver()
    assert resolver.is_supported(HANDLE)
    assert not resolver.is_supported("attic://me/enlarger")
    assert resolver(HANDLE) == str(repository / "saved_model")


def test_how_addresses_begin_is_written_in_the_hubs_files_alone():
    root = Path(zoo.__file__).resolve().parents[1]
    for path in (*root.glob("zoo/**/*.py"), *root.glob("export/*.py"), *root.glob("tools/*.py")):
        if path.parent.name == "hub":
            continue
        trees = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        texts = [node.value for node in trees if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        assert "hf://" not in texts, path  # what `startswith`, `removeprefix` and f-strings would hold
