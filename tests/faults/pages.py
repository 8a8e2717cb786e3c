"""Faults of the app: what its pages say, drawn in a process of their own with its own worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from tests.faults.place import LIMIT, Place, Seen, without_privileges
from tests.faults.stores import add_unknown_points
from tests.imports import ROOT

DRAW = f"""
import json, os, signal, time
from streamlit.testing.v1 import AppTest
from pages.ui.shell import session
def drawn(page="app.py", **link):
    shown = AppTest.from_file({str(ROOT / "app.py")!r}, default_timeout=200)
    if page != "app.py":
        shown.switch_page(page)
    shown.query_params.update(link)
    shown.run()
    return {{"title": " ".join(one.value for one in shown.title), "raised": len(shown.exception),
            "errors": " ".join(one.value for one in shown.error), "links": len(shown.sidebar.get("page_link")),
            "said": " ".join(one.value for one in (*shown.warning, *shown.info, *shown.caption))}}
found = []
"""
END = """
print("FOUND" + json.dumps(found), flush=True)
os._exit(0)
"""
LOW_RANK = "found.append(drawn('pages/3_Low_rank.py'))\n"


def wrong_device(place: Place) -> Seen:
    """App: COMPRESS_DEVICE is a GPU that is not there"""
    (page,) = _drawn(place, "found.append(drawn())", COMPRESS_DEVICE="cuda:7")
    return Seen(page["errors"], _is_a_sentence(page, "COMPRESS_DEVICE must be"))


def home_in_the_way(place: Place) -> Seen:
    """App: COMPRESS_HOME is a file; after the repair, a reload"""
    file = place.folder / "file"
    file.write_text("in the way")
    before, after = _drawn(place, f"found.append(drawn())\nos.unlink({str(file)!r})\nfound.append(drawn())",
                           COMPRESS_HOME=str(file))
    return _repaired(before, after, "Set COMPRESS_HOME")


def store_closed_to_this_user(place: Place) -> Seen:
    """App: the home may be read but not written by this user; after the repair, a reload"""
    files = [*place.home.rglob("*"), place.home]
    for path in files:
        path.chmod(0o500 if path.is_dir() else 0o400)
    repair = "\n".join(f"os.chmod({str(path)!r}, 0o700)" for path in files[::-1])
    before, after = _drawn(place, f"{LOW_RANK}{repair}\n{LOW_RANK}", before=without_privileges)
    return _repaired(before, after, "may not be written by this user. Set COMPRESS_HOME")


def store_of_junk(place: Place) -> Seen:
    """App: the store is random bytes; a reload"""
    for path in place.home.glob("store.sqlite-*"):
        path.unlink()
    place.store.write_bytes(os.urandom(50_000))
    before, after = _drawn(place, LOW_RANK * 2)
    seen = _repaired(before, after, "was damaged")
    return Seen(seen.text, seen.right and "damaged" in after["said"], "4 networks, 1 pin")


def bad_data_paths(place: Place) -> Seen:
    """App: of three paths of COMPRESS_DATA, one is of nobody and one is damaged"""
    (place.folder / "bad.npz").write_bytes(b"PK junk")
    (page,) = _drawn(place, "found.append(drawn('pages/1_Teacher.py', data='local:d'))",
                     COMPRESS_DATA=f"{place.data()}:~nobody_here/x:{place.folder / 'bad.npz'}")
    return Seen(f"the page {page['title']}", page["title"] == "Teacher" and not page["raised"] and not page["errors"])


def worker_killed_between_pages(place: Place) -> Seen:
    """App: the worker is killed (SIGKILL) between two pages"""
    script = ("found.append(drawn())\nengine = session.engine()\nold = engine.process.pid\nos.killpg(old, signal.SIGKILL)\n"
              f"time.sleep(3)\n{LOW_RANK}"
              "found.append({'new': engine.process.pid != old and engine.process.poll() is None})")
    before, after, worker = _drawn(place, script)
    return Seen(f"the page {after['title']}, a new worker: {worker['new']}",
                not before["errors"] and not after["errors"] and not after["raised"] and worker["new"])


def home_removed_between_pages(place: Place) -> Seen:
    """App: the home is removed between two pages"""
    before, after = _drawn(place, f"{LOW_RANK}import shutil; shutil.rmtree({str(place.home)!r})\n{LOW_RANK}")
    return Seen(f"the page {after['title']} {after['errors']}", not before["errors"] and not after["raised"]
                and after["links"] > 5 and bool(after["title"] or after["errors"]), "4 networks, 1 pin")


def networks_removed_between_pages(place: Place) -> Seen:
    """App: the files of all networks are removed between two pages"""
    before, after = _drawn(place, f"{LOW_RANK}import shutil; shutil.rmtree({str(place.home / 'networks')!r})\n{LOW_RANK}")
    right = all(not page["errors"] and not page["raised"] and page["title"] == "Low rank" for page in (before, after))
    return Seen(f"the page {after['title']}", right, "4 networks, 1 pin")


def points_that_cannot_be_read(place: Place) -> Seen:
    """App: Compare over a point of a method that this version does not have, and one that cannot be read"""
    add_unknown_points(place)
    (page,) = _drawn(place, "found.append(drawn('pages/8_Compare.py'))")
    right = page["title"] == "Compare" and not page["raised"] and not page["errors"]
    return Seen(f"the page {page['title']} {page['errors']}", right and "cannot be read" in page["said"])


def _repaired(before: dict[str, Any], after: dict[str, Any], words: str) -> Seen:
    return Seen(f"{before['errors']} After the repair: the page {after['title']} {after['errors']}",
                _is_a_sentence(before, words) and not after["errors"] and not after["raised"] and bool(after["title"]))


def _is_a_sentence(page: dict[str, Any], words: str) -> bool:
    """One sentence in the place of the page's contents, and the way to the other pages."""
    return not page["raised"] and page["links"] > 5 and words in page["errors"].replace("\\", "")


def _drawn(place: Place, script: str, before: Callable[[], object] | None = None,
           **environment: str) -> list[dict[str, Any]]:
    """What each drawn page showed. Nothing is measured by itself."""
    done = subprocess.run([sys.executable, "-c", DRAW + script + END], cwd=place.folder, capture_output=True, text=True,
                          timeout=LIMIT, preexec_fn=before,
                          env=place.environment(COMPRESS_AT_ONCE="no", **environment))
    answers = [line for line in done.stdout.splitlines() if line.startswith("FOUND")]
    if not answers:
        raise RuntimeError(done.stderr[-300:])
    return json.loads(answers[0].removeprefix("FOUND"))


ROWS = (wrong_device, home_in_the_way, store_closed_to_this_user, store_of_junk, bad_data_paths, worker_killed_between_pages,
        home_removed_between_pages, networks_removed_between_pages, points_that_cannot_be_read)
