"""`zoo.publish` with the real client against a loopback Hub: versions, refusals, and the faults it must survive."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from tests.hub_publisher import Publisher
from tests.hub_server import Fault, HubServer
from zoo.export.exportable import reference_outputs, samples

COMMIT = "/commit/main"
TAG = "/tag/[0-9a-f]{40}"
FILES = ["README.md", "config.json", "metadata.json", "model.safetensors", "model.weights.h5", "zoo.json"]


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[HubServer]:
    """One Hub for the whole file; each test has a repository of its own."""
    with HubServer(tmp_path_factory.mktemp("hub")) as server:
        yield server


@pytest.fixture(scope="module")
def publishers(server, tmp_path_factory) -> Iterator[list[Publisher]]:
    """Two clients."""
    logs = tmp_path_factory.mktemp("logs")
    with Publisher(server, logs / "one") as one, Publisher(server, logs / "two") as two:
        yield [one, two]


@pytest.fixture
def publisher(publishers, server) -> Iterator[Publisher]:
    """One client; faults and log end with the test."""
    server.log.clear()
    server.lfs.clear()  # what other tests have sent
    yield publishers[0]
    server.faults.clear()
    server.read_only.clear()


@pytest.fixture
def repo_id(request) -> str:
    return "tester/" + "".join(character for character in request.node.name if character.isalnum())[:60]


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> list[Path]:
    """Three saved models that differ in one weight."""
    home = tmp_path_factory.mktemp("models")
    model = zoo.load("espcn-x2")
    return [zoo.save(_shifted(model), home / str(number)) for number in range(3)]


def _shifted(model):
    model.get_layer("feature-conv1").bias.assign_add(np.full(64, 0.01))
    return model


def versions(server: HubServer, repo_id: str) -> dict[str, dict[str, bytes]]:
    """The files of each version."""
    repository = server.repositories.get(repo_id)
    return {} if repository is None else {tag: repository.commits[commit] for tag, commit in repository.tags.items()}


def is_whole(files: dict[str, bytes], folder: Path) -> bool:
    """Whether a version holds the weights of a folder, and every file of the layout."""
    return files["model.safetensors"] == (folder / "model.safetensors").read_bytes() and set(FILES) <= set(files)


# What is promised


def test_a_published_model_comes_back_in_another_process(classifier, publisher, server, repo_id, tmp_path):
    folder = zoo.save(classifier, tmp_path / "mine")
    answer = publisher.publish(folder, repo_id)
    commit = server.repositories[repo_id].tags["v1"]
    url = f"{server.endpoint}/{repo_id}/tree/v1"
    assert answer == {"url": url, "commit": commit, "version": "v1", "space": None}
    inputs = samples(classifier, 2)
    np.save(tmp_path / "inputs.npy", inputs)
    done = server.run(f"""
