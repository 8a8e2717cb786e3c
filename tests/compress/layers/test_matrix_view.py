"""Linear and convolutional layers as matrices: what two smaller layers compute and how far they are off."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor, nn

from compress.data.datasets import Dataset
from compress.layers.base import with_layers
from compress.layers.factors import Factors
from compress.layers.matrix_view import can_be_viewed, factorised, inputs_as_columns, matrix_of
from compress.low_rank.factorisation import factorise
from compress.methods.low_rank import LowRank
from compress.networks.families import Network
from compress.solvers.svd import principal


@st.composite
def convolutions(draw: st.DrawFn, flat: bool | None = None) -> tuple[nn.Module, Tensor]:
    """A convolution of any geometry with random weights, and a batch that it can read."""
    flat = draw(st.booleans()) if flat is None else flat
    axes = 1 if flat else 2
    groups = draw(st.integers(1, 3))

    def numbers(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(axes))

    torch.manual_seed(draw(st.integers(0, 999)))
    kernel, dilation = numbers(1, 5), numbers(1, 3)
    layer = (nn.Conv1d if flat else nn.Conv2d)(
        groups * draw(st.integers(1, 3)), groups * draw(st.integers(1, 6)), kernel, stride=numbers(1, 3),
        padding=numbers(0, 4), dilation=dilation, groups=groups, bias=draw(st.booleans()))
    if layer.bias is not None:
        nn.init.uniform_(layer.bias, 1.0, 2.0)
    sizes = [(size - 1) * gap + draw(st.integers(1, 6)) for size, gap in zip(kernel, dilation, strict=True)]
    return layer, torch.randn(2, layer.in_channels, *sizes)


def full_pair(layer: nn.Module, view: str) -> Factors:
    return factorised(layer, principal(matrix_of(layer, view)).basis, view)


@given(convolutions(), st.sampled_from(("channel", "spatial")))
def test_full_rank_computes_what_the_convolution_computes(case: tuple[nn.Module, Tensor], view: str) -> None:
    layer, batch = case
    with torch.inference_mode():
        assert torch.allclose(full_pair(layer, view)(batch), layer(batch), atol=1e-4)


@pytest.mark.parametrize("biased", [True, False])
def test_full_rank_computes_what_the_linear_layer_computes(biased: bool) -> None:
    torch.manual_seed(0)
    for sizes in ((7, 12), (12, 7), (1, 5), (5, 1)):
        layer, batch = nn.Linear(*sizes, bias=biased), torch.randn(3, 4, sizes[0])
        pair = full_pair(layer, "channel")
        assert torch.allclose(pair(batch), layer(batch), atol=1e-5)
        assert pair[0].bias is None and (pair[1].bias is not None) == biased


def weights_of(pair: Factors, like: nn.Module, view: str) -> Tensor:
    """The kernels that the pair stands for, read off its answer to unit impulses."""
    inner, outer = pair[0].weight.detach().double(), pair[1].weight.detach().double()
    groups = like.groups
    inner = inner.unflatten(0, (groups, -1))
    outer = outer.unflatten(0, (groups, -1))
    letters = "grcyx,gorvu->gocyx" if view == "channel" else "grcyv,gorux->gocyx"
    if inner.dim() == 4:
        inner, outer = inner.unsqueeze(3), outer.unsqueeze(3)
    return torch.einsum(letters, inner, outer).flatten(0, 1).reshape(like.weight.shape)


@given(convolutions(), st.sampled_from(("channel", "spatial")), st.data())
def test_a_lower_rank_is_off_by_the_root_of_the_squared_singular_values_left_out(
        case: tuple[nn.Module, Tensor], view: str, data: st.DataObject) -> None:
    layer, _ = case
    matrix = matrix_of(layer, view).double()
    full = min(matrix.shape[1:])
    assume(full > 1)
    rank = data.draw(st.integers(1, full - 1))
    pair = factorise(layer, "plain", view).layer(rank)
    assert pair.rank == rank
    error = float((weights_of(pair, layer, view) - layer.weight.detach().double()).norm())
    tail = float((torch.linalg.svdvals(matrix)[:, rank:] ** 2).sum().sqrt())
    assert error == pytest.approx(tail, abs=1e-5 * float(matrix.norm()))


@given(convolutions())
def test_the_columns_are_what_the_matrix_is_multiplied_with(case: tuple[nn.Module, Tensor]) -> None:
    layer, batch = case
    with torch.inference_mode():
        outputs = layer(batch) if layer.bias is None else layer(batch) - layer.bias.view(-1, *[1] * (batch.dim() - 2))
        product = matrix_of(layer) @ inputs_as_columns(layer, batch)
    expected = outputs.transpose(0, 1).flatten(1).unflatten(0, (layer.groups, -1))
    assert torch.allclose(product, expected, atol=1e-4)


@given(convolutions(), st.booleans())
def test_whitened_kernels_leave_the_least_output_error(case: tuple[nn.Module, Tensor], centred: bool) -> None:
    from compress.layers.input_moments import Moments

    layer, batch = case
    columns = inputs_as_columns(layer, batch).double()
    count = columns.shape[2]
    moments = Moments(columns @ columns.mT / count, columns.mean(2))
    with torch.inference_mode():
        wanted = layer(batch)
        errors = [float((factorise(layer, scheme, moments=moments).layer(1)(batch) - wanted).square().sum())
                  for scheme in ("plain", "whitened", "centred")]
    slack = 1e-4 * float(wanted.square().sum()) + 1e-6
    assert errors[2] <= errors[1] + slack <= errors[0] + 2 * slack


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_padding_with_anything_but_zeros_is_left_alone(mode: str, digits: Dataset) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(1, 6, 5, padding=2, padding_mode=mode)
    assert not can_be_viewed(layer)
    network = Network(layer, nn.ReLU(), nn.Flatten(), nn.Linear(6 * 64, 20), nn.ReLU(), nn.Linear(20, 10)).eval()
    small = LowRank(keep=0.2, scheme="plain").compress(network, digits)
    assert type(small[0]) is nn.Conv2d and small[0].padding_mode == mode
    assert isinstance(small[3], Factors)


def test_same_padding_spelled_as_a_word_is_left_alone() -> None:
    assert not can_be_viewed(nn.Conv2d(2, 3, 3, padding="same"))


def test_a_pair_put_into_a_network_keeps_the_shape_of_its_outputs(trained: object, digits: Dataset) -> None:
    network = trained("cnn(epochs=1)")
    pairs = {path: factorise(layer, "plain", view).layer(2) for path, view in (("0", "channel"), ("3", "spatial"))
             for layer in [network.get_submodule(path)]}
    batch = torch.tensor(digits.validation.inputs[:5])
    with torch.inference_mode():
        assert with_layers(network, pairs)(batch).shape == network(batch).shape
