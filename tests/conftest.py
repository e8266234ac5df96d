"""Fixtures that several test files share."""

import gc
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hub_server.server import HubServer

# What JAX has compiled it keeps for the next run and for the other workers: layers are many tiny programs.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".pytest_cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
if "PYTEST_XDIST_WORKER" in os.environ:  # the workers share the processors: threads of each would wait for one another
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# What these folders start or write once (a browser, a server, a site, thousands of files) serves all of their tests.
IN_ONE_WORKER = tuple(f"tests/{folder}/" for folder in ("batch", "demo", "publishing", "site"))

# What takes minutes for one test, many of them programs in processes of their own, and shares nothing.
APART = (
    "tests/docs/test_code_blocks.py",
    "tests/docs/test_notebooks.py",
    "tests/export/test_detection.py",
    "tests/recipes/test_fpn_lite0.py",
    "tests/training/test_new_user.py",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The tests of a file go to one worker, those of some folders too; those of some files wherever one is free."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _scope(nodeid)

    config.option.loadscopereorder = False  # the order is that below
    return Scheduling(config, log)


def _scope(nodeid: str) -> str:
    """What goes to one worker."""
    if nodeid.startswith(APART):
        return nodeid
    return next((folder for folder in IN_ONE_WORKER if nodeid.startswith(folder)), nodeid.partition("::")[0])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes first: programs take memory that the workers fill themselves later, and at the end nobody
    waits for the last. Then whatever has most tests."""
    sizes = Counter(_scope(item.nodeid) for item in items)

    def place(item: pytest.Item) -> tuple[bool, int]:
        takes_minutes = item.nodeid.startswith(APART) and item.get_closest_marker("slow") is not None
        return not takes_minutes, -sizes[_scope(item.nodeid)]

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """What is imported stays: without it, the collections that Keras asks for after each model take a tenth as long."""
    gc.freeze()


def pytest_sessionfinish() -> None:
    gc.unfreeze()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubServer]:
    """A Hub of this test alone, on a fresh port, with an empty cache for its clients."""
    with HubServer(tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser of this file alone."""
    from tests.chromium import start

    driver = start(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture
def site_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of `sys.path`, for packages with registries of their own; what is read of them is kept beside it."""
    from tests.private_registry import forget
    from zoo.catalogue import kept

    ours, folder = kept.kept_path, tmp_path / "site-packages"
    monkeypatch.setattr(
        kept, "kept_path", lambda path: ours(path) if path == kept.REGISTRY else tmp_path / "kept" / ours(path).name
    )
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    forget()
    yield folder
    monkeypatch.undo()
    forget()


@pytest.fixture
def acme(site_folder: Path) -> Path:
    """An installed package with a registry and a network of its own: `tests/private_registry.py`."""
    from tests.private_registry import write_package

    return write_package(site_folder)


@pytest.fixture
def classifier():
    """A ResNet of one block as after training: three named classes, and a base under a licence."""
    import keras

    import zoo
    from zoo import architectures

    keras.utils.set_random_seed(0)
    entry = zoo.info("resnet10t").model_copy(
        update={
            "config": {"depths": [1], "stem_kind": "tiered", "stem_filters": 16},
            "num_classes": 3,
            "labels": ("red", "green", "blue"),
            "revision": "a" * 40,
        }
    )
    model = architectures.build(entry)
    for variable in model.weights:
        variable.assign_add(0.1 * keras.random.uniform(variable.shape))
    return model
