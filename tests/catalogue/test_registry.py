"""The registry that ships, and what a bad one says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

import zoo
from zoo.architectures import build
from zoo.catalogue.registry import Registry, json_schema, registry

ROOT = Path(__file__).parents[2]

GOOD = """\
families:
  resnet:
    builder: resnet.resnet
    task: image-classification
    paper: https://arxiv.org/abs/1512.03385
    classifier: fc
    defaults: {source: "hf://timm/{architecture}.{tag}", format: timm, license: mit, input: {size: 224, crop: 0.9}}
    architectures:
      small:
        config: {depths: [1, 1, 1, 1]}
        defaults: {num_classes: 10}
        checkpoints:
          one: {input: {size: 160}}
          two: {license: apache-2.0}
      bare:
        config: {depths: [2, 1, 1, 1]}
"""


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "registry.yaml"
        path.write_text(text)
        return Registry(path)

    return read


def test_facts_stand_at_the_widest_level_they_are_true_for(read):
    one, two = (read(GOOD).find(name) for name in ("small.one", "small.two"))
    assert (one.input.size, one.input.crop, one.license, one.num_classes) == (160, 0.9, "mit", 10)
    assert (two.input.size, two.license) == (224, "apache-2.0")
    assert one.source == "hf://timm/small.one"


def test_a_checkpoint_can_change_the_config_of_its_architecture(read):
    one, two = (
        read(GOOD.replace("{license: apache-2.0}", "{config: {stem: deep}}")).find(f"small.{tag}")
        for tag in ("one", "two")
    )
    assert one.config == {"depths": [1, 1, 1, 1]}
    assert two.config == {"depths": [1, 1, 1, 1], "stem": "deep"}


def test_a_bare_name_means_the_first_checkpoint(read):
    assert read(GOOD).find("small").name == "small.one"


def test_an_architecture_without_checkpoints_is_not_pretrained(read):
    entry = read(GOOD).find("bare")
    assert not entry.pretrained
    assert (entry.name, entry.tag) == ("bare", None)


def test_an_unknown_name_offers_the_nearest(read):
    with pytest.raises(zoo.UnknownModelError, match=r"No model is named 'smal\.one'.*Did you mean 'small\.one'"):
        read(GOOD).find("smal.one")


def test_a_name_like_no_other_is_reported_where_to_look(read):
    with pytest.raises(zoo.UnknownModelError, match="`zoo list` shows them all"):
        read(GOOD).find("qqqqqqqqqq")


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("size: 160", "size: many", r":13: .*checkpoints\.one\.input\.size: expected: .*integer.*got 'many'"),
        ("size: 160", "side: 160", r":13: .*checkpoints\.one\.input\.side: expected no such key"),
        ("crop: 0.9", "crop: 1.9", r":7: .*defaults\.input\.crop: expected: .*less than or equal to 1"),
        ("license: mit, ", "", r"license: expected: Field required"),
        ("format: timm", "format: onnx", r":7: .*defaults\.format: expected: .*'zoo'"),
        ("    paper: https://arxiv.org/abs/1512.03385\n", "", r":2: families\.resnet\.paper: expected: Field required"),
        ("classifier: fc", "clasifier: fc", r":6: families\.resnet\.clasifier: expected no such key"),
        ("task: image-classification", "task: guessing", r":4: families\.resnet\.task: expected: .*'guessing'"),
        ("      bare:", "      small:", r":15: expected YAML, but the key 'small' stands twice"),
        ("builder: resnet.resnet", "builder: os", r"builder: expected"),
        ("families:", "families: [", r":\d+: expected YAML"),
        ("{license: apache-2.0}", "{name: other}", r"name.*expected only the keys of a checkpoint"),
    ],
)
def test_a_bad_registry_names_file_line_key_and_what_was_expected(read, good, bad, message):
    assert good in GOOD
    with pytest.raises(zoo.RegistryError, match=f"registry.yaml.*{message}"):
        read(GOOD.replace(good, bad, 1))


def test_an_architecture_in_two_families_is_an_error(read):
    text = GOOD + GOOD.removeprefix("families:\n").replace("  resnet:", "  other:", 1)
    with pytest.raises(zoo.RegistryError, match="'small' stands in 'resnet' too"):
        read(text)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        b"families: \x07",
        b"a: 2020-99-99",
        b"[1]: 2",
        b"{a: 1}: 2",
        b"a: !!timestamp x",
        b"[" * 3000,
        b"*a",
        b"a: &a [*a]",
    ],
)
def test_what_is_not_yaml_is_an_error_with_the_file(content, tmp_path):
    (tmp_path / "registry.yaml").write_bytes(content)
    with pytest.raises(zoo.RegistryError, match=r"registry\.yaml"):
        Registry(tmp_path / "registry.yaml")


def test_a_registry_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(zoo.RegistryError, match="cannot be read"):
        Registry(tmp_path / "registry.yaml")


def test_an_empty_registry_is_an_error(read):
    with pytest.raises(zoo.RegistryError, match=r"registry\.yaml:1"):
        read("")


def test_entries_are_frozen():
    with pytest.raises(ValidationError):
        zoo.info("resnet50").license = "mit"


def test_list_models_filters():
    assert "resnet50.a1_in1k" in zoo.list_models("resnet50*")
    assert zoo.list_models("resnet50") == zoo.list_models("resnet50.*")
    assert all(zoo.info(name).task == "super-resolution" for name in zoo.list_models(task="super-resolution"))
    assert "resnetblur18" in zoo.list_models(pretrained=False)
    assert "resnetblur18" not in zoo.list_models(pretrained=True)


def test_an_unknown_task_is_an_error():
    with pytest.raises(zoo.InputError, match=r"There is no task 'dancing'\. Expected one of coordinate-classification"):
        zoo.list_models(task="dancing")


def test_the_json_schema_for_editors_is_up_to_date():
    written = json.loads((ROOT / "zoo" / "catalogue/registry.schema.json").read_text())
    assert written == json_schema(), "run: python -m zoo.catalogue.registry > zoo/catalogue/registry.schema.json"


@pytest.mark.parametrize("call", ["zoo.list_models()", "zoo.info('resnet50')"])
def test_listing_and_info_import_no_tensorflow(call):
    code = f"import sys, zoo; {call}; print(sorted({{'tensorflow', 'keras'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_every_checkpoint_states_where_its_figures_come_from():
    for name in zoo.list_models(pretrained=True):
        entry = zoo.info(name)
        assert entry.license, name
        assert bool(entry.metrics) <= (entry.measured is not None), name


def test_every_embedded_checkpoint_is_pinned():
    for entry in registry().entries.values():
        if entry.source == "embedded":
            assert entry.sha256, entry.name


def test_a_builder_that_does_not_exist_is_named():
    entry = zoo.info("resnet18").model_copy(update={"builder": "resnet.alexnet"})
    with pytest.raises(
        zoo.RegistryError, match=r"needs the builder 'resnet\.alexnet', which this version does not have"
    ):
        build(entry)


def test_only_functions_of_the_architectures_can_be_builders():
    entry = zoo.info("resnet18").model_copy(update={"builder": "resnet.batch_norm"})
    with pytest.raises(zoo.RegistryError, match="Expected a function of that module"):
        build(entry)
