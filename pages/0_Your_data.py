"""Your own data and networks: files are looked at before they are used, and become a data set or a teacher of every page."""

from dataclasses import replace

import streamlit as st

from compress.data import local_files
from pages.ui.charts import outside
from pages.ui.own_data import files, preview
from pages.ui.own_data.files import File, Reading
from pages.ui.own_network import stage
from pages.ui.shell import session, widgets
from pages.ui.shell.choice import suited
from pages.ui.shell.frame import Page, open_page

FORMS = ("A table (CSV, TSV, Parquet) with a column of classes · a ZIP with one folder of pictures for each class · an NPZ "
         "file, or two NPY files · two IDX files")

TEXT_READINGS = {"counts": "counts of its words", "words": "tokens, in their order", "pairs": "tokens and pairs"}


def given() -> list[File]:
    """The visitor's files; none until some are chosen."""
    chosen = st.file_uploader("Your files", accept_multiple_files=True, key="own.files", help="They stay on the machine "
                              "that this app runs on.")
    st.caption(FORMS)
    return [File(one.name, one.getvalue()) for one in chosen or []]


def reading_of(own: list[File]) -> Reading:
    """How the files are to be read: choices that were made for other files do not count."""
    key = files.key(own, Reading())
    if session.remembered("own.files") != key:
        session.remember("own.files", key)
        session.remember("own.reading", Reading())
    return session.remembered("own.reading", Reading())


def looked_at(own: list[File], reading: Reading) -> dict | None:
    """What is in the files, read once; None where they cannot be used, which is said."""
    key, (known, about) = files.key(own, reading), session.remembered("own.preview", ("", None))
    if known != key:
        try:
            with st.spinner("Reading"):
                about = files.look(own, reading)
        except ValueError as error:
            st.error(outside.markdown(error), icon=":material/report:")
            return None
        session.remember("own.preview", (key, about))
    return about


def choices(about: dict | None) -> Reading:
    """How the files are read, as the kind of the data lets one choose."""
    reading = session.remembered("own.reading", Reading())

    def change(**changed: object) -> None:
        session.remember("own.reading", replace(reading, **changed))

    if about and about["could_label"]:
        names = about["could_label"] if about["label"] in about["could_label"] else [about["label"], *about["could_label"]]
        st.selectbox("Column with the classes", names, format_func=outside.name,
                     **widgets.bound("own.label", about["label"], lambda name: change(label=name)))
    if about and any(column["type"] == "text" for column in about["columns"]):
        st.selectbox("How the column of text is read", list(TEXT_READINGS), format_func=TEXT_READINGS.__getitem__,
                     help="Counts are features beside the other columns. Tokens are read by networks with an "
                     "embedding table; the other columns are left out then.",
                     **widgets.bound("own.text", reading.text, lambda text: change(text=text)))
        if reading.text == "counts":
            st.select_slider("Features that count the words of a text", [128, 256, 512, 1024, 2048, 4096],
                             **widgets.bound("own.words", reading.words, lambda count: change(words=count)))
    if about and about["kind"] == "image" and about["pictures"]:
        st.selectbox("Height and width of the pictures", [0, 16, 28, 32, 48, 64],
                     format_func=lambda side: f"{side} pixels" if side else "as they are, up to 64; otherwise 32",
                     **widgets.bound("own.side", reading.side, lambda side: change(side=side)))
    return reading


def add(page: Page, own: list[File], reading: Reading, about: dict) -> None:
    """The name, and the button that makes a data set of the files."""
    name = st.text_input("Name of the data set", value=own[0].plain_name.rpartition(".")[0] or own[0].plain_name,
                         max_chars=60, key=f"own.name.{files.key(own, Reading())}")
    st.button("Add and use it", type="primary", width="stretch", disabled=bool(about["problem"]), key="own.add",
              on_click=_add, args=[own, reading, name])


def _add(own: list[File], reading: Reading, name: str) -> None:
    """Callback of the button, once for the same files: a double click adds one data set."""
    asked, (done, added) = (files.key(own, reading), name), session.remembered("own.added", (None, ""))
    if asked == done and local_files.is_added(added):
        return
    try:
        added = files.add(own, reading, name)
    except ValueError as error:
        session.remember("own.refusal", str(error))
        return
    session.remember("own.added", (asked, added))
    use(added)


def use(name: str) -> None:
    """Chooses a data set, with a teacher that suits it."""
    session.choose(suited(replace(session.choice(), data=name), session.description()))


def what_next(name: str) -> None:
    """After adding: the ways on."""
    st.success(outside.markdown(f"{outside.name(name)} is added and chosen, on every page."), icon=":material/check_circle:")
    with st.container(horizontal=True, gap="large"):
        for path, label, icon, title in (("app.py", "Race all methods on it", ":material/flag:", "Start"),
                                         ("pages/1_Teacher.py", "Train a teacher on it", ":material/school:", "Teacher")):
            st.page_link(path, label=label, icon=icon, query_params=session.page_link(title))


def all_sets(page: Page) -> None:
    """Every data set of this app, to use; those that were added can be removed."""
    st.subheader("All data sets of this app")
    columns = st.columns(3, gap="small")
    for place, card in enumerate(page.known["datasets"]):
        with columns[place % 3].container(border=True, key=f"own.set.{place}"):
            one_set(card, card["name"] == page.choice.data)


def one_set(card: dict, is_chosen: bool) -> None:
    """A data set and what can be done with it."""
    facts = "It cannot be used." if card["problem"] else f"{card['examples']:,} examples, {card['classes']} classes"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{outside.markdown(outside.name(card['title']))}**  \n{facts}", width="stretch")
        if is_chosen:
            st.caption("chosen", width="content")
        elif not card["problem"]:
            st.button("Use", key=f"own.use.{card['name']}", on_click=use, args=[card["name"]])
        if local_files.is_added(card["name"]):
            with st.popover("Remove"):
                st.markdown("Its file is removed for everyone who uses this app. What was measured on it stays.")
                st.button("Remove it", key=f"own.remove.{card['name']}", type="primary", on_click=remove,
                          args=[card["name"]])
    if card["problem"]:
        st.caption(outside.markdown(card["problem"]))


def remove(name: str) -> None:
    """Takes a data set away; if it is the chosen one, the first is chosen."""
    try:
        files.remove(name)
    except ValueError as error:
        session.remember("own.refusal", str(error))
        return
    if session.choice().data == name:
        use(session.description()["datasets"][0]["name"])


def data_sets(page: Page) -> None:
    """The part of the page about data."""
    refused = session.forget("own.refusal")
    if refused:
        st.error(outside.markdown(refused), icon=":material/report:")
    beside, main = st.columns([1, 3], gap="large")
    with beside:
        own = given()
        shown = own or [files.example()]
    with main:
        if not own:
            st.markdown("**An example:** a table of 150 flowers. Your own files are shown like this before they are used.")
        about = looked_at(shown, reading_of(shown))
        if about:
            preview.draw(about)
    with beside:
        if about:
            add(page, shown, choices(about), about)
        _, added = session.remembered("own.added", (None, ""))
        if added == page.choice.data:
            what_next(added)
    all_sets(page)


PARTS = {"Data": data_sets, "A network": stage.draw}
page = open_page("Your data", "Choose files, look at what is in them, and compress networks that were trained on them, also "
                 "networks of your own.")
chosen = st.segmented_control("What you bring", list(PARTS), label_visibility="collapsed",
                              **widgets.bound("own.part", session.remembered("own.part", "Data"),
                                              lambda part: session.remember("own.part", part or "Data")))
PARTS[chosen or "Data"](page)
