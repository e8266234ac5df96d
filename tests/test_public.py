"""The public face: what is exported, documented, and runs as documented."""

import ast
import doctest
import graphlib
import importlib
import inspect
import pickle
import pkgutil
import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import zoo
import zoo.layers

ROOT = Path(zoo.__file__).parent
FACES = ["zoo", "zoo.export", "zoo.layers"]


@pytest.mark.parametrize("name", FACES)
def test_all_is_sorted_and_exists(name):
    module = importlib.import_module(name)
    assert module.__all__ == sorted(module.__all__)
    for member in module.__all__:
        assert getattr(module, member).__doc__, member


def public(kind):
    """Names and public members of a kind."""
    for face in FACES:
        module = importlib.import_module(face)
        yield from ((f"{face}.{name}", getattr(module, name)) for name in module.__all__ if kind(getattr(module, name)))


def test_everything_has_an_example():
    for name, item in public(lambda value: inspect.isclass(value) or inspect.isfunction(value)):
        if inspect.isclass(item) and issubclass(item, zoo.ZooError) and "__init__" not in vars(item):
            item = zoo.ZooError  # an error without data of its own is caught as any other
        assert "\nExample:\n    >>> " in inspect.getdoc(item), name


def test_a_function_documents_its_arguments_and_errors():
    for name, function in public(inspect.isfunction):
        text = inspect.getdoc(function)
        assert "\nRaises:\n" in text, name
        documented = re.findall(r"^    ([\w, ]+):", text.split("\nArgs:\n")[1], re.MULTILINE)
        documented = {argument for line in documented for argument in line.split(", ")}
        given = inspect.signature(function).parameters.values()
        needed = {argument.name for argument in given if argument.kind is not argument.VAR_KEYWORD}
        assert needed <= documented, (name, needed - documented)


def described_layers():
    """Names, classes and docstrings of layers and initialisers, without those that differ by dimensions only.

    "`Blur2D` for signals": that docstring names the layer that describes both.
    """
    for name, layer in public(inspect.isclass):
        text = inspect.getdoc(layer)
        other = re.match(r"`(\w+)` for ", text)
        if name.startswith("zoo.layers.") and (other is None or other[1] not in zoo.layers.__all__):
            yield name, layer, text


def test_a_layer_documents_its_shapes():
    import keras

    for name, layer, text in described_layers():
        if issubclass(layer, keras.layers.Layer):
            assert "\nInput shape: " in text, name
            assert "\nOutput shape: " in text, name


def test_a_layer_says_where_it_comes_from():
    for name, _, text in described_layers():
        found = re.search(r"\nReference: ((?:\S.*\n)+)", text)
        assert found, name
        assert "https://" in found[1] or found[1].startswith("ours"), (name, found[1])


def raised(code, names, seen):
    """The errors that the source of a class or function raises, and the functions of `zoo.layers` that it calls."""
    found = set()
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(code)))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            found.add(ast.unparse(node.exc.func))
        if not isinstance(node, ast.Call):
            continue
        start, _, rest = ast.unparse(node.func).partition(".")
        called = getattr(names.get(start), rest, None) if rest else names.get(start)
        if start == "keras" and rest == "InputSpec":
            found.add("ValueError")  # Keras', for another number of axes
        elif inspect.isfunction(called) and called.__module__.startswith("zoo.layers.") and called not in seen:
            found |= raised(called, vars(inspect.getmodule(called)), seen | {called})
    return found


def test_a_layer_documents_the_errors_that_it_raises():
    for name, layer, text in described_layers():
        ours = [each for each in layer.__mro__ if each.__module__.startswith("zoo.layers.")]
        errors = set().union(*(raised(each, vars(inspect.getmodule(each)), frozenset()) for each in ours))
        section = re.search(r"\nRaises:\n((?:    .*\n)+)", text)
        documented = set(re.findall(r"^    (\w+): ", section[1] if section else "", re.MULTILINE))
        assert errors <= documented, (name, errors - documented)
        assert documented - errors <= {"ValueError"}, (name, documented - errors)  # what Keras refuses by itself


