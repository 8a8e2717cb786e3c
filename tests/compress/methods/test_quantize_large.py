"""Second moments of a large network are in a file: the same points and views, and nothing of them stays in memory."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from compress import memory
from compress.data.datasets import Dataset
from compress.layers import input_moments
from compress.layers.base import dense_layers
from compress.methods.prune import Prune
from compress.methods.quantize import Quantize
from compress.networks.families import Network
from tests.compress.helpers import identical, state


@pytest.mark.parametrize("settings", [{}, {"clipping": "least_error", "per": "channel"}, {"correction": 2},
                                      {"scheme": "nearest", "clipping": "least_error"}])
@pytest.mark.parametrize("teacher", ["mlp(hidden=48-32,epochs=6)", "cnn(channels=4-8,epochs=1)"])
def test_points_with_moments_in_a_file_are_those_from_memory(
        settings: dict[str, object], teacher: str, trained: Callable[[str], Network], digits: Dataset,
        monkeypatch: pytest.MonkeyPatch) -> None:
    method = Quantize.from_plain({"compared": False, **settings})

    def points() -> list[tuple[dict, dict]]:
        network = copy.deepcopy(trained(teacher))  # another object, for which nothing is kept
        return [(state(one.network), one.inside) for one in method.curve(network, digits, [3, 16])]

    held = points()
    monkeypatch.setattr(memory, "LARGE", 0)
    monkeypatch.setattr(input_moments, "ENOUGH", 0)  # a group for each layer, about
    read = points()
    assert all(identical(one[0], other[0]) and one[1] == other[1] for one, other in zip(held, read, strict=True))


def test_nothing_of_a_moment_in_a_file_stays_in_memory(trained: Callable[[str], Network], digits: Dataset,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LARGE", 0)
    network = copy.deepcopy(trained("mlp(hidden=48-32,epochs=6)"))
    method = Quantize(levels=5, compared=False)
    list(method.curve(network, digits, [5]))
    for one in method.quantizer(network, digits).roundable().values():
        columns = one.matrix.shape[-1]
        assert one.moments.second.shape[-2:] == (columns, columns)  # what is read
        assert not one._moments.second.numel() and not one._factors and one._quick is None


@pytest.mark.parametrize("criterion", ["second_order", "surgeon"])
def test_saliencies_of_layers_in_turn_are_those_of_all_at_once(criterion: str, mlp: Network, digits: Dataset,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    method = Prune(criterion=criterion, sparsity=0.5)
    once = state(method.compress(copy.deepcopy(mlp), digits))
    monkeypatch.setattr(input_moments, "ENOUGH", 0)
    assert len(input_moments.in_turn(mlp, dense_layers(mlp))) > 1
    assert identical(once, state(method.compress(copy.deepcopy(mlp), digits)))
