"""Bundles: the same file for the same models, whole or refused, and loaded from a file, a folder and an address."""

import contextlib
import functools
import hashlib
import http.server
import json
import tarfile
import threading

import numpy as np
import pytest
from click.testing import CliRunner

import zoo
from zoo.bundles.archive import write_archive
from zoo.bundles.reading import Bundle
from zoo.command_line.main import main
from zoo.errors import InputError, IntegrityError, OfflineError, UnknownModelError

NAMES = ["espcn-x2.photos", "mine"]


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A model of one's own, in a folder."""
    model = zoo.load("espcn-x3")
    model.weights[0].assign_add(np.full(model.weights[0].shape, 0.01))
    return zoo.save(model, tmp_path_factory.mktemp("own") / "mine")


@pytest.fixture(scope="module")
def bundle(own, tmp_path_factory):
    return zoo.bundle(["espcn-x2", own], tmp_path_factory.mktemp("bundle") / "zoo.tar")


@pytest.fixture
def unpacked(bundle, tmp_path):
    with tarfile.open(bundle) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    return tmp_path / "unpacked"


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def serving(folder, handler=Silent):
    """The address of a server of static files, as `python -m http.server` is one."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=f"{folder}")) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def address(unpacked):
    with serving(unpacked) as found:
        yield found


def weights_of(model):
    return np.concatenate([np.ravel(weight.numpy()) for weight in model.weights])


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)


def test_the_same_models_give_the_same_bytes_in_any_order(bundle, own, tmp_path):
    again = zoo.bundle([own, "espcn-x2"], tmp_path / "again.tar")
    assert again.read_bytes() == bundle.read_bytes()


def test_models_come_out_as_they_went_in(bundle, own, unpacked, address, tmp_path):
    for where in (bundle, unpacked, address):
        for name, source in (("espcn-x2", "espcn-x2"), ("espcn-x2.photos", "espcn-x2"), ("mine", own)):
            model, expected = zoo.load(f"{where}#{name}", cache_dir=tmp_path, offline=True), zoo.load(source)
            np.testing.assert_array_equal(weights_of(model), weights_of(expected))
            assert model.spec == expected.spec
    assert zoo.info(f"{bundle}#mine", cache_dir=tmp_path).base.name == "espcn-x3.photos"


def test_a_bundle_is_found_beside_the_working_directory_and_at_home(bundle, unpacked, monkeypatch):
    monkeypatch.chdir(bundle.parent)
    assert zoo.info("zoo.tar#mine").name == "mine"
    monkeypatch.setenv("HOME", f"{unpacked.parent}")
    assert zoo.info("~/unpacked#mine").name == "mine"
    done = CliRunner().invoke(main, ["info", "zoo.tar#espcn-x2"], catch_exceptions=False)
    assert "zoo.tar#espcn-x2, of embedded" in done.stdout


def test_a_part_of_a_folder_is_a_model_too(unpacked):
    assert zoo.load(unpacked / "models" / "mine").spec.name == "mine"


def test_it_has_cards_licences_and_hashes(bundle, unpacked):
    sums = dict(reversed(line.split("  ")) for line in (unpacked / "SHA256SUMS").read_text().splitlines())
    files = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert sums.keys() == files - {"SHA256SUMS"}
    for path, digest in sums.items():
        assert hashlib.sha256((unpacked / path).read_bytes()).hexdigest() == digest
    for name in NAMES:
        assert "\nlicense: apache-2.0\n" in (unpacked / "models" / name / "README.md").read_text()
    packages = json.loads((unpacked / "models.spdx.json").read_text())["packages"]
    assert [package["licenseDeclared"] for package in packages] == ["Apache-2.0"] * 2
    assert packages[0]["checksums"][0]["checksumValue"] == zoo.info("espcn-x2").sha256
    assert "| espcn-x2.photos | super-resolution | apache-2.0 |" in (unpacked / "README.md").read_text()


def test_a_licence_that_spdx_does_not_know_and_one_that_forbids_commerce_are_named(tmp_path):
    with tarfile.open(zoo.bundle("fcn8s-small", tmp_path / "zoo.tar")) as archive:
        spdx, readme = (archive.extractfile(name).read().decode() for name in ("models.spdx.json", "README.md"))
    assert json.loads(spdx)["packages"][0]["licenseDeclared"] == "LicenseRef-camvid-research-only"
    assert json.loads(spdx)["hasExtractedLicensingInfos"][0]["licenseId"] == "LicenseRef-camvid-research-only"
    assert "not for commercial use" in readme


def test_every_flipped_byte_is_found(tmp_path):
    path, files = tmp_path / "zoo.tar", {"models/a.b/zoo.json": b"{}", "models/a.b/" + "long" * 40: bytes(range(200))}
    write_archive(files, path)
    Bundle(f"{path}").check()
    whole = path.read_bytes()
    for place in range(0, len(whole), 61):
        flip(path, place)
        with pytest.raises(IntegrityError):
            Bundle(f"{path}").check()
        path.write_bytes(whole)
    for damaged in (whole[:-1], whole[: len(whole) // 2], whole + b"\0", b""):
        path.write_bytes(damaged)
        with pytest.raises(IntegrityError):
            Bundle(f"{path}").check()


def test_damaged_weights_are_not_loaded(bundle, unpacked, address, tmp_path):
    weights = unpacked / "models" / "espcn-x2.photos" / "espcn-x2.safetensors"
    flip(weights, -1)
    copy = tmp_path / "copy.tar"
    content = bytearray(bundle.read_bytes())
    content[content.index(weights.read_bytes()[:-1]) + 5000] ^= 1
    copy.write_bytes(content)
    for where in (unpacked, address, copy):
        with pytest.raises(IntegrityError, match=r"espcn-x2\.safetensors.*Expected"):
            zoo.load(f"{where}#espcn-x2", cache_dir=tmp_path / "cache")
        with pytest.raises(IntegrityError, match=r"espcn-x2\.safetensors"):
            Bundle(f"{where}").check()
        assert zoo.load(f"{where}#mine", cache_dir=tmp_path / "cache").spec.name == "mine"


def test_files_that_the_list_does_not_have_are_named(unpacked):
    (unpacked / "models" / "mine" / "more.txt").write_text("more")
    with pytest.raises(IntegrityError, match=r"more\.txt"):
        Bundle(f"{unpacked}").check()


def test_a_damaged_copy_in_the_cache_is_replaced(bundle, tmp_path):
    path = Bundle(f"{bundle}").fetch("mine", "model.safetensors", tmp_path)
    whole = path.read_bytes()
    flip(path, 1000)
    assert Bundle(f"{bundle}").fetch("mine", "model.safetensors", tmp_path).read_bytes() == whole


def test_what_is_not_there_is_said(bundle, tmp_path):
    with pytest.raises(UnknownModelError, match=r"no model called 'resnet50'. Expected one of: espcn-x2.photos, mine"):
        zoo.load(f"{bundle}#resnet50")
    with pytest.raises(InputError, match="in a bundle and has no revisions"):
        zoo.load(f"{bundle}#mine", revision="v1")
    with pytest.raises(OfflineError, match="cannot be read"):
        zoo.load("http://127.0.0.1:9/zoo#mine")
    (tmp_path / "other.tar").write_text("no bundle")
    with pytest.raises(IntegrityError, match="not a whole bundle"):
        zoo.load(f"{tmp_path / 'other.tar'}#mine")
    for handle, message in (
        ("missing.tar#mine", r"missing\.tar' is not a bundle: there is no such file"),
        (f"{tmp_path / 'missing.tar'}#mine", r"missing\.tar' is not a bundle: there is no such file"),
        (f"{tmp_path}#mine", "has no SHA256SUMS, so it is not a bundle"),
        (f"{bundle}#", "is a file.*the name is missing"),
        ("ftp://host/zoo#mine", "is an address, from which nothing is loaded.*http://host/folder#NAME"),
        ("#mine", "No model is named '#mine'"),
    ):
        with pytest.raises(UnknownModelError, match=message):
            zoo.load(handle)
    with pytest.raises(IntegrityError, match=r"\(there is no .*missing\.tar\)"):
        Bundle(f"{tmp_path / 'missing.tar'}")
    with pytest.raises(UnknownModelError, match=r"zoo\.tar#NAME"):
        zoo.load(f"{bundle}")
    (tmp_path / "SHA256SUMS").touch()
    with pytest.raises(UnknownModelError, match=rf"a model in this unpacked bundle, {tmp_path}#NAME"):
        zoo.load(tmp_path)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"",
    ],
)
@pytest.mark.parametrize("kept", [0, 1])  # answers that are whole before it
def test_a_server_that_breaks_off_is_an_error_of_the_network(answer, kept, unpacked):
    left = [kept]

    class BreakingOff(Silent):
        def do_GET(self):
            left[0] -= 1
            if left[0] >= 0:
                return super().do_GET()
            self.wfile.write(answer)
            self.close_connection = True

    with (
        serving(unpacked, BreakingOff) as broken,
        pytest.raises((OfflineError, IntegrityError), match=r"http://127.0.0.1:\d+"),
    ):
        Bundle(broken).check()


def test_a_list_that_breaks_off_between_two_lines_is_not_a_shorter_one(unpacked):
    content = (unpacked / "SHA256SUMS").read_bytes()

    class BreakingOff(Silent):
        def do_GET(self):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content))
            self.wfile.write(content[: content.index(b"\n") + 1])
            self.close_connection = True

    with serving(unpacked, BreakingOff) as broken, pytest.raises(OfflineError, match="cannot be read"):
        Bundle(broken)


def test_what_cannot_be_bundled_is_refused(own, tmp_path):
    for models, message in (([], "no models"), (["espcn-x2", "espcn-x2.photos"], "Two models are called")):
        with pytest.raises(InputError, match=message):
            zoo.bundle(models, tmp_path / "zoo.tar")
    with pytest.raises(InputError, match="is a folder"):
        zoo.bundle("espcn-x2", tmp_path)
    with pytest.raises(UnknownModelError):
        zoo.bundle("espcn-x9", tmp_path / "zoo.tar")
    zoo.load("espcn-x2").save(tmp_path / "whole.keras")
    with pytest.raises(InputError, match="one file for Keras"):
        zoo.bundle(tmp_path / "whole.keras", tmp_path / "zoo.tar")
    assert not (tmp_path / "zoo.tar").exists()


def test_a_file_of_this_name_is_a_model_before_it_is_in_a_bundle(own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "zoo.tar").write_text("no bundle")
    own.rename(tmp_path / "zoo.tar#mine")
    try:
        assert zoo.load("zoo.tar#mine").spec.name == "mine"
    finally:
        (tmp_path / "zoo.tar#mine").rename(own)


def test_the_command_line_writes_and_checks(tmp_path):
    path = tmp_path / "zoo.tar"
    done = CliRunner().invoke(main, ["bundle", "espcn-x2", "-o", f"{path}"], catch_exceptions=False)
    assert done.stdout == f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path}\n"
    done = CliRunner().invoke(main, ["bundle", "--check", f"{path}"], catch_exceptions=False)
    assert done.stdout.strip() == f"{path}: 5 files are whole, of espcn-x2.photos"
    flip(path, path.stat().st_size // 2)
    done = CliRunner().invoke(main, ["bundle", "--check", f"{path}"])
    assert (done.exit_code, "is damaged" in done.output) == (1, True)
    done = CliRunner().invoke(main, ["bundle", "espcn-x2"])
    assert "Expected either -o FILE" in done.output


@pytest.mark.slow  # two processes with Keras; the others are loaded from files that were never on a hub
def test_a_model_of_the_hub_is_taken_to_a_machine_without_one(hub, tmp_path):
    folder = zoo.save(zoo.load("espcn-x2"), tmp_path / "mine")
    hub.repository("owner/mine").commit({path.name: path.read_bytes() for path in folder.iterdir()})
    path = tmp_path / "zoo.tar"
    done = hub.run(f"import zoo; zoo.bundle('hf://owner/mine', {f'{path}'!r})", keras=True)
    assert done.returncode == 0, done.stderr
    model = zoo.load(f"{path}#owner/mine", cache_dir=tmp_path / "empty", offline=True)
    np.testing.assert_array_equal(weights_of(model), weights_of(zoo.load("espcn-x2")))
    assert model.spec.source == "hf://owner/mine"