import json, numpy as np, keras, zoo
inputs = np.load({str(tmp_path / "inputs.npy")!r})
model = zoo.load("hf://{repo_id}@v1")
plain = keras.saving.load_model("hf://{repo_id}")
np.savez({str(tmp_path / "found.npz")!r}, zoo=model(inputs), keras=plain(inputs), picture=model.preprocess(inputs[0]))
spec = model.spec
told = [spec.name, spec.source, spec.revision, spec.labels, spec.license]
print(json.dumps([*told, spec.base.source, spec.base.license]))
""")
    assert done.returncode == 0, done.stderr
    told = [repo_id, f"hf://{repo_id}", commit, ["red", "green", "blue"], "apache-2.0"]
    assert json.loads(done.stdout.splitlines()[-1]) == [*told, "hf://timm/resnet10t.c3_in1k", "apache-2.0"]
    found = np.load(tmp_path / "found.npz")
    expected = reference_outputs(classifier, inputs)["output"]
    np.testing.assert_allclose(found["zoo"], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["keras"], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found["picture"], classifier.preprocess(inputs[0]))


def test_each_version_is_one_commit_and_the_same_model_again_is_no_new_one(publisher, server, repo_id, folders):
    made = [publisher.publish(folder, repo_id)["version"] for folder in (folders[0], folders[1], folders[1])]
    assert made == ["v1", "v2", "v2"]
    assert len(server.repositories[repo_id].commits) == 3  # the Hub's own first one, and two
    assert [is_whole(files, folder) for files, folder in zip(versions(server, repo_id).values(), folders, strict=False)]


def test_the_users_folder_is_only_read(publisher, repo_id, folders):
    def content():
        return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folders[0].rglob("*")}

    before = content()
    publisher.publish(folders[0], repo_id)
    assert content() == before


def test_a_version_can_be_named_but_is_never_overwritten(publisher, server, repo_id, folders):
    assert publisher.publish(folders[0], repo_id, version="v7")["version"] == "v7"
    assert publisher.publish(folders[1], repo_id)["version"] == "v8"
    before = versions(server, repo_id)
    server.log.clear()
    answer = publisher.publish(folders[2], repo_id, version="v7")
    assert answer["error"] == "PublishError"
    assert f"'{repo_id}' has a version v7. Versions are never overwritten" in answer["message"]
    assert versions(server, repo_id) == before
    assert server.requests("POST") == server.requests("PUT") == []


def test_files_of_an_earlier_version_go_and_those_of_others_stay(publisher, server, repo_id, folders):
    repository = server.repository(repo_id)
    repository.commit({"saved_model/saved_model.pb": b"old", "samples.txt": b"mine", "README.md": b"old"})
    publisher.publish(folders[0], repo_id)
    assert sorted(versions(server, repo_id)["v1"]) == sorted([*FILES, "samples.txt"])


def test_figures_data_and_command_of_the_run_fill_card_and_spec(publisher, server, repo_id, folders, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for path in folders[0].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    run = {
        "data": "40 photographs of bricks",
        "command": "zoo finetune espcn-x2 bricks",
        "metrics": {"count": 8, "psnr_db": 31.5},
    }
    (folder / "run.json").write_text(json.dumps(run | {"history": {"loss": [2.0, 1.0]}, "seed": 0}))
    publisher.publish(folder, repo_id)
    publisher.publish(folder, repo_id, metrics={"accuracy": 0.25})
    cards = [files["README.md"].decode() for files in versions(server, repo_id).values()]
    assert "Trained on 40 photographs of bricks, 2 epochs." in cards[0]
    assert "```\nzoo finetune espcn-x2 bricks\n```" in cards[0]
    assert "| PSNR, dB | 31.5 |" in cards[0]
    assert "Its weights began as those of `espcn-x2.photos` of layerzoo, licence apache-2.0." in cards[0]
    assert "| accuracy | 0.25 |" in cards[1]
    entries = [json.loads(files["zoo.json"]) for files in versions(server, repo_id).values()]
    assert [entry["metrics"] for entry in entries] == [{"psnr_db": 31.5}, {"accuracy": 0.25}]
    assert entries[0]["measured"]["dataset"] == "40 photographs of bricks"


def test_the_next_version_of_a_repository_keeps_the_base_of_the_first(publisher, server, repo_id, classifier, tmp_path):
    other = f"{repo_id}other"
    publisher.publish(zoo.save(classifier, tmp_path / "one"), repo_id, license="cc-by-nc-4.0")
    assert publisher.publish(f"hf://{repo_id}@v1", repo_id)["version"] == "v2"  # its owner may open it
    assert "cc-by-nc-4.0" in publisher.publish(f"hf://{repo_id}@v1", other)["message"]
    publisher.publish(f"hf://{repo_id}@v1", other, license="cc-by-nc-4.0")
    places = ((repo_id, "v2"), (other, "v1"))
    bases = [json.loads(versions(server, name)[tag]["zoo.json"])["base"] for name, tag in places]
    assert [base["source"] for base in bases] == ["hf://timm/resnet10t.c3_in1k", f"hf://{repo_id}"]
    assert bases[1]["revision"] == server.repositories[repo_id].tags["v1"]


@pytest.mark.parametrize(
    ("base_model", "line"), [("auto", "timm/resnet10t.c3_in1k"), ("owner/other", "owner/other"), (None, None)]
)
def test_the_card_names_the_base_model(publisher, server, repo_id, classifier, tmp_path, base_model, line):
    publisher.publish(zoo.save(classifier, tmp_path / "mine"), repo_id, base_model=base_model)
    card = versions(server, repo_id)["v1"]["README.md"].decode()
    assert ("base_model:" in card) == (line is not None)
    assert line is None or f"base_model: {line}" in card


def test_private_repositories_are_made_and_public_ones_are_not_taken_for_them(publisher, server, repo_id, folders):
    publisher.publish(folders[0], repo_id, private=True)
    assert server.repositories[repo_id].is_private
    assert publisher.publish(folders[1], repo_id)["version"] == "v2"
    assert server.repositories[repo_id].is_private
    public = f"{repo_id}public"
    publisher.publish(folders[0], public)
    answer = publisher.publish(folders[1], public, private=True)
    assert answer["error"] == "PublishError"
    assert "exists and is public. Expected a private one" in answer["message"]
    assert list(versions(server, public)) == ["v1"]


def test_a_pull_request_leaves_branch_and_versions_alone(publisher, server, repo_id, folders):
    answer = publisher.publish(folders[0], repo_id, create_pr=True)
    assert answer["error"] == "UnknownModelError"
    repository = server.repository(repo_id)
    head = repository.commit({"README.md": b"theirs"})
    answer = publisher.publish(folders[0], repo_id, create_pr=True)
    proposed = repository.branches["refs/pr/1"]
    url = f"{server.endpoint}/{repo_id}/discussions/1"
    assert answer == {"url": url, "commit": proposed, "version": None, "space": None}
    assert is_whole(repository.commits[proposed], folders[0])
    assert (repository.branches["main"], repository.tags) == (head, {})


def test_a_run_is_published_and_with_a_saved_model_tf_hub_loads_it(server, repo_id, folders):
    done = server.run(
        f"""
