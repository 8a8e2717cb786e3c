"""Speed is a ratio with an interval, measured side by side and without leaving a trace."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from compress.networks.families import Architecture, Network, build, family
from compress.points import latency
from compress.points.latency import latency_ratio
from tests.compress.helpers import identical, state


def test_a_network_is_as_fast_as_itself(mlp: Network) -> None:
    batch = torch.randn(128, 1, 8, 8)
    for _ in range(5):  # other programs may disturb one measurement, hardly five
        ratio, low, high = latency_ratio(mlp, mlp, batch)
        assert 0 < low <= ratio <= high
        if low <= 1.01 and high >= 0.99:
            return
    pytest.fail(f"the interval {low:.3f}..{high:.3f} never contained 1")


class Clock:
    """Time that passes only when a network runs."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


class Timed(nn.Module):
    """Takes a given time by the clock; the k-th run of all takes longer by `drift`, as on a machine that heats up."""

    def __init__(self, clock: Clock, seconds: float, drift: float = 0.0) -> None:
        super().__init__()
        self.clock, self.seconds, self.drift = clock, seconds, drift

    def forward(self, batch: Tensor) -> Tensor:
        self.clock.now += self.seconds * (1 + self.drift * self.clock.now)
        return batch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(latency, "time", clock)
    return clock


def test_the_ratio_is_the_networks_time_over_the_teachers(clock: Clock) -> None:
    found = latency_ratio(Timed(clock, 0.002), Timed(clock, 0.008), torch.zeros(1))
    assert found == pytest.approx((0.25, 0.25, 0.25))


def test_short_runs_are_repeated_and_still_counted_singly(clock: Clock) -> None:
    assert latency_ratio(Timed(clock, 3e-5), Timed(clock, 1e-5), torch.zeros(1))[0] == pytest.approx(3.0)


def test_a_machine_that_slows_down_does_not_favour_either(clock: Clock) -> None:
    """Every second pair is measured the other way round, so a drift widens the interval and leaves its middle."""
    ratio, low, high = latency_ratio(Timed(clock, 0.005, 20.0), Timed(clock, 0.005, 20.0), torch.zeros(1))
    assert low < 1.0 < high and ratio == pytest.approx(1.0, abs=0.1)


def test_timing_leaves_batch_norm_as_it_was(resnet: Network) -> None:
    before = state(resnet)
    latency_ratio(resnet, resnet, torch.randn(32, 1, 8, 8), seconds=0.0)
    assert identical(before, state(resnet)) and not resnet.training


def test_even_a_network_in_training_mode_is_timed_as_it_would_be_used() -> None:
    network = build(Architecture(family("resnet", {"channels": "4"}), (1, 8, 8), 3))
    before = state(network)
    latency_ratio(network, network, torch.randn(8, 1, 8, 8), seconds=0.0)
    assert identical(before, state(network)) and network.training


def test_no_gradients_are_kept_while_the_clock_runs(mlp: Network) -> None:
    seen: list[bool] = []
    watched = Network(mlp, _Watch(seen)).eval()
    latency_ratio(watched, mlp, torch.randn(8, 1, 8, 8), seconds=0.0)
    assert seen and not any(seen)


class _Watch(nn.Module):
    def __init__(self, seen: list[bool]) -> None:
        super().__init__()
        self.seen = seen

    def forward(self, batch: Tensor) -> Tensor:
        self.seen.append(torch.is_grad_enabled() or batch.requires_grad)
        return batch
