"""Which models a page shows, and how often it loads them."""

import threading

import pytest

import zoo
from zoo.demo.models import KEPT, Models


def test_a_model_is_loaded_once_however_many_ask_for_it():
    models, found = Models(own_files=False), []
    askers = [threading.Thread(target=lambda: found.append(models.model("fsrcnn-x2"))) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(found) == 4
    assert len(set(map(id, found))) == 1


def test_the_models_asked_for_last_are_kept():
    models = Models(own_files=False)
    names = ["fsrcnn-x2", "fsrcnn-x3", "fsrcnn-x4", "espcn-x2"][: KEPT + 1]
    first = models.model(names[0])
    for name in names[1:]:
        models.model(name)
    assert models.model(names[-1]) is models.model(names[-1])
    assert models.model(names[0]) is not first


@pytest.mark.parametrize("handle", ["{folder}", "{folder}.keras", "./mine"])
def test_files_of_the_server_are_no_models_for_those_who_only_visit(handle, tmp_path):
    folder = zoo.save(zoo.load("fsrcnn-x2"), tmp_path / "mine")
    for ask in (Models(own_files=False).entry, Models(own_files=False).model):
        with pytest.raises(zoo.UnknownModelError, match="No model is named"):
            ask(handle.format(folder=folder))
    assert Models(own_files=True).entry(str(folder)).task == "super-resolution"


def test_random_weights_are_not_shown(classifier, tmp_path):
    new_head = zoo.load(zoo.save(classifier, tmp_path / "trained"), num_classes=5)
    models = Models(own_files=True)
    for handle in ("fcn8s", str(zoo.save(new_head, tmp_path / "new"))):
        with pytest.raises(zoo.InputError, match=r"has random weights\. Expected a model that was trained"):
            models.entry(handle)
    assert models.entry(str(tmp_path / "trained")).num_classes == 3
