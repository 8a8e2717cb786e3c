"""Which processor does the work is decided once, by what there is or by COMPRESS_DEVICE and COMPRESS_CORES."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from compress.networks import device


@pytest.fixture
def undecided(prepared: None) -> Iterator[None]:
    """As in a fresh process; afterwards as before."""
    device.prepare.cache_clear()
    yield
    device.prepare.cache_clear()


def test_a_device_that_is_not_there_is_answered_with_a_remedy(undecided: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for wanted in ("abacus", "cuda:99", "cpu:x", "meta", "xla", "mps", "cpu:0", "cuda:", "cuda:٣"):
        monkeypatch.setenv("COMPRESS_DEVICE", wanted)
        with pytest.raises(ValueError, match=rf"COMPRESS_DEVICE must be cpu .*GPU.* but got '{wanted}'. Unset it"):
            device.prepare()


def test_the_cpu_can_always_be_chosen(undecided: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPRESS_DEVICE", " cpu ")
    assert device.prepare() == torch.device("cpu") and torch.get_num_threads() == device.usable_cores()


def test_no_more_cores_are_used_than_allowed_and_there_are(undecided: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMPRESS_CORES")
    there = device.usable_cores()
    monkeypatch.setenv("COMPRESS_CORES", "1")
    device.prepare()
    assert torch.get_num_threads() == device.usable_cores() == 1
    monkeypatch.setenv("COMPRESS_CORES", "1000")
    assert device.usable_cores() == there


@pytest.mark.parametrize("wanted", ["0", "-1", "two", "1.5", "²", "9" * 10])
def test_a_number_of_cores_that_cannot_be_is_answered_with_a_remedy(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPRESS_CORES", wanted)
    with pytest.raises(ValueError, match=rf"COMPRESS_CORES must be a whole number from 1, but got '{wanted}'. Unset it"):
        device.usable_cores()


def test_the_title_counts_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "usable_cores", lambda: 1)
    assert device.title(torch.device("cpu")) == "CPU, 1 core"
    monkeypatch.setattr(device, "usable_cores", lambda: 4)
    assert device.title(torch.device("cpu")) == "CPU, 4 cores"
