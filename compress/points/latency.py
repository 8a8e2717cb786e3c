"""Latency of a network relative to its teacher: both are timed alternately, in one process, on the same batch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import exp, log

import torch
from torch import Tensor, nn

from compress.networks.evaluation import evaluating
from compress.points.statistics import median_interval

PAIRS = (7, 25)


def latency_ratio(network: nn.Module, teacher: nn.Module, batch: Tensor, seconds: float = 0.15,
                  ) -> tuple[float, float, float]:
    """The ratio of the median times of network and teacher with its 95 % interval; below 1 the network is faster.

    On a CPU one thread is used, because a second thread that waits for a busy core can cost more than the work itself. The
    order alternates (network, teacher, then teacher, network), so that other load on the machine affects both. Each timing
    repeats a forward pass for about a millisecond, after a warm-up, in inference mode, synchronised on a GPU.

    Args:
        batch: inputs (n, *shape) on the networks' device.
        seconds: about the duration of the measurement; at least 7 pairs, at most 25.

    Returns:
        (ratio, low, high).
    """
    with evaluating(network, teacher), one_thread():
        repeats = [_repeats(one, batch) for one in (network, teacher)]
        ratios: list[float] = []
        began = time.perf_counter()
        while len(ratios) < PAIRS[0] or (len(ratios) < PAIRS[1] and time.perf_counter() - began < seconds):
            pair = [(network, repeats[0]), (teacher, repeats[1])]
            times = [_time(*one, batch) for one in (pair if len(ratios) % 2 else pair[::-1])]
            ratios.append(log(times[0] / times[1]) if len(ratios) % 2 else log(times[1] / times[0]))
    middle, low, high = median_interval(ratios)
    return exp(middle), exp(low), exp(high)


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside the block, torch computes with one thread; afterwards with as many threads as before."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _time(network: nn.Module, repeats: int, batch: Tensor) -> float:
    """The seconds of one forward pass."""
    began = time.perf_counter()
    for _ in range(repeats):
        network(batch)
    if batch.is_cuda:
        torch.cuda.synchronize(batch.device)
    return (time.perf_counter() - began) / repeats


def _repeats(network: nn.Module, batch: Tensor) -> int:
    """The number of forward passes that take about a millisecond, measured after a warm-up."""
    _time(network, 2, batch)
    return max(1, min(100, round(0.001 / _time(network, 2, batch))))
