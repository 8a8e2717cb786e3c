"""Bounds of theory against published figures and against samples."""

from __future__ import annotations

import math

import pytest
import torch

from compress.solvers.rate_distortion import (
    SPACE,
    entropy,
    gaussian_distortion,
    gaussian_rate,
    lloyd_max,
    uniform_gaussian,
)
from compress.solvers.uniform_grid import of_step

PUBLISHED = [(0, 1.0), (1, 0.3634), (2, 0.1175), (3, 0.0345), (4, 0.0095), (5, 0.002505)]


@pytest.mark.parametrize(("bits", "distortion"), PUBLISHED)
def test_the_quantizers_of_lloyd_and_max_have_their_published_errors(bits: int, distortion: float) -> None:
    found = lloyd_max(2 ** bits)
    assert found.bits == bits and found.distortion == pytest.approx(distortion, rel=1.5e-3)
    assert found.distortion >= gaussian_distortion(bits)


def test_many_values_reach_the_limit_of_panter_and_dite() -> None:
    assert lloyd_max(256).distortion * 256 ** 2 == pytest.approx(math.sqrt(3) * math.pi / 2, rel=0.02)
    assert lloyd_max(3).distortion == pytest.approx(0.1902, abs=1e-4)


def test_rate_and_distortion_are_inverse_and_no_rate_is_below_zero() -> None:
    for bits in (0.0, 0.3, 1.0, 7.0):
        assert gaussian_rate(gaussian_distortion(bits, 2.5), 2.5) == pytest.approx(bits)
    assert gaussian_rate(3.0) == 0.0
    assert gaussian_distortion(1.0) == 0.25


def test_small_steps_lie_a_quarter_bit_above_the_bound_and_no_step_below_it() -> None:
    for step in (0.001, 0.01, 0.1, 0.3):
        found = uniform_gaussian(step)
        # Averages of the density over cells have a smaller entropy than the density, by step^2 / 24 E[(d log p / dx)^2].
        assert found.bits - gaussian_rate(found.distortion) == pytest.approx(0.2546 + step ** 2 / 24 / math.log(2), abs=1e-4)
        assert found.distortion == pytest.approx(step ** 2 / 12, rel=1e-4)
    assert pytest.approx(0.2546, abs=1e-4) == SPACE
    for step in (0.5, 1.0, 2.0, 3.0, 5.0, 20.0, 1000.0):
        found = uniform_gaussian(step)
        assert gaussian_rate(found.distortion) <= found.bits <= gaussian_rate(found.distortion) + 2 * SPACE


@pytest.mark.parametrize("step", [0.2, 1.0, 3.0])
def test_integrals_agree_with_rounded_samples(step: float) -> None:
    source = torch.special.ndtri((torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000)[None]
    grid, expected = of_step(source, step), uniform_gaussian(step)
    numbers = grid.nearest(source)
    assert entropy(numbers) == pytest.approx(expected.bits, abs=1e-3)
    assert float((source - grid.values(numbers)).square().mean()) == pytest.approx(expected.distortion, rel=2e-3)


def test_entropy_of_known_sequences() -> None:
    assert entropy(torch.zeros(0)) == entropy(torch.full((3, 4), 7, dtype=torch.uint8)) == 0.0
    assert entropy(torch.arange(1024)) == pytest.approx(10.0)
    for far in (-5, 10 ** 12):
        assert entropy(torch.tensor([0, 0, 0, far])) == pytest.approx(2 - 0.75 * math.log2(3))


def test_what_cannot_be_is_refused() -> None:
    for refuse, value in ((gaussian_distortion, -1.0), (gaussian_rate, 0.0), (uniform_gaussian, 0.0),
                          (uniform_gaussian, math.nan)):
        with pytest.raises(ValueError, match="must be"):
            refuse(value)
    for count in (0, 4097):
        with pytest.raises(ValueError, match="between 1 and 4,096"):
            lloyd_max(count)
