"""How fast a network is beside its teacher: both timed in turns, in one process, on the same batch."""

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
    """Median time of the network over that of the teacher, with a 95 % interval: below 1 is faster.

    On a CPU one thread is used, because a second one that waits for a busy core can cost more than the work itself.
    Runs alternate (network, teacher, then teacher, network), so that a noisy neighbour hits both; each timing repeats
    a forward pass often enough to last a millisecond; warmed up, in inference mode, synchronised on a GPU.

    Args:
        batch: inputs (n, *shape) on the networks' device.
        seconds: about how long to measure; at least 7 pairs, at most 25.

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
    """Inside, torch computes with one thread; afterwards with as many as before."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _time(network: nn.Module, repeats: int, batch: Tensor) -> float:
    """Seconds of one forward pass."""
    began = time.perf_counter()
    for _ in range(repeats):
        network(batch)
    if batch.is_cuda:
        torch.cuda.synchronize(batch.device)
    return (time.perf_counter() - began) / repeats


def _repeats(network: nn.Module, batch: Tensor) -> int:
    """Warms up, then says how many passes last about a millisecond."""
    _time(network, 2, batch)
    return max(1, min(100, round(0.001 / _time(network, 2, batch))))
