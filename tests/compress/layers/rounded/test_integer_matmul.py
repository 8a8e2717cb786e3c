"""Integer products are exact, and outputs as near as the rounding of weights and activations allows."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from compress.layers.rounded import integer_matmul
from compress.layers.rounded.integer_matmul import InputRange, IntegerMatrix, integer_product, is_fast
from compress.solvers.uniform_grid import fitted


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=[True, False])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """By torch's product of integers where there is one, and by float64."""
    if request.param and not is_fast():
        pytest.skip("this torch has no exact product of int8 matrices on this processor")
    monkeypatch.setattr(integer_matmul, "is_fast", lambda: request.param)
    return bool(request.param)


@pytest.mark.parametrize("shape", [(1, 784, 300), (3, 1, 1), (17, 5000, 2), (128, 300, 100)])
def test_products_of_whole_numbers_are_exact_also_at_the_largest_sums(shape: tuple[int, int, int], either_way: bool) -> None:
    count, columns, rows = shape
    left, right = (torch.randint(-128, 128, (number, columns), dtype=torch.int8) for number in (count, rows))
    left[0], right[0] = -128, -128
    found = integer_product(left, right)
    assert found.dtype == torch.int32 and int(found[0, 0]) == 128 * 128 * columns
    assert torch.equal(found.long(), left.long() @ right.long().mT)


GRIDS = [(255, True), (256, True), (256, False), (2, True), (3, True), (16, False)]


@pytest.mark.parametrize(("levels", "symmetric"), GRIDS)
@pytest.mark.parametrize("per", ["row", "tensor"])
def test_outputs_are_those_of_the_rounded_weights_up_to_the_rounding_of_activations(
        levels: int, symmetric: bool, per: str, either_way: bool) -> None:
    weights, batch, bias = random(7, 40), random(9, 40, seed=1) * 3, random(7, seed=2)
    grid = fitted(weights, levels, "row" if per == "row" else "tensor", symmetric=symmetric)
    numbers = grid.nearest(weights)
    found = IntegerMatrix.of(grid, numbers).outputs(batch, bias)
    exact = batch @ grid.values(numbers).mT + bias
    most = batch.abs().amax(1, keepdim=True) / 254 * grid.values(numbers).abs().sum(1)  # half a step of each activation
    assert bool(((found - exact).abs() <= most * 1.001 + 1e-5).all())
    assert float((found - exact).norm() / exact.norm()) < 0.02


def test_an_example_alone_has_the_outputs_that_it_has_in_a_batch() -> None:
    grid = fitted(random(5, 30), 255)
    layer = IntegerMatrix.of(grid, grid.nearest(random(5, 30)))
    batch = random(6, 30, seed=1) * torch.tensor([1e-6, 1.0, 1e6, 3.0, 0.0, 1.0])[:, None]
    together = layer.outputs(batch)
    assert torch.equal(together, torch.cat([layer.outputs(one[None]) for one in batch]))
    assert not together[4].any() and bool(together.isfinite().all())


@pytest.mark.parametrize(("levels", "symmetric"), GRIDS)
@pytest.mark.parametrize(("low", "high"), [(-2.0, 2.0), (0.0, 3.0), (-0.5, 3.0), (1.0, 3.0), (-3.0, -1.0)])
def test_a_measured_range_clips_what_is_outside_and_its_zero_is_folded_in_exactly(low: float, high: float, levels: int,
                                                                                  symmetric: bool, either_way: bool) -> None:
    weights, batch, bias = random(5, 30), random(40, 30, seed=1) * 2, random(5, seed=2)
    grid, own = fitted(weights, levels, symmetric=symmetric), InputRange.between(low, high)
    numbers = grid.nearest(weights)
    layer = IntegerMatrix.of(grid, numbers, own.reach, own.zero)
    rounded = own.rounded(batch)
    expected = rounded.double() @ grid.values(numbers).double().mT + bias
    assert torch.allclose(layer.outputs(batch, bias).double(), expected, rtol=1e-5, atol=1e-4)
    assert torch.equal(layer.outputs(batch)[:3], layer.outputs(batch[:3]))
    step, (low, high) = own.reach / 127, (min(low, 0.0), max(high, 0.0))
    inside = (batch >= low) & (batch <= high)
    assert bool(((rounded - batch).abs()[inside] <= step * 1.001).all())
    assert abs(float(rounded.min()) - low) <= step and abs(float(rounded.max()) - high) <= step


def test_zero_is_represented_exactly_and_inputs_behind_relu_have_half_the_step() -> None:
    for low, high in ((-1.3, 2.9), (0.0, 5.0), (-4.0, 0.0), (0.0, 0.0), (0.7, 0.9)):
        own = InputRange.between(low, high)
        assert not own.rounded(torch.zeros(3)).any() and -127 <= own.zero <= 127 and own.reach > 0
    assert InputRange.between(0.0, 254.0) == InputRange(127.0, -127) and InputRange.between(-127.0, 127.0).zero == 0


def test_what_cannot_be_in_eight_bits_is_refused() -> None:
    weights = random(4, 12)
    for grid in (fitted(weights, 257), fitted(weights, 16, "group", 4)):
        with pytest.raises(ValueError, match="at most 256 levels"):
            IntegerMatrix.of(grid, grid.nearest(weights))


def test_a_torch_without_the_product_or_with_a_wrong_one_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def saturated(left: Tensor, right: Tensor) -> Tensor:
        return (left.double() @ right.double()).clamp(-2.0 ** 15, 2.0 ** 15).to(torch.int32)

    monkeypatch.setattr(torch, "_int_mm", saturated)
    assert not is_fast.__wrapped__()
    monkeypatch.delattr(torch, "_int_mm")
    assert not is_fast.__wrapped__()
