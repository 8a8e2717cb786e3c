"""What a user takes away: a table with every figure, and a command line that the shell understands."""

from __future__ import annotations

import csv
import io
import re
import shlex
from types import SimpleNamespace

from compress.__main__ import _parser
from compress.recipe import Recipe, Step
from pages.ui.explore import exports
from tests.pages.samples import point


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_table_has_a_header_and_one_row_a_point(measured):
    curve = measured("low_rank", (0.1, 0.3))
    text = exports.table_of(curve.points)
    assert text.splitlines()[0] == ",".join(exports.COLUMNS)
    rows = read(text)
    assert [float(row["dial"]) for row in rows] == [0.1, 0.3]
    for row, stored in zip(rows, curve.points, strict=True):
        assert float(row["accuracy"]) == stored["accuracy"] and int(row["bytes"]) == stored["bytes"]
        assert row["recipe"] == stored["recipe"] and row["latency"] == ""
        assert set(row) == set(exports.COLUMNS)


def test_text_with_commas_quotes_and_lines_comes_back_as_it_was():
    note = 'small, "best"\nof all'
    rows = read(exports.table_of([point(0.1, 9_000, note=note)], ("dial", "note")))
    assert rows == [{"dial": "0.1", "note": note}]


def test_no_cell_of_the_table_is_a_formula_and_no_number_is_changed():
    note = '=HYPERLINK("http://a.example")'
    (row,) = read(exports.table_of([point(-0.1, 9_000, note=note, data="@a")], ("dial", "note", "data")))
    assert row == {"dial": "-0.1", "note": f"'{note}", "data": "'@a"}


def test_no_points_make_a_table_with_a_header_only():
    assert exports.table_of([], ("dial", "bytes")) == "dial,bytes\n"


def test_the_command_line_describes_the_same_point():
    recipe = Recipe("digits", Step.parse("mlp(dropout=0.1,hidden=24-16)"),
                    (Step.parse("low_rank(keep=0.3,output_layer=true,scheme=plain)"),), 7)
    now = SimpleNamespace(recipe=recipe, card={"dial": "keep"}, dial=0.3)
    python, *arguments = shlex.split(exports.shell(now))
    chosen = _parser().parse_args(arguments[2:])
    assert [python, *arguments[:2]] == ["python", "-m", "compress"]
    assert (chosen.data, int(chosen.seed), chosen.dial, chosen.method) == ("digits", 7, "0.3", "low_rank")
    assert Step.parse(chosen.teacher) == recipe.teacher
    assert chosen.set == ["output_layer=true", "scheme=plain"]


def test_the_command_line_quotes_what_a_shell_would_run():
    name = "local:it's;$(touch x)`y`\n&"
    recipe = Recipe(name, Step.of("mlp", {"hidden": "4"}), (Step.of("low_rank", {"keep": 0.3, "scheme": "a b"}),), 7)
    now = SimpleNamespace(recipe=recipe, card={"dial": "keep"}, dial=0.3)
    arguments = shlex.split(exports.shell(now))
    chosen = _parser().parse_args(arguments[3:])
    assert chosen.data == name and chosen.set == ["scheme=a b"] and chosen.teacher == "mlp(hidden=4)"


def test_a_file_is_named_by_teacher_data_method_dial_and_size(known):
    preset = known["presets"][0]
    teacher = Step.of(preset["name"], preset["settings"])
    steps = (Step.of("distill", {"width": 0.2}), Step.of("prune", {"sparsity": 0.95}))
    name = exports.file_name(Recipe("openml:iris:1", teacher, steps), 51_234, known)
    assert re.fullmatch(r"[a-z0-9-]+_openml-iris-1_distill-0\.2_prune-0\.95_51\.2kB\.safetensors", name), name
    hostile = exports.file_name(Recipe("../a b\u202e", Step("mlp"), ()), 5, known)
    assert hostile == "mlp_a-b_5B.safetensors"
