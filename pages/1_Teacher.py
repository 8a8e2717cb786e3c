"""The teacher: a network trained on the chosen data, against which everything else is measured."""

from dataclasses import replace

import streamlit as st

from compress.curves.store import ACTIVE
from compress.recipe import Recipe
from compress.service.requests import TeacherRequest
from compress.settings import MOST_SEED
from pages.ui.charts import outside, teacher_charts
from pages.ui.explore import by_itself, cards, controls, pictures
from pages.ui.liveplot import liveplot
from pages.ui.shell import session, tray
from pages.ui.shell.choice import teacher_defaults, teacher_settings
from pages.ui.shell.frame import Page, open_page, part


def recipe() -> Recipe:
    """The teacher that is chosen now."""
    return session.choice().recipe()


def submit() -> bool:
    """Starts training what is chosen, unless it is trained already; False if that is refused."""
    return session.submit(TeacherRequest(recipe().text()), session.job_key(recipe()), "Teacher") is not None


def begin(page: Page) -> None:
    """Trains what is chosen at the first visit by itself; later teachers are trained when the button is pressed."""
    key = session.job_key(recipe())
    wanted = not session.remembered("teacher.visited", False) and not session.teacher_record(recipe())
    if wanted and by_itself.may_begin(page.data, session.store().latest_job(key), key):
        by_itself.begun(key)
        if not submit():
            st.warning(outside.markdown(session.forget("refusal")), icon=":material/hourglass_disabled:")
    session.remember("teacher.visited", True)


def settings(page: Page) -> None:
    """Family, sizes and training at the left."""
    families = {card["name"]: card for card in page.known["families"]}
    chosen = session.choice().teacher

    def change_family() -> None:
        session.choose(replace(session.choice(),
                               teacher=teacher_defaults(page.known, session.current("teacher.family"))))

    def change(name: str, value: object) -> None:
        now = session.choice()
        session.choose(replace(now, teacher=now.teacher.having(**{name: value})))

    def change_seed() -> None:
        session.choose(replace(session.choice(), seed=int(session.current("teacher.seed"))))

    st.selectbox("Family", list(families), format_func=lambda name: families[name]["title"], on_change=change_family,
                 key=session.bound("teacher.family", chosen.name))
    st.caption(" ".join(families[chosen.name]["doc"].split()))
    entries = teacher_settings(page.known, chosen.name)
    own = len(families[chosen.name]["settings"])
    controls.form(entries[:own + 1], chosen.values, f"teacher.{chosen.name}", change)
    with st.expander("More about training"):
        controls.form(entries[own + 1:], chosen.values, f"teacher.{chosen.name}", change)
        st.number_input("Seed", 0, MOST_SEED, key=session.bound("teacher.seed", session.choice().seed),
                        on_change=change_seed)
        st.caption("Decides the first weights and the order of the examples; the same seed gives the same network.")


def presets(page: Page) -> None:
    """One button a teacher that suits the data; a click trains it."""
    def take(title: str) -> None:
        session.choose_with(data=None, teacher=title, known=page.known)
        submit()

    st.caption("Start with one of these")
    for preset in page.known["presets"]:
        if page.data["kind"] in preset["kinds"]:
            st.button(preset["title"], help=preset["text"], key=f"preset.{preset['title']}", width="stretch",
                      on_click=take, args=[preset["title"]])


def training() -> None:
    """The live chart while training; the card afterwards."""
    job = session.store().latest_job(session.job_key(recipe()))
    record = session.teacher_record(recipe())
    running = bool(job and job["state"] in ACTIVE)
    was_running = session.remembered("running.teacher", False)
    session.remember("running.teacher", running)
    if running:
        tray.progress(job, "page.teacher")
    elif not record or record["card"]["cancelled"]:
        tray.outcome(job)
    epochs = recipe().teacher.values["epochs"]
    if running and not record:
        liveplot([teacher_charts.training(job["live"], epochs)], key="teacher.live")
    elif record:
        if not running and file_is_gone(record):
            st.warning("This teacher's file is gone, or it was changed. Train it again: the same seed gives the same "
                       "network.", icon=":material/draft:")
        card(record["card"], epochs)
    else:
        st.info("This teacher is not trained yet. Choose a preset, or press **Train this teacher** at the left.",
                icon=":material/arrow_back:")
    if was_running and not running:
        st.rerun()


def file_is_gone(record: dict) -> bool:
    """Whether the store no longer has the teacher's file unchanged."""
    return not session.store().artefacts.has(record["digest"])


def card(shown: dict, epochs: int) -> None:
    """Everything known about a finished teacher."""
    st.subheader(outside.markdown(f"{outside.name(shown['title'])} on {outside.name(shown['data'])}"))
    st.html(cards.row(cards.of_teacher(shown)))
    if shown["cancelled"]:
        st.warning(f"Training was cancelled; this is the network of epoch {shown['best_epoch']}, its best so far.")
    for note in shown.get("notes", ()):  # a teacher of before notes has none
        st.info(outside.markdown(note), icon=":material/info:")
    liveplot([teacher_charts.training(shown["history"], epochs),
              teacher_charts.confusion(shown["confusion"], shown["classes"]),
              teacher_charts.parameters(shown["layers"])], key="teacher.card")
    st.subheader("Its most confident mistakes")
    wrong = [(example["values"], f"{outside.name(example['label'])} → {outside.name(example['predicted'])}, "
              f"{100 * example['confidence']:.0f} %")
             for example in shown["wrong"]]
    if wrong:
        st.html(pictures.gallery(wrong))
    else:
        st.caption("It makes no mistake on the validation examples.")
    with st.expander("Layers as a table"):
        st.dataframe(shown["layers"], hide_index=True)


page = open_page("Teacher", "Train the network that is to be compressed. Its accuracy and the length of its file are what "
                 "every smaller network is compared with.")
begin(page)
left, right = st.columns([1, 3.4], gap="large")
with left:
    with part("presets"):
        presets(page)
    with part("settings"):
        settings(page)
    job_now = session.store().latest_job(session.job_key(recipe()))
    busy = bool(job_now and job_now["state"] in ACTIVE)
    record_now = session.teacher_record(recipe())
    if not busy and not record_now:
        st.button("Train this teacher", type="primary", width="stretch", on_click=submit)
    elif not busy and record_now["card"]["cancelled"]:
        st.button("Train it to the end", type="primary", width="stretch", on_click=submit)
    elif not busy and file_is_gone(record_now):
        st.button("Train it again", type="primary", width="stretch", on_click=submit)
with right:
    st.fragment(training, run_every=0.4 if busy else None)()
