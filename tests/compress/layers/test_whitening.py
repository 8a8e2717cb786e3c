"""Whitened and centred factorisation: the smallest error of the OUTPUTS on the inputs that were seen."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from compress import memory
from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.layers.input_moments import Moments, input_mean_squares, input_moments
from compress.layers.matrix_view import matrix_of
from compress.low_rank.factorisation import factorise
from compress.networks.families import MLP, Architecture, Network, build
from compress.recipe import Step
from compress.solvers.svd import Root, energy, principal, projection_energies
from compress.training.teachers import train_teacher


@st.composite
def layers_with_inputs(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    """W (m, n) and inputs X (n, samples): correlated, off centre, some dead, often fewer samples than inputs."""
    rows, columns, samples = (draw(st.integers(1, 30)) for _ in range(3))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 9999)))
    weights = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
    mixing = torch.randn(columns, columns, generator=generator, dtype=torch.float64)
    inputs = mixing @ torch.randn(columns, samples, generator=generator, dtype=torch.float64)
    inputs = inputs * torch.logspace(0, -draw(st.integers(0, 4)), columns, dtype=torch.float64)[:, None]
    inputs = inputs + draw(st.sampled_from((0.0, 3.0)))
    inputs[:draw(st.integers(0, columns - 1))] = 0.0
    return weights, inputs


def output_error(weights: Tensor, basis: Tensor, inputs: Tensor) -> float:
    return float(((weights - basis @ (basis.mT @ weights)) @ inputs).square().sum())


@given(layers_with_inputs())
def test_the_output_error_is_the_whitened_tail_even_for_singular_inputs(case: tuple[Tensor, Tensor]) -> None:
    weights, inputs = case
    found = principal(weights, inputs @ inputs.mT)
    total = float((weights @ inputs).square().sum())
    for rank in range(min(weights.shape) + 1):
        error = output_error(weights, found.basis[:, :rank], inputs)
        assert abs(error - float(found.tail()[rank])) <= 1e-8 * total + 1e-12


@given(layers_with_inputs())
def test_the_output_error_is_never_above_that_of_plain_svd(case: tuple[Tensor, Tensor]) -> None:
    weights, inputs = case
    whitened, plain = principal(weights, inputs @ inputs.mT).basis, principal(weights).basis
    total = float((weights @ inputs).square().sum())
    for rank in range(min(weights.shape) + 1):
        assert (output_error(weights, whitened[:, :rank], inputs)
                <= output_error(weights, plain[:, :rank], inputs) + 1e-8 * total + 1e-12)


@given(layers_with_inputs())
def test_full_rank_gives_the_weights_back_even_where_no_input_ever_went(case: tuple[Tensor, Tensor]) -> None:
    weights, inputs = case
    if weights.shape[0] <= weights.shape[1]:
        basis = principal(weights, inputs @ inputs.mT).basis
        assert torch.allclose(basis @ (basis.mT @ weights), weights, atol=1e-9)


@given(layers_with_inputs(), st.booleans())
def test_centring_leaves_no_more_output_error_than_whitening_thanks_to_the_bias(case: tuple[Tensor, Tensor],
                                                                               biased: bool) -> None:
    weights, inputs = case
    layer = nn.Linear(weights.shape[1], weights.shape[0], bias=biased).double()
    layer.weight.data.copy_(weights)
    count = inputs.shape[1]
    moments = Moments((inputs @ inputs.mT / count)[None], inputs.mean(1)[None])
    wanted = layer(inputs.mT)
    total = float((weights @ inputs).square().sum())
    whitened, centred = (factorise(layer, scheme, moments=moments) for scheme in ("whitened", "centred"))
    for rank in range(1, min(weights.shape) + 1):
        with torch.inference_mode():
            errors = [float((piece.layer(rank).double()(inputs.mT) - wanted).square().sum())
                      for piece in (whitened, centred)]
        assert errors[1] <= errors[0] + 1e-4 * total + 1e-9


def test_a_constant_input_costs_a_centred_layer_nothing() -> None:
    """All inputs equal: the output is a constant, which the bias alone can give."""
    torch.manual_seed(0)
    layer, constant = nn.Linear(8, 8), torch.randn(8)
    moments = Moments(torch.outer(constant, constant).double()[None], constant.double()[None])
    made = factorise(layer, "centred", moments=moments).layer(1)
    assert torch.allclose(made(constant), layer(constant), atol=1e-5)
    assert made[1].bias is not None and not torch.equal(made[1].bias, layer.bias)


def test_moments_are_those_of_the_inputs_that_really_arrive(mlp: Network, digits: Dataset) -> None:
    inputs, _ = on_device(digits.calibration, torch.device("cpu"))
    with torch.inference_mode():
        hidden = mlp[:3](inputs).double()
    found = input_moments(mlp, inputs, ["1", "3"])
    assert torch.allclose(found["1"].mean[0], inputs.flatten(1).double().mean(0), atol=1e-6)
    assert torch.allclose(found["3"].second[0], hidden.mT @ hidden / len(hidden), atol=1e-5)
    assert torch.allclose(found["3"].covariance[0], torch.cov(hidden.mT, correction=0), atol=1e-5)
    assert not any(layer._forward_pre_hooks for layer in mlp.modules())


@pytest.fixture(scope="module")
def lenet(mnist5k: Dataset) -> Network:
    return train_teacher(mnist5k, Step.parse("mlp(hidden=300-100,epochs=10)")).network


def test_on_lenet_300_100_held_out_output_error_falls_to_about_half_of_plain_svd(lenet: Network,
                                                                                mnist5k: Dataset) -> None:
    moments = {name: input_moments(lenet, on_device(split, torch.device("cpu"))[0], ["1"])["1"]
               for name, split in (("fitted", mnist5k.calibration), ("held out", mnist5k.validation))}
    weights = matrix_of(lenet[1]).double()
    left = {}
    for scheme, metric in (("plain", None), ("whitened", moments["fitted"].second)):
        basis = principal(weights, metric).basis
        carried = projection_energies(basis, weights, moments["held out"].second).sum(0)
        left[scheme] = carried.flip(0).cumsum(0).flip(0)
    ratios = [float(left["whitened"][rank] / left["plain"][rank]) for rank in (10, 20, 40, 80)]
    assert all(0.4 <= ratio**0.5 <= 0.8 for ratio in ratios), ratios


def sides(weights: Tensor, inputs: Tensor) -> tuple[Moments, Moments]:
    """The moments of the same inputs as n x n numbers and as their root."""
    count, mean = inputs.shape[1], inputs.mean(1)[None]
    return Moments((inputs @ inputs.mT / count)[None], mean), Moments(Root((inputs / count ** 0.5)[None]), mean)


@given(layers_with_inputs(), st.sampled_from(("second", "covariance")))
def test_both_sides_give_the_same_factors_and_errors(case: tuple[Tensor, Tensor], name: str) -> None:
    """X is rank-deficient in many of these cases: fewer samples than inputs, or inputs that are always zero."""
    weights, inputs = case
    square, root = (getattr(moments, name) for moments in sides(weights, inputs))
    one, other = principal(weights[None], square), principal(weights[None], root)
    total = float(one.total) + 1e-12
    assert one.basis.shape == other.basis.shape
    assert torch.allclose(one.energies, other.energies, rtol=1e-8, atol=1e-8 * total)
    assert torch.allclose(one.tail(), other.tail(), rtol=1e-8, atol=1e-8 * total)
    assert torch.allclose(energy(weights[None], square), energy(weights[None], root), rtol=1e-8, atol=1e-12)
    for basis in (one.basis, other.basis):
        assert torch.allclose(basis.mT @ basis, torch.eye(basis.shape[-1], dtype=basis.dtype), atol=1e-9)
        assert torch.allclose(projection_energies(basis, weights[None], square),
                              projection_energies(basis, weights[None], root), rtol=1e-8, atol=1e-8 * total)


def test_both_sides_agree_to_8_digits_where_directions_are_distinct() -> None:
    generator = torch.Generator().manual_seed(3)
    weights, inputs = (torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((5, 40), (40, 12)))
    for one, other in zip(*([moments.second, moments.covariance] for moments in sides(weights, inputs)), strict=True):
        found, wanted = principal(weights[None], other), principal(weights[None], one)
        for rank in range(1, 6):
            one_way, other_way = (own.basis[0, :, :rank] @ own.basis[0, :, :rank].mT for own in (found, wanted))
            assert torch.allclose(one_way, other_way, atol=1e-8)


@pytest.mark.parametrize("examples", [30, 700, 1500])
def test_fewer_samples_than_inputs_are_kept_as_their_root(examples: int) -> None:
    """1,000 inputs, read 512 examples at a time."""
    network = build(Architecture(MLP((4,)), (1000,), 3)).eval()
    inputs = torch.randn(examples, 1000, generator=torch.Generator().manual_seed(0))
    own = input_moments(network, inputs, ["1", "3"])
    wide = own["1"].second
    assert isinstance(wide, Root) == (examples < 1000) and not isinstance(own["3"].second, Root)
    wanted = inputs.double().mT @ inputs.double() / examples
    assert torch.allclose(own["1"].full("1")[0], wanted, atol=1e-12)
    assert torch.allclose(own["1"].mean[0], inputs.double().mean(0))
    squares = input_mean_squares(network, inputs, ["1", "3"])
    assert torch.allclose(squares["1"][0], wanted.diagonal())
    assert torch.allclose(squares["3"][0], own["3"].full("3")[0].diagonal())


def test_a_moment_that_does_not_fit_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "spare", lambda: 50_000_000)
    network = build(Architecture(MLP((4,)), (3000,), 3)).eval()
    with pytest.raises(memory.MemoryShort, match=r"layer 1, 3,000 x 3,000 numbers, needs about 0\.1 GB .*scheme .*plain"):
        input_moments(network, torch.zeros(10, 3000), ["1"])["1"].full("1")
    with pytest.raises(memory.MemoryShort, match=r"3,000 x 3,000 numbers"):
        input_moments(network, torch.zeros(3072, 3000), ["1"])
