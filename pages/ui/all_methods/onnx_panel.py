"""A network as an ONNX file or as a program of torch.export: offered once that has predicted the same classes for the
validation examples."""

from __future__ import annotations

from typing import Any

import streamlit as st

from compress.points import onnx_packages
from compress.points.onnx_packages import LEAST, PROGRAM_SUFFIX, SUFFIX, WHY_NOT_ALL
from compress.service.requests import ONNX, PROGRAM, OnnxRequest, ProgramRequest, Request, onnx_key, program_key
from pages.ui.all_methods import looking
from pages.ui.all_methods.opened import Opened
from pages.ui.charts import words
from pages.ui.explore import exports
from pages.ui.shell import session
from pages.ui.shell.choice import Card


def onnx(network: Opened, known: Card) -> None:
    """What of an ONNX file is there: the line that installs its packages, a button that makes it, or the file."""
    absent = onnx_packages.missing()
    if absent:
        st.caption(absent)
        return
    digest = network.row["digest"]
    made = _made(OnnxRequest(network.recipe.data, digest), onnx_key(digest), ONNX, "Make an ONNX file and test it")
    if made is not None:
        _download(network, known, made, "ONNX file", SUFFIX)
        st.caption(verdict(made, network.row))


def program(network: Opened, known: Card) -> None:
    """What of a program of torch.export is there: a button that makes it, or the file."""
    digest = network.row["digest"]
    made = _made(ProgramRequest(network.recipe.data, digest), program_key(digest), PROGRAM,
                 "Make a program of torch.export and test it")
    if made is not None:
        _download(network, known, made, "Program of torch.export", PROGRAM_SUFFIX)
        st.caption(f"Any torch runs it, with the normaliser inside; {same_classes('it', made)}.")


def _made(request: Request, key: str, kind: str, offer: str) -> dict[str, Any] | None:
    """What the store keeps of a file that was made, or None beside a button that makes it."""
    made = session.store().view(key, kind)
    if made is None:
        looking.wait_or_offer(request, key, offer, begin=False)
    return made


def _download(network: Opened, known: Card, made: dict[str, Any], title: str, suffix: str) -> None:
    files, digest = session.store().artefacts, network.row["digest"]
    is_there = made["agreement"] >= LEAST and files.has(made["digest"], suffix)
    name = exports.file_name(network.recipe, made["bytes"], known).removesuffix(".safetensors") + suffix
    st.download_button(f"{title} ({words.size(made['bytes'])})", lambda: files.contents(made["digest"], suffix), name,
                       key=f"export{suffix}.{digest}", icon=":material/download:", on_click="ignore", disabled=not is_there,
                       help=None if is_there else "Its predictions differ from the network's, or its file is missing.")


def verdict(made: dict[str, Any], row: dict[str, Any]) -> str:
    """How the file runs in ONNX Runtime, beside our own, in plain words."""
    ratio = made["latency"]
    speed = ("as fast as torch, within noise" if made["latency_low"] <= 1 <= made["latency_high"] else
             f"{1 / ratio:.1f}× faster than torch" if ratio < 1 else f"{ratio:.1f}× slower than torch")
    why = f" {WHY_NOT_ALL}" if made["agreement"] < 1 else ""
    return f"{same_classes('ONNX Runtime', made)}; {speed}. Our own file has {words.size(row['bytes'])}.{why}"


def same_classes(runner: str, made: dict[str, Any]) -> str:
    """How many validation examples a runner gives the same class."""
    return (f"{runner} predicts the same class for {words.percent(made['agreement'])} of {made['examples']:,} validation "
            f"examples (largest difference of an output {made['largest_difference']:.1g})")
