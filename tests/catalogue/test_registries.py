"""Registries of installed packages beside ours: listed, checked as strictly, and the only code that they name."""

import json
import os
import subprocess
import sys
import time

import pytest

import zoo
from tests.private_registry import REGISTRY, forget, write_package
from zoo.catalogue.builder_defaults import builder_defaults
from zoo.catalogue.registries import place_of, places
from zoo.catalogue.registry import registry


def test_its_models_are_listed_after_ours_and_described(acme):
    assert zoo.list_models("acme*") == ["acme-net", "acme-resnet.parts"]
    assert zoo.list_models()[0] == "tf_efficientnet_lite0.in1k"
    assert zoo.info("acme-net").builder == "acme_models.networks:acme_net"
    assert zoo.info("acme-resnet").source == "hf://acme/acme-resnet"
    assert place_of("acme-net").distribution == "acme-models"
    assert place_of("espcn-x2.photos").distribution == place_of("of no registry").distribution == "layerzoo"


def test_what_its_families_can_is_known_without_importing_its_code(acme):
    assert registry().has_features("acme_models.networks:acme_net")
    assert registry().first_conv("acme_models.networks:acme_net") == ("conv0",)
    assert builder_defaults("acme_models.networks:acme_net") == [{"filters": (4, 8), "features": False}]
    assert "acme_models" not in sys.modules


IMPORTED = """
import sys, time
from click.testing import CliRunner
from zoo.command_line.main import main
listed = CliRunner().invoke(main, ["list", "acme*", "--json"], catch_exceptions=False)
print(listed.stdout.replace(chr(10), ""))
costly = {"keras", "tensorflow", "numpy", "pydantic", "yaml", "acme_models"}
print(*sorted(costly & sys.modules.keys()))
print(time.process_time())
"""


def test_the_command_line_sees_it_and_a_second_list_checks_nothing_again(acme):
    zoo.list_models()  # ours is kept
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(acme.parent), os.getcwd()])}
    runs = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        runs.append(done.stdout.splitlines())
    (first, imported, _), (second, imported_again, seconds) = runs
    assert [model["name"] for model in json.loads(first)] == ["acme-net", "acme-resnet.parts"]
    assert (first, imported, imported_again) == (second, "pydantic yaml", "")
    assert float(seconds) < 1  # 0.15 on a machine that does nothing else


def test_a_registry_that_changes_is_read_anew(acme):
    assert zoo.info("acme-net").license == "apache-2.0"
    (acme / "registry.yaml").write_text(REGISTRY.replace("apache-2.0", "mit"))
    forget()
    assert zoo.info("acme-net").license == "mit"


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("acme-net:", "resnet50:", "'resnet50' is a name of layerzoo too.*'acme_models-resnet50'"),
        ("acme-net:", "resnet50.a1_in1k:", r"'resnet50\.a1_in1k' is a name of layerzoo too"),
        (
            "acme_models.networks:",
            "os:",
            "'os:acme_net' is not a function of this package.*acme_models.MODULE:FUNCTION",
        ),
        ("acme_models.networks:", "acme_models_2:", "is not a function of this package"),
        ("acme_models.networks:", "acme_models/networks:", ":3: families.acme_net.builder: .* is not a function"),
        ("input: {size: 32}", "input: {size: 32000}", r":12: .*input\.size: expected: .*less than or equal"),
        ("license: apache-2.0", "licence: apache-2.0", ":16: .*defaults.license: expected: Field required"),
        ("labels: [blue, green, red]", "labels: ../names", "labels: expected"),
        ("config: {filters: [4, 8]}", "config: {filters: [4, .nan]}", "config"),
    ],
)
def test_a_bad_one_is_an_error_with_its_file(acme, good, bad, message):
    assert good in REGISTRY
    (acme / "registry.yaml").write_text(REGISTRY.replace(good, bad))
    with pytest.raises(zoo.RegistryError, match=rf"acme_models.registry\.yaml.*{message}"):
        zoo.list_models()


def test_two_packages_with_one_name_are_an_error(acme, site_folder):
    write_package(site_folder, package="brand", registry=REGISTRY.replace("acme_models.", "brand."))
    with pytest.raises(zoo.RegistryError, match=r"brand.*'acme-net' is a name of the package acme_models too"):
        zoo.list_models()


def test_a_package_without_its_registry_is_an_error_that_names_what_to_remove(site_folder):
    write_package(site_folder, registry=None)
    with pytest.raises(zoo.RegistryError, match=r"acme-models registers 'acme_models'.*pip uninstall acme-models"):
        places()


def test_a_package_that_is_not_there_is_an_error(acme, site_folder):
    acme.rename(site_folder / "gone")
    with pytest.raises(zoo.RegistryError, match=r"there is no such package with a registry\.yaml"):
        places()


def test_a_package_below_another_one_is_found(site_folder):
    registry_text = REGISTRY.replace("acme_models.", "acme.zoo.")
    folder = write_package(site_folder, package="acme.zoo", registry=registry_text)
    (site_folder / "acme").mkdir()
    folder.rename(site_folder / "acme" / "zoo")
    assert zoo.info("acme-net").builder == "acme.zoo.networks:acme_net"


def test_a_description_cannot_name_code_that_nobody_has_registered(tmp_path):
    entry = zoo.info("blurnet-textures").model_copy(update={"builder": "shutil:rmtree", "source": None})
    (tmp_path / "zoo.json").write_text(entry.model_dump_json())
    with pytest.raises(
        zoo.RegistryError, match=r"needs 'shutil:rmtree', code of the package shutil, .*zoo\.registries"
    ):
        zoo.info(tmp_path)


def test_a_description_of_a_registered_network_is_bounded_by_its_registry(acme, tmp_path):
    entry = zoo.info("acme-net").model_copy(update={"name": "mine"})
    (tmp_path / "zoo.json").write_text(entry.model_dump_json())
    assert zoo.info(tmp_path).config == {"filters": [4, 8]}
    large = entry.model_copy(update={"config": {"filters": [4000, 8000]}})
    (tmp_path / "zoo.json").write_text(large.model_dump_json())
    with pytest.raises(zoo.RegistryError, match=r"config\.filters.* comes to 12000\. Expected at most 24"):
        zoo.info(tmp_path)


def test_the_seconds_of_a_list_are_few(acme):
    zoo.list_models()
    began = time.process_time()
    forget()
    zoo.list_models("acme*")
    assert time.process_time() - began < 0.5  # 0.02: nothing is checked, one file is read per registry
