"""What is refused before anything is sent."""

import pytest

import zoo
from tests.hub_server.publisher import versions


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"license": ""}, "PublishError", "There is no licence"),
        ({"license": " "}, "PublishError", "There is no licence"),
        ({"license": 3}, "PublishError", "There is no licence"),
        ({"license": "Apache"}, "PublishError", "Did you mean 'apache-2.0'"),
        ({"version": 1}, "InputError", "version=1"),
        ({"private": "yes"}, "InputError", "private='yes'"),
        ({"saved_model": None}, "InputError", "saved_model=None"),
        ({"metrics": {"top1_percent": "91"}}, "InputError", "metrics has 'top1_percent': '91'"),
        ({"metrics": {"top1_percent": float("nan")}}, "InputError", "metrics has 'top1_percent': nan"),
        ({"metrics": {"a\nb": 1}}, "InputError", "metrics has 'a"),
        ({"metrics": [1]}, "InputError", "metrics=[1]"),
        ({"version": "1"}, "InputError", "Expected 'auto', or 'v1', 'v2' and so on"),
        ({"base_model": "nonsense"}, "InputError", "is not a repository id"),
        ({"repo_id": "nonsense"}, "InputError", "is not a repository id"),
        ({"model": "resnet9000"}, "UnknownModelError", "No model is named 'resnet9000'"),
    ],
)
def test_wrong_arguments_are_refused_without_a_request(publisher, server, repo_id, folders, options, error, message):
    arguments = {"model": options.pop("model", folders[0]), "repo_id": options.pop("repo_id", repo_id)}
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
        done = server.run(
            f"import zoo; zoo.publish({str(folders[0])!r}, 'a/b', license='mit')", keras=True, **environment
        )
        assert f"zoo.errors.{error}" in done.stderr
    assert server.log == []
