"""The teacher: a network trained on the chosen data, against which everything else is measured."""

from dataclasses import replace
from functools import partial

import streamlit as st

from compress.curves.store import ACTIVE
from compress.files import kept_networks
from compress.recipe import Recipe, Step
from compress.service.requests import TeacherRequest
from compress.settings import MOST_SEED
from pages.ui.charts import chip_pictures, outside, teacher_charts
from pages.ui.explore import by_itself, cards, folds, pictures, presets
from pages.ui.explore.folds import Fold
from pages.ui.explore.settings import controls
from pages.ui.liveplot import liveplot
from pages.ui.shell import records, session, tray, widgets
from pages.ui.shell.choice import first_of_family, preset_of, teacher_settings
from pages.ui.shell.frame import Page, open_page, part
from pages.ui.shell.gesture import begins

OWN = "own"  # the family of networks that the visitor brings
FILL = {"least": 300, "most": 480, "beside": 400}  # pixels that the rest of the stage needs


def recipe() -> Recipe:
    """The teacher that is chosen now."""
    return session.choice().recipe()


def submit() -> bool:
    """Starts training what is chosen; False if that is refused."""
    return session.submit(TeacherRequest(recipe().text()), records.job_key(recipe()), "Teacher") is not None


def begin(page: Page) -> None:
    """Trains what is chosen at the first visit by itself; later teachers are trained when the button is pressed."""
    key = records.job_key(recipe())
    wanted = not session.remembered("teacher.visited", False) and not records.teacher_record(recipe()) and offer()
    if wanted and by_itself.may_begin(page.data, session.store().latest_job(key), key):
        by_itself.begun(key)
        if not submit():
            st.warning(outside.markdown(session.forget("refusal")), icon=":material/hourglass_disabled:")
    session.remember("teacher.visited", True)


def settings(page: Page) -> None:
    """Family, sizes and training."""
    chosen = session.choice().teacher
    families = {card["name"]: card for card in page.known["families"]}

    def change_family(name: str) -> None:
        teacher, own = first_of_family(page.known, name, page.data["kind"]), kept_networks.names()
        session.choose(replace(session.choice(), teacher=teacher.having(network=own[0]) if name == OWN and own else teacher))

    def change(name: str, value: object) -> None:
        now = session.choice()
        session.choose(replace(now, teacher=now.teacher.having(**{name: value})))

    def change_seed(seed: int) -> None:
        session.choose(replace(session.choice(), seed=int(seed)))

    st.selectbox("Family", format_func=lambda name: families[name]["title"],
                 help=" ".join(families[chosen.name]["doc"].split()),
                 **widgets.bound_choice("teacher.family", families, chosen.name, change_family))
    if chosen.name == OWN:
        own_network(page, chosen, change)
        return
    entries = teacher_settings(page.known, chosen.name)
    own = len(families[chosen.name]["settings"]) + 1
    first, more = (controls.with_effect(some, chosen.values, chosen.name, page.data["kind"])
                   for some in (entries[:own], entries[own:]))
    controls.form(first, chosen.values, f"teacher.{chosen.name}", change, brief=True)
    with st.popover("More about training", icon=":material/tune:", width="stretch"):
        controls.form(more, chosen.values, f"teacher.{chosen.name}", change)
        st.number_input("Seed", 0, MOST_SEED, **widgets.bound("teacher.seed", session.choice().seed, change_seed))
        st.caption("Decides the first weights and the order of the examples; the same seed gives the same network.")


def own_network(page: Page, chosen: Step, change: controls.Change) -> None:
    """Which network of the visitor's, and how it reads the examples."""
    names = kept_networks.names()
    now = chosen.values["network"]
    if names:
        shown = names if now in names else [now, *names]
        st.selectbox("Network", format_func=outside.name,
                     **widgets.bound_choice("teacher.own", shown, now, lambda name: change("network", name)))
    st.page_link("pages/0_Your_data.py", label="Add a network of yours", icon=":material/upload_file:",
                 query_params=session.page_link("Your data"))
    entries = [entry for entry in teacher_settings(page.known, OWN) if entry["name"] != "network"]
    with st.popover("How it reads the examples", icon=":material/tune:", width="stretch"):
        controls.form(entries, chosen.values, f"teacher.{OWN}", change)


def chips(page: Page) -> None:
    """One chip a teacher that suits the data; a click trains it."""
    def take(title: str) -> None:
        session.choose(session.choice().with_preset(None, title, page.known))
        with session.joining(session.store().latest_job(records.job_key(recipe()))):
            if offer():  # a second click may come when it is trained
                submit()

    fitting = [preset for preset in page.known["presets"] if page.data["kind"] in preset["kinds"]]
    active = preset_of(session.choice().teacher, page.known)
    presets.strip({preset["title"]: preset["text"] for preset in fitting},
                  {preset["title"]: chip_pictures.OF_FAMILY[preset["name"]] for preset in fitting},
                  active and active["title"], "preset", take)


