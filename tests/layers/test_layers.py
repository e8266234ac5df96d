"""What holds for the package as a whole."""

import doctest
import importlib
import pkgutil

import keras
import pytest

import zoo.layers
from tests.layers.promises import BACKEND
from tests.marked_cases import first_of_each

MODULES = [module.name for module in pkgutil.iter_modules(zoo.layers.__path__)]


def test_the_list_of_exports_is_sorted_and_complete():
    assert zoo.layers.__all__ == sorted(zoo.layers.__all__)
    public = set()
    for name in MODULES:
        module = importlib.import_module(f"zoo.layers.{name}")
        for attribute, value in vars(module).items():
            ours = isinstance(value, type) and value.__module__ == module.__name__
            if ours and keras.saving.get_registered_name(value).startswith("zoo>"):
                public.add(attribute)
    assert public == set(zoo.layers.__all__)


@pytest.fixture
def every_warning():
    """PyTorch gives some warnings once in a process: which test fails would depend on those before it."""
    if BACKEND != "torch":
        yield
        return
    import torch

    torch.set_warn_always(True)
    yield
    torch.set_warn_always(False)


# JAX compiles each line of an example; there and on PyTorch the promises run the same layers.
@pytest.mark.parametrize("name", MODULES if BACKEND == "tensorflow" else first_of_each(MODULES))
def test_the_examples_run(name, every_warning):
    results = doctest.testmod(importlib.import_module(f"zoo.layers.{name}"))
    assert results.failed == 0


@pytest.mark.parametrize("name", zoo.layers.__all__)
def test_every_layer_has_an_example(name):
    assert ">>> " in getattr(zoo.layers, name).__doc__
