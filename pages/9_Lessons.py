"""Guided lessons: a few minutes each, on the real pages, with predictions to make."""

import streamlit as st

from pages.ui.lessons import LESSONS
from pages.ui.shell import lesson_bar
from pages.ui.shell.frame import open_page

open_page("Lessons", "Each lesson leads through the real pages and asks for predictions. Everything is measured here, on "
          "8x8 digits, in seconds.")
ACROSS = 4
lessons = list(LESSONS.values())
for first in range(0, len(lessons), ACROSS):
    for column, lesson in zip(st.columns(ACROSS, gap="small"), lessons[first:first + ACROSS], strict=False):
        with column.container(border=True, height="stretch", gap="xsmall", key=f"lesson-card-{lesson.name}"):
            st.subheader(lesson.title)
            st.markdown(lesson.summary)
            asked = sum(step.question is not None for step in lesson.steps)
            st.caption(f"{len(lesson.steps)} steps, {asked} predictions")
            st.button("Begin", key=f"begin.{lesson.name}", icon=":material/play_arrow:", on_click=lesson_bar.go,
                      args=[lesson, 1])
