"""What a lesson is: steps as plain data. Imports neither streamlit nor torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

START, TEACHER, DISTILL, LOW_RANK, PRUNE, SPARSE_CODE, QUANTIZE, CHAINS, COMPARE = (
    "app.py", "pages/1_Teacher.py", "pages/2_Distill.py", "pages/3_Low_rank.py", "pages/4_Prune.py",
    "pages/5_Sparse_code.py", "pages/6_Quantize.py", "pages/7_Chains.py", "pages/8_Compare.py")
DIGITS = {"data": "digits", "teacher": "mlp", "seed": "0"}  # LeNet-300-100 on 8x8 digits: a curve takes seconds


@dataclass(frozen=True)
class Question:
    """A prediction that is asked for before the answer is on the screen.

    Attributes:
        text: the question.
        choices: the possible answers.
        right: place of the right one among them.
        why: shown after an answer.
    """

    text: str
    choices: tuple[str, ...]
    right: int
    why: str


@dataclass(frozen=True)
class LessonStep:
    """One state of a real page, and what to learn from it. All texts are Markdown.

    Attributes:
        title: a few words.
        text: two or three sentences.
        page: the file of the page.
        link: the page's state, as the query parameters of a link.
        question: a prediction about a later step, or None.
        notice: what to look at on the page, or "".
    """

    title: str
    text: str
    page: str
    link: Mapping[str, str]
    question: Question | None = None
    notice: str = ""


@dataclass(frozen=True)
class Lesson:
    """Steps in their order.

    Attributes:
        name: as links spell it.
        title: on the page of all lessons.
        summary: what one knows afterwards, in a sentence.
        steps: five to eight.
    """

    name: str
    title: str
    summary: str
    steps: tuple[LessonStep, ...]
