"""What a job draws does not depend on who draws beside it."""

from __future__ import annotations

import random

import numpy as np
import torch

from compress.service.random_state import keep, restore


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
