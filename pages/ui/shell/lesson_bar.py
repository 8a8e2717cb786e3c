"""The step of a lesson, above the real page: what to do there, a prediction, and the way through the lesson."""

from __future__ import annotations

import streamlit as st

from pages.ui.chains import chained
from pages.ui.lessons import LESSONS
from pages.ui.lessons.lesson import Lesson, LessonStep, Question
from pages.ui.shell import session
from pages.ui.shell.choice import Card
from pages.ui.shell.links import from_link
from pages.ui.shell.look.view import View

WAY = "lesson.way"  # where the visitor goes next: a page's file, and its link


def draw(here: str, known: Card) -> None:
    """The bar, if a lesson is being taken.

    Args:
        here: the file of the page that is drawn.
        known: the worker's description.
    """
    view = session.view()
    if not view.lesson:
        return
    lesson, step = LESSONS[view.lesson], LESSONS[view.lesson].steps[view.step - 1]
    with st.container(key="lesson", border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f"Lesson: **{lesson.title}** · step {view.step} of {len(lesson.steps)}", width="stretch")
            if step.question:
                _question(step.question, f"lesson.{view.lesson}.{view.step}")
            _buttons(lesson, view, step, here, known)
        notice = f" :material/visibility: {step.notice}" if step.notice else ""
        st.markdown(f"**{step.title}.** {step.text}{notice}")


def go(lesson: Lesson, number: int) -> None:
    """Callback of a button: this page is left for a step's, at the state that the step is about."""
    session.remember(WAY, (lesson.steps[number - 1].page, link_of(lesson, number, session.view())))


def follow(here: str) -> None:
    """Goes where a button of a lesson leads: by a link, as a visitor would. It is remembered until then, because another
    rerun may end one at any line. An address that names only a lesson and a step leads to the step's page too.

    Args:
        here: the file of the page that is drawn.
    """
    view = session.view()
    if session.forget("step alone") and LESSONS[view.lesson].steps[view.step - 1].page != here:
        go(LESSONS[view.lesson], view.step)
    way = session.remembered(WAY)
    if way:
        session.forget(WAY)
        session.means_any_address()
        st.switch_page(way[0], query_params=way[1])


def link_of(lesson: Lesson, number: int, view: View) -> dict[str, str]:
    """The query parameters of a step's link; what is hidden now stays hidden."""
    there = View(view.hidden, view.lecture, lesson.name, number)
    return {**lesson.steps[number - 1].link, **there.to_link()}


def _question(question: Question, key: str) -> None:
    """The question with its choices, or what was answered and why the right answer is right; behind one button, so that the
    page stays in sight."""
    given = session.remembered(key)
    label, icon = (("Predict", "help") if given is None else ("Right", "check_circle") if given == question.right else
                   ("Not quite", "cancel"))
    with st.popover(label, icon=f":material/{icon}:", key=f"{key}.question"):
        st.markdown(question.text)
        if given is None:
            for place, choice in enumerate(question.choices):
                st.button(choice, key=f"{key}.{place}", width="stretch", on_click=session.remember, args=[key, place])
        elif given == question.right:
            st.markdown(f":green[:material/check_circle:] **Right: {question.choices[given]}.** {question.why}")
        else:
            st.markdown(f":orange[:material/cancel:] Your prediction: {question.choices[given]}. "
                        f"**Right is: {question.choices[question.right]}.** {question.why}")


def _buttons(lesson: Lesson, view: View, step: LessonStep, here: str, known: Card) -> None:
    if not _is_shown(step, here, known):
        st.button("Show this step", key="lesson.show", icon=":material/restart_alt:", on_click=go, args=[lesson, view.step])
    st.button("Leave the lesson", key="lesson.leave", type="tertiary",
              on_click=lambda: session.show(view.outside_lessons()))
    st.button("Back", key="lesson.back", disabled=view.step == 1, icon=":material/arrow_back:", on_click=go,
              args=[lesson, view.step - 1])
    if view.step < len(lesson.steps):
        st.button("Next", key="lesson.next", type="primary", icon=":material/arrow_forward:", on_click=go,
                  args=[lesson, view.step + 1])
    else:
        st.button("Finish", key="lesson.next", type="primary", icon=":material/flag:", on_click=_finish, args=[view])


def _finish(view: View) -> None:
    session.show(view.outside_lessons())
    session.remember(WAY, ("pages/9_Lessons.py", {}))


def _is_shown(step: LessonStep, here: str, known: Card) -> bool:
    """Whether the page, its method and all that is chosen are the step's."""
    chain, link = chained.taken(step.link, known, [])
    wanted, _ = from_link(link, known, session.methods(), session.choice())
    same_chain = not chain.steps or chain == session.remembered("chained")
    same_method = step.link.get("method", session.active()) == session.active()
    return here == step.page and wanted == session.choice() and same_chain and same_method
