"""A network of one's own: what is in its file, how it reads the chosen data, what can be done with its layers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from compress.curves.store import ACTIVE
from compress.service.requests import OPENED
from pages.ui.charts import outside, words
from pages.ui.explore import cards
from pages.ui.own_data import adding
from pages.ui.own_data.files import File
from pages.ui.own_network import listed, network_files
from pages.ui.own_network.network_files import Asked, Upload
from pages.ui.shell import session, tray, widgets
from pages.ui.shell.frame import Page

POLL = 0.4
FROM_TORCH = ('import torch\n\ntorch.onnx.export(\n    network.eval(), (example,),\n'
              '    "network.onnx", external_data=False)')
FROM_SCIKIT = ('from skl2onnx import to_onnx\n\nmade = to_onnx(classifier, X[:1])\n'
               'with open("network.onnx", "wb") as file:\n    file.write(made.SerializeToString())')
FROM_PACKAGES = ("python -m compress networks add textattack/bert-base-uncased-imdb --from-transformers\n"
                 "python -m compress networks add resnet18.a1_in1k --from-timm")
READS = ("Perceptrons, convolutional and residual networks, GRU, LSTM and attention, as PyTorch, scikit-learn (skl2onnx) or "
         "onnx.helper write them, up to some 100 million numbers. No code in the file runs.")


def draw(page: Page) -> None:
    """The whole part of the page."""
    refused = session.forget("network.refusal")
    if refused:
        st.error(outside.markdown(refused), icon=":material/report:")
    beside, main = st.columns([1, 3], gap="large")
    with beside:
        upload = given()
        asked = question(page, upload is not None and upload.file.name.lower().endswith(".safetensors"))
    with main:
        about = looked_at(upload, asked) if upload else None
        if about:
            preview(about)
        elif not upload:
            how_to()
    with beside:
        if upload and about:
            add(upload, about)
        added = session.remembered("network.added", "")
        if added and page.choice.teacher.values.get("network") == added:
            what_next(added)
    listed.draw(page)


def given() -> Upload | None:
    """The visitor's file."""
    chosen = st.file_uploader("Your network, an ONNX file, or a state_dict in safetensors", type=["onnx", "safetensors"],
                              key="network.file", help="It stays on the machine that this app runs on.")
    if not chosen:
        return None
    known, digest = session.remembered("network.digest", ("", ""))
    file = File(chosen.name, chosen.getvalue())
    if known == chosen.file_id:
        return Upload(file, digest)
    upload = Upload.of(file)
    session.remember("network.digest", (chosen.file_id, upload.digest))
    session.remember("network.open", False)
    return upload


def question(page: Page, is_state_dict: bool) -> Asked:
    """On which data the network is tried, and what the file does not say: the family of a state_dict, the shape of an
    example."""
    titles = {card["name"]: card["title"] for card in page.known["datasets"] if not card["problem"]}
    names = list(titles) if page.choice.data in titles else [page.choice.data, *titles]

    def use(name: str) -> None:
        session.choose(replace(session.choice(), data=name))

    st.selectbox("Data that it was trained for", format_func=lambda name: outside.name(titles.get(name, name)),
                 **widgets.bound_choice("network.data", names, page.choice.data, use))
    if is_state_dict:
        family = st.text_input("Family of the network, with the sizes of its layers", placeholder="told by the file's sizes",
                               max_chars=200, key="network.family",
                               help="Leave it empty, and the sizes of the file's tensors tell it. Otherwise as in links and "
                                    "commands: logistic, mlp(hidden=300-100), cnn, resnet, gru, embedding_bag, token_gru. "
                                    "Shape and classes are those of the data.")
        return Asked(page.choice.data, family=family.strip())
    shape = ""
    if session.remembered("network.open", False):
        shape = st.text_input("Shape of an example", key="network.shape", placeholder="1-28-28", max_chars=30)
    return Asked(page.choice.data, shape.strip())


def looked_at(upload: Upload, asked: Asked) -> dict[str, Any] | None:
    """What is in the file, once a job has opened it; None before that, or where it cannot be used, which is said."""
    key = network_files.key(upload, asked)
    about, job = session.store().view(key, OPENED), session.store().latest_job(key)
    if about and network_files.is_there(about) and not (job and job["state"] in ACTIVE):
        return about
    if job is None or job["state"] == "done":  # done long ago, and what was opened then is gone
        begin(upload, asked)
        job = session.store().latest_job(key)
    if job and job["state"] in ACTIVE:
        st.fragment(wait, run_every=POLL)(key)
        return None
    if job and job["state"] == "cancelled":
        st.info("Cancelled: the file was not opened, and nothing of it is kept.", icon=":material/pause_circle:")
    elif job:
        tray.outcome(job)
        ask_for_shape(job["error"] or "")
    st.button("Read the file again", icon=":material/refresh:", key="network.again", on_click=begin, args=[upload, asked])
    return None


