"""Quantization within bytes of a file: never one more, and as many levels as fit."""

from __future__ import annotations

import dataclasses

import pytest

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.method import Candidate
from compress.methods.prune import Prune
from compress.methods.quantize import Quantize
from compress.networks.families import Network
from compress.quantization.allocation import Shares
from compress.quantization.file_budget import within_file
from tests.compress.helpers import identical, state

METHOD = Quantize(levels=256, allocation="measured", coding="entropy")


def made(network: Network, data: Dataset, **settings: object) -> tuple[Candidate, int]:
    """A candidate, and the bytes of its file."""
    method = dataclasses.replace(METHOD, **settings)
    candidate = next(method.candidates(network, data, [method]))
    return candidate, len(network_file.to_bytes(candidate.network, MadeFor.of(data), method.stored))


def least_of(network: Network, data: Dataset, **settings: object) -> int:
    """What the sentence says that refuses a tiny budget."""
    with pytest.raises(ValueError, match=r"Quantize: budget must be at least .* but got 500\. Choose more") as said:
        made(network, data, budget=500, **settings)
    return int(str(said.value).split("at least ")[1].split(" bytes")[0].replace(",", ""))


@pytest.mark.parametrize("settings", [
    {}, {"coding": "none"}, {"activations": "int8", "per": "channel"},
    {"recovery_epochs": 1, "recovery": "levels"}, {"correction": 1, "output_layer": False, "precision": "int8"}], ids=str)
def test_a_file_never_has_a_byte_more_and_larger_budgets_have_less_loss(settings: dict[str, object], mlp: Network,
                                                                       digits: Dataset) -> None:
    least = least_of(mlp, digits, **settings)
    predicted = []
    for budget in (least, least + 400, 100_000):
        candidate, size = made(mlp, digits, budget=budget, **settings)
        assert least <= size <= budget
        predicted.append(candidate.inside["allocation"]["predicted"])
    assert predicted == sorted(predicted, reverse=True) and predicted[0] > predicted[-1]


def test_the_dial_limits_the_levels_of_each_layer_and_a_wide_budget_gives_them(mlp: Network, digits: Dataset) -> None:
    for most in (3, 6):
        candidate, size = made(mlp, digits, levels=most, budget=1_000_000)
        assert max(candidate.inside["allocation"]["levels"].values()) <= most and size < 5_000


def test_a_budget_that_nothing_fits_names_the_least_that_does(mlp: Network, digits: Dataset) -> None:
    least = least_of(mlp, digits)
    assert made(mlp, digits, budget=least)[1] == least
    with pytest.raises(ValueError, match=f"at least {least:,} bytes"):
        made(mlp, digits, budget=least - 1)


def test_behind_pruning_and_without_a_measured_allocation(mlp: Network, digits: Dataset) -> None:
    pruned = Prune(sparsity=0.8).compress(mlp, digits)
    assert made(pruned, digits, budget=3_000)[1] <= 3_000
    uniform = (Quantize(budget=1_000).compress(mlp, digits), Quantize().compress(mlp, digits))
    assert identical(*map(state, uniform))


def test_what_a_file_has_too_much_is_taken_off_until_it_fits() -> None:
    asked: list[int] = []

    def shares(limit: int) -> Shares:
        asked.append(limit)
        return Shares({}, limit // 10 * 10, limit, 0.0)

    found, size = within_file(200, 50, shares, lambda one: one.bytes + 33, lambda size: size)
    assert (found.bytes, size) == (160, 193) and asked == [200, 167]
    with pytest.raises(ValueError, match="at least 83 bytes"):
        within_file(70, 50, shares, lambda one: one.bytes + 33, lambda size: size)
