"""What is known of networks before they are measured."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.method import Method
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.methods.quantize import Quantize
from compress.networks.families import Network
from compress.search.proxies import BytesAhead, Calibration
from tests.compress.helpers import poisoned


@pytest.fixture
def ahead(mlp: Network, digits: Dataset) -> BytesAhead:
    return BytesAhead(mlp, digits)


def length(chain: tuple[Method, ...], network: Network, data: Dataset) -> int:
    for method in chain:
        network = method.compress(network, data)
    return len(network_file.to_bytes(network, MadeFor.of(data), chain[-1].stored))


@pytest.mark.parametrize("chain", [(Quantize(levels=5),), (Prune(sparsity=0.8),), (LowRank(keep=0.3),),
                                   (Prune(sparsity=0.8), Quantize(levels=8)), (Prune(sparsity=0.8, precision="int8"),)],
                         ids=lambda chain: "+".join(one.name for one in chain))
def test_bytes_are_predicted_without_training(chain: tuple[Method, ...], ahead: BytesAhead, mlp: Network,
                                              digits: Dataset) -> None:
    measured, predicted = length(chain, mlp, digits), ahead.predicted(chain)
    assert ahead.least(chain, predicted) <= measured <= 2 * predicted
    ahead.learn(chain, predicted, measured)
    assert 0.9 * measured <= ahead.least(chain, predicted) <= measured


@pytest.mark.parametrize("chain", [(Quantize(levels=64),), (Prune(sparsity=0.25),)], ids=lambda chain: chain[0].name)
def test_a_dial_is_turned_to_the_largest_file_below_a_size(chain: tuple[Method, ...], ahead: BytesAhead) -> None:
    values = list(range(2, 65)) if chain[0].name == "quantize" else [place / 100 for place in range(25, 96)]
    wanted = ahead.predicted((chain[0].at(values[20]),))
    value = ahead.aimed(chain, values, wanted)
    sizes = {one: 0.95 * ahead.predicted((chain[0].at(one),)) for one in values}
    assert sizes[value] == max(size for size in sizes.values() if size <= wanted)
    assert ahead.aimed(chain, values, 10) is None


def test_what_is_impossible_is_said_before_anything_is_made(ahead: BytesAhead) -> None:
    with pytest.raises(ValueError, match=r"sparsity must be one of 0\.25, 0\.5, 0\.75 with the pattern n:4"):
        ahead.predicted((Prune(sparsity=0.6, pattern="n:4"),))


def test_calibration_tells_the_hopeless_and_reads_no_other_split(trained: Callable[[str], Network], digits: Dataset) -> None:
    from dataclasses import replace

    network = trained("mlp(hidden=32-16,epochs=3)")
    data = replace(digits, validation=poisoned(digits.validation), _test=poisoned(digits.validation))
    calibration = Calibration(network, data)
    same, worse = calibration.look(network), calibration.look(Quantize(levels=2, scheme="nearest").compress(network, digits))
    assert (same.points_lost, same.output_error) == (0.0, 0.0)
    assert worse.points_lost > 5 and worse.output_error > 0.1
    assert worse.is_hopeless(1.0) and not worse.is_hopeless(100.0) and not same.is_hopeless(0.0)


def test_outputs_that_are_no_numbers_have_an_infinite_error(trained: Callable[[str], Network], digits: Dataset) -> None:
    network = trained("mlp(hidden=32-16,epochs=3)")
    broken = Quantize(levels=4).compress(network, digits)
    calibration = Calibration(network, digits)
    with torch.no_grad():
        next(parameter for parameter in broken.parameters()).fill_(float("nan"))
    assert calibration.look(broken).output_error == float("inf")