def begin(upload: Upload, asked: Asked) -> None:
    """Starts the job; where that is refused, it is said."""
    try:
        request = network_files.request(upload, asked)
    except ValueError as error:
        st.error(outside.markdown(error), icon=":material/report:")
        return
    session.submit(request, request.key, f"Opening {outside.name(upload.file.plain_name)}")


def wait(key: str) -> None:
    """The progress of the job, until it ends."""
    job = session.store().latest_job(key)
    if job["state"] not in ACTIVE:
        st.rerun()
    tray.progress(job, "network")


def ask_for_shape(error: str) -> None:
    """Draws the page again with a place for the shape, where a file leaves it open."""
    is_open = "--shape" in error
    if is_open and not session.remembered("network.open", False):
        session.remember("network.open", True)
        st.rerun()


def preview(about: dict[str, Any]) -> None:
    """Everything of a preview, most important first."""
    st.html(cards.row(figures(about)))
    for note in about.get("notes", ()):
        st.info(outside.markdown(note), icon=":material/info:")
    st.markdown("**What can be done with each layer.** The rest stays as it is.")
    narrow, wide = (st.column_config.Column(width=width) for width in ("small", "large"))
    st.dataframe([{"layer": outside.cell(row["layer"]), "parameters": row["parameters"],
                   "methods": row["methods"] or row["why"]} for row in about["layers"]], hide_index=True,
                 height=min(35 * len(about["layers"]) + 38, 420), column_config={"parameters": narrow, "methods": wide})
    if tried := about.get("tried", ()):
        st.markdown("**How it could read the examples**, and its accuracy then.")
        share = st.column_config.ProgressColumn("accuracy", format="percent", min_value=0, max_value=1)
        st.dataframe([{"values and axes": one["way"], "accuracy": one["accuracy"]} for one in tried], hide_index=True,
                     column_config={"accuracy": share})
    if about["operators"]:
        operators = ", ".join(f"{count} {name}" for name, count in about["operators"].items())
        st.caption(f"Operators of the file: {outside.markdown(operators[:600])}")


def figures(about: dict[str, Any]) -> list[tuple[str, str]]:
    """The figures in a row, each with what it is."""
    found = [(words.many(about["parameters"]), "parameters"),
             (words.percent(about["compressible"] / max(1, about["parameters"])), "of them in layers that methods can act "
                                                                                  "on"),
             (" x ".join(map(str, about["shape"])), "an example, as the file wants it"), (str(about["classes"]), "classes"),
             (words.size(about["bytes"]), f"the file, by {about['producer'] or 'an unnamed program'}")]
    if about.get("tried"):
        found.insert(0, (words.percent(about["tried"][0]["accuracy"]), "accuracy on some training examples"))
    differs = about["largest_difference"]
    if about["operators"]:
        found.append(("not compared", "with ONNX Runtime: pip install onnxruntime") if differs is None else
                     (f"{differs:.0e}", "the largest difference from ONNX Runtime's scores"))
    return found


def how_to() -> None:
    """How a network becomes an ONNX file."""
    st.markdown("**A trained classifier of yours takes the teacher's place on every page:** it is factorised, pruned, "
                "quantized, sparse-coded, and distilled into small students. Save it as an ONNX file:")
    left, right = st.columns(2, gap="medium")
    with left:
        st.caption("PyTorch")
        st.code(FROM_TORCH, language="python")
    with right:
        st.caption("scikit-learn")
        st.code(FROM_SCIKIT, language="python")
    st.caption("transformers or timm, in a shell: a folder, or the name of a model in your own cache. Nothing is loaded "
               "from elsewhere.")
    st.code(FROM_PACKAGES, language="bash")
    st.caption(f"{READS} A file above {st.get_option('server.maxUploadSize')} MB is added from a shell, on the machine that "
               "this app runs on: `python -m compress networks add FILE`.")


def add(upload: Upload, about: dict[str, Any]) -> None:
    """The name, and the button that makes a teacher of the network."""
    name = st.text_input("Name of the network", value=upload.file.plain_name.rpartition(".")[0] or "network", max_chars=40,
                         key=f"network.name.{upload.digest}")
    st.button("Add and use it", type="primary", width="stretch", key="network.add", on_click=_add, args=[about, name])


def _add(about: dict[str, Any], name: str) -> None:
    """Callback of the button; the same file under the same name is one network."""
    try:
        added = network_files.add(about, name)
    except ValueError as error:
        session.remember("network.refusal", str(error))
        return
    session.remember("network.added", added)
    listed.use(added)


def what_next(name: str) -> None:
    """After adding: the ways on."""
    st.success(outside.markdown(f"{outside.name(name)} is added, and the teacher on every page."),
               icon=":material/check_circle:")
    adding.race_button("Race all methods on it", "Shrinks it with every method, one after the other.")
    st.page_link("pages/1_Teacher.py", label="See it on the data", icon=":material/school:",
                 query_params=session.page_link("Teacher"))
