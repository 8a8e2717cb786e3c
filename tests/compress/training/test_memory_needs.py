"""The memory of training is known before a network is made."""

from __future__ import annotations

import pytest

from compress import memory
from compress.networks.families import CNN, MLP, Architecture, Recurrent, ResNet, build
from compress.recipe import Step
from compress.training.memory_needs import footprint, require_training
from compress.training.teachers import train_teacher, untrained
from tests.compress.helpers import toy_data


@pytest.mark.parametrize("family", [MLP(), CNN(), ResNet(), Recurrent()])
def test_the_weights_are_those_of_the_network(family: object) -> None:
    architecture = Architecture(family, (1, 28, 28), 10)  # type: ignore[arg-type]
    weights, outputs = footprint(architecture)
    assert weights == sum(weight.numel() for weight in build(architecture).parameters())
    assert 784 < outputs < 10_000_000


def test_a_network_that_does_not_fit_is_refused_with_its_size_before_it_is_made() -> None:
    """100 layers of 8,192 units: 27 GB of weights, five times in training."""
    step = Step.of("mlp", {"hidden": "-".join(["8192"] * 100)})
    with pytest.raises(memory.MemoryShort, match=r"Training 16-8192.* needs about 13\d\.\d GB .*Choose fewer units"):
        untrained(step, toy_data((16,)))
    with pytest.raises(memory.MemoryShort, match="needs about"):
        train_teacher(toy_data((16,)), step)


def test_the_batch_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "spare", lambda: 20_000_000)
    architecture = Architecture(ResNet(), (3, 32, 32), 10)
    require_training(architecture, 1)
    with pytest.raises(memory.MemoryShort, match=r"batches of 512.*smaller batch"):
        require_training(architecture, 512)
