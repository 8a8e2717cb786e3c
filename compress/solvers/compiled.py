"""Compiles the kernels of sparse coding before their first use, which would wait seconds for it: python -m
compress.solvers.compiled. What is compiled is kept for every later start. Ends when standard input closes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from compress.home import cache_folder


def are_kept() -> bool:
    """Whether kernels were compiled before, for this home or where NUMBA_CACHE_DIR says."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or cache_folder() / "numba")
    return any(folder.rglob("*.nbi"))


def compile_beside() -> subprocess.Popen[bytes] | None:
    """Compiles them in a process of the lowest priority, which ends with this one, or when the result is forgotten, with
    which its standard input closes; None where they are kept."""
    if are_kept():
        return None
    return subprocess.Popen([sys.executable, "-m", "compress.solvers.compiled"], stdin=subprocess.PIPE,
                            stdout=subprocess.DEVNULL)


def compile_now() -> None:
    """Codes a few signals as the methods do: numbers of 32 bits, atoms learned by K-SVD. Nothing where numba is missing."""
    import torch

    from compress.solvers.ksvd import KSVD, learn
    from compress.solvers.omp import omp

    signals = torch.arange(2000 * 16, dtype=torch.float32).mul(0.7).sin().view(2000, 16)
    *_, last = learn(signals, KSVD(atoms=64, nonzeros=2, iterations=1, seed=0))
    omp(signals, last.atoms, 2)


def main() -> None:
    """Compiles at the lowest priority, until it is done or standard input closes."""
    os.nice(19)
    threading.Thread(target=_end_with_the_input, daemon=True).start()
    compile_now()


def _end_with_the_input() -> None:
    while os.read(0, 1):  # no reader of Python's, whose lock would hold up the usual end
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
