"""What surrounds every page: configuration, style, the sidebar with data set, teacher, device and running jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from compress.recipe import Step
from pages.ui.charts import outside, setting_words
from pages.ui.shell import door, lesson_bar, messages, mishap, records, session, tray, widgets
from pages.ui.shell.choice import Card, Choice, known_data, preset_of, suited, teacher_settings
from pages.ui.shell.look import steady_press, view_switch
from pages.ui.shell.look.icon import icon
from pages.ui.shell.look.style import STYLE, of_view

PAGES = (("app.py", "Start", ":material/flag:"), ("pages/0_Your_data.py", "Your data", ":material/upload_file:"),
         ("pages/1_Teacher.py", "Teacher", ":material/school:"),
         ("pages/2_Distill.py", "Distill", ":material/science:"),
         ("pages/3_Low_rank.py", "Low rank", ":material/layers:"),
         ("pages/4_Prune.py", "Prune", ":material/content_cut:"),
         ("pages/5_Sparse_code.py", "Sparse code", ":material/grain:"),
         ("pages/6_Quantize.py", "Quantize", ":material/stairs:"),
         ("pages/7_Chains.py", "Chains", ":material/link:"),
         ("pages/8_Compare.py", "Compare", ":material/scatter_plot:"),
         ("pages/9_Lessons.py", "Lessons", ":material/lightbulb:"),
         ("pages/10_Handbook.py", "Handbook", ":material/menu_book:"))


@dataclass(frozen=True)
class Page:
    """What a page needs to know: what the worker can do, and what is chosen."""

    known: Card
    choice: Choice
    method: str | None

    @property
    def data(self) -> Card:
        """The chosen data set's card (a set named by the user has only a name)."""
        return next((card for card in self.known["datasets"] if card["name"] == self.choice.data),
                    {"name": self.choice.data, "title": self.choice.data, "kind": "tabular", "online": True})


def open_page(title: str, summary: str, methods: dict[str, str] | None = None) -> Page:
    """Sets the page up, draws the sidebar and the heading, and returns what is chosen.

    Args:
        summary: one sentence: what this page shows and what to touch.
        methods: name -> what it is called here, for the methods of this page; a link may carry their settings.
    """
    st.set_page_config(page_title=f"{title} · Compression Explorer", page_icon=icon(), layout="wide",
                       initial_sidebar_state=264)
    st.html(STYLE)
    mishap.catch()
    messages.keep()
    door.enter()
    here = next((path for path, label, _ in PAGES if label == title), PAGES[0][0])  # the first page's title is a question
    place = _place_of_links()
    try:
        notices = session.begin(title, tuple(methods or ()))
        lesson_bar.follow(here)
    except BaseException:  # whatever ends this page: there is a way to the others
        _links(place, {})
        raise
    _links(place, {label: session.page_link(label) for _, label, _ in PAGES})
    _view()
    known = session.known()
    with session.store().reading():
        _sidebar(known)
    lesson_bar.draw(here, known)
    _heading(title, methods or {})
    part("summary").markdown(summary)
    with st.container():  # what follows keeps its place when the notices are gone: see folds.draw()
        for notice in notices:
            st.warning(outside.markdown(notice), icon=":material/tune:")
    session.finish()
    return Page(known, session.choice(), session.active())


def _heading(title: str, methods: dict[str, str]) -> None:
    """The title, with the choice of a method beside it where there are several."""
    if len(methods) < 2:
        st.title(title)
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="ce-heading"):
        st.title(title, width="content")
        _switch(methods)


def part(name: str) -> DeltaGenerator:
    """A container for a part of the page that a link can hide."""
    return st.container(key=f"part-{name}")


def _view() -> None:
    """Hides what is not wanted. The buttons stand in the sidebar, in a lecture in a corner."""
    view = session.view()
    rules = of_view(view)
    if rules:
        st.html(rules)

    def turned() -> None:
        session.show(replace(session.view(), lecture=not view.lecture))

    place = st.container(key="lecture") if view.lecture else st.sidebar
    with place:
        view_switch.draw(f"lecture.{view.lecture}", view.lecture, [address(path) for path, _, _ in PAGES], turned)


def address(path: str) -> str:
    """A page's address below the app's root."""
    return "" if path == "app.py" else path.partition("_")[2].removesuffix(".py")


