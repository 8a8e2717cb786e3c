"""Uploaded files go through the shell's command, whatever they are called."""

from __future__ import annotations

import pytest

from compress.data import local_files
from pages.ui.own_data import data_charts, files
from pages.ui.own_data.files import File, Reading

TABLE = b"a,b,kind\n" + b"".join(f"{row / 3},{row % 7},{'owl' if row % 2 else 'wren'}\n".encode() for row in range(40))


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    monkeypatch.delenv("COMPRESS_DATA", raising=False)


@pytest.mark.parametrize(("name", "plain"), [
    ("birds.csv", "birds.csv"), ("../../etc/birds.csv", "birds.csv"), ("C:\\data\\birds.csv", "birds.csv"),
    ("--name=x.csv", "--name=x.csv"), ("", "file"), (".csv", "csv"), ("a" * 300 + ".csv", "a" * 80 + ".csv")])
def test_a_file_keeps_the_last_part_of_its_name(name, plain):
    assert File(name, b"").plain_name == plain


def test_a_file_with_a_hostile_name_is_read_added_and_removed():
    own = [File("../--label=<b>.csv", TABLE)]
    about = files.look(own, Reading())
    assert (about["examples"], about["label"], about["problem"]) == (40, "kind", "")
    assert files.add(own, Reading(), "--name") == "local:--name"
    assert local_files.is_added("local:--name")
    files.remove("local:--name")
    assert not local_files.is_added("local:--name")


def test_a_refusal_is_the_sentence_of_the_command():
    with pytest.raises(ValueError, match=r"^birds\.csv has no column 'none'; its columns are a, b, kind"):
        files.look([File("birds.csv", TABLE)], Reading(label="none"))


def test_the_example_is_read_and_drawn():
    about = files.look([files.example()], Reading())
    assert (about["examples"], about["shape"], list(about["classes"])) == (150, [4], ["setosa", "versicolor", "virginica"])
    chart = data_charts.examples_map(about["map"])
    assert [trace["name"] for trace in chart["figure"]["data"]] == list(about["classes"])
    assert sum(len(trace["x"]) for trace in chart["figure"]["data"]) == sum(
        len(places[0]) for places in about["map"]["classes"].values()) > 50


def test_equal_files_and_choices_have_one_key():
    one, other = File("a.csv", TABLE), File("a.csv", TABLE + b"1,2,owl\n")
    assert files.key([one], Reading()) == files.key([File("a.csv", TABLE)], Reading())
    assert len({files.key(*given) for given in (([one], Reading()), ([other], Reading()), ([one], Reading(side=8)),
                                                ([one, other], Reading()), ([other, one], Reading()))}) == 5


def test_missing_cells_of_the_columns_that_are_used_are_counted():
    lines = [f"{row / 3},{row % 7 or ''},{'' if row % 4 else 'red'},{'owl' if row % 2 else 'wren'}" for row in range(40)]
    about = files.look([File("birds.csv", "\n".join(["wing,beak,colour,bird", *lines]).encode())], Reading())
    assert (about["missing"], about["columns_used"]) == (6 + 30, 3)
    assert [column["becomes"] for column in about["columns"][1:3]] == [
        "a number, the mean where it is missing", "1 feature of 0 and 1, all 0 where it is missing"]
