"""A network as an ONNX file: offered once ONNX Runtime has predicted the same classes for the validation examples."""

from __future__ import annotations

from typing import Any

import streamlit as st

from compress.points import onnx_packages
from compress.points.onnx_packages import LEAST, SUFFIX, WHY_NOT_ALL
from compress.service.requests import ONNX, OnnxRequest, onnx_key
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
    made = session.store().view(onnx_key(digest), ONNX)
    if made is None:
        looking.wait_or_offer(OnnxRequest(network.recipe.data, digest), onnx_key(digest),
                              "Make an ONNX file and test it", begin=False)
        return
    files, same = session.store().artefacts, made["agreement"] >= LEAST
    is_there = same and files.has(made["digest"], SUFFIX)
    name = exports.file_name(network.recipe, made["bytes"], known).removesuffix(".safetensors") + SUFFIX
    st.download_button(f"ONNX file ({words.size(made['bytes'])})", lambda: files.contents(made["digest"], SUFFIX), name,
                       key=f"onnx.{digest}", icon=":material/download:", on_click="ignore", disabled=not is_there,
                       help=None if is_there else "It predicts otherwise in ONNX Runtime, or its file is gone.")
    st.caption(verdict(made, network.row))


def verdict(made: dict[str, Any], row: dict[str, Any]) -> str:
    """How the file runs in ONNX Runtime, beside our own, in plain words."""
    ratio = made["latency"]
    speed = ("as fast as torch, within noise" if made["latency_low"] <= 1 <= made["latency_high"] else
             f"{1 / ratio:.1f}× faster than torch" if ratio < 1 else f"{ratio:.1f}× slower than torch")
    why = f" {WHY_NOT_ALL}" if made["agreement"] < 1 else ""
    return (f"ONNX Runtime predicts the same class for {words.percent(made['agreement'])} of {made['examples']:,} "
            f"validation examples (largest difference of an output {made['largest_difference']:.1g}); {speed}. Our own file "
            f"has {words.size(row['bytes'])}.{why}")
