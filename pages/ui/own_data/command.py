"""A command of the program in a process of its own: what it took of memory is given back, and a file that ends it does not
end the app."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 180


def printed(*words: str, remedy: str) -> dict[str, Any]:
    """What python -m compress WORDS prints, one JSON object.

    Args:
        remedy: what to do where it takes too long or too much memory, a sentence.

    Raises:
        ValueError: its sentence, if it refuses; or that it took too long or was ended.
    """
    try:
        done = subprocess.run([sys.executable, "-m", "compress", *words], cwd=ROOT, capture_output=True, text=True,
                              timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"These files take longer to read than {SECONDS} seconds. {remedy}") from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise ValueError(said[-1] if said else "The program that reads files was ended by the system, probably because "
                         f"memory is short. {remedy}")
    return json.loads(done.stdout or "{}")
