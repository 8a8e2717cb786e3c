"""Damages files and links of all kinds and reads them as the program does.

    python -m tests.fuzz [--files 20000] [--links 5000] [--seed 0] [--kind KIND ...]

Each batch runs in a process of its own whose memory is limited. The bars: nothing uncaught, nothing over 5 s, and at most
500 MB above an idle process. Ends with 1 if one is missed. The same seed damages the same things in the same way.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.fuzz.batch import BYTES, SECONDS

ROOT = Path(__file__).resolve().parents[2]
SHARES = {"network": 0.38, "compressed": 0.1, "npz": 0.1, "own": 0.07, "onnx": 0.05, "state_dict": 0.02, "idx": 0.05,
          "idx.gz": 0.05, "store": 0.1, "description": 0.05, "pictures": 0.03}
BATCH = 500


def fuzz(files: int, links: int, seed: int, kinds: tuple[str, ...] = ()) -> dict[str, Any]:
    """Runs all batches. Returns tried, taken, uncaught, longest (s) and peak (bytes), in all and for each kind."""
    counts = {**{kind: round(files * share) for kind, share in SHARES.items()}, "link": links}
    with tempfile.TemporaryDirectory() as folder:
        _process(folder, "-c", f"from pathlib import Path; from tests.fuzz.samples import make; make(Path({folder!r}))")
        results = [_batch(folder, kind, seed + start, min(BATCH, count - start))
                   for kind, count in counts.items() if not kinds or kind in kinds for start in range(0, count, BATCH)]
    by_kind = {kind: total([result for result in results if result["kind"] == kind])
               for kind in dict.fromkeys(result["kind"] for result in results)}
    return {**total(results), "kinds": by_kind}


def total(results: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of several batches together."""
    return {"tried": sum(result["tried"] for result in results), "taken": sum(result["taken"] for result in results),
            "uncaught": [one for result in results for one in result["uncaught"]],
            "longest": max((result["longest"] for result in results), default=0.0),
            "peak": max((result["peak"] for result in results), default=0)}


def passes(found: dict[str, Any]) -> bool:
    """Whether no bar is missed."""
    return not found["uncaught"] and found["longest"] <= SECONDS and found["peak"] <= BYTES


def _batch(folder: str, kind: str, seed: int, count: int) -> dict[str, Any]:
    """A batch that dies or that does not end counts as one uncaught exception."""
    try:
        done = _process(folder, "-m", "tests.fuzz.batch", folder, kind, str(seed), str(count))
        return json.loads(done)  # type: ignore[no-any-return]
    except (subprocess.SubprocessError, ValueError) as error:
        lines = (getattr(error, "stderr", None) or "").strip()[-1500:]
        return {"kind": kind, "tried": count, "taken": 0, "longest": 0.0, "peak": 0, "uncaught": [
            {"kind": kind, "seed": seed, "number": None, "error": type(error).__name__, "text": f"{error} {lines}"}]}


def _process(folder: str, *arguments: str) -> str:
    environment = {**os.environ, "COMPRESS_HOME": f"{folder}/home", "COMPRESS_DEVICE": "cpu", "COMPRESS_CORES": "1",
                   "COMPRESS_MEMORY": "", "COMPRESS_DATA": ""}
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, text=True, capture_output=True,
                          timeout=1800, check=True).stdout


def main() -> int:
    """The exit status: 0, or 1 if a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--links", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", action="append", default=[], choices=[*SHARES, "link"])
    chosen = parser.parse_args()
    found = fuzz(chosen.files, chosen.links, chosen.seed, tuple(chosen.kind))
    alike = {(one["kind"], one["error"], one["text"][-80:]): one for one in found["uncaught"]}
    for one in list(alike.values())[:40]:
        sys.stderr.write(f"{one['kind']} {one['seed']} {one['number']}: {one['text']}\n\n")
    for kind, figures in {**found["kinds"], "all": found}.items():
        sys.stdout.write(f"{kind:12} {figures['tried']:6} tried, {figures['taken']:6} taken, {len(figures['uncaught']):4} "
                         f"uncaught, longest {figures['longest']:.2f} s, peak {figures['peak'] / 1e6:.0f} MB above idle\n")
    return 0 if passes(found) else 1


if __name__ == "__main__":
    sys.exit(main())
