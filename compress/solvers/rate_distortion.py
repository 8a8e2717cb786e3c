"""Bits against squared error: the bounds of theory for a normal source, and the entropy of numbers that were found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

STEPS = (1e-3, 1e3)  # of uniform quantizers, in standard deviations
REACH = 9.0  # standard deviations beyond which a normal source has no probability in float64
ITERATIONS = 1000
MOST_COUNTERS = 1 << 17
SPACE = math.log2(math.pi * math.e / 6) / 2  # 0.2546 bits: what uniform quantizers lose at small steps (Gish & Pierce 1968)


def gaussian_distortion(bits: float, variance: float = 1.0) -> float:
    """D(R) = variance 4^-R: no code of R bits a number has a smaller mean squared error (Shannon 1959).

    Raises:
        ValueError: bits below 0.
    """
    if not bits >= 0:
        raise ValueError(f"D(R): the rate must be at least 0 bits, but got {bits}.")
    return variance * 4.0 ** -bits


def gaussian_rate(distortion: float, variance: float = 1.0) -> float:
    """R(D) = log2(variance / D) / 2 bits a number, 0 where D is at least the variance.

    Raises:
        ValueError: a distortion or variance that is not above 0.
    """
    if not (distortion > 0 and variance > 0):
        raise ValueError(f"R(D): distortion and variance must be above 0, but got {distortion} and {variance}.")
    return max(0.0, math.log2(variance / distortion) / 2)


def entropy(numbers: Tensor) -> float:
    """Bits a number that an ideal code for these numbers' own frequencies takes (without its table); 0 for none.

    Args:
        numbers: whole numbers of any shape and type.
    """
    if not numbers.numel():
        return 0.0
    flat = numbers.flatten().long()
    lowest, highest = flat.aminmax()
    if int(highest) - int(lowest) < MOST_COUNTERS:  # ten times as fast as sorting
        counts = torch.bincount(flat - lowest)
    else:
        counts = flat.unique(return_counts=True)[1]
    return float(torch.special.entr(counts.double() / numbers.numel()).sum()) / math.log(2)


@dataclass(frozen=True)
class Operation:
    """Bits a number and mean squared error of a quantizer."""

    bits: float
    distortion: float


def uniform_gaussian(step: float) -> Operation:
    """Entropy and distortion of N(0,1) rounded to whole multiples of the step, by integrals, not by samples.

    Raises:
        ValueError: a step outside 0.001 to 1,000 standard deviations.
    """
    if not STEPS[0] <= step <= STEPS[1]:
        raise ValueError(f"Uniform quantizer: the step must be between {STEPS[0]} and {STEPS[1]:,.0f} standard "
                         f"deviations, but got {step}.")
    most = math.ceil(REACH / step)
    values = step * torch.arange(-most, most + 1, dtype=torch.float64)
    mass, mean, square = _cells(values[:-1] + step / 2)
    return Operation(float(torch.special.entr(mass).sum()) / math.log(2), _distortion(values, mass, mean, square))


@lru_cache(maxsize=64)
def lloyd_max(count: int) -> Operation:
    """The best quantizer of N(0,1) with `count` values (Max 1960, Lloyd 1982), its bits as log2(count).

    Raises:
        ValueError: a count outside 1 to 4,096.
    """
    if not 1 <= count <= 4096:
        raise ValueError(f"Lloyd-Max: the number of values must be between 1 and 4,096, but got {count}.")
    # At high rate the best density of values is that of a normal distribution with three times the variance.
    values = math.sqrt(3) * torch.special.ndtri((torch.arange(count, dtype=torch.float64) + 0.5) / count)
    for _ in range(ITERATIONS):
        mass, mean, square = _cells(values[:-1] + values.diff() / 2)
        moved = torch.where(mass > 0, mean / torch.where(mass > 0, mass, 1.0), values)
        settled = bool((moved - values).abs().max() <= 1e-12)
        values = moved
        if settled:
            break
    mass, mean, square = _cells(values[:-1] + values.diff() / 2)
    return Operation(math.log2(count), _distortion(values, mass, mean, square))


def _cells(borders: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Integrals of 1, x and x^2 over N(0,1) in each interval between borders, the outer ones without end."""
    ends = torch.tensor([math.inf], dtype=torch.float64)
    borders = torch.cat([-ends, borders, ends])
    density = torch.exp(-borders.square() / 2) / math.sqrt(2 * math.pi)
    slope = torch.where(borders.isfinite(), borders * density, 0.0)
    low, high = borders[:-1], borders[1:]
    # Of the two sides the one with the smaller distribution function keeps its digits.
    mass = torch.where(low > 0, torch.special.ndtr(-low) - torch.special.ndtr(-high),
                       torch.special.ndtr(high) - torch.special.ndtr(low))
    return mass, -density.diff(), mass - slope.diff()


def _distortion(values: Tensor, mass: Tensor, mean: Tensor, square: Tensor) -> float:
    return float((square - 2 * values * mean + values.square() * mass).sum())
