"""Faults of the app: what its pages say, drawn in a process of their own with its own worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np

from tests.faults.play import Play, Seen
from tests.imports import ROOT

DRAW = """
import json, os, signal, sys, time
from streamlit.testing.v1 import AppTest
from pages.ui.shell import session
def drawn(page="app.py"):
    shown = AppTest.from_file(ROOT + "/app.py", default_timeout=100)
    if page != "app.py":
        shown.switch_page(page)
    shown.run()
    return {"errors": [error.value for error in shown.error], "exceptions": len(shown.exception),
            "titles": [title.value for title in shown.title], "links": len(shown.sidebar.get("page_link")),
            "data": [box.options for box in shown.sidebar.selectbox][:1]}
"""


def _pages(play: Play, script: str, **environment: str) -> list[dict[str, Any]]:
    """What each drawn page showed."""
    code = f"ROOT = {str(ROOT)!r}\n{DRAW}\nfound = []\n{script}\nprint('FOUND' + json.dumps(found), flush=True)\nos._exit(0)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=play.folder, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COMPRESS_HOME": str(play.home), "COMPRESS_DEVICE": "cpu",
             **environment})
    answers = [line for line in done.stdout.splitlines() if line.startswith("FOUND")]
    if not answers:
        raise RuntimeError(done.stderr[-300:])
    return json.loads(answers[0].removeprefix("FOUND"))


def _seen(page: dict[str, Any], words: str) -> Seen:
    """A page with one sentence in the place of its contents, and the way to the others."""
    text = " ".join(page["errors"]) or f"the page {page['titles']}"
    return Seen(text, not page["exceptions"] and page["links"] > 5 and words in text)


def wrong_device(play: Play) -> Seen:
    """App: COMPRESS_DEVICE is a GPU that is not there"""
    (page,) = _pages(play, "found.append(drawn())", COMPRESS_DEVICE="cuda:7")
    return _seen(page, "COMPRESS_DEVICE must be")


def home_in_the_way(play: Play) -> Seen:
    """App: COMPRESS_HOME is a file; after the repair a reload works"""
    play.home.write_text("in the way")
    first, second = _pages(play, "found.append(drawn())\nos.unlink(os.environ['COMPRESS_HOME'])\nfound.append(drawn())")
    seen = _seen(first, "Set COMPRESS_HOME")
    return Seen(seen.text, seen.good and not second["errors"] and bool(second["titles"]))


def relative_and_bad_data(play: Play) -> Seen:
    """App: one path of COMPRESS_DATA is bad, one is relative to the folder of the start"""
    np.savez(play.folder / "d.npz", x=np.random.default_rng(0).normal(size=(90, 6)), y=np.arange(90) % 3)
    (page,) = _pages(play, "found.append(drawn())", COMPRESS_DATA=os.pathsep.join(["d.npz", "~nobody_here/x"]))
    return Seen(str(page["data"]), not page["errors"] and not page["exceptions"] and "d" in page["data"][0])


def worker_killed(play: Play) -> Seen:
    """App: the worker is killed between two pages"""
    script = ("found.append(drawn())\nengine = session.engine()\nold = engine.process.pid\nos.killpg(old, signal.SIGKILL)\n"
              "time.sleep(3)\nfound.append(drawn('pages/3_Low_rank.py'))\n"
              "found.append({'new': engine.process.pid != old and engine.process.poll() is None})")
    first, second, worker = _pages(play, script)
    return Seen(f"the page {second['titles']}, a new worker: {worker['new']}",
                not first["errors"] and not second["errors"] and not second["exceptions"] and worker["new"])


ROWS = (wrong_device, home_in_the_way, relative_and_bad_data, worker_killed)
