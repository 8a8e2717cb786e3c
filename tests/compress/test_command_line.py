"""python -m compress: results as JSON lines, mistakes as one helpful line and exit code 2."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from compress import __main__ as command_line
from compress.curves import sweep
from compress.curves.plan import Plan, PlannedRun
from compress.curves.sink import opened_counter
from compress.curves.store import Store
from compress.data import datasets
from compress.files import network_file
from compress.files.artefacts import digest_of
from compress.layers.fronts import Projection
from compress.layers.tiling import Tiling
from compress.method import Entrant
from compress.methods import methods
from compress.networks.composite import Composite
from compress.networks.families import MLP, Architecture, Network, build
from compress.recipe import Recipe
from compress.shell.printed import Printed
from compress.training import teachers
from tests.compress.helpers import python

TEACHER = "mlp(hidden=16,epochs=2)"
PROMISED = {"recipe", "dial", "accuracy", "accuracy_low", "accuracy_high", "agreement", "bytes", "parameters",
            "nonzeros", "macs", "seed", "file"}


@pytest.fixture(autouse=True)
def own_store(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digits: Any) -> None:
    """Every test starts with an empty store; the data sets are already in memory."""
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path / "home"))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """run("methods") -> (exit code, JSON objects of standard output, lines of standard error)."""

    def call(*arguments: str) -> tuple[int, list[dict[str, Any]], list[str]]:
        code = command_line.main(list(arguments))
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err.splitlines()

    return call


def test_methods_prints_one_object_a_method(run: Any) -> None:
    code, found, errors = run("methods")
    assert (code, errors) == (0, [])
    assert [card["name"] for card in found] == list(methods())
    assert all({"title", "dial", "values", "settings", "doc"} <= set(card) for card in found)
    assert run("methods", "prune", "low_rank")[1] == [
        next(card for card in found if card["name"] == name) for name in ("prune", "low_rank")]
    code, found, (error,) = run("methods", "low_rnk")
    assert (code, found) == (2, []) and "There is no method 'low_rnk'; choose one of" in error and "low_rank?" in error


def test_methods_works_as_a_program_of_its_own() -> None:
    done = python("-m", "compress", "methods")
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == list(methods())


def test_teacher_trains_once_and_prints_its_card(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    code, (card,), errors = run("teacher", "--data", "digits", "--teacher", TEACHER)
    assert code == 0 and any("epoch 2 of 2" in line for line in errors)
    assert card["parameters"] == 64 * 16 + 16 + 170 and Path(card["file"]).stat().st_size == card["bytes"]
    assert Recipe.parse(card["recipe"]).teacher.values["hidden"] == 16 and card["seed"] == 0
    assert "wrong" not in card and "labels" not in card
    monkeypatch.setattr(teachers, "train_teacher", lambda *_: pytest.fail("trained again"))
    assert run("teacher", "--data", "digits", "--teacher", TEACHER)[1] == [card]


def test_curve_prints_points_and_saves_files_whose_length_is_their_size(run: Any, tmp_path: Path) -> None:
    code, points, errors = run("curve", "--data", "digits", "--teacher", TEACHER, "--method", "low_rank",
                               "--set", "scheme=plain", "--dial", "0.1,0.3,0.5", "--save", str(tmp_path / "saved"))
    assert code == 0 and errors
    assert sorted(point["dial"] for point in points) == [0.1, 0.3, 0.5]
    for point in points:
        assert PROMISED.issubset(point)
        assert Path(point["file"]).parent == tmp_path / "saved"
        assert Path(point["file"]).stat().st_size == point["bytes"]
        assert point["accuracy_low"] <= point["accuracy"] <= point["accuracy_high"]
        assert Recipe.parse(point["recipe"]).methods[0].values["scheme"] == "plain"


def test_values_of_a_dial_are_checked_once(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    checked, asked = sweep.checked_values, []
    monkeypatch.setattr(sweep, "checked_values", lambda *given: asked.append(given) or checked(*given))
    code, points, errors = run("curve", "--data", "digits", "--teacher", TEACHER, "--method", "low_rank", "--dial", "0.2")
    assert code == 0 and len(points) == len(asked) == 1, errors


def test_a_saved_file_is_the_stored_one_whatever_was_saved_there_before(run: Any, tmp_path: Path) -> None:
    arguments = ("curve", "--data", "digits", "--teacher", TEACHER, "--method", "low_rank", "--dial", "0.2,0.4", "--save",
                 str(tmp_path / "saved"))
    _, first, _ = run(*arguments)
    wanted = {row["file"]: Path(row["file"]).read_bytes() for row in first}
    stored = Store().artefacts.path(first[0]["digest"])
    for file in (stored, Path(first[0]["file"])):
        file.write_bytes(b"half")
    Path(first[1]["file"]).unlink()
    code, again, errors = run(*arguments)
    assert code == 0, errors
    assert {row["file"]: Path(row["file"]).read_bytes() for row in again} == wanted
    assert not list((tmp_path / "saved").glob(".*")), "no part of a file is left"


def test_a_second_curve_shows_known_points_without_training_or_measuring(run: Any,
                                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("curve", "--data", "digits", "--teacher", TEACHER, "--method", "low_rank", "--dial", "0.3,0.1")
    _, first, _ = run(*arguments)
    monkeypatch.setattr(teachers, "train_teacher", lambda *_: pytest.fail("trained again"))
    monkeypatch.setattr("compress.curves.sweep.measure", lambda *_: pytest.fail("measured again"))
    code, again, _ = run(*arguments)
    assert code == 0 and [point["dial"] for point in again] == [0.1, 0.3]
    assert all(point in first for point in again)


def test_a_race_prints_every_network_and_then_who_is_ahead(run: Any, tmp_path: Path,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in methods().values():
        monkeypatch.setattr(kind, "race", ())
    monkeypatch.setattr(methods()["low_rank"], "race", (Entrant("bare", {}, (0.1, 0.3)),))
    monkeypatch.setattr(methods()["prune"], "race", (Entrant("", {"criterion": "random"}, (0.2, 0.5)),))
    arguments = ("race", "--data", "digits", "--teacher", TEACHER, "--points-lost", "100", "--save", str(tmp_path / "saved"))
    code, rows, errors = run(*arguments)
    assert code == 0, errors
    assert sorted((row["label"], row["dial"]) for row in rows[:-1]) == [
        ("low rank (bare)", 0.1), ("low rank (bare)", 0.3), ("pruning", 0.2), ("pruning", 0.5)]
    assert all(set(row) >= PROMISED and Path(row["file"]).stat().st_size == row["bytes"] for row in rows[:-1])
    best = min(rows[:-1], key=lambda row: row["bytes"])
    assert rows[-1]["recipe"] == best["recipe"] and rows[-1]["refused"] == {}
    assert rows[-1]["sentence"].startswith(f"At most 100 points below the teacher: smallest {best['bytes'] / 1000:.1f} kB")
    assert f"by {best['label']}." in rows[-1]["sentence"]
    monkeypatch.setattr("compress.curves.sweep.measure", lambda *_: pytest.fail("measured again"))
    assert run(*arguments)[1][-1] == rows[-1]


def test_curve_takes_methods_in_a_row(run: Any) -> None:
    code, points, _ = run("curve", "--data", "digits", "--teacher", TEACHER, "--dial", "0.2", "--method",
                          "low_rank(keep=0.2)+low_rank(output_layer=true)")
    assert code == 0 and [point["recipe"].count("low_rank") for point in points] == [2]


def test_evaluate_reports_on_any_split(run: Any, mlp: Network, tmp_path: Path) -> None:
    network_file.write(mlp, tmp_path / "net")
    for split in ("train", "calibration", "validation"):
        code, (found,), errors = run("evaluate", str(tmp_path / "net"), "--data", "digits", "--split", split)
        assert (code, errors, found["split"]) == (0, [], split) and found["agreement"] is None
        assert [one["class"] for one in found["recall"]] == [str(digit) for digit in range(10)]
        assert sum(one["examples"] for one in found["recall"]) == found["examples"]
        assert sum(round(one["recall"] * one["examples"]) for one in found["recall"]) == found["correct"]
        assert all(one["recall_low"] <= one["recall"] <= one["recall_high"] for one in found["recall"])


def test_evaluate_reports_how_often_the_test_split_was_used(run: Any, mlp: Network, tmp_path: Path) -> None:
    network_file.write(mlp, tmp_path / "net")
    for used in ("once", "2 times"):
        code, (found,), errors = run("evaluate", str(tmp_path / "net"), "--data", "digits", "--split", "test")
        assert code == 0 and found["split"] == "test" and len(errors) == 1 and f"has been used {used}." in errors[0]


CURVE = ("curve", "--data", "digits", "--teacher", "mlp", "--method", "low_rank")


@pytest.mark.parametrize(("arguments", "answer"), [
    (("teacher", "--data", "nothing"), "no data set 'nothing'. Choose one of digits, mnist5k, mnist1d"),
    (("curve", "--data", "nothing", "--method", "low_rank"), "no data set 'nothing'. Choose one of digits"),
    (("teacher", "--data", "openml:name"), "named with its version, as openml:NAME:VERSION"),
    (("teacher", "--data", "digits", "--teacher", "vgg"), "no teacher 'vgg'; choose one of logistic, mlp"),
    (("teacher", "--data", "digits", "--teacher", "mlp(depth=3)"), "no setting 'depth'; its settings are hidden"),
    (("teacher", "--data", "digits", "--teacher", "mlp(epochs=0)"), "epochs must be between 1 and 2000, but got 0"),
    (("teacher", "--data", "digits", "--teacher", "mlp(epochs"), "write it like"),
    (("curve", "--data", "digits", "--method", "magic"), "no method 'magic'; choose one of"),
    (("curve", "--data", "digits", "--method", "low_rank(rank=3)"), "no setting 'rank'; its settings are keep"),
    (("curve", "--data", "digits", "--method", ""), "write it like low_rank"),
    ((*CURVE, "--set", "scheme=best"),
     "scheme must be one of plain, whitened, centred, sequential, randomized, but got 'best'"),
    ((*CURVE, "--set", "scheme"), "is not NAME=VALUE; write it like --set scheme=whitened"),
    ((*CURVE, "--set", "convolution=spatial"), "Choose the scheme plain, or channel for"),
    ((*CURVE, "--dial", "0.1,2"), "keep must be between 0.001 and 1.0, but got 2"),
    ((*CURVE, "--dial", "0.1,,0.2"), "keep must be a number between 0.001 and 1.0, but got ''"),
    ((*CURVE, "--dial", ""), "keep must be a number between 0.001 and 1.0, but got ''"),
    ((*CURVE, "--dial", "true"), "keep must be a number between 0.001 and 1.0, but got 'true'"),
    ((*CURVE, "--set", "recovery_steps=true"), "recovery_steps must be a whole number between 0 and"),
    ((*CURVE, "--set", "recovery_steps=2.7"), "but got '2.7'. For example: recovery_steps=0"),
    ((*CURVE, "--set", "output_layer=1"), "output_layer must be true or false, but got '1'"),
    ((*CURVE, "--set", "scheme=plain", "--set", "scheme=centred"), "scheme is given twice, as plain and as centred"),
    (("curve", "--data", "digits", "--method", "low_rank(scheme=plain)", "--set", "scheme=plain"), "scheme is given twice"),
    (("curve", "--data", "digits", "--method", "low_rank(keep=0.1,keep=0.2)"), "keep is given twice in 'low_rank(keep=0.1"),
    ((*CURVE, "--set", "keep=0.3"), "keep is what a curve of low_rank turns; give its values by --dial"),
    (("teacher", "--data", "digits", "--teacher", "mlp(epochs=true)"), "epochs must be a whole number between 1 and 2000"),
    (("teacher", "--data", "digits", "--teacher", "mlp(hidden=true)"), "hidden must be whole numbers between 1 and 8192"),
    (("teacher", "--data", "digits", "--seed", str(2 ** 63)), "--seed must be between 0 and 4294967295, but got 92"),
    (("teacher", "--data", "digits", "--seed", "-1"), "--seed must be between 0 and 4294967295, but got -1. Choose"),
    (("race", "--data", "digits", "--points-lost", "much"), "--points-lost must be a number between 0 and 100, but got 'mu"),
    ((*CURVE, "--seed", "1.5"), "--seed must be a whole number between 0 and 4294967295, but got '1.5'. For example"),
    ((*CURVE, "--seed", ""), "--seed must be a whole number between 0 and 4294967295, but got ''"),
    (("evaluate", "gone", "--data", "digits"), "There is no file gone. Give the path of a file")])
def test_a_mistake_is_answered_with_exit_code_2_and_one_line(arguments: tuple[str, ...], answer: str, run: Any) -> None:
    code, out, errors = run(*arguments)
    assert (code, out, len(errors)) == (2, [], 1), errors
    assert answer in errors[0]


@pytest.mark.parametrize(("arguments", "question"), [
    (("--data", "digts"), "digits"), (("--data", "DIGITS"), "digits"), (("--data", "digits", "--teacher", "mpl"), "mlp"),
    (("--data", "digits", "--teacher", "mlp(hiden=8)"), "hidden"), (("--data", "digits", "--method", "low_rnk"), "low_rank"),
    (("--data", "digits", "--set", "shceme=plain"), "scheme")])
def test_a_name_that_is_nearly_right_is_asked_back(arguments: tuple[str, ...], question: str, run: Any) -> None:
    method = () if "--method" in arguments else ("--method", "low_rank")
    code, out, errors = run("curve", *method, *arguments)
    assert (code, out, len(errors)) == (2, [], 1) and errors[0].endswith(f" Did you mean {question}?")


def test_a_name_that_is_like_no_other_is_not_guessed(run: Any) -> None:
    for name in ("", "x", "photographers of birds" * 1000):
        code, out, errors = run("teacher", "--data", name)
        assert (code, out, len(errors)) == (2, [], 1) and "Did you mean" not in errors[0]


@pytest.mark.parametrize(("name", "words"), [("file", "cannot be made"), ("file/x", "cannot be made"), ("", "got nothing"),
                                             ("n" * 300, "cannot be made"), ("closed", "may not be written")])
def test_a_folder_that_cannot_take_files_is_told_before_any_work(name: str, words: str, run: Any, tmp_path: Path,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "closed").mkdir()
    monkeypatch.setattr("compress.shell.saved.os.access", lambda path, mode: Path(path).name != "closed")
    code, out, errors = run("curve", "--data", "digits", "--teacher", TEACHER, "--method", "low_rank", "--save",
                            str(tmp_path / name) if name else "")
    assert (code, out, len(errors)) == (2, [], 1)
    assert errors[0].startswith("--save") and words in errors[0]


@pytest.mark.parametrize("command", [("curve", "--data", "digits", "--teacher", TEACHER, "--method", "low_rank",
                                      "--dial", "7"), ("race", "--data", "nowhere", "--teacher", TEACHER),
                                     ("solve", "--data", "nowhere", "--teacher", TEACHER, "--at-most", "1")])
def test_a_refused_command_leaves_no_empty_folder(command: tuple[str, ...], run: Any, tmp_path: Path) -> None:
    place = tmp_path / "place"
    (place / "before").mkdir(parents=True)
    for name in ("saved", "before", "new/saved", "new/" + "n" * 300):
        code, _, errors = run(*command, "--save", str(place / name))
        assert (code, len(errors)) == (2, 1)
    assert [path.name for path in place.rglob("*")] == ["before"]


def test_a_network_for_other_data_is_answered_with_one_line(run: Any, mlp: Network, tmp_path: Path,
                                                            mnist5k: Any) -> None:
    network_file.write(mlp, tmp_path / "net")
    for split in ("validation", "test"):
        code, out, errors = run("evaluate", str(tmp_path / "net"), "--data", "mnist5k", "--split", split)
        assert (code, out, len(errors)) == (2, [], 1)
        assert "expects examples of shape (1, 8, 8)" in errors[0] and "Give the data set" in errors[0]


def test_a_teacher_to_agree_with_must_fit_too(run: Any, mlp: Network, trained: Any, tmp_path: Path) -> None:
    network_file.write(mlp, tmp_path / "net")
    (tmp_path / "short").write_bytes((tmp_path / "net").read_bytes()[:-5])
    code, out, errors = run("evaluate", str(tmp_path / "net"), "--data", "digits", "--teacher", str(tmp_path / "short"))
    assert (code, out, len(errors)) == (2, [], 1) and "is not a readable network file" in errors[0]


def test_a_teacher_of_other_data_is_named_before_the_test_split_is_opened(run: Any, mlp: Network, tmp_path: Path,
                                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    network_file.write(mlp, tmp_path / "net")
    for other in (Architecture(MLP((4,)), (7,), 10), Architecture(MLP((4,)), (1, 8, 8), 3)):
        network_file.write(build(other), tmp_path / "other")
        for split in ("train", "test"):
            code, out, errors = run("evaluate", str(tmp_path / "net"), "--data", "digits", "--teacher",
                                    str(tmp_path / "other"), "--split", split)
            assert (code, out, len(errors)) == (2, [], 1)
            assert errors[0].startswith(f"{tmp_path / 'other'} expects examples of shape {other.shape}")
    assert Store().counter(opened_counter("digits", datasets.load("digits").digest)) == 0


def test_every_split_knows_the_agreement_with_a_teacher(run: Any, mlp: Network, tmp_path: Path) -> None:
    network_file.write(mlp, tmp_path / "net")
    network_file.write(build(mlp.architecture, 5), tmp_path / "untrained")
    for split in ("train", "validation", "test"):
        for teacher, low, high in (("net", 1.0, 1.0), ("untrained", 0.0, 0.5)):
            code, (found,), _ = run("evaluate", str(tmp_path / "net"), "--data", "digits", "--split", split, "--teacher",
                                    str(tmp_path / teacher))
            assert code == 0 and low <= found["agreement"] <= high


def test_weights_that_are_no_numbers_are_named_with_their_file(run: Any, mlp: Network, tmp_path: Path) -> None:
    network_file.write(mlp, tmp_path / "net")
    spoilt = copy.deepcopy(mlp)
    with torch.no_grad():
        spoilt[3].bias[2] = float("nan")
    network_file.write(spoilt, tmp_path / "spoilt")
    for one, teacher in (("spoilt", "net"), ("net", "spoilt")):
        for split in ("validation", "test"):
            code, out, errors = run("evaluate", str(tmp_path / one), "--data", "digits", "--split", split, "--teacher",
                                    str(tmp_path / teacher))
            assert (code, out, len(errors)) == (2, [], 1)
            assert f"{tmp_path / 'spoilt'} holds weights that are no numbers (3.bias)" in errors[0]
    assert Store().counter(opened_counter("digits", datasets.load("digits").digest)) == 0


def test_parts_that_do_not_fit_each_other_are_no_traceback(run: Any, digits: Any, tmp_path: Path) -> None:
    """Each stage is sound in itself, but the second reads other sizes than the first writes."""
    first = Projection(Tiling((1, 8, 8), 0), torch.zeros(64), torch.randn(64, 5))
    network = Composite(first, build(Architecture(MLP((4,)), (7,), 10)))
    network_file.write(network, tmp_path / "net")
    code, out, errors = run("evaluate", str(tmp_path / "net"), "--data", "digits")
    assert (code, out, len(errors)) == (2, [], 1) and "holds a network whose parts do not fit each other" in errors[0]


def test_half_a_file_is_never_saved_as_sound(run: Any, tmp_path: Path) -> None:
    """The file is damaged between the look-up of its point and the copy."""
    arguments = ("curve", "--data", "digits", "--teacher", TEACHER, "--method", "low_rank", "--dial", "0.2")
    _, (point,), _ = run(*arguments)
    contents = Path(point["file"]).read_bytes()
    wanted = PlannedRun(point["recipe"], "key", "curve", 0.2, "")
    printed = Printed(Plan((wanted, wanted), ()), Store(), tmp_path / "saved")
    Path(point["file"]).write_bytes(contents[:-1])
    with pytest.raises(ValueError, match="is missing or damaged"):
        printed.point("key", point)
    assert not list(tmp_path.glob("saved/*"))
    code, (again,), errors = run(*arguments, "--save", str(tmp_path / "saved"))
    assert code == 0, errors
    assert digest_of(Path(again["file"]).read_bytes()) == again["digest"] == point["digest"]


def test_files_that_were_deleted_from_the_cache_are_made_again(run: Any, tmp_path: Path) -> None:
    arguments = ("curve", "--data", "digits", "--teacher", TEACHER, "--method", "low_rank", "--dial", "0.2", "--save",
                 str(tmp_path / "saved"))
    _, (first,), _ = run(*arguments)
    for file in (tmp_path / "home" / "networks").iterdir():
        file.unlink()
    code, (again,), errors = run(*arguments)
    assert code == 0, errors
    assert (again["digest"], again["bytes"]) == (first["digest"], first["bytes"])


@pytest.mark.parametrize("arguments", [
    ["teacher", "--data", "\x1b[2J\x07\u202e"], ["curve", "--data", "digits", "--method", "low_rank", "--set", "\x1b[31m=1"],
    ["evaluate", "\x1b]0;title\x07.safetensors", "--data", "digits"],
    ["teacher", "--data", "digits", "--teacher", "mlp(\x1b[2J=1)"]])
def test_an_error_sends_no_escape_sequence_to_the_terminal(arguments, capsys):
    assert command_line.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.endswith("\n") and said[:-1].isprintable()


def test_a_curve_over_an_earlier_steps_dial_prints_every_network_on_the_way(run: Any) -> None:
    base = ["curve", "--data", "digits", "--teacher", TEACHER, "--method", "low_rank(keep=0.5)+prune(sparsity=0.6)+quantize",
            "--dial-step", "2"]
    code, found, errors = run(*base, "--dial", "0.4,0.8")
    assert code == 0, errors
    steps = [(one["role"], len(Recipe.parse(one["recipe"]).methods)) for one in found]
    assert sorted(steps) == [("curve", 3), ("curve", 3), ("step", 1), ("step", 2), ("step", 2), ("step", 3), ("step", 3)]
    turned = [Recipe.parse(one["recipe"]).methods[1].values["sparsity"] for one in found if one["role"] == "curve"]
    assert sorted(turned) == [0.4, 0.8]
    code, again, _ = run(*base, "--dial", "0.8,0.4")
    assert code == 0 and {one["recipe"] for one in again} == {one["recipe"] for one in found}, "everything is known"
    code, _, errors = run(*base[:-1], "4")
    assert code == 2 and "--dial-step must be a whole number between 1 and 3" in errors[-1]
    code, _, errors = run(*base, "--dial", "0.4", "--set", "nothing=1")
    assert code == 2 and "no setting 'nothing'" in errors[-1]


def test_a_duel_prints_its_seeds_and_a_verdict_in_words(run: Any) -> None:
    code, (one, verdict), _ = run("duel", "--data", "digits", "--teacher", TEACHER, "prune", "low_rank", "--size", "3000",
                                  "--seeds", "1")
    assert code == 0 and one["seed"] == 0 and all(abs(size / 3000 - 1) < 0.1 for size in one["sizes"])
    assert verdict["sentence"].startswith(("Cannot tell", "The first recipe is better", "The second is better"))
    assert verdict["sizes"] == one["sizes"] and isinstance(verdict["significant"], bool)
    code, _, errors = run("order", "--data", "digits", "--smaller", "1")
    assert code == 2 and "smaller must be between 2 and 1000" in errors[-1]
