"""The gated recurrent unit: one kernel while its maps are plain, step by step otherwise, the same numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from compress.data.datasets import Dataset
from compress.layers.base import compressed_layers, macs
from compress.layers.factors import Factors
from compress.methods.low_rank import LowRank
from compress.networks.families import Network
from compress.networks.gru import GRU


def step_by_step(unit: GRU, batch: torch.Tensor) -> torch.Tensor:
    """A watched layer must really be called, which the fused kernel does not do."""
    hooks = [layer.register_forward_hook(lambda *_: None) for layer in unit.modules() if isinstance(layer, nn.Linear)]
    try:
        return unit(batch)
    finally:
        for hook in hooks:
            hook.remove()


@pytest.mark.parametrize("both_ways", [False, True])
def test_fused_and_step_by_step_agree(both_ways: bool) -> None:
    torch.manual_seed(0)
    unit, batch = GRU(5, 7, both_ways), torch.randn(4, 11, 5)
    with torch.inference_mode():
        assert torch.allclose(unit(batch), step_by_step(unit, batch), atol=1e-5)


@pytest.mark.parametrize("both_ways", [False, True])
def test_fused_and_step_by_step_have_the_same_gradients(both_ways: bool) -> None:
    torch.manual_seed(0)
    unit, batch = GRU(5, 7, both_ways), torch.randn(4, 11, 5)
    gradients = []
    for run in (unit, lambda inputs: step_by_step(unit, inputs)):
        unit.zero_grad()
        run(batch).square().sum().backward()
        gradients.append([parameter.grad.clone() for parameter in unit.parameters()])
    assert all(torch.allclose(one, other, atol=1e-4) for one, other in zip(*gradients, strict=True))


@pytest.mark.parametrize("both_ways", [False, True])
def test_it_is_the_gru_of_torch(both_ways: bool) -> None:
    torch.manual_seed(0)
    unit, known = GRU(5, 7, both_ways), nn.GRU(5, 7, batch_first=True, bidirectional=both_ways)
    batch = torch.randn(4, 11, 5)
    for direction, suffix in ((unit.forwards, ""), (unit.backwards, "_reverse"))[:1 + both_ways]:
        for ours, theirs in (("input_map", "ih"), ("state_map", "hh")):
            layer = direction.get_submodule(ours)
            layer.weight.data.copy_(getattr(known, f"weight_{theirs}_l0{suffix}"))
            layer.bias.data.copy_(getattr(known, f"bias_{theirs}_l0{suffix}"))
    with torch.inference_mode():
        assert torch.allclose(unit(batch), known(batch)[0], atol=1e-5)


def test_the_second_direction_reads_from_the_end() -> None:
    torch.manual_seed(0)
    unit, batch = GRU(2, 3, True), torch.randn(1, 6, 2)
    changed = batch.clone()
    changed[0, -1] += 1.0
    with torch.inference_mode():
        same = (unit(batch) - unit(changed)).abs()[0, 0] < 1e-7
    assert same[:3].all() and not same[3:].any()


def test_low_rank_replaces_its_matrices(trained: Callable[[str], Network], digits: Dataset) -> None:
    teacher = trained("gru(hidden=24,epochs=2)")
    small = LowRank(keep=0.2).compress(teacher, digits)
    paths = {"1.forwards.input_map", "1.forwards.state_map", "1.backwards.input_map", "1.backwards.state_map"}
    assert set(compressed_layers(small)) == paths
    state_map = small.get_submodule("1.forwards.state_map")
    assert isinstance(state_map, Factors) and state_map.rank == round(0.2 * 24)


def test_at_ranks_below_break_even_little_of_its_outputs_is_lost(trained: Callable[[str], Network],
                                                                digits: Dataset) -> None:
    """Nothing is in the wrong place: the greatest rank that is ever built answers nearly as the teacher does."""
    teacher = trained("gru(hidden=24,epochs=2)")
    small = LowRank(keep=0.7).compress(teacher, digits)
    assert compressed_layers(small)
    batch = torch.tensor(digits.validation.inputs)
    with torch.inference_mode():
        same = (small(batch).argmax(1) == teacher(batch).argmax(1)).float().mean()
    assert float(same) > 0.85


def test_multiplications_are_counted_at_every_step() -> None:
    steps, features, units = 9, 4, 6
    unit = GRU(features, units, both_ways=True)
    assert macs(unit, torch.zeros(1, steps, features)) == 2 * steps * 3 * units * (features + units)
