"""Kernels are compiled ahead, once, in a process that ends with the one that started it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from compress.solvers import compiled
from compress.solvers.omp import has_numba
from tests.compress.helpers import ROOT, python

SPARSE_CODE = """
from compress.methods.sparse_code import SparseCode
from compress.networks.families import MLP, Architecture, build
from tests.compress.helpers import toy_data
data = toy_data((64,))
SparseCode(iterations=1).compress(build(Architecture(MLP(hidden=(300, 100)), data.shape, 3)), data)
"""


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which nothing was compiled."""
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    return tmp_path


@pytest.mark.skipif(not has_numba(), reason="numba is not installed")
def test_what_is_compiled_ahead_is_what_a_method_uses(empty: Path) -> None:
    """Takes the seconds that it spares others."""
    assert not compiled.are_kept()
    process = compiled.compile_beside()
    assert process and process.wait() == 0 and compiled.are_kept()
    kept = {path.name for path in empty.rglob("*.nb*")}
    python("-c", SPARSE_CODE, check=True)
    assert {path.name for path in empty.rglob("*.nb*")} == kept


def test_nothing_starts_where_kernels_are_kept(empty: Path) -> None:
    (empty / "numba").mkdir()
    (empty / "numba" / "kernel.nbi").touch()
    assert compiled.compile_beside() is None


def test_it_ends_when_who_started_it_is_gone(empty: Path) -> None:
    process = subprocess.Popen([sys.executable, "-m", "compress.solvers.compiled"], stdin=subprocess.PIPE, cwd=ROOT)
    assert process.stdin
    process.stdin.close()
    assert process.wait(timeout=60) == 0 and not compiled.are_kept()