def test_a_class_documents_its_arguments():
    for name, kind in public(inspect.isclass):
        text = inspect.getdoc(kind)
        if "__init__" not in vars(kind) or issubclass(kind, Exception):
            continue
        sections = re.findall(r"^(?:Args|Attributes):\n((?:    .*\n?|\n)*)", text, re.MULTILINE)
        lines = re.findall(r"^    ([\w, ]+): *\S", "".join(sections), re.MULTILINE)
        documented = {argument for line in lines for argument in line.split(", ")}
        given = list(inspect.signature(kind.__init__).parameters.values())[1:]
        needed = {each.name for each in given if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)}
        assert needed <= documented, (name, needed - documented)


@pytest.mark.parametrize("name", FACES)
def test_dir_shows_what_is_public(name):
    module = importlib.import_module(name)
    assert set(module.__all__) <= set(dir(module))


def test_an_unknown_attribute_is_an_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = zoo.nothing


def test_every_error_is_a_zoo_error_and_a_builtin_one():
    for name in zoo.__all__:
        error = getattr(zoo, name)
        if inspect.isclass(error) and issubclass(error, zoo.ZooError) and error is not zoo.ZooError:
            assert any(base.__module__ == "builtins" and base is not object for base in error.__mro__[1:-3]), name


def test_every_error_is_exported():
    defined = [name for name, item in vars(zoo.errors).items() if inspect.isclass(item) and issubclass(item, Exception)]
    assert set(defined) <= set(zoo.__all__)


def test_dir_shows_nothing_else():
    assert set(dir(zoo)) == {*zoo.__all__, "__version__"}


def test_errors_carry_their_data(tmp_path):
    with pytest.raises(zoo.UnknownModelError) as unknown:
        zoo.info("resnet5")
    assert "resnet50" in unknown.value.nearest
    weights = {name: np.zeros(2, "float32") for name in ("body-conv1/bias", "nobody/kernel")}
    safetensors.numpy.save_file(weights, tmp_path / "a.safetensors")
    with pytest.raises(zoo.WeightsMismatchError) as mismatch:
        zoo.load("espcn-x2", weights=tmp_path / "a.safetensors")
    error = pickle.loads(pickle.dumps(mismatch.value))  # noqa: S301 (as from another process)
    assert error.missing
    assert str(error) == str(mismatch.value)
    assert set(error.left_over) | set(error.misshapen) == set(weights)


def test_a_spec_is_printed_for_people():
    lines = str(zoo.info("espcn-x2")).splitlines()
    assert lines[0] == "source: embedded"
    assert "parameters: 21,284" in lines
    assert max(map(len, lines)) < 300
    assert "\x1b" not in str(zoo.info("espcn-x2").model_copy(update={"license": "\x1b[2J"}))


def modules():
    for package in (zoo,):
        for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not info.name.endswith("__main__") and not info.name.startswith(("zoo.layers.", "zoo.export.")):
                yield info.name


@pytest.mark.parametrize("name", list(modules()))
def test_examples_in_docstrings_run(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


def test_no_module_imports_one_that_imports_it_back():
    imported = {}
    for path in ROOT.rglob("*.py"):
        name = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
        lines = (line for line in ast.parse(path.read_text()).body if isinstance(line, ast.ImportFrom))
        imported[name] = {
            name for line in lines for alias in line.names for name in (line.module, f"{line.module}.{alias.name}")
        }
    graph = {name: found & imported.keys() - {name} for name, found in imported.items()}
    tuple(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError, which lists the circle


@pytest.mark.parametrize("room", ["catalogue", "hub", "command_line"])
def test_what_is_instant_imports_no_keras_at_the_top(room):
    for path in (ROOT / room).rglob("*.py"):
        for line in ast.parse(path.read_text()).body:
            names = [alias.name for alias in getattr(line, "names", ())] + [getattr(line, "module", None) or ""]
            assert not {name.partition(".")[0] for name in names} & {"keras", "tensorflow", "tensorflow_hub"}, path
