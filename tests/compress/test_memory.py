"""What would not fit into memory is refused with its size, the limit, and a setting to change."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from compress import memory
from tests.compress.helpers import python

LIMITED = """
import resource, sys
from compress import memory
free = memory.spare()
sys.stdout.write(str(free))
"""


def test_a_shortage_names_size_limit_and_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "spare", lambda: 5 * memory.GB)
    assert memory.shortage(5 * memory.GB, "The table", "Choose less.") == ""
    memory.require(5 * memory.GB, "The table", "Choose less.")
    sentence = ("The table needs about 5.2 GB of memory, but this program may use 5.0 GB more. Choose less. COMPRESS_MEMORY "
                "sets the limit of the whole program in GB.")
    assert memory.shortage(5_200_000_000, "The table", "Choose less.") == sentence
    with pytest.raises(memory.MemoryShort, match=r"needs about 5\.2 GB"):
        memory.require(5_200_000_000, "The table", "Choose less.")
    monkeypatch.setattr(memory, "spare", lambda: -7)
    assert "needs about 20 MB of memory, but this program may use 0 MB more" in memory.shortage(20_000_000, "It", "Wait.")
    monkeypatch.setattr(memory, "spare", lambda: None)
    assert memory.shortage(10**30, "It", "Wait.") == ""


def test_the_variable_is_the_limit_of_the_whole_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPRESS_MEMORY", "1000")
    taken = 1000 * memory.GB - (memory.spare() or 0)
    assert 10_000_000 < taken < 100 * memory.GB
    monkeypatch.setenv("COMPRESS_MEMORY", "0.001")
    assert (memory.spare() or 0) < 0
    for text in ("much", "0", "-1", "nan", "inf", "1e12"):
        monkeypatch.setenv("COMPRESS_MEMORY", text)
        with pytest.raises(ValueError, match=r"COMPRESS_MEMORY must be a positive number of GB, but got .*For example"):
            memory.spare()


def test_the_machine_leaves_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMPRESS_MEMORY", raising=False)
    assert 10_000_000 < (memory.spare() or 0) < 10**15


def test_the_limit_of_the_address_space_counts() -> None:
    assert resource.getrlimit(resource.RLIMIT_AS)  # the platform has it
    script = f"import resource; resource.setrlimit(resource.RLIMIT_AS, (2 * 10**9, 2 * 10**9)){LIMITED}"
    assert 0 < int(python("-c", script, check=True, COMPRESS_MEMORY="").stdout) < 2 * 10**9


@pytest.mark.parametrize(("own", "files", "left"), [
    ("0::/box\n", {"box/memory.max": "5000\n", "box/memory.current": "3000\n",
                   "box/memory.stat": "anon 7\ninactive_file 400\n"}, 2400),
    ("0::/box/inner\n", {"box/memory.max": "5000\n", "box/memory.current": "3000\n", "box/inner/memory.max": "max\n",
                         "box/inner/memory.current": "10\n"}, 2000),
    ("0::/\n", {"memory.max": "max\n", "memory.current": "3000\n"}, None),
    ("0::/elsewhere\n", {"memory.max": "900\n", "memory.current": "100\n"}, 800),
    ("", {}, None)])
def test_the_limit_of_a_container_counts(own: str, files: dict[str, str], left: int | None, tmp_path: Path,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    lines = memory._lines
    group = Path("/proc/self/cgroup")
    monkeypatch.setattr(memory, "_lines", lambda path: own.splitlines() if path == group else lines(path))
    monkeypatch.setattr(memory, "_CGROUPS", ((str(tmp_path), "memory.max", "memory.current", "inactive_file"),))
    assert memory._left_in_group() == left


def test_what_is_taken_and_given_back_is_seen() -> None:
    before = memory._pages(1)
    taken = bytearray(200_000_000)
    assert memory._pages(1) - before > 150_000_000
    del taken
    memory.give_back()
    assert memory._pages(1) - before < 50_000_000
