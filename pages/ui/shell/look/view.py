"""How a page is shown: which of its parts are hidden, whether it is shown large for a lecture, and which step of a lesson
stands above it. All of it is in the link, beside what is chosen: `hide`, `show`, `lesson`, `step` and
`points`.

Imports neither streamlit nor torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from compress.curves.race_plan import POINTS_LOST
from pages.ui.shell.choice import shortened

PARTS = ("sidebar", "settings", "presets", "summary", "findings", "exports")
LECTURE = "lecture"
PARAMETERS = ("hide", "show", "lesson", "step", "points")


@dataclass(frozen=True)
class View:
    """What is hidden and how large a page is. A lesson says what its page is about, and hides what leads elsewhere.

    Attributes:
        hidden: of PARTS, in that order.
        lecture: larger type, without sidebar and settings.
        lesson: name of the lesson that is being taken, or "".
        step: of that lesson, from 1.
        points_lost: the budget of a race, in percentage points below the teacher; one of POINTS_LOST.
    """

    hidden: tuple[str, ...] = ()
    lecture: bool = False
    lesson: str = ""
    step: int = 0
    points_lost: float = 1.0

    def shows(self, part: str) -> bool:
        """Whether a part of the page is on the screen."""
        of_lecture, of_lesson = ("sidebar", "settings"), ("summary", "presets")
        return not (part in self.hidden or (self.lecture and part in of_lecture) or (self.lesson and part in of_lesson))

    def outside_lessons(self) -> View:
        """The same, without a lesson."""
        return replace(self, lesson="", step=0)

    def to_link(self) -> dict[str, str]:
        """Query parameters that restore it; none for a whole page of the usual size."""
        link = {"hide": ",".join(self.hidden)} if self.hidden else {}
        if self.lecture:
            link["show"] = LECTURE
        if self.points_lost != View.points_lost:
            link["points"] = f"{self.points_lost:g}"
        return {**link, "lesson": self.lesson, "step": str(self.step)} if self.lesson else link


def from_link(parameters: Mapping[str, str], lessons: Mapping[str, int], notices: list[str]) -> View:
    """The view that a link asks for; what it asks for in vain is left out, with a sentence each in notices.

    Args:
        lessons: name of each lesson -> its number of steps.
    """
    lesson, step = _lesson(parameters, lessons, notices)
    return View(_hidden(parameters.get("hide", ""), notices), _lecture(parameters.get("show", ""), notices), lesson, step,
                _points_lost(parameters.get("points", ""), notices))


def _hidden(text: str, notices: list[str]) -> tuple[str, ...]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    unknown = list(dict.fromkeys(word for word in words if word not in PARTS))
    if unknown:
        notices.append(f"The link hides {shortened(', '.join(unknown))!r}, which is no part of a page. Parts that can be "
                       f"hidden are {', '.join(PARTS)}.")
    return tuple(part for part in PARTS if part in words)


def _lecture(text: str, notices: list[str]) -> bool:
    if text not in ("", LECTURE):
        notices.append(f"The link has show={shortened(text)}, which does not exist; show={LECTURE} shows a page in larger "
                       "type.")
    return text == LECTURE


def _points_lost(text: str, notices: list[str]) -> float:
    known = {f"{points:g}": points for points in POINTS_LOST}
    if text not in ("", *known):
        notices.append(f"The link has points={shortened(text)}, which is no budget of a race. Budgets are "
                       f"{', '.join(known)}.")
    return known.get(text, View.points_lost)


def _lesson(parameters: Mapping[str, str], lessons: Mapping[str, int], notices: list[str]) -> tuple[str, int]:
    name, text = parameters.get("lesson", ""), parameters.get("step", "1")
    if not name:
        if "step" in parameters:
            notices.append("The link has a step but no lesson, and the step was left out.")
        return "", 0
    if name not in lessons:
        notices.append(f"There is no lesson {shortened(name)!r}. Lessons are {', '.join(lessons)}.")
        return "", 0
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= lessons[name]):
        notices.append(f"This lesson's steps are 1 to {lessons[name]}; the link has {shortened(text)!r}. Here is step 1.")
        return name, 1
    return name, int(text)
