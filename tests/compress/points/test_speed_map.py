"""Where a smaller network is faster: each way leaves the same share of the weights, and is left out where there is none."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from compress.layers.base import compressed_layers, dense_layers
from compress.layers.factors import Factors
from compress.layers.sparse import Sparse
from compress.networks.families import CNN, MLP, Architecture, Family, Logistic, Network, Recurrent, build
from compress.points import speed_map as module
from compress.points.speed_map import BATCHES, SHARES, low_rank_networks, narrow_networks, sparse_networks, speed_map
from compress.progress import Cancelled, Progress, Reporter
from tests.compress.helpers import identical, state

CASES = {"mlp": MLP((64, 48)), "cnn": CNN((6, 8), (64,)), "gru": Recurrent((32,)), "logistic": Logistic()}
WAYS = {"sparse": sparse_networks, "units": narrow_networks, "rank": low_rank_networks}
every_network = pytest.mark.parametrize("family", CASES.values(), ids=list(CASES))


def network_of(family: Family) -> Network:
    return build(Architecture(family, (1, 8, 8), 10)).eval()


def weights(network: nn.Module) -> int:
    return sum(tensor.numel() for tensor in network.parameters() if tensor.dim() > 1)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[tuple[nn.Module, int]]:
    """No timing: each pair's ratio is the number of its call. Returns what was timed."""
    timed: list[tuple[nn.Module, int]] = []

    def ratio(network: nn.Module, teacher: nn.Module, batch: torch.Tensor, seconds: float) -> tuple[float, ...]:
        timed.append((network, len(batch)))
        return (float(len(timed)), 0.5, 2.0)

    monkeypatch.setattr(module, "latency_ratio", ratio)
    return timed


@every_network
def test_the_map_has_a_cell_for_every_share_and_batch_and_way(family: Family, quick: list) -> None:
    network, reported = network_of(family), []
    before = state(network)
    found = json.loads(json.dumps(speed_map(network, Reporter(lambda progress: reported.append(progress)))))
    assert found["shares"] == list(SHARES) and found["batches"] == list(BATCHES)[:len(found["batches"])]
    assert list(found["ways"]) == (["sparse", "rank"] if family.name == "logistic" else list(WAYS))
    cells = [cell for rows in found["ways"].values() for row in rows for cell in row]
    assert all(len(rows) == len(found["batches"]) and all(len(row) == len(SHARES) for row in rows)
               for rows in found["ways"].values())
    assert sum(cell is not None for cell in cells) == len(quick) and all(cell is None or len(cell) == 3 for cell in cells)
    shares = [progress.share for progress in reported]
    assert shares == sorted(shares) and shares[-1] == 1.0 and found["device"] == "one core"
    assert identical(before, state(network)) and not network.training


def test_each_cell_times_its_own_network_and_batch(quick: list) -> None:
    found = speed_map(network_of(MLP((64, 48))))
    each = len(quick) // len(found["batches"])
    assert [size for _, size in quick] == [size for size in found["batches"] for _ in range(each)]
    numbers = [cell[0] for place in range(len(found["batches"])) for rows in found["ways"].values() for cell in rows[place]
               if cell is not None]
    assert numbers == [float(number) for number in range(1, len(quick) + 1)]


@every_network
def test_what_is_left_is_the_share_or_a_little_less(family: Family) -> None:
    network = network_of(family)
    for name, way in WAYS.items():
        for share, one in zip(SHARES, way(network), strict=True):
            if one is None:
                continue
            left = (sum(int((layer.weight != 0).sum()) for layer in compressed_layers(one).values()) if name == "sparse"
                    else weights(one))
            linear = sum(layer.weight.numel() for layer in dense_layers(network).values() if type(layer) is nn.Linear)
            wanted = (1 - share) * (linear if name == "sparse" else weights(network))
            if name == "sparse":
                assert abs(left - wanted) < 4 * (share * wanted) ** 0.5 + 1
            else:
                assert wanted * 0.6 - 60 <= left <= wanted + 1e-6


def test_a_larger_networks_shares_are_met_closely() -> None:
    network = build(Architecture(MLP(), (1, 28, 28), 10)).eval()
    for way in (narrow_networks, low_rank_networks):
        for share, one in list(zip(SHARES, way(network), strict=True))[:4]:
            assert 0.85 * (1 - share) <= weights(one) / weights(network) <= 1 - share


@every_network
def test_made_networks_answer_and_are_made_in_their_own_way(family: Family) -> None:
    network = network_of(family)
    batch = torch.randn(3, 1, 8, 8)
    for name, way in WAYS.items():
        made = [one for one in way(network) if one is not None]
        kinds = {type(layer) for one in made for layer in compressed_layers(one).values()}
        assert kinds == {"sparse": {Sparse}, "units": set(), "rank": {Factors}}[name]
        for one in made:
            with torch.inference_mode():
                assert one(batch).shape == (3, 10) and not one.training


def test_convolutions_stay_dense_where_single_weights_go() -> None:
    made = sparse_networks(network_of(CNN((6, 8), (64,))))[2]
    assert [type(layer) for layer in dense_layers(made).values()] == [nn.Conv2d, nn.Conv2d]
    assert all(layer.rows is not None and layer.limits == (1.0, 1.0) for layer in compressed_layers(made).values())


def test_a_layer_that_no_rank_makes_smaller_stays_dense() -> None:
    made = low_rank_networks(network_of(MLP((64, 1))))[0]
    assert list(compressed_layers(made)) == ["1"] and list(dense_layers(made)) == ["1.0", "1.1", "3", "5"]
    with torch.inference_mode():
        assert made(torch.randn(3, 1, 8, 8)).shape == (3, 10)


def test_a_network_without_units_has_no_narrower_one() -> None:
    assert narrow_networks(network_of(Logistic())) == [None] * len(SHARES)


def test_a_share_below_one_unit_a_layer_is_left_out() -> None:
    made = narrow_networks(network_of(MLP((4, 4))))
    assert made[0] is not None and made[-1] is None


def test_larger_batches_are_left_out_once_one_takes_too_long(monkeypatch: pytest.MonkeyPatch, quick: list) -> None:
    monkeypatch.setattr(module, "LONGEST", 0.0)
    assert speed_map(network_of(MLP((8,))))["batches"] == [1]


def test_it_can_be_cancelled(quick: list) -> None:
    reported: list[Progress] = []
    with pytest.raises(Cancelled):
        speed_map(network_of(MLP((8,))), Reporter(reported.append, lambda: len(quick) >= 5))
    assert len(quick) < 10
