"""What a job draws, and with how many threads it computes, does not depend on who is at work beside it."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from compress.networks import device
from compress.service.computing_state import keep, restore


def draw() -> tuple[float, float, float]:
    return float(torch.rand(())), float(np.random.rand()), random.random()


def test_two_that_take_turns_draw_what_each_draws_alone() -> None:
    before = keep()
    restore(None)
    alone = [draw() for _ in range(4)]
    states, drawn = [None, None], ([], [])
    for turn in range(8):
        restore(states[turn % 2])
        drawn[turn % 2].append(draw())
        states[turn % 2] = keep()
    restore(before)
    assert drawn[0] == drawn[1] == alone and len(set(alone)) == 4


def test_a_job_that_waits_in_a_training_on_one_thread_leaves_others_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "usable_cores", lambda: 3)
    before = keep()
    try:
        restore(None)
        torch.set_num_threads(1)
        first = keep()
        restore(None)
        second = torch.get_num_threads()
        restore(first)
        assert (second, torch.get_num_threads()) == (3, 1)
    finally:
        restore(before)
