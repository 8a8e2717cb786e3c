"""An embedding table looks up what the linear map of shares or one-hot inputs computes."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from compress.layers.base import dense_outputs, dense_plain, dense_rebuild, macs, with_layers
from compress.layers.input_moments import Moments, diagonal_of, input_mean_squares, input_moments
from compress.layers.matrix_view import factorised, inputs_as_columns
from compress.networks.embedding import Embedding, shares
from compress.networks.families import Architecture, EmbeddingBag, TokenCNN, TokenGRU, build
from compress.solvers.svd import Diagonal, energy, principal, projection_energies

IDS = torch.tensor([[0, 0, 3, 2, 3], [0, 0, 0, 0, 0], [1, 4, 6, 5, 99]]).float()


@pytest.fixture
def table() -> Embedding:
    torch.manual_seed(0)
    return Embedding(7, 4, mean=True)


def test_the_mean_is_the_map_of_the_shares_of_tokens(table):
    found = table(IDS)
    assert torch.allclose(found, shares(IDS, 7) @ table.weight.T)
    assert torch.allclose(found[0], (2 * table.weight[:, 3] + table.weight[:, 2]) / 3)
    assert found[1].tolist() == [0, 0, 0, 0]


def test_an_id_beyond_the_table_is_the_unknown_token(table):
    assert torch.equal(table(torch.tensor([[99.0, 2.0]])), table(torch.tensor([[1.0, 2.0]])))
    assert torch.equal(table(torch.tensor([[-3.0]])), table(torch.tensor([[1.0]])))


def test_without_a_mean_each_token_has_its_embedding_and_padding_zeros():
    table = Embedding(7, 4, mean=False)
    found = table(IDS)
    assert found.shape == (3, 5, 4) and not found[0, :2].any()
    assert torch.equal(found[2, 1], table.weight[:, 4]) and torch.equal(found[2, 4], table.weight[:, 1])


@pytest.mark.parametrize("mean", [True, False])
def test_its_plain_data_make_it_again_and_give_its_outputs(mean):
    table = Embedding(7, 4, mean, bias=True)
    plain = dense_plain(table)
    again = dense_rebuild(plain)
    assert (type(again), again.weight.shape, dense_plain(again)) == (Embedding, (4, 7), plain)
    assert torch.equal(dense_outputs(IDS, table.weight, table.bias, plain), table(IDS))


@pytest.mark.parametrize("plain", [{"type": "Embedding", "sizes": [7, 4], "bias": False},
                                   {"type": "Embedding", "sizes": [7, 4], "bias": False, "mean": True, "padded": 0},
                                   {"type": "Embedding", "sizes": [7, 4], "bias": False, "mean": 1},
                                   {"type": "Embedding", "sizes": [7], "bias": False, "mean": True}])
def test_plain_data_that_no_table_has_are_refused(plain):
    with pytest.raises(ValueError, match=r"Embedding|mean|sizes|padded"):
        dense_rebuild(plain)


@pytest.mark.parametrize("family", [EmbeddingBag(7, (4,)), TokenGRU(7, (4,), (3,))])
def test_moments_are_those_of_shares_and_of_one_hot_inputs(family):
    network = build(Architecture(family, (5,), 2)).eval()
    table = network[0]
    columns = inputs_as_columns(table, IDS)[0].double()
    found, squares = input_moments(network, IDS, ["0"])["0"], input_mean_squares(network, IDS, ["0"])["0"]
    assert columns.shape == (7, 3 if family.name == "embedding_bag" else 15)
    assert torch.allclose(found.full("0")[0], columns @ columns.T / columns.shape[1])
    assert torch.allclose(found.mean[0], columns.mean(1)) and torch.allclose(squares[0], columns.square().mean(1))


def test_every_id_of_a_table_without_padding_is_a_row():
    table = Embedding(7, 4, mean=False, padded=False)
    ids = torch.tensor([[[0, 3], [1, -1]]])  # of any shape
    assert torch.equal(table(ids), table.weight.T[ids])
    with pytest.raises(IndexError):
        table(torch.tensor([[7]]))
    plain = dense_plain(table)
    assert plain["padded"] is False and "padded" not in dense_plain(Embedding(7, 4, mean=False))
    again = dense_rebuild(plain)
    assert not again.padded and torch.equal(dense_outputs(ids, table.weight, None, plain), table(ids))
    pair = factorised(table, torch.linalg.qr(torch.randn(4, 4)).Q[None])
    assert torch.allclose(pair(ids), table(ids), atol=1e-6) and not pair.merged().padded
    assert inputs_as_columns(table, ids)[0].argmax(0).tolist() == [0, 3, 1, 6]


def test_the_moment_of_a_large_table_is_a_diagonal(monkeypatch):
    """And every use of it equals that of the whole matrix."""
    monkeypatch.setattr("compress.layers.input_moments.WIDE", 6)
    network = build(Architecture(TokenGRU(7, (4,), (3,)), (5,), 2)).eval()
    small = input_moments(network, IDS, ["0"])["0"]
    assert isinstance(small.second, Diagonal) and small.is_wide
    monkeypatch.setattr("compress.layers.input_moments.WIDE", 7)
    whole = input_moments(network, IDS, ["0"])["0"]
    assert not whole.is_wide
    weight = network[0].weight.detach()[None]
    for one, other in ((small.second, whole.second), (small.covariance, whole.covariance)):
        assert torch.allclose(principal(weight, one).energies, principal(weight, other).energies)
        assert torch.allclose(energy(weight, one), energy(weight, other))
        basis = torch.linalg.qr(torch.randn(1, 4, 2, dtype=torch.float64)).Q
        assert torch.allclose(projection_energies(basis, weight, one), projection_energies(basis, weight, other))
        assert torch.allclose(diagonal_of(one), diagonal_of(other))
        assert torch.allclose(Moments(one, small.mean).full("0"), other)


def test_a_lookup_has_no_multiply_adds_and_its_second_factor_has_them():
    network = build(Architecture(EmbeddingBag(50, (6,), (5,)), (9,), 3)).eval()
    assert macs(network, torch.ones(1, 9)) == 6 * 5 + 5 * 3
    pair = factorised(network[0], torch.linalg.qr(torch.randn(6, 2)).Q[None])
    assert macs(with_layers(network, {"0": pair}), torch.ones(1, 9)) == 2 * 6 + 6 * 5 + 5 * 3


def test_a_product_at_full_rank_is_the_table(table):
    pair = factorised(table, torch.linalg.qr(torch.randn(4, 4)).Q[None])
    assert torch.allclose(pair(IDS), table(IDS), atol=1e-6)
    assert torch.allclose(pair.merged().weight, table.weight, atol=1e-6) and type(pair.merged()) is Embedding


def test_padding_and_tokens_that_do_not_occur_learn_nothing():
    network = build(Architecture(TokenGRU(7, (4,), (3,)), (5,), 2))
    functional.cross_entropy(network(IDS[:1]), torch.tensor([1])).backward()
    touched = network[0].weight.grad.abs().sum(0) > 0
    assert touched.tolist() == [False, False, True, True, False, False, False]


def test_a_channel_finds_its_words_wherever_they_stand():
    network = build(Architecture(TokenCNN(7, (4,), (3,)), (9,), 2)).eval()
    texts = torch.tensor([[0, 0, 0, 0, 2, 3, 4, 2, 2], [0, 5, 5, 2, 3, 4, 5, 5, 5]])
    windows, channels = network[:2](texts), network[2]
    with torch.no_grad():
        channels.weight.copy_(windows[0, :, 4:7].expand_as(channels.weight))  # looks for 2 3 4
        channels.bias.zero_()
    found = network[:-1](texts)
    assert network[:4](texts).argmax(2).tolist() == [[5] * 3, [4] * 3]
    assert torch.allclose(found[0], found[1]) and found.shape == (2, 3)


def test_windows_of_every_length_and_texts_of_one_token_are_read():
    for window in (1, 2, 3, 15):
        for length in (1, 4):
            network = build(Architecture(TokenCNN(7, (4,), (3, 2), window), (length,), 2)).eval()
            assert network(torch.ones(2, length)).shape == (2, 2)
    with pytest.raises(ValueError, match=r"TokenCNN: channels must be at least one number"):
        build(Architecture(TokenCNN(7, (4,), ()), (5,), 2))
