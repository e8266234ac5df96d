"""What a handle means, whatever it contains."""

import os
import pathlib

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.catalogue.handles import Handle, parse, path_of

ODD = ["user@corp.example", "a#b", "two words", "ü", "line\nbreak", "%41", "[red]", "'", "a:b", "x.photos", "*"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", [*ODD, os.fsdecode(b"caf\xe9"), "espcn-x3@home/x", "hf:", "b.keras"])
def test_a_folder_is_a_folder_whatever_its_name_holds(name, here):
    (here / name / "mine").mkdir(parents=True)
    for folder in (here / name, here / name / "mine"):
        for handle in (
            folder,
            str(folder),
            f"{folder}/",
            os.path.relpath(folder) + os.sep,
            f"./{os.path.relpath(folder)}",
        ):
            found = parse(handle)
            assert found.kind == "folder"
            assert os.path.samefile(found.path, folder)


@pytest.mark.parametrize("name", ["espcn-x2", "espcn-x2.photos", "resnet18", "resnet18@v1", "resnet18.a1_in1k"])
def test_the_registrys_name_is_not_a_folder_of_the_working_directory(name, here):
    (here / name).mkdir()
    assert parse(name).kind == "registry"
    assert parse(f"./{name}").path == pathlib.Path(name)
    assert parse(pathlib.Path(name)).kind == "folder"


def test_that_the_registry_comes_first_is_said_once_where_a_model_is_in_such_a_folder(here, caplog):
    (here / "espcn-x3").mkdir()
    zoo.info("espcn-x3")
    assert caplog.text == ""
    (here / "espcn-x3" / "zoo.json").touch()
    for _ in range(2):
        zoo.info("espcn-x3")
    assert caplog.text.count("./espcn-x3") == 1


def test_a_bare_name_that_only_the_folder_has_is_the_folder(here):
    (here / "mine").mkdir()
    assert parse("mine") == Handle("folder", path=pathlib.Path("mine"))
    assert parse("yours") == Handle("registry", "yours")


@pytest.mark.parametrize("ends", ["models/mine", "models/mine.keras", "mine@home", ""])
def test_the_tilde_is_the_home_folder(ends, here, monkeypatch):
    monkeypatch.setenv("HOME", str(here))
    for handle in (f"~/{ends}", pathlib.Path("~") / ends):
        assert parse(handle).path == here / ends


@pytest.mark.parametrize(
    ("handle", "meant"),
    [
        ("hf://o/r", Handle("hub", "hf://o/r")),
        ("hf://o/r/", Handle("hub", "hf://o/r")),
        ("hf://o/r@v1", Handle("hub", "hf://o/r", "v1")),
        ("hf://o/r@refs/pr/1", Handle("hub", "hf://o/r", "refs/pr/1")),
        ("hf://o/r.keras", Handle("hub", "hf://o/r.keras")),
        ("resnet18@v1", Handle("registry", "resnet18", "v1")),
        ("mine.keras", Handle("keras", path=pathlib.Path("mine.keras"))),
        ("at@home.keras", Handle("keras", path=pathlib.Path("at@home.keras"))),
        ("runs/a@b.keras", Handle("keras", path=pathlib.Path("runs/a@b.keras"))),
        (pathlib.Path("resnet18"), Handle("folder", path=pathlib.Path("resnet18"))),
    ],
)
def test_what_a_handle_means(handle, meant, here):
    assert parse(handle) == meant
    assert parse(meant) is meant


REPOSITORY = "timm/resnet18.a1_in1k"


@pytest.mark.parametrize(
    ("handle", "meant"),
    [
        (REPOSITORY, f"hf://{REPOSITORY}"),
        (f"{REPOSITORY}@main", f"hf://{REPOSITORY}@main"),
        *[
            (f"{before}{REPOSITORY}{after}", f"hf://{REPOSITORY}{revision}")
            for before in (
                "https://huggingface.co/",
                "http://www.huggingface.co/",
                "huggingface.co/",
                "https://hf.co/",
                "hf-hub:",
                "hf_hub:",
                "hf-hub://",
                "hf:",
                "HF://",
                "hf://https://huggingface.co/",
            )
            for after, revision in (
                ("", ""),
                ("/", ""),
                ("?library=timm", ""),
                ("/tree/v1", "@v1"),
                ("/blob/main/config.json", "@main"),
                ("/resolve/main/model.safetensors?download=true", "@main"),
                ("/tree/refs%2Fpr%2F1", "@refs/pr/1"),
                ("@v1", "@v1"),
            )
        ],
        (f"hf://{REPOSITORY}/tree/v1", f"hf://{REPOSITORY}@v1"),
    ],
)
def test_a_repository_written_as_elsewhere_is_reported_how_it_is_written_here(handle, meant, here):
    with pytest.raises(zoo.ZooError, match=f"'{meant}'"):
        zoo.info(handle)


@pytest.mark.parametrize(
    ("handle", "message"),
    [
        ("runs/mine", r"no folder 'runs/mine'.*'hf://runs/mine'"),
        ("./timm/resnet18", "no folder timm/resnet18"),
        ("https://example.com/m.zip", "download it first"),
        ("https://huggingface.co/timm", "download it first"),
        ("kaggle://a/b/c", "download it first"),
        ("a/b/c", "no folder a/b/c"),
        ("/x" * 5000, "no folder"),
        ("here", "is not a model"),
        ("zoo.json", "is a file"),
        ("./w.h5", "is a file.*weights=FILE"),
        ("w.h5", "is a file.*weights=FILE"),
        ("here/none.keras", "no file"),
    ],
)
def test_what_is_not_there_or_no_model_is_reported(handle, message, here):
    (here / "here").mkdir()
    for name in ("zoo.json", "w.h5"):
        (here / name).touch()
    with pytest.raises(zoo.UnknownModelError, match=message) as caught:
        zoo.info(handle)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "handle", [None, 3, b"resnet18", "", " ", "a\nb", "a\x1b[31m", "\0", "./a\0b", "x" * 10**6, [], np.zeros(3)]
)
def test_what_is_not_a_handle_is_an_error_of_the_argument(handle):
    with pytest.raises(zoo.InputError, match="handle=") as caught:
        zoo.info(handle)
    assert len(str(caught.value)) < 600
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "handle", ["hf://", "hf://o", "hf://o/r/x", "hf://o/../r", "hf://o/r\n", "hf://o/" + "r" * 10**5]
)
def test_what_is_not_a_repository_is_an_error_of_the_argument(handle):
    with pytest.raises(zoo.InputError, match="hf://owner/name") as caught:
        zoo.info(handle)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("revision", ["", " ", 3, b"v1"])
