"""A home that several users share: what the umask allows the group, the group may do."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.imports import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no umask")
CURVE = ["curve", "--data", "digits", "--teacher", "logistic(epochs=1)", "--method", "low_rank", "--dial", "0.5"]
SHELL = "import os, sys; os.umask({mask}); from compress.__main__ import main; sys.exit(main({arguments}))"
APP = ("import os; os.umask({mask}); from compress.service.engine import LocalEngine; engine = LocalEngine(); "
       "engine.description(120); engine.close()")
CACHE = ("import os, numpy; os.umask({mask}); from compress.data.array_cache import cached; "
         "cached('a', lambda: {{'x': numpy.ones(3)}})")


@pytest.mark.parametrize("mask", [0o002, 0o027])
def test_everything_in_a_home_has_the_permissions_that_the_umask_leaves(mask: int, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for script in (SHELL, APP, CACHE):
        subprocess.run([sys.executable, "-c", script.format(mask=mask, arguments=CURVE)], cwd=ROOT, check=True,
                       env={**os.environ, "COMPRESS_HOME": str(home)}, stdout=subprocess.DEVNULL)
    found = [home, *home.rglob("*")]
    assert {"store.sqlite", "a.npz", "worker.log", "description.json"} <= {path.name for path in found}
    wrong = {path.name: oct(path.stat().st_mode) for path in found if "numba" not in path.parts
             and stat.S_IMODE(path.stat().st_mode) != (0o777 if path.is_dir() else 0o666) & ~mask}
    assert not wrong
