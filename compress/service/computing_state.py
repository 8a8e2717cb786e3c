"""What belongs to a process and decides what a job computes: random states and the number of torch's threads. They are kept
for each job while another computes, so that a job's numbers do not depend on who else was at work."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from compress.networks import device

SEED = 0  # of a job before it sets its own: what a job draws does not depend on the jobs before it


@dataclass(frozen=True)
class ComputingState:
    """The random states of torch (cpu, gpus), numpy and Python, and how many threads torch uses."""

    cpu: Any
    gpus: list[Any]
    numpys: Any
    ours: Any
    threads: int


def keep() -> ComputingState:
    """The present state."""
    gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    return ComputingState(torch.get_rng_state(), gpus, np.random.get_state(), random.getstate(), torch.get_num_threads())


def restore(state: ComputingState | None) -> None:
    """Puts back what keep() returned; None sets the state that every job begins with."""
    if state is None:
        torch.manual_seed(SEED)
        np.random.seed(SEED)
        random.seed(SEED)
        torch.set_num_threads(device.usable_cores())
        return
    torch.set_rng_state(state.cpu)
    if state.gpus:
        torch.cuda.set_rng_state_all(state.gpus)
    np.random.set_state(state.numpys)
    random.setstate(state.ours)
    torch.set_num_threads(state.threads)
