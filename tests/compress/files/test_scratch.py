"""Factors of a large network are in a file: the same points, and less memory."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from compress import memory
from compress.data.datasets import Dataset
from compress.files.scratch import Scratch
from compress.files.store_error import StoreError
from compress.low_rank.factorisation import Factorisation
from compress.methods.low_rank import LowRank
from compress.networks.families import Network
from tests.compress.helpers import identical, state


@pytest.mark.parametrize("scheme", ["plain", "centred", "sequential"])
@pytest.mark.parametrize("teacher", ["mlp(hidden=48-32,epochs=6)", "cnn(channels=4-8,epochs=1)"])
def test_points_from_a_file_of_factors_are_those_from_memory(
        scheme: str, teacher: str, trained: Callable[[str], Network], digits: Dataset,
        monkeypatch: pytest.MonkeyPatch) -> None:
    method = LowRank(scheme=scheme)
    held = [state(one.network) for one in method.curve(_copy(trained(teacher)), digits, [0.1, 0.4])]
    monkeypatch.setattr(memory, "LARGE", 0)
    network = _copy(trained(teacher))
    read = [state(one.network) for one in method.curve(network, digits, [0.1, 0.4])]
    assert all(identical(*pair) for pair in zip(held, read, strict=True))
    pieces = method.factorised(network, digits)
    assert all(piece.kept and not piece.subspace.basis.numel() for piece in pieces.values())
    assert "outer" not in vars(pieces[list(pieces)[-1]])  # nothing that was read stays in memory


def test_rows_are_read_from_their_place() -> None:
    scratch, first, second = Scratch(), torch.randn(2, 5, 3, dtype=torch.float64), torch.randn(3, 4, 7)
    kept = [scratch.put(first), scratch.put(second)]
    assert torch.equal(kept[0].first(2), first[:, :2]) and torch.equal(kept[1].first(4), second)
    assert kept[1].first(0).shape == (3, 0, 7)


def test_a_rank_that_saves_nothing_is_not_kept(mlp: Network, digits: Dataset) -> None:
    piece: Factorisation = LowRank(scheme="plain").factorised(mlp, digits)["1"].in_file(Scratch())
    piece.layer(piece.useful - 1)
    with pytest.raises(ValueError, match=r"save nothing\. Choose a smaller rank"):
        piece.layer(piece.useful)


def test_the_file_has_no_name_and_what_is_cut_short_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    kept = Scratch().put(torch.ones(1, 4, 4))
    assert not list(tmp_path.iterdir())
    with pytest.raises(StoreError, match="cut short"):
        dataclasses.replace(kept, place=8).first(4)


def _copy(network: Network) -> Network:
    """Another object, for which nothing is kept."""
    return copy.deepcopy(network)
