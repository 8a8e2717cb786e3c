"""What all tests share: a cache folder of their own, torch's threads set once, and small teachers trained once."""

from __future__ import annotations

import contextlib
import copy
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from compress.curves.store import Store
    from compress.data.datasets import Dataset
    from compress.networks.families import Network
    from tests.pages.samples import Curve

# Before torch is loaded: threads that spin while they wait make two busy processes ten times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# What numba has compiled serves the next run and every process that tests start; it belongs to the source, not to a home.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(__file__).resolve().parents[1] / ".pytest_cache" / "numba"))

with contextlib.suppress(ImportError):
    from hypothesis import settings

    # Examples are the same on every run: a failure is never luck, and nothing is written beside the tests.
    settings.register_profile("repeatable", deadline=None, derandomize=True, database=None, max_examples=40)
    settings.load_profile("repeatable")


# What takes longest, longest first: begun last, one of them would go on alone when all others have ended.
LONGEST = ("tests/browser/", "tests/compress/service/test_sharing.py", "tests/pages/test_pages.py", "tests/test_faults.py",
           "tests/compress/service/test_engine.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: next((at for at, path in enumerate(LONGEST) if item.nodeid.startswith(path)), len(LONGEST)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where several processes share the tests (`-n 2`), each file has one process, which makes its fixtures once, and
    all that a browser does has one, so that a page never waits for another page's work."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::", 1)[0]
            return "browser" if "/browser/" in file else file

    config.option.loadscopereorder = False  # the files with the most tests are not those that take longest
    return ByFile(config, log)


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """COMPRESS_HOME for the whole run, so that nobody's cache is read or written; work runs on the CPU, on one core: the
    tests' networks are so small that a second thread costs more than it computes, also in the workers that tests start."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("COMPRESS_HOME", str(folder))
        patch.setenv("COMPRESS_DEVICE", os.environ.get("COMPRESS_DEVICE", "cpu"))
        patch.setenv("COMPRESS_CORES", os.environ.get("COMPRESS_CORES", "1"))
        yield folder


@pytest.fixture(scope="session")
def prepared(home: Path) -> None:
    """Torch's threads, set once as the program sets them."""
    from compress.networks.device import prepare

    prepare()


@pytest.fixture(scope="session")
def known(prepared: None) -> dict[str, Any]:
    """The worker's description, without a worker."""
    from compress.service.description import description

    return description()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Works in a folder of its own, where a program may leave files."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def measured(prepared: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, tuple], Curve]:
    """measured("low_rank", (0.3, 0.6)): these points of a method on the digits, as the worker stores them, in a store that
    holds nothing else. They are measured once a run, and every call gets a copy of that store, so that no test finds what
    another one measured, opened, pinned or removed."""
    from compress.curves.store import Store
    from tests.pages.samples import measure

    @lru_cache
    def curve(method: str, values: tuple) -> Curve:
        return measure(Store(tmp_path_factory.mktemp("measured") / "store.sqlite"), method, values)

    def copied(method: str, values: tuple) -> Curve:
        found = curve(method, values)
        home = tmp_path_factory.mktemp("copied") / "home"
        shutil.copytree(found.store.path.parent, home)
        return replace(found, store=Store(home / found.store.path.name))

    return copied


@pytest.fixture(scope="session")
def digits(prepared: None) -> Dataset:
    """The 8x8 digits."""
    from compress.data import datasets

    return datasets.load("digits")


@pytest.fixture(scope="session")
def mnist5k(prepared: None) -> Dataset:
    """5,000 of MNIST's digits."""
    from compress.data import datasets

    return datasets.load("mnist5k")


@pytest.fixture(scope="session")
def trained(digits: Dataset) -> Callable[[str], Network]:
    """trained("mlp(hidden=32-16,epochs=3)"): a copy of this teacher on the digits, which is trained once a run."""
    from compress.recipe import Step
    from compress.training.teachers import train_teacher

    teacher = lru_cache(lambda text: train_teacher(digits, Step.parse(text)).network)
    return lambda text: copy.deepcopy(teacher(text))


@pytest.fixture
def mlp(trained: Callable[[str], Network]) -> Network:
    """A perceptron 64-48-32-10 on the digits, right about nine times in ten."""
    return trained("mlp(hidden=48-32,epochs=6)")


@pytest.fixture
def resnet(trained: Callable[[str], Network]) -> Network:
    """A small residual network with batch normalisation on the digits."""
    return trained("resnet(channels=8-16,epochs=2)")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    from compress.curves.store import Store

    return Store(tmp_path / "store.sqlite")


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, prepared: None) -> Dataset:
    """A small data set, "toy", which is loaded whatever name is asked for."""
    from compress.data import datasets
    from tests.compress.helpers import toy_data

    data = toy_data((16,))
    monkeypatch.setattr(datasets, "load", lambda name, seed=0, report=None: data)
    return data
