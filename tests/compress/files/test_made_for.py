"""A file says what its network was made for, shortly and exactly, and a user of other data is warned."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from compress.data import datasets
from compress.data.datasets import Dataset
from compress.files import container, network_file
from compress.files.made_for import MadeFor
from compress.networks.families import Network
from tests.compress.helpers import python, toy_data

SHAPES = [(5,), (2, 9), (3, 4, 4)]


@pytest.mark.parametrize("shape", SHAPES)
def test_new_examples_are_normalised_exactly_as_those_of_training(shape: tuple[int, ...]) -> None:
    data = toy_data(shape)
    again = MadeFor.from_plain(json.loads(json.dumps(MadeFor.of(data).plain())))
    assert again == MadeFor.of(data) and (again.shape, again.classes, again.digest) == (shape, data.classes, data.digest)
    raw = np.random.default_rng(0).normal(size=(7, *shape))
    assert again.normaliser.apply(raw).tobytes() == data.normaliser.apply(raw).tobytes()
    assert again.normaliser.undo(raw).tobytes() == data.normaliser.undo(raw).tobytes()


def test_a_file_carries_it_and_teachers_and_students_the_same(mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    made_for = MadeFor.of(digits)
    length = network_file.write(mlp, tmp_path / "net", made_for)
    assert network_file.made_for(tmp_path / "net") == made_for
    assert length == len(network_file.to_bytes(mlp, made_for)) == (tmp_path / "net").stat().st_size
    assert 0 < length - len(network_file.to_bytes(mlp)) < 250
    assert network_file.read(tmp_path / "net").architecture == mlp.architecture


def test_files_written_before_are_still_read_and_say_nothing(mlp: Network, tmp_path: Path) -> None:
    network_file.write(mlp, tmp_path / "net")
    assert network_file.made_for(tmp_path / "net") is None
    assert network_file.read(tmp_path / "net").architecture == mlp.architecture


def test_numbers_as_names_of_classes_take_no_room(digits: Dataset) -> None:
    many = dataclasses.replace(digits, classes=tuple(str(number) for number in range(1000)))
    assert MadeFor.of(many).plain()["classes"] == 1000 and MadeFor.from_plain(MadeFor.of(many).plain()) == MadeFor.of(many)
    named = dataclasses.replace(digits, classes=("zero", *digits.classes[1:]))
    assert MadeFor.of(named).plain()["classes"][0] == "zero"
    assert MadeFor.from_plain(MadeFor.of(named).plain()) == MadeFor.of(named)


def test_every_difference_has_its_sentence(digits: Dataset) -> None:
    made_for = MadeFor.of(digits)
    assert made_for.difference(digits) == ""
    other = dataclasses.replace(digits, name="local:shapes", classes=("round", "square"))
    assert made_for.difference(other) == ("it was made for digits with the classes 0, 1, 2, ..., not for local:shapes with "
                                          "round, square: its outputs mean other classes")
    assert "not for mnist5k: it may never have seen" in made_for.difference(dataclasses.replace(digits, name="mnist5k"))
    assert "other contents or other splits of digits" in made_for.difference(datasets.load("digits", 1))


@pytest.mark.parametrize("plain", [{}, {"data": "digits"}, {"data": "x", "digest": "y", "shape": [3], "classes": 2.5,
                                                            "normaliser": "AAAA"}, 7], ids=str)
def test_a_damaged_description_is_answered(plain: object, mlp: Network, tmp_path: Path) -> None:
    manifest = {"architecture": mlp.architecture.plain(), "layers": {}, "made_for": plain}
    network_file.write_bytes(container.pack(manifest, mlp.state_dict()), tmp_path / "net")
    with pytest.raises(ValueError, match=r"net does not fit its own manifest: its description of data is damaged"):
        network_file.made_for(tmp_path / "net")


def test_evaluate_warns_when_the_file_was_made_for_other_data(mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    other = dataclasses.replace(digits, name="letters", classes=tuple("abcdefghij"))
    for name, data in (("own", digits), ("other", other)):
        network_file.write(mlp, tmp_path / name, MadeFor.of(data))
    own, foreign = (python("-m", "compress", "evaluate", str(tmp_path / name), "--data", "digits", check=True)
                    for name in ("own", "other"))
    ours, theirs = (json.loads(done.stdout) for done in (own, foreign))
    assert own.stderr == "" and ours["accuracy"] == theirs["accuracy"]
    assert foreign.stderr == (f"Warning, {tmp_path / 'other'}: it was made for letters with the classes a, b, c, ..., not "
                              "for digits with 0, 1, 2, ...: its outputs mean other classes.\n")
