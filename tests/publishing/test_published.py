"""What `zoo.publish` promises, with the real client against a loopback Hub."""

import json

import numpy as np
import pytest

import zoo
from tests.golden_files import write_golden_checkpoint
from tests.hub_server.publisher import FILES, is_whole, versions
from tests.training.small_tasks import as_trained, detector
from zoo.export.exportable import reference_outputs, samples


def test_a_published_model_comes_back_in_another_process(classifier, publisher, server, repo_id, tmp_path):
    folder = zoo.save(classifier, tmp_path / "mine")
    answer = publisher.publish(folder, repo_id)
    commit = server.repositories[repo_id].tags["v1"]
    url = f"{server.endpoint}/{repo_id}/tree/v1"
    assert answer == {"url": url, "commit": commit, "version": "v1", "space": None}
    inputs = samples(classifier, 2)
    np.save(tmp_path / "inputs.npy", inputs)
    code = f"""
import json, numpy as np, keras, zoo
inputs = np.load({str(tmp_path / "inputs.npy")!r})
model = zoo.load("hf://{repo_id}@v1")
plain = keras.saving.load_model("hf://{repo_id}")
np.savez({str(tmp_path / "found.npz")!r}, zoo=model(inputs), keras=plain(inputs), image=model.preprocess(inputs[0]))
spec = model.spec
told = [spec.name, spec.source, spec.revision, spec.labels, spec.license]
print(json.dumps([*told, spec.base.source, spec.base.license]))
"""
    done = server.run(code, keras=True)
    assert done.returncode == 0, done.stderr
    told = [repo_id, f"hf://{repo_id}", commit, ["red", "green", "blue"], "apache-2.0"]
    assert json.loads(done.stdout.splitlines()[-1]) == [*told, "hf://timm/resnet10t.c3_in1k", "apache-2.0"]
    found = np.load(tmp_path / "found.npz")
    expected = reference_outputs(classifier, inputs)["output"]
    np.testing.assert_allclose(found["zoo"], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["keras"], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found["image"], classifier.preprocess(inputs[0]))


@pytest.mark.slow  # another process; tests/architectures/test_detectors.py saves one and loads it, quick
def test_a_published_detector_finds_the_same_boxes_in_another_process(publisher, server, repo_id, tmp_path):
    model = as_trained(detector("fcos", 64, score_threshold=0.001))
    image = np.random.default_rng(1).integers(0, 256, (50, 90, 3), "uint8")
    publisher.publish(zoo.save(model, tmp_path / "mine"), repo_id)
    np.save(tmp_path / "image.npy", image)
    code = f"""
import json, numpy as np, zoo
model = zoo.load("hf://{repo_id}@v1")
record = zoo.predict(model, np.load({str(tmp_path / "image.npy")!r}))[0]
print(json.dumps([model.spec.decoder, model.spec.labels, record["predictions"]]))
"""
    done = server.run(code, keras=True)
    assert done.returncode == 0, done.stderr
    decoder, labels, found = json.loads(done.stdout.splitlines()[-1])
    expected = zoo.predict(model, image)[0]["predictions"]
    assert len(expected) > 1
    assert (decoder, labels) == ("fcos", ["class 0", "class 1", "class 2"])
    assert [(each["label"], each["index"]) for each in found] == [(each["label"], each["index"]) for each in expected]
    for key in ("box", "score"):
        np.testing.assert_allclose([e[key] for e in found], [e[key] for e in expected], rtol=1e-4, atol=2e-3)


def test_each_version_is_one_commit_and_the_same_model_again_is_not_a_new_one(publisher, server, repo_id, folders):
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
    assert (
        f"'{repo_id}' had saved_model/ in an earlier version, and this one leaves it out" in publisher.log.read_text()
    )


def test_a_name_of_the_registry_takes_nothing_from_a_folder_that_is_called_so(publisher, server, repo_id, tmp_path):
    (tmp_path / "espcn-x2").mkdir()
    run = {"data": "a stranger's photographs", "command": "rm -rf /", "metrics": {"psnr_db": 99.5}}
    (tmp_path / "espcn-x2" / "run.json").write_text(json.dumps(run))
    publisher.publish("espcn-x2", repo_id, cwd=str(tmp_path))
    files = versions(server, repo_id)["v1"]
    card, entry = files["README.md"].decode(), json.loads(files["zoo.json"])
    assert not any(word in card for word in ("stranger", "rm -rf", "99.5"))
    assert entry["metrics"] == zoo.info("espcn-x2").metrics


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