def _switch(methods: dict[str, str]) -> None:
    st.segmented_control("What is compressed", list(methods), format_func=methods.get, required=True,
                         label_visibility="collapsed",
                         **widgets.bound_chips("page.method", session.active(), session.activate))


def _place_of_links() -> Callable[[], DeltaGenerator]:
    """What gives the place of the links to the other pages, empty. On a visitor's first page, which may wait for the worker,
    there are links at once; later, those of the page before stay until this one's are drawn."""
    with st.sidebar:
        st.html(f"<div class='ce-brand'>Compression Explorer</div>{steady_press.script()}",
                unsafe_allow_javascript=True)
        place: Callable[[], DeltaGenerator]
        if session.has_begun():
            place = partial(_itself, st.container())
        else:
            place = st.empty().container
            _links(place, {})
        st.divider()
    return place


def _itself(place: DeltaGenerator) -> DeltaGenerator:
    return place


def _links(place: Callable[[], DeltaGenerator], chosen: dict[str, dict[str, str]]) -> None:
    """The links to the other pages, each with what is chosen there: whoever follows one arrives at an address that restores
    it."""
    with place():
        for path, label, icon in PAGES:
            st.page_link(path, label=label, icon=icon, query_params=chosen.get(label))


def _sidebar(known: Card) -> None:
    with st.sidebar:
        _data_set(known)
        _teacher(known)
        _in_its_place(known)
        st.caption(f"Computes on: {outside.markdown(known['device'])}")
        tray.draw()


def _data_set(known: Card) -> None:
    titles = {card["name"]: card["title"] for card in known["datasets"]}
    chosen = session.choice()
    names = list(titles) if chosen.data in titles else [chosen.data, *titles]

    def change(name: str) -> None:
        if known_data(name, known):
            session.choose(suited(replace(session.choice(), data=name), known))
            session.narrow(replace(session.filters(), data=None))
        else:
            session.remember("unknown data", name)

    st.selectbox("Data set", format_func=lambda name: outside.name(titles.get(name, name)), accept_new_options=True,
                 **widgets.bound_choice("sidebar.data", names, chosen.data, change),
                 help="Choose one, or type openml:NAME:VERSION for a classification set of openml.org, for example "
                      "openml:iris:1. It is downloaded when you train on it, and kept.")
    unknown = session.forget("unknown data")
    if unknown:
        st.warning(outside.markdown(f"There is no data set {outside.name(unknown)!r}. Type openml:NAME:VERSION for one of "
                                    f"openml.org; {outside.name(chosen.data)} stays chosen."))
    card = next((card for card in known["datasets"] if card["name"] == chosen.data), None)
    if card and card["problem"]:
        st.warning(outside.markdown(card["problem"]), icon=":material/folder_off:")
    elif card:
        st.caption(outside.markdown(card["description"]))
    changed = session.store().of_other_data(chosen.data, records.data_digest(chosen.data))
    if changed:
        st.caption(f":material/history: {outside.markdown(changed)}")


def _in_its_place(known: Card) -> None:
    """What is in the teacher's place, with the way back."""
    start = session.choice().start
    if not start:
        return
    st.markdown(f"**In the teacher's place:** {outside.markdown(setting_words.methods_in_words(start, known['methods']))}")
    st.caption("Other pages compress this network; sizes and ratios are still against the teacher.")
    st.button("Back to the teacher", key="sidebar.back", width="stretch",
              on_click=lambda: session.choose(replace(session.choice(), start=())))


def _teacher(known: Card) -> None:
    chosen = session.choice()
    kind = next((card["kind"] for card in known["datasets"] if card["name"] == chosen.data), "tabular")
    presets = {preset["title"]: preset for preset in known["presets"] if kind in preset["kinds"]}
    preset = preset_of(chosen.teacher, known)
    match = preset["title"] if preset and preset["title"] in presets else None
    family = next(card["title"] for card in known["families"] if card["name"] == chosen.teacher.name)
    own = setting_words.teacher_in_words(chosen.teacher, family, teacher_settings(known, chosen.teacher.name))

    def change(title: str) -> None:
        preset = presets.get(title)
        if preset:
            session.choose(replace(session.choice(), teacher=Step.of(preset["name"], preset["settings"])))

    offered = [*presets, *([] if match else [own])]
    st.selectbox("Teacher", **widgets.bound_choice("sidebar.teacher", offered, match or own, change))
    st.caption(presets[match]["text"] if match else "Its settings are on the Teacher page.")