def work() -> None:
    """What is being trained, with a button to end it, or the button that begins."""
    key = records.job_key(recipe())
    job, offered = session.store().latest_job(key), offer()
    if job and job["state"] in ACTIVE:
        st.fragment(progress, run_every=0.5)()
    elif offered:
        st.button(offered, type="primary", width="stretch", **begins("teacher.train", key, submit))
    else:
        st.caption(done())


def done() -> str:
    """What is said where nothing has to be trained."""
    if recipe().teacher.name != OWN:
        return "This teacher is trained. Every page uses it."
    return ("This network is measured, and the teacher on every page." if records.teacher_record(recipe()) else
            "Add a network first, or choose another family.")


def offer() -> str:
    """What can be trained, in words; "" where the teacher is."""
    record = records.teacher_record(recipe())
    if recipe().teacher.name == OWN and not (record and not file_is_gone(record)):
        return "Measure this network" if recipe().teacher.values["network"] else ""
    if not record:
        return "Train this teacher"
    if record["card"]["cancelled"]:
        return "Train it to the end"
    return "Train it again" if file_is_gone(record) else ""


def progress() -> None:
    """How far the training is."""
    job = session.store().latest_job(records.job_key(recipe()))
    if job and job["state"] in ACTIVE:
        tray.progress(job, "page.teacher", beside=False)


def training() -> None:
    """The live chart while training; the card afterwards."""
    job = session.store().latest_job(records.job_key(recipe()))
    record = records.teacher_record(recipe())
    running = bool(job and job["state"] in ACTIVE)
    was_running = session.remembered("running.teacher", False)
    session.remember("running.teacher", running)
    above = st.container()  # whatever is in it, what follows keeps its place: see folds.draw()
    if not running and (not record or record["card"]["cancelled"]):
        with above:
            tray.outcome(job)
    epochs = recipe().teacher.values.get("epochs", 1)  # a network of the user's own is not trained
    if running and not record:
        liveplot([{**teacher_charts.training(job["live"], epochs), "fill": FILL}], key="teacher.live")
    elif record:
        if not running and file_is_gone(record):
            above.warning("This teacher's file is gone, or it was changed. Train it again: the same seed gives the same "
                          "network.", icon=":material/draft:")
        card(record["card"], epochs)
    else:
        st.info("This teacher is not trained yet. Choose a preset, or press **Train this teacher** at the right.",
                icon=":material/arrow_forward:")
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
    if shown.get("doubt"):
        st.warning(outside.markdown(shown["doubt"]))
    for note in shown.get("notes", ()):  # a teacher of before notes has none
        st.info(outside.markdown(note), icon=":material/info:")
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if shown["history"]:
            liveplot([{**teacher_charts.training(shown["history"], epochs), "fill": FILL}], key="teacher.training")
        else:  # a network of the visitor's own, which was not trained here
            liveplot([{**teacher_charts.parameters(shown["layers"]), "span": "wide"}], key="teacher.own_layers")
    with right:
        confusion = teacher_charts.confusion(shown["confusion"], shown["classes"])
        liveplot([{**confusion, "span": "wide", "fill": FILL}], key="teacher.confusion")
    folds.draw([Fold("Each layer" if not shown["history"] else "Where the parameters and the arithmetic are",
                     partial(layers, shown)),
                Fold("The most confident mistakes", partial(mistakes, shown))], "teacher")


def layers(shown: dict) -> None:
    """Parameters and multiply-adds of each layer."""
    if shown["history"]:  # otherwise the chart is above
        liveplot([{**teacher_charts.parameters(shown["layers"]), "span": "wide"}], key="teacher.layers")
    st.dataframe(shown["layers"], hide_index=True)


def mistakes(shown: dict) -> None:
    """The examples that it gets wrong with the highest probability."""
    wrong = [(example["values"], f"{outside.name(example['label'])} → {outside.name(example['predicted'])}, "
              f"{100 * example['confidence']:.0f} %")
             for example in shown["wrong"]]
    if wrong:
        st.html(pictures.gallery(wrong))
    else:
        st.caption("The teacher makes no mistake on the validation examples.")


page = open_page("Teacher", "Train the network that is to be compressed. Every smaller network is compared with its "
                 "accuracy and its file.")
with st.container():
    begin(page)
with part("presets"):
    chips(page)
main, beside = st.columns([4, 1], gap="medium")
with main:
    now = session.store().latest_job(records.job_key(recipe()))
    st.fragment(training, run_every=0.4 if now and now["state"] in ACTIVE else None)()
with beside, part("settings"):
    with st.container(key="ce-work"):
        work()
    settings(page)
