"""Layers whose inputs are rounded to 8 bits: whole numbers and the simulation agree, also from a file."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from compress.layers.base import layer_plain, layer_rebuild, macs
from compress.layers.opening import opened
from compress.layers.rounded import integer_matmul
from compress.layers.rounded.integer_inputs import IntegerInputs
from tests.compress.helpers import identical, state
from tests.compress.layers.rounded.test_quantized import MEANINGS, quantized
from tests.compress.layers.test_sparse import CONVOLUTIONS, LINEAR, answers, examples, reloaded, thin

WHOLE = ("tensor", "row", "shifted")


def rounded_by_hand(made: IntegerInputs, batch: torch.Tensor) -> torch.Tensor:
    scale = float(made.reach) / 127
    return answers(made.main, (((batch / scale).round() + made.zero).clamp(-127, 127) - made.zero) * scale)


@pytest.mark.parametrize("zero", [0, -127, 41])
@pytest.mark.parametrize("meaning", MEANINGS)
@pytest.mark.parametrize("layer", [*LINEAR[:3], *CONVOLUTIONS[:2]], ids=str)
@pytest.mark.parametrize(("levels", "masked"), [(5, False), (16, True), (256, False)])
def test_inputs_are_rounded_and_a_file_gives_equal_answers(layer: nn.Module, meaning: str, levels: int, masked: bool,
                                                           zero: int, tmp_path: Path) -> None:
    batch = examples(layer)
    made = IntegerInputs(quantized(thin(layer, 0.4), meaning, levels, masked), float(batch.abs().max()) / 2, zero).eval()
    assert torch.allclose(answers(made, batch), rounded_by_hand(made, batch), atol=1e-4, rtol=1e-4)
    again = reloaded(made, tmp_path / "net")
    assert torch.equal(answers(again, batch), answers(made, batch)) and identical(state(made), state(again))
    assert layer_plain(again) == layer_plain(made) and torch.equal(again.reach, made.reach)
    if not isinstance(layer, nn.Linear) or meaning not in WHOLE:
        assert not made.multiplies_integers
    elif not masked:
        assert made.multiplies_integers


def test_a_mask_needs_a_level_of_zero() -> None:
    layer = thin(nn.Linear(12, 6), 0.4)
    with_zero, without = (IntegerInputs(quantized(layer, "tensor", levels, True), 1.0) for levels in (5, 4))
    assert with_zero.multiplies_integers and not without.multiplies_integers


def test_without_products_of_integers_the_answers_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    made = IntegerInputs(quantized(thin(nn.Linear(40, 7), 1.0), "row", 255), 2.0, -90).eval()
    batch = torch.randn(5, 3, 40, generator=torch.Generator().manual_seed(1))
    first = answers(made, batch)
    monkeypatch.setattr(integer_matmul, "is_fast", lambda: False)
    assert torch.equal(answers(made, batch), first) and first.shape == (5, 3, 7)
    assert torch.equal(answers(made, batch[:1]), first[:1])


def test_gradients_pass_the_rounding_and_training_is_followed() -> None:
    made = IntegerInputs(quantized(thin(nn.Linear(12, 6), 1.0), "tensor", 5), 2.0).eval()
    batch = torch.randn(3, 12, generator=torch.Generator().manual_seed(2), requires_grad=True)
    before = answers(made, batch)
    made.train()
    made(batch).sum().backward()
    assert batch.grad is not None and torch.allclose(batch.grad, made.main.weight.sum(0).expand_as(batch))
    with torch.no_grad():
        made.main.levels.step *= 2
    assert not torch.equal(answers(made.eval(), batch), before)
    assert torch.equal(answers(copy.deepcopy(made), batch), answers(made, batch))


def test_later_methods_see_the_weights() -> None:
    made = IntegerInputs(quantized(thin(nn.Linear(12, 6), 1.0), "tensor", 5), 2.0).eval()
    network = nn.Sequential(made)
    assert isinstance(opened(network)[0], nn.Linear) and torch.equal(made.merged().weight, made.weight)
    assert macs(network, torch.zeros(1, 12)) == 72 == made.macs_per_position


def test_a_range_that_is_none_is_refused() -> None:
    made = IntegerInputs(quantized(thin(nn.Linear(12, 6), 1.0), "tensor", 5), 2.0)
    for reach in (0.0, -1.0, float("nan"), float("inf")):
        made.reach.fill_(reach)
        assert made.contradiction() == "the range of the inputs of a layer is not above 0"
    with pytest.raises(ValueError, match="main must be"):
        layer_rebuild({"kind": "integer_inputs", "main": 3})
    for zero in (-128, 128, 1.5, True):
        with pytest.raises(ValueError, match="zero must be a whole number between -127 and 127"):
            layer_rebuild({**layer_plain(made), "zero": zero})
