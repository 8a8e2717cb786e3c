"""Each layer's number of weights: sums are exact, no layer is emptied or overfilled, and sensitive layers keep more."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.pruning.layer_densities import by_sensitivity, proportional, uniform
from compress.pruning.ranking import kept_of

LENET = (235_200, 30_000, 1_000)
LEVELS = (0.0, 0.25, 0.5, 0.75)
SIDE = 32  # weights of a layer of which one goes at each step between two levels


@st.composite
def layers(draw: st.DrawFn) -> tuple[list[int], list[float], int]:
    """Sizes, densities and a number of weights to keep."""
    count = draw(st.integers(1, 6))
    sizes = draw(st.lists(st.integers(1, 2000), min_size=count, max_size=count))
    densities = draw(st.lists(st.integers(1, 1000).map(float), min_size=count, max_size=count))
    return sizes, densities, draw(st.integers(0, sum(sizes) + 9))


@st.composite
def convex_losses(draw: st.DrawFn) -> list[list[float]]:
    """Losses of three layers that rise ever faster; of some layers not at all at first."""
    return [[float(sum(sum(steps[:place]) for place in range(level + 1))) for level in range(len(LEVELS))]
            for steps in draw(st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=3, max_size=3))]


any_losses = st.lists(st.lists(st.floats(0, 5), min_size=4, max_size=4), min_size=3, max_size=3)


def within_bounds(counts: list[int], sizes: list[int] | tuple[int, ...], kept: int) -> bool:
    return (all(1 <= count <= size for count, size in zip(counts, sizes, strict=True))
            and sum(counts) == min(max(kept, len(sizes)), sum(sizes)))


@given(layers())
def test_counts_add_up_and_every_layer_keeps_between_one_and_all(case: tuple[list[int], list[float], int]) -> None:
    sizes, densities, kept = case
    assert within_bounds(proportional(sizes, densities, kept), sizes, kept)


@given(layers())
def test_proportions_hold_up_to_one_weight_where_no_bound_is_in_the_way(
        case: tuple[list[int], list[float], int]) -> None:
    sizes, densities, kept = case
    shares = [size * density for size, density in zip(sizes, densities, strict=True)]
    exact = [kept * share / sum(shares) for share in shares]
    if all(1 <= one <= size for one, size in zip(exact, sizes, strict=True)):
        found = proportional(sizes, densities, kept)
        assert all(abs(count - one) < 1 + 1e-6 for count, one in zip(found, exact, strict=True))


@given(layers(), st.floats(0.001, 1000))
def test_only_the_ratios_of_densities_matter(case: tuple[list[int], list[float], int], factor: float) -> None:
    sizes, densities, kept = case
    found = [proportional(sizes, [scale * density for density in densities], kept) for scale in (1, factor)]
    assert all(abs(one - other) <= 1 for one, other in zip(*found, strict=True))


@given(layers())
def test_who_keeps_more_in_all_keeps_no_less_in_any_layer(case: tuple[list[int], list[float], int]) -> None:
    sizes, densities, kept = case
    more, less = (proportional(sizes, densities, number) for number in (kept + max(kept // 5, 9), kept))
    assert all(one >= other - 1 for one, other in zip(more, less, strict=True))


def test_the_published_densities_of_lenet_300_100() -> None:
    """Sparsity 0.9182: 21,775 of 266,200 weights."""
    found = proportional(LENET, (8, 9, 26), kept_of(sum(LENET), 0.9182))
    assert sum(found) == 21_775
    assert all(abs(count - share) <= 1 for count, share in zip(found, (18_816, 2_700, 260), strict=True))


@pytest.mark.parametrize(("sizes", "densities", "kept", "expected"), [
    ((100, 100), (1, 3), 40, [10, 30]), ((100, 50), (1, 1), 30, [20, 10]), ((100, 10), (1, 100), 30, [20, 10]),
    ((100, 10, 10), (1, 9, 1), 32, [20, 10, 2]), ((1000, 2), (1, 1), 10, [9, 1]), ((10, 10), (1, 1), 20, [10, 10]),
    ((10, 10), (1, 1), 0, [1, 1]), ((10, 10), (1, 1), 99, [10, 10]), ((7,), (5,), 3, [3]),
    ((100, 100, 100, 100), (31, 36, 1, 2), 7, [2, 3, 1, 1]), ((100, 100, 100, 100), (36, 31, 1, 2), 7, [3, 2, 1, 1]),
    ((100, 100, 100), (26, 25, 49), 10, [3, 2, 5]), ((100, 100, 100), (34, 33, 33), 10, [4, 3, 3])])
def test_counts_by_hand(sizes: tuple[int, ...], densities: tuple[int, ...], kept: int, expected: list[int]) -> None:
    assert proportional(sizes, densities, kept) == expected


@pytest.mark.parametrize("densities", [(8, 9), (8, 9, 26, 26), (5,)])
def test_another_number_of_densities_than_layers_is_refused(densities: tuple[int, ...]) -> None:
    got = "-".join(map(str, densities))
    with pytest.raises(ValueError, match=f"densities must have one number for each of the 3 layers, but got {got}. "
                                         "For example: 10-10-10, or none"):
        proportional(LENET, densities, 100)


@given(layers(), st.floats(0, 1))
def test_uniform_takes_the_same_share_of_every_layer(case: tuple[list[int], list[float], int], sparsity: float) -> None:
    for size, count in zip(case[0], uniform(case[0], sparsity), strict=True):
        assert 1 <= count <= size and (abs(count - (1 - sparsity) * size) <= 0.5 + 1e-9 or count == 1)


@given(any_losses, st.tuples(*[st.integers(1, 3000)] * 3), st.integers(0, 9000))
def test_counts_by_sensitivity_add_up_whatever_was_measured(losses: list[list[float]], sizes: tuple[int, ...],
                                                            kept: int) -> None:
    assert within_bounds(by_sensitivity(sizes, LEVELS, losses, kept), sizes, kept)


def loss_at(count: int, losses: list[float]) -> float:
    """Of a layer of SIDE weights that keeps so many, on straight lines between the levels."""
    level, step = divmod(SIDE - count, 8)
    return losses[level] + (step / 8 * (losses[level + 1] - losses[level]) if step else 0)


@given(convex_losses(), st.integers(24, 96))
def test_no_other_counts_have_a_lower_sum_of_losses(losses: list[list[float]], kept: int) -> None:
    """Against all there are, for layers of which one weight goes at each step."""
    tables = [{count: loss_at(count, loss) for count in range(8, SIDE + 1)} for loss in losses]
    best = min(tables[0][first] + tables[1][second] + tables[2][kept - first - second]
               for first, second in product(tables[0], tables[1]) if kept - first - second in tables[2])
    found = by_sensitivity([SIDE] * 3, LEVELS, losses, kept)
    assert abs(sum(table[count] for table, count in zip(tables, found, strict=True)) - best) < 1e-9


@given(any_losses, st.integers(3, 9000))
def test_a_loss_that_falls_again_is_read_as_one_that_stays(losses: list[list[float]], kept: int) -> None:
    rising = [[max(loss[:place + 1]) for place in range(len(loss))] for loss in losses]
    sizes = (3000, 700, 50)
    assert by_sensitivity(sizes, LEVELS, losses, kept) == by_sensitivity(sizes, LEVELS, rising, kept)


@given(any_losses, st.integers(0, 3800), st.integers(9, 900))
def test_who_keeps_more_keeps_no_less_in_any_layer_whatever_was_measured(losses: list[list[float]], kept: int,
                                                                         more: int) -> None:
    """Up to what rounding leaves over; where fewer are kept than was ever tried, too."""
    few, many = (by_sensitivity((3000, 700, 50), LEVELS, losses, number) for number in (kept, kept + more))
    assert all(one >= other - 1 for one, other in zip(many, few, strict=True))


FLAT, LATE, EARLY = [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.2], [0.0, 0.2, 0.6, 2.0]


@pytest.mark.parametrize(("sizes", "losses", "kept", "expected"), [
    # An insensitive layer gives up more.
    ((4000, 1000), [FLAT, EARLY], 2000, [1000, 1000]), ((4000, 1000), [EARLY, FLAT], 4250, [4000, 250]),
    # What counts is the loss for each weight.
    ((1000, 100), [LATE, LATE], 300, [250, 50]), ((100, 1000), [LATE, LATE], 300, [50, 250]),
    # All keep the same share where nothing matters, and where fewer are kept than was ever tried.
    ((800, 40), [FLAT, FLAT], 630, [600, 30]), ((800, 40), [FLAT, EARLY], 84, [80, 4]),
    # What is left when all losses are at their lowest goes to whoever keeps the least share.
    ((100, 100, 100), [FLAT, LATE, EARLY], 195, [45, 50, 100]), ((100, 200, 100), [FLAT, LATE, EARLY], 280, [60, 120, 100])])
def test_counts_by_sensitivity_by_hand(sizes: tuple[int, ...], losses: list[list[float]], kept: int,
                                       expected: list[int]) -> None:
    assert by_sensitivity(sizes, LEVELS, losses, kept) == expected


def test_who_keeps_more_in_all_keeps_no_less_in_any_layer_by_sensitivity() -> None:
    """Losses as they are measured: they rise ever faster and level off where nothing is left to lose."""
    levels = (0.0, 0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
    losses = [[.1, .1, .1, .11, .13, .3, 1.0, 2.0, 2.2], [.1, .1, .12, .2, .4, .9, 1.5, 2.0, 2.3],
              [.1, .11, .15, .4, .9, 1.8, 2.2, 2.3, 2.3]]
    found = [by_sensitivity(LENET, levels, losses, kept_of(sum(LENET), sparsity)) for sparsity in (0.9, 0.93, 0.94, 0.96)]
    assert all(one >= other - 1 for more, less in pairwise(found) for one, other in zip(more, less, strict=True))