import pathlib, zoo
run = zoo.Run(model=None, history={{}}, metrics={{}}, folder=pathlib.Path({str(folders[0])!r}))
zoo.publish(run, "{repo_id}", license="mit", saved_model=True)
import numpy as np, tensorflow_hub, zoo.export.tf_hub
picture = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3)).astype("float32")
expected = np.asarray(zoo.load({str(folders[0])!r})(picture))
print(float(np.abs(tensorflow_hub.load("hf://{repo_id}@v1")(picture).numpy() - expected).max()) < 1e-3)
""",
        HF_TOKEN="hf_valid",
    )
    assert done.stdout.split()[-1:] == ["True"], done.stderr


# What is refused, before anything is sent


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"license": ""}, "PublishError", "There is no licence"),
        ({"license": "Apache"}, "PublishError", "Did you mean 'apache-2.0'"),
        ({"version": "1"}, "InputError", "Expected 'auto', or 'v1', 'v2' and so on"),
        ({"base_model": "nonsense"}, "InputError", "is not a repository id"),
        ({"repo_id": "nonsense"}, "InputError", "is not a repository id"),
        ({"model_or_folder": "resnet9000"}, "UnknownModelError", "No model is named 'resnet9000'"),
    ],
)
def test_wrong_arguments_are_refused_without_a_request(publisher, server, repo_id, folders, options, error, message):
    arguments = {"model": options.pop("model_or_folder", folders[0]), "repo_id": options.pop("repo_id", repo_id)}
    answer = publisher.publish(**arguments, **options)
    assert answer["error"] == error
    assert message in answer["message"]
    assert server.log == []


def test_random_weights_are_refused(publisher, server, repo_id, classifier, tmp_path):
    folder = zoo.save(zoo.load(zoo.save(classifier, tmp_path / "three"), num_classes=2), tmp_path / "two")
    answer = publisher.publish(folder, repo_id)
    assert answer["error"] == "PublishError"
    assert "has random weights: nobody has trained fc/kernel" in answer["message"]
    assert server.log == []


def test_a_base_that_is_not_for_commerce_is_not_published_for_it(publisher, server, repo_id, classifier, tmp_path):
    classifier.spec = classifier.spec.model_copy(update={"license": "cc-by-nc-4.0"})
    folder = zoo.save(classifier, tmp_path / "mine")
    answer = publisher.publish(folder, repo_id)
    assert answer["error"] == "PublishError"
    assert "licence cc-by-nc-4.0, which 'apache-2.0' does not keep to" in answer["message"]
    assert server.log == []
    assert publisher.publish(folder, repo_id, license="cc-by-nc-4.0")["version"] == "v1"
    assert "cc-by-nc-4.0" in versions(server, repo_id)["v1"]["README.md"].decode()


def test_a_token_that_may_not_write_is_an_access_error(publisher, server, repo_id, folders):
    server.repository(repo_id).commit({"README.md": b"theirs"})
    server.read_only.add("hf_valid")
    for token in (None, "hf_unknown"):
        answer = publisher.publish(folders[0], repo_id, token=token)
        assert answer["error"] == "AccessError"
        assert "Make a token with write permission at" in answer["message"]
    assert "Forbidden: you must use a write token" in publisher.publish(folders[0], f"{repo_id}new")["message"]
    assert versions(server, repo_id) == versions(server, f"{repo_id}new") == {}


def test_without_a_token_or_offline_nothing_is_asked(server, folders):
    server.log.clear()
    for environment, error in (({}, "AccessError"), ({"HF_HUB_OFFLINE": "1", "HF_TOKEN": "hf_valid"}, "OfflineError")):
        done = server.run(f"import zoo; zoo.publish({str(folders[0])!r}, 'a/b', license='mit')", **environment)
        assert f"zoo.errors.{error}" in done.stderr
    assert server.log == []


# A bad network


@pytest.mark.parametrize(
    "fault",
    [
        Fault("PUT", "/lfs/", times=1, hang_up_after=10_000),
        Fault("PUT", "/lfs/", times=1, status=503),
        Fault("POST", "/preupload/", times=1, status=429, headers={"Retry-After": "1"}),
        Fault("POST", COMMIT, times=1, status=503),
        Fault("POST", COMMIT, times=1, status=429, headers={"Retry-After": "1"}),
        Fault("POST", COMMIT, times=1, hang_up_after=1000),
        Fault("POST", COMMIT, times=1, drop_after=0, reset=True),
        Fault("POST", TAG, times=1, status=503),
        Fault("POST", TAG, times=1, drop_after=0, reset=True),
        Fault("POST", "/api/repos/create", times=1, status=503),
        Fault("GET", "/refs", times=1, status=503),
        Fault("GET", "/revision/[0-9a-f]{40}", times=1, status=502),
    ],
    ids=[
        "the upload is cut",
        "503 on the upload",
        "429 before the upload",
        "503 on the commit",
        "429 on the commit",
        "the commit is cut",
        "the commit's answer is lost",
        "503 on the tag",
        "the tag's answer is lost",
        "503 on creation",
        "503 on the tags",
        "502 on the check",
    ],
)
def test_what_passes_is_waited_out(publisher, server, repo_id, folders, fault):
    fault.times = 1
    server.faults.append(fault)
    assert publisher.publish(folders[0], repo_id)["version"] == "v1"
    assert fault.times == 0
    assert len(server.repositories[repo_id].commits) == 2
    assert is_whole(versions(server, repo_id)["v1"], folders[0])


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("PUT", "/lfs/", status=403), "AccessError"),
        (Fault("PUT", "/lfs/", status=400), "PublishError"),
        (Fault("POST", COMMIT, status=503), "PublishError"),
        (Fault("POST", COMMIT, status=429, headers={"Retry-After": "3600"}), "PublishError"),
        (
            Fault("POST", "/validate-yaml", status=400, body=lambda _: b'{"errors": [{"message": "no"}]}'),
            "PublishError",
        ),
        (Fault("POST", TAG, status=500), "PublishError"),
        (
            Fault("GET", r"/revision/[0-9a-f]{40}", body=lambda content: content.replace(b'"size": 8', b'"size": 9')),
            "PublishError",
        ),
        (Fault("GET", "/api/models/", status=503), "OfflineError"),
    ],
    ids=[
        "403 on the upload",
        "400 on the upload",
        "503 on the commit",
        "429 for an hour",
        "a card that is refused",
        "500 on the tag",
        "other bytes",
        "503 on everything",
    ],
)
def test_what_does_not_pass_is_an_error_and_no_version(publisher, server, repo_id, folders, fault, error):
    server.faults.append(fault)
    answer = publisher.publish(folders[0], repo_id)
    assert answer["error"] == error, answer
    assert repo_id in answer["message"]
    assert versions(server, repo_id) == {}
    server.faults.clear()
    assert publisher.publish(folders[0], repo_id)["version"] == "v1"  # and again, it goes on
    assert is_whole(versions(server, repo_id)["v1"], folders[0])


def test_a_publisher_killed_in_the_middle_of_the_upload_leaves_no_version(
    server, repo_id, folders, publisher, tmp_path
):
    meeting = threading.Barrier(2)
    with Publisher(server, tmp_path / "log") as doomed:
        server.faults.append(Fault("PUT", "/lfs/", times=1, barrier=meeting))
        call = threading.Thread(target=lambda: doomed.process.stdin and _ask(doomed, folders[0], repo_id), daemon=True)
        call.start()
        meeting.wait(timeout=100)
        doomed.process.kill()
    assert versions(server, repo_id) == {}
    assert set(server.repositories[repo_id].commits[server.repositories[repo_id].branches["main"]]) == {
        ".gitattributes"
    }
    assert publisher.publish(folders[0], repo_id)["version"] == "v1"


def _ask(publisher: Publisher, *arguments: Any) -> None:
    try:
        publisher.publish(*arguments)
    except AssertionError:
        return  # it was killed


@pytest.mark.parametrize("place", ["/preupload/", TAG], ids=["before the commit", "before the tag"])
def test_two_publishers_at_once_make_two_whole_versions(publishers, publisher, server, repo_id, folders, place):
    server.repository(repo_id).commit({".gitattributes": b""})
    meeting = threading.Barrier(2)
    server.faults.append(
        Fault("POST", place, times=2, barrier=meeting)
    )  # both have seen the same head, or the same tags
    calls = [client.start(folder, repo_id) for client, folder in zip(publishers, folders, strict=False)]
    answers = [call.answer() for call in calls]
    assert sorted(answer["version"] for answer in answers) == ["v1", "v2"]
    found = versions(server, repo_id)
    assert all(is_whole(found[answer["version"]], folder) for answer, folder in zip(answers, folders, strict=False))


def test_of_two_who_want_one_version_the_second_is_told(publishers, publisher, server, repo_id, folders):
    server.repository(repo_id).commit({".gitattributes": b""})
    server.faults.append(Fault("POST", TAG, times=2, barrier=threading.Barrier(2)))
    calls = [client.start(folder, repo_id, version="v1") for client, folder in zip(publishers, folders, strict=False)]
    answers = [call.answer() for call in calls]
    assert sorted(answer.get("error", "") for answer in answers) == ["", "PublishError"]
    winner = next(folder for answer, folder in zip(answers, folders, strict=False) if "error" not in answer)
    assert is_whole(versions(server, repo_id)["v1"], winner)


# The commands


def test_the_command_prints_the_page_and_an_error_is_one_sentence(server, repo_id, folders):
    code = "import sys; from zoo.command_line import main; main(sys.argv[1:])"
    options = [
        "publish",
        str(folders[0]),
        repo_id,
        "--license",
        "mit",
        "--metric",
        "psnr_db=31.5",
        "-m",
        "First",
        "--json",
    ]
    done = server.run(f"import sys; sys.argv[1:] = {options}\n{code}", HF_TOKEN="hf_valid", KERAS_BACKEND="jax")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["version"] == "v1"
    assert json.loads(versions(server, repo_id)["v1"]["zoo.json"])["metrics"] == {"psnr_db": 31.5}
    done = server.run(f"import sys; sys.argv[1:] = {options[:3]}\n{code}", HF_TOKEN="hf_valid", KERAS_BACKEND="jax")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: There is no licence")


def test_the_embedded_models_are_published_with_their_own_cards(server):
    code = "import sys; sys.argv[1:] = ['zoo-org', 'espcn-x2', 'tcn-co2']; from recipes.publish import main; main()"
    server.users["hf_org"] = "zoo-org"
    for _ in range(2):  # the second time, both are there
        done = server.run(code, HF_TOKEN="hf_org", KERAS_BACKEND="jax")
        assert done.stdout.splitlines() == [
            f"{server.endpoint}/zoo-org/{name}/tree/v1" for name in ("espcn-x2", "tcn-co2")
        ]
    for name in ("espcn-x2", "tcn-co2"):
        files = versions(server, f"zoo-org/{name}")["v1"]
        card, entry = files["README.md"].decode(), json.loads(files["zoo.json"])
        assert "license: apache-2.0" in card
        assert f'zoo.predict("hf://zoo-org/{name}"' in card
        assert entry["metrics"] == zoo.info(name).metrics
        assert entry["base"] is None
        assert f"{name}.png" in files
