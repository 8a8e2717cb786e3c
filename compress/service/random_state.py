"""The random states that belong to a process: kept for each job while another computes, so that a job's numbers do not
depend on who else was at work."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch

SEED = 0  # of a job before it sets its own: what a job draws does not depend on the jobs before it


def keep() -> tuple[Any, ...]:
    """The states of torch (CPU and GPUs), numpy and Python."""
    gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    return torch.get_rng_state(), gpus, np.random.get_state(), random.getstate()


def restore(state: tuple[Any, ...] | None) -> None:
    """Puts back what keep() returned; None sets the states that every job begins with."""
    if state is None:
        torch.manual_seed(SEED)
        np.random.seed(SEED)
        random.seed(SEED)
        return
    cpu, gpus, numpys, ours = state
    torch.set_rng_state(cpu)
    if gpus:
        torch.cuda.set_rng_state_all(gpus)
    np.random.set_state(numpys)
    random.setstate(ours)
