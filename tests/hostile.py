"""A data set whose every name is an attack on the pages: markup, scripts, pictures of other hosts, signs that cannot be
printed; measured by every method, pinned with such a note, and with a job that failed with such an error."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from compress.curves import sweep
from compress.curves.final_report import final_report
from compress.curves.store import Store
from compress.data import datasets, local_files
from compress.files import network_file
from compress.recipe import Recipe, Step
from compress.setting_values import label_value
from tests.pages.samples import TEACHER, measure

HOST = "evil.example"
CLASSES = ("<style>body{display:none}</style>", f"<img src=http://{HOST}/x onerror=window.hit=1>",
           f"![x](http://{HOST}/y.png)", "</script><script>window.hit=2</script>", f"$\\href{{http://{HOST}}}{{x}}$",
           ":red[x] :material/home: :streamlit:", "`` ` `` **bold** _a_", "long" * 2_500,
           "\u202eright to left\u0000 and\na line", f"<a href='http://{HOST}'>a</a> %{{x}} var(--text)")
PICTURE, MARKUP = CLASSES[2], "".join(CLASSES[:4])
FOLDER = f"![x](\\\\\\\\{HOST}\\\\z.png) <style>@import url(z.css)<"  # no / and no : can be in a path of the list
NAME = "<img src=x onerror=window.hit=3> '\"\n![x](y.png)"
LESSON = Step.of("distill", {"epochs": 2, "omit": label_value(CLASSES[0]), "seeds": 1, "temperatures": "none"})
CURVES = (("low_rank", (0.1, 0.3, 0.6, 0.9)), ("prune", (0.25, 0.5, 0.9)), ("quantize", (2, 5)),
          (LESSON.text(), (0.3, 0.6)),
          ("sparse_code(atoms=32,block=8)", (1, 2)), ("data_svd(epochs=1)", (4, 16)),
          ("data_codes(atoms=16,epochs=1,iterations=2)", (2, 4)),
          ("activation_codes(atoms=16,iterations=2)", (1, 2)))


def write(folder: Path) -> str:
    """The file of a data set, 300 images of 8x8 in ten classes with a bright row or column each; the value of COMPRESS_DATA
    that lists it, beside a path that is not there."""
    random = np.random.default_rng(0)
    labels = np.arange(300) % 10
    images = random.integers(0, 90, (300, 8, 8), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        (image if label < 5 else image.T)[label % 5 + 1] += 120
    (folder / FOLDER).mkdir()
    path = folder / FOLDER / f"{NAME}.npz"
    np.savez_compressed(path, x=images, y=np.array(CLASSES)[labels])
    return f"{path}{os.pathsep}{folder / FOLDER / '<b>not there'}"


def name() -> str:
    """What the data set is called in recipes, once it is listed; a test may have added others."""
    (card,) = (card for card in local_files.cards() if not card.problem and not local_files.is_added(card.name))
    return card.name


def fill(store: Store, data: str) -> None:
    """Measures every method on it, pins two points and tests them, and lets a job fail."""
    for settings, values in CURVES:
        measure(store, settings, values, data)
    measured = [point for point in store.all_points() if point["method"] in ("low_rank", "teacher")][:2]
    for point in measured:
        store.pin(point["key"], point["reference"], MARKUP)
    digests = sorted(point["digest"] for point in measured)
    networks = {digest: network_file.from_bytes(store.artefacts.contents(digest), digest) for digest in digests}
    contents = measured[0]["data_digest"]
    store.save_view(f"final {data} {contents} " + " ".join(digests), "final", final_report(data, networks, store))
    wanted = sweep.sweep_of(Recipe.parse(f"{data}/{TEACHER}/low_rank/0"), None)
    number = store.new_job(f"{wanted.request.key()} {datasets.source(data)}", "curve", MARKUP, {})
    store.update_job(number, state="failed", error=f"{MARKUP} {PICTURE}", text=MARKUP)
