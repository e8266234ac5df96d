"""Which models a page shows, and how often it loads them."""

import json
import threading

import pytest

import zoo
from zoo.demo.models import KEPT, Models


def test_a_model_is_loaded_once_however_many_ask_for_it():
    models, found = Models(own_files=False, own_token=False), []
    askers = [threading.Thread(target=lambda: found.append(models.model("fsrcnn-x2"))) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(found) == 4
    assert len(set(map(id, found))) == 1


def test_the_models_asked_for_last_are_kept():
    models = Models(own_files=False, own_token=False)
    names = ["fsrcnn-x2", "fsrcnn-x3", "fsrcnn-x4", "espcn-x2"][: KEPT + 1]
    first = models.model(names[0])
    for name in names[1:]:
        models.model(name)
    assert models.model(names[-1]) is models.model(names[-1])
    assert models.model(names[0]) is not first


@pytest.mark.parametrize("handle", ["{folder}", "{folder}.keras", "./mine"])
def test_files_of_the_server_are_not_models_for_those_who_only_visit(handle, tmp_path):
    folder = zoo.save(zoo.load("fsrcnn-x2"), tmp_path / "mine")
    visited = Models(own_files=False, own_token=False)
    for ask in (visited.entry, visited.model):
        with pytest.raises(zoo.UnknownModelError, match="No model is named"):
            ask(handle.format(folder=folder))
    assert Models(own_files=True, own_token=True).entry(str(folder)).task == "super-resolution"


def test_random_weights_are_not_shown(classifier, tmp_path):
    new_head = zoo.load(zoo.save(classifier, tmp_path / "trained"), num_classes=5)
    models = Models(own_files=True, own_token=True)
    for handle in ("fcn8s", str(zoo.save(new_head, tmp_path / "new"))):
        with pytest.raises(zoo.InputError, match=r"has random weights\. Expected a model that was trained"):
            models.entry(handle)
    assert models.entry(str(tmp_path / "trained")).num_classes == 3


@pytest.mark.slow  # models of the Hub
def test_strangers_get_of_the_hub_what_anybody_gets(hub, tmp_path):
    """The owner's token may read the repository, and has brought it into the cache; a stranger has neither."""
    entry = zoo.info("espcn-x2").model_dump(mode="json")
    repository = hub.repository("owner/mine")
    repository.commit({"zoo.json": json.dumps(entry).encode()})
    repository.is_private = True
    repository.readers.add("hf_valid")
    code = """
import zoo
from zoo.demo.models import Models

def asked(own_token):
    try:
        return Models(own_files=False, own_token=own_token).entry("hf://owner/mine").name
    except zoo.ZooError as error:
        return type(error).__name__

print(asked(True), asked(False), sep="\\n")
"""
    done = hub.run(code, keras=True, HF_TOKEN="hf_valid")
    assert done.stdout.split() == ["owner/mine", "UnknownModelError"], done.stderr