def test_a_revision_is_a_text(revision):
    with pytest.raises(zoo.InputError, match="revision="):
        zoo.info("hf://o/r", revision=revision)


@pytest.mark.parametrize("handle", ["resnet18@", "hf://o/r@", "hf://o/r@/"])
def test_a_revision_follows_the_at(handle):
    with pytest.raises(zoo.InputError, match="follows the @"):
        zoo.info(handle)


def test_a_path_has_no_revision(here):
    with pytest.raises(zoo.InputError, match="no revisions"):
        zoo.info("./mine", revision="v1")


def test_models_are_saved_loaded_and_described_in_a_folder_of_any_name(here, monkeypatch):
    monkeypatch.setenv("HOME", str(here))
    name = os.fsdecode(b"user@corp #1 caf\xe9 [b]")
    model = zoo.load("blurnet-textures")
    folder = zoo.save(model, f"~/{name}")
    assert folder == here / name
    assert zoo.info(folder).num_classes == model.spec.num_classes
    image = np.zeros((64, 64, 3), "uint8")
    assert zoo.predict(name, image)[0]["predictions"] == zoo.predict(model, image)[0]["predictions"]
    file = here / "user@corp [b].keras"
    model.save(file)
    for handle in (file, str(file), "~/user@corp [b].keras"):
        assert zoo.info(handle) == model.spec
    assert zoo.load(file).spec == model.spec


@pytest.mark.parametrize("name", ["cache_dir", "token", "offline"])
@pytest.mark.parametrize("value", [3, "", b"x", [], 1.5])
def test_options_of_downloads_are_what_they_have_to_be(name, value):
    for handle in ("resnet18", "hf://o/r", "./nowhere"):
        with pytest.raises(zoo.InputError, match=f"^{name}="):
            zoo.info(handle, **{name: value})


def test_every_path_that_is_given_may_begin_at_the_home_folder(here, monkeypatch):
    monkeypatch.setenv("HOME", str(here))
    noise = np.random.default_rng(0).integers(0, 256, (4, 70, 70, 3), dtype="uint8")
    for position, name in enumerate(["bricks", "bricks", "fur", "fur"]):
        (here / "photos@home" / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise[position]).save(here / "photos@home" / name / f"{position}.png")
    model = zoo.load("blurnet-textures")
    assert zoo.predict(model, "~/photos@home/fur/2.png") == zoo.predict(model, here / "photos@home/fur/2.png")
    assert zoo.evaluate(model, "~/photos@home")["count"] == 4
    assert zoo.predict_files(model, "~/photos@home", "~/rows.parquet")["count"] == 4
    assert (here / "rows.parquet").is_file()
    run = zoo.finetune(model, "~/photos@home", epochs=1, output_dir="~/runs@home/mine")
    assert run.folder == here / "runs@home" / "mine"
    assert zoo.load("~/runs@home/mine").spec.num_classes == 2


@pytest.mark.parametrize("path", [None, 3, ["folder"]])
def test_what_is_not_a_path_is_said(path):
    with pytest.raises(zoo.InputError, match=r"is not a path. Expected the path of a file or folder"):
        path_of(path)
