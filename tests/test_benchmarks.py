"""The one command of the benchmarks: every part has its place in the report, and a result replaces the old one there."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import report

WITHOUT_TABLES = {"__init__", "__main__", "report", "timing", "example", "pictures"}
MODULES = sorted({path.stem for path in report.REPORT.parent.glob("*.py")} - WITHOUT_TABLES)
OLD = "before\n<!-- one.fast -->\n| 1 |\n\nold\n<!-- end -->\nbetween\n<!-- two.slow -->\n| 2 |\n<!-- end -->\nafter\n"


def test_every_part_has_its_place_in_the_report() -> None:
    parts = {f"{module}.{part}" for module in MODULES for part in import_module(f"tests.benchmarks.{module}").PARTS}
    assert set(report.names(report.REPORT.read_text())) == parts


def test_a_result_replaces_the_old_one_alone() -> None:
    again = report.rewritten(OLD, "one.fast", "| 1.5 |\\1\n")
    assert again == OLD.replace("| 1 |\n\nold", "| 1.5 |\\1")
    assert report.names(again) == ["one.fast", "two.slow"]


def test_two_places_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"two places for one\.fast"):
        report.names(OLD + OLD.replace("two.slow", "three.slow"))


def test_a_modules_name_means_all_of_its_parts() -> None:
    known = ["one.fast", "one.slow", "two.slow"]
    assert report.chosen([], known) == known
    assert report.chosen(["two.slow", "one"], known) == known
    assert report.chosen(["one.slow"], known) == ["one.slow"]
    with pytest.raises(ValueError, match="three"):
        report.chosen(["one", "three"], known)


def test_a_measured_part_is_written_and_one_that_fails_keeps_its_figures(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "tests" / "benchmarks"
    folder.mkdir(parents=True)
    (folder / "one.py").write_text("import sys\nprint(sys.argv[1:])\n")
    (folder / "two.py").write_text("print('half a table')\nraise ValueError('no memory')\n")
    written = tmp_path / "README.md"
    written.write_text(OLD)
    monkeypatch.setattr(command, "ROOT", tmp_path)
    assert command.main(["nobody"], written) == 2
    assert written.read_text() == OLD
    assert command.main([], written) == 1
    found = written.read_text()
    assert "['fast']\n\nMeasured 20" in found and "old" not in found
    assert "| 2 |" in found and "half" not in found
    assert "kept: two.slow" in capfd.readouterr().err


def test_a_part_that_does_not_exist_ends_with_two(capsys: pytest.CaptureFixture[str],
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["module", "swift"])
    with pytest.raises(SystemExit, match="2"):
        report.show({"fast": str})
    assert "the parts are fast" in capsys.readouterr().err


def test_the_parts_of_a_module_are_shown_as_they_return(capsys: pytest.CaptureFixture[str],
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    def noisy() -> str:
        print("a library's greeting")
        return "| table |"

    monkeypatch.setattr("sys.argv", ["module", "noisy"])
    report.show({"noisy": noisy, "other": noisy})
    shown = capsys.readouterr()
    assert shown.out == "| table |\n" and "greeting" in shown.err