@pytest.mark.slow  # publishes twice; the base is on the card in the test after it
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


@pytest.mark.slow  # publishes four times
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
    head = repository.commit({"README.md": b"theirs", "saved_model/saved_model.pb": b"of other weights"})
    answer = publisher.publish(folders[0], repo_id, create_pr=True)
    proposed = repository.branches["refs/pr/1"]
    url = f"{server.endpoint}/{repo_id}/discussions/1"
    assert answer == {"url": url, "commit": proposed, "version": None, "space": None}
    assert is_whole(repository.commits[proposed], folders[0])
    assert "saved_model/saved_model.pb" not in repository.commits[proposed]
    assert (repository.branches["main"], repository.tags) == (head, {})


@pytest.mark.slow  # trains, exports, publishes; the tests around it have the parts
def test_a_run_is_published_and_with_a_saved_model_tf_hub_loads_it(server, repo_id, folders):
    done = server.run(
        f"""
import pathlib, zoo
run = zoo.Run(model=None, history={{}}, metrics={{}}, folder=pathlib.Path({str(folders[0])!r}))
zoo.publish(run, "{repo_id}", license="mit", saved_model=True)
import numpy as np, tensorflow_hub, zoo.export.tf_hub
image = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3)).astype("float32")
expected = np.asarray(zoo.load({str(folders[0])!r})(image))
print(float(np.abs(tensorflow_hub.load("hf://{repo_id}@v1")(image).numpy() - expected).max()) < 1e-3)
""",
        HF_TOKEN="hf_valid",
        keras=True,
    )
    assert done.stdout.split()[-1:] == ["True"], done.stderr


@pytest.mark.slow  # converts; tests/export writes such a folder
def test_a_version_for_timm_has_its_files_and_none_of_keras(publisher, server, repo_id, tmp_path):
    model = zoo.load("test_resnet", weights=write_golden_checkpoint("test_resnet", tmp_path))
    folder = zoo.save(model, tmp_path / "mine")
    publisher.publish(folder, repo_id)
    assert publisher.publish(folder, repo_id, timm=True)["version"] == "v2"
    first, second = versions(server, repo_id).values()
    assert {"metadata.json", "model.weights.h5"} <= first.keys()
    assert {"README.md", "config.json", "model.safetensors", "zoo.json"} == second.keys() - {".gitattributes"}
    assert json.loads(second["config.json"])["architecture"] == "test_resnet"
    assert b'"layer1.0.conv1.weight"' in second["model.safetensors"][:100_000]
    assert "library_name: timm" in second["README.md"].decode()
    answer = publisher.publish("espcn-x2", repo_id, timm=True)
    assert (answer["error"], "which timm does not have" in answer["message"]) == ("ExportError", True)


@pytest.mark.slow  # trains; tests/training has adapters
def test_an_adapter_is_published_alone_and_loads_over_its_base(publisher, server, repo_id, folders, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), "uint8")
    options = {"epochs": 1, "batch_size": 4, "lora": 4, "learning_rate": 0.01}
    run = zoo.finetune("blurnet-textures", (images, ["a", "b"] * 4), output_dir=tmp_path / "run", **options)
    np.save(tmp_path / "images.npy", images)
    publisher.publish(run.folder, repo_id, allow_poor=True)
    code = f"""
import numpy as np, zoo
model = zoo.load("hf://{repo_id}@v1")
np.save({str(tmp_path / "found.npy")!r}, model(np.load({str(tmp_path / "images.npy")!r})))
print(model.spec.adapter.base, model.spec.labels)
"""
    done = server.run(code, keras=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"{zoo.info('blurnet-textures').name} ('a', 'b')"
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), run.model(images), rtol=1e-5, atol=1e-6)
    publisher.publish(folders[0], repo_id)
    publisher.publish(run.folder, repo_id, allow_poor=True)
    found = [sorted(files) for files in versions(server, repo_id).values()]
    adapter = ["README.md", "adapter.safetensors", "zoo.json"]
    assert [[name for name in names if name != ".gitattributes"] for names in found] == [adapter, FILES, adapter]
