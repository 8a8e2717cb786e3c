"""One sort gives every mask: exact counts, the largest stay, and of equal weights the first goes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import prune

from compress.pruning import ranking
from compress.pruning.ranking import Masks, Ranking, kept_of

SHAPES = {"1": (5, 12), "3": (4, 7), "5": (1, 9)}
TOTAL = sum(rows * columns for rows, columns in SHAPES.values())
SPARSITIES = (0.0, 0.01, 0.125, 1 / 3, 0.5, 0.625, 0.75, 0.9, 0.985, 0.999, 1.0)
WITHIN = ("network", "layer", "row", "group")


def different_scores(seed: int = 0) -> dict[str, Tensor]:
    """No two scores are equal."""
    values = torch.randperm(TOTAL, generator=torch.Generator().manual_seed(seed)).float() / TOTAL
    parts = values.split([rows * columns for rows, columns in SHAPES.values()])
    return {path: part.view(shape) for (path, shape), part in zip(SHAPES.items(), parts, strict=True)}


def keeps_the_largest(scores: Tensor, mask: Tensor) -> bool:
    return bool(mask.all()) or not bool(mask.any()) or float(scores[mask].min()) > float(scores[~mask].max())


def flat(parts: dict[str, Tensor]) -> Tensor:
    return torch.cat([part.flatten() for part in parts.values()])


def alike(first: Masks, second: Masks) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[path], second[path]) for path in first)


def layers(seed: int) -> dict[str, nn.Linear]:
    torch.manual_seed(seed)
    return {path: nn.Linear(columns, rows) for path, (rows, columns) in SHAPES.items()}


def magnitudes(modules: dict[str, nn.Linear]) -> dict[str, Tensor]:
    return {path: module.weight.detach().abs() for path, module in modules.items()}


def torchs_masks(modules: dict[str, nn.Linear]) -> Masks:
    return {path: module.weight_mask.bool() for path, module in modules.items()}


def test_the_network_keeps_exactly_the_given_number_of_weights_the_largest() -> None:
    scores = different_scores()
    ranking = Ranking.of(scores, "network")
    assert ranking.size == TOTAL
    for kept in range(TOTAL + 1):
        masks = ranking.with_kept(kept)
        assert {path: mask.shape for path, mask in masks.items()} == {path: score.shape for path, score in scores.items()}
        assert int(flat(masks).sum()) == kept and keeps_the_largest(flat(scores), flat(masks))


@pytest.mark.parametrize("within", ["network", "layer"])
def test_each_layer_keeps_exactly_its_own_number_whatever_was_compared(within: str) -> None:
    scores = different_scores()
    ranking = Ranking.of(scores, within)
    for path, score in scores.items():
        for kept in range(score.numel() + 1):
            mask = ranking.of_layer(path, kept)
            assert int(mask.sum()) == kept and keeps_the_largest(score, mask)


@pytest.mark.parametrize("path", SHAPES)
def test_each_row_keeps_its_part_and_the_first_rows_one_more(path: str) -> None:
    score = different_scores()[path]
    ranking, rows = Ranking.of({path: score}, "row"), len(score)
    for kept in range(score.numel() + 1):
        mask = ranking.of_layer(path, kept)
        assert mask.sum(1).tolist() == [kept // rows + (row < kept % rows) for row in range(rows)]
        assert all(map(keeps_the_largest, score, mask))


@pytest.mark.parametrize("group", [2, 4, 5, 8, 12, 16])
@pytest.mark.parametrize("path", SHAPES)
def test_each_group_keeps_exactly_n_and_a_shorter_last_one_at_most_n(path: str, group: int) -> None:
    score = different_scores()[path] * 1e30  # larger than whatever may stand for what a shorter group lacks
    ranking = Ranking.of({path: score}, "group", group)
    for kept in range(group + 1):
        mask = ranking.of_groups(path, kept, group)
        for part, own in zip(score.split(group, dim=1), mask.split(group, dim=1), strict=True):
            assert own.sum(1).tolist() == [min(kept, part.shape[1])] * len(score)
            assert all(map(keeps_the_largest, part, own))


def test_two_of_four_by_hand() -> None:
    ranking = Ranking.of({"1": torch.tensor([[1.0, 4, 2, 3, 9, 9, 0, 9, 5, 6, 7], [8, 1, 7, 2, 0, 0, 0, 1, 3, 2, 1]])},
                         "group", 4)
    assert ranking.with_kept_of_groups(2, 4)["1"].int().tolist() == [[0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1],
                                                                     [1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 0]]


def test_one_layers_mask_is_that_of_the_whole_network_with_these_counts() -> None:
    scores = different_scores()
    counts = {"1": 31, "3": 0, "5": 9}
    for within in ("network", "layer", "row"):
        ranking = Ranking.of(scores, within)
        assert alike(ranking.with_kept_of_each(counts), {path: ranking.of_layer(path, counts[path]) for path in scores})
    groups = Ranking.of(scores, "group", 4)
    assert alike(groups.with_kept_of_groups(3, 4), {path: groups.of_groups(path, 3, 4) for path in scores})


@given(st.integers(0, 5000), st.floats(0, 1))
def test_the_count_is_torchs(size: int, sparsity: float) -> None:
    assert kept_of(size, sparsity) == size - prune._compute_nparams_toprune(sparsity, size)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_global_magnitude_gives_the_masks_of_torchs_global_l1(sparsity: float, seed: int) -> None:
    modules = layers(seed)
    ranking = Ranking.of(magnitudes(modules), "network")
    prune.global_unstructured([(module, "weight") for module in modules.values()], prune.L1Unstructured, amount=sparsity)
    assert alike(ranking.with_kept(kept_of(ranking.size, sparsity)), torchs_masks(modules))


@pytest.mark.parametrize("within", ["network", "layer"])
@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_magnitude_layer_by_layer_gives_the_masks_of_torchs_l1(sparsity: float, within: str) -> None:
    modules = layers(3)
    ranking = Ranking.of(magnitudes(modules), within)
    for module in modules.values():
        prune.l1_unstructured(module, "weight", sparsity)
    masks = ranking.with_kept_of_each({path: kept_of(module.weight.numel(), sparsity) for path, module in modules.items()})
    assert alike(masks, torchs_masks(modules))


def masks_at(ranking: Ranking, sparsity: float) -> Masks:
    if ranking.within == "network":
        return ranking.with_kept(kept_of(ranking.size, sparsity))
    if ranking.within == "group":
        return ranking.with_kept_of_groups(kept_of(4, sparsity), 4)
    return ranking.with_kept_of_each({path: kept_of(places.numel(), sparsity) for path, places in ranking.places.items()})


@pytest.mark.parametrize("within", WITHIN)
def test_what_is_gone_at_one_sparsity_is_gone_at_every_higher_one(within: str) -> None:
    ranking = Ranking.of({path: score.mul(9).round() for path, score in different_scores().items()}, within, 4)
    for less, more in pairwise(flat(masks_at(ranking, sparsity)) for sparsity in SPARSITIES):
        assert not bool((more & ~less).any())


@pytest.mark.parametrize("within", WITHIN)
def test_nothing_goes_at_sparsity_0_and_everything_at_1(within: str) -> None:
    ranking = Ranking.of(different_scores(), within, 4)
    assert bool(flat(masks_at(ranking, 0.0)).all()) and not bool(flat(masks_at(ranking, 1.0)).any())


@given(st.lists(st.integers(0, 3), min_size=24, max_size=24), st.sampled_from([1.0, 1e-45, 1e-38, 1e38]))
def test_of_equal_scores_the_first_goes_first(values: list[int], scale: float) -> None:
    """The order is that of a stable sort, down to the smallest and up to infinite floats."""
    score = (torch.tensor(values) * scale).masked_fill(torch.tensor(values) == 3, torch.inf).view(4, 6)
    places = Ranking.of({"1": score[:1], "3": score[1:]}, "network").places
    assert torch.equal(flat(places), score.flatten().argsort(stable=True).argsort())
    assert torch.equal(Ranking.of({"1": score}, "row").places["1"], score.argsort(dim=1, stable=True).argsort(dim=1))


@pytest.mark.parametrize(("within", "count"), [
    ("network", lambda ranking: ranking.with_kept(5)["1"]), ("layer", lambda ranking: ranking.of_layer("1", 5)),
    ("row", lambda ranking: ranking.of_layer("1", 5)), ("group", lambda ranking: ranking.of_groups("1", 2, 4))])
def test_among_equal_weights_the_last_ones_stay(within: str, count: Callable[[Ranking], Tensor]) -> None:
    mask = count(Ranking.of({"1": torch.ones(2, 6)}, within, 4)).int().tolist()
    assert mask == {"network": [[0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 1, 1]], "layer": [[0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 1, 1]],
                    "row": [[0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1]],
                    "group": [[0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1]]}[within]


@pytest.mark.parametrize("within", WITHIN)
def test_infinite_scores_stay_and_zeros_go(within: str) -> None:
    """The shorter last group holds an infinite score too: it is not mistaken for the end of the row."""
    ranking = Ranking.of({"1": torch.tensor([[torch.inf, 0.0, 0.0, 0.0, 0.0, torch.inf]])}, within, 4)
    kept = ranking.of_groups("1", 1, 4) if within == "group" else ranking.of_layer("1", 2)
    assert kept.tolist() == [[True, False, False, False, False, True]]


@pytest.mark.parametrize("within", WITHIN)
def test_only_values_matter_not_how_they_lie_in_memory(within: str) -> None:
    scores = different_scores()
    turned = {path: score.double().T.contiguous().T.requires_grad_() for path, score in scores.items()}
    assert alike(Ranking.of(turned, within, 4).places, Ranking.of(scores, within, 4).places)


@pytest.mark.parametrize("within", WITHIN)
@pytest.mark.parametrize("at_once", [1, 5, 16])
def test_a_ranking_in_parts_is_the_same(within: str, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = different_scores(3)
    whole = Ranking.of(scores, within, 4)
    monkeypatch.setattr(ranking, "AT_ONCE", at_once)
    parts = Ranking.of(scores, within, 4)
    assert alike(whole.places, parts.places)
