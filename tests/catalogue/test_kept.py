"""What reading the registry found is kept: never believed where it is damaged, of another registry or of other code."""

import json
import subprocess
import sys

import pytest

import zoo
from zoo.catalogue import kept, registry
from zoo.catalogue.listing import stated


@pytest.fixture
def path(tmp_path, monkeypatch):
    path = tmp_path / "folder" / "registry.json"
    monkeypatch.setattr(kept, "kept_path", lambda registry: path)
    return path


def test_what_was_kept_is_read_again(path):
    kept.keep({"a": [1, "é", None]}, kept.REGISTRY)
    assert kept.read_kept(kept.REGISTRY) == {"a": [1, "é", None]}
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_there_is_nothing_at_first(path):
    assert kept.read_kept(kept.REGISTRY) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: content.replace(b"mit", b"gpl"),
        lambda content: content.partition(b"\n")[2],
        lambda content: b"\xff" + content,
        lambda content: b"0" * 64 + content[64:],
    ],
)
def test_what_is_damaged_or_written_by_others_is_not_believed(path, damage):
    kept.keep({"license": "mit"}, kept.REGISTRY)
    path.write_bytes(damage(path.read_bytes()))
    assert kept.read_kept(kept.REGISTRY) is None


def test_another_registry_is_read_anew(path, tmp_path):
    kept.keep({}, kept.REGISTRY)
    other = tmp_path / "registry.yaml"
    other.write_bytes(kept.REGISTRY.read_bytes() + b"\n")
    assert kept.read_kept(other) is None


def test_each_registry_has_its_own_file(tmp_path):
    places = {kept.kept_path(path) for path in (kept.REGISTRY, tmp_path / "a.yaml", tmp_path / "b.yaml")}
    assert len(places) == 3


def test_a_folder_that_cannot_be_written_is_not_an_error(path):
    path.parent.write_text("a file")
    kept.keep({}, kept.REGISTRY)
    assert kept.read_kept(kept.REGISTRY) is None


def test_the_kept_registry_is_the_one_that_was_read():
    read = registry.Registry()
    again = registry.Registry(facts=json.loads(json.dumps(read.facts)))
    assert dict(again.entries) == read.entries
    assert again.default_names == read.default_names
    assert all(again.first_conv(each.builder) == read.first_conv(each.builder) for each in read.entries.values())
    assert any(again.has_features(each.builder) for each in read.entries.values())


COUNTED = """
import sys
from click.testing import CliRunner
from zoo.catalogue.entry import Entry
from zoo.catalogue.registries import known_facts
from zoo.catalogue.registry import registry
registry()  # kept from here on
from zoo.command_line.main import main
made = []
registry.cache_clear()
known_facts.cache_clear()
checked = Entry.model_validate
Entry.model_validate = lambda facts: made.append(1) or checked(facts)
Entry.__init__ = None
assert CliRunner().invoke(main, ["list"]).exit_code == 0
assert CliRunner().invoke(main, ["info", "resnet50"], catch_exceptions=False).exit_code == 0
print(len(made))
import zoo
assert zoo.info("resnet50").name == "resnet50.a1_in1k"
print(len(made))
"""
IMPORTED = """
import sys
from click.testing import CliRunner
from zoo.command_line.main import main
costly = {"keras", "tensorflow", "numpy", "PIL", "rich", "pydantic", "yaml", "httpx", "huggingface_hub.hf_api"}
for arguments in (["list"], ["info", "resnet50"], ["info", "espcn-x2", "--json"], ["info", "./mine"]):
    assert CliRunner().invoke(main, arguments, catch_exceptions=False).exit_code == 0
    print(*sorted(costly & sys.modules.keys()))
"""


def child(code, **options):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, **options)
    return done.stdout.splitlines()


def test_a_list_checks_nothing_again_and_one_model_is_checked_alone():
    assert child(COUNTED) == ["0", "1"]


def test_what_the_command_line_tells_at_once_imports_little_and_of_a_folder_no_arrays(tmp_path):
    registry.registry()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "zoo.json").write_text(zoo.info("espcn-x2").model_dump_json())
    *ours, folder = child(IMPORTED, cwd=tmp_path)
    assert ours == ["", "", ""]
    assert folder == "pydantic yaml"


def test_what_is_stated_of_a_model_without_checking_it_again_is_what_its_entry_has():
    for name, entry in registry.registry().entries.items():
        assert stated(name) == entry.model_dump(mode="json")
