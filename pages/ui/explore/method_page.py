"""What the page of one method has of its own; `explore` draws everything that these pages share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from compress.recipe import Recipe
from compress.settings import checked, spelled
from pages.ui.charts import charts, marks, words
from pages.ui.explore import results
from pages.ui.explore.curve_state import CurveState
from pages.ui.shell import session
from pages.ui.shell.frame import Page


@dataclass(frozen=True)
class Preset:
    """A button that shows something worth seeing: what to choose, and why."""

    title: str
    text: str
    settings: dict[str, Any]
    data: str | None = None
    teacher: str | None = None


class MethodPage:
    """Base of the pages about one method. A page overrides what it has more to show of, or other words for.

    Class attributes:
        method: the method's name in recipes.
        presets: buttons at the top of the left column.
        open_settings: how many settings are beside the dial at once; the others are folded away.
    """

    method: ClassVar[str]
    presets: ClassVar[tuple[Preset, ...]] = ()
    open_settings: ClassVar[int] = 3

    def __init__(self, page: Page) -> None:
        self.page = page
        self.card = page.known["methods"][self.method]

    def label(self, value: Any) -> str:
        """A dial value in words."""
        return f"{value:g}"

    def stop(self, value: Any) -> str:
        """A stop of the dial under the pointer: Share kept: 10 %."""
        entry = next(entry for entry in self.card["settings"] if entry["name"] == self.card["dial"])
        return f"{entry['label']}: {self.label(value)}"

    def curve_name(self, recipe: Recipe) -> str:
        """A curve in the legend: the method, and what is not at its default."""
        return ", ".join([self.card["title"], *words.changed_settings(recipe.methods[-1], self.card)])

    def notices(self, state: CurveState) -> list[str]:
        """Sentences about these very results, above the hero (HTML)."""
        return results.sentences(state)

    def hero(self, state: CurveState, others: dict[str, list[dict]]) -> charts.Chart:
        """The accuracy-size chart.

        Args:
            others: name -> points of other curves of this method and teacher.
        """
        return charts.accuracy_size(
            state.points, state.reference, method=self.method, name=self.curve_name(state.recipe), values=state.values,
            others=others, subject="data file" if self.card["applies_to"] == "data" else "file", start=state.start,
            label=self.stop)

    def readout(self, state: CurveState) -> list[str | None]:
        """The dial's line for each of its values; None where nothing is known yet."""
        return [point and charts.readout(point, state.reference) for point in marks.at(state.points, state.values)]

    def inside(self, state: CurveState) -> list[charts.Chart]:
        """Charts of what happens inside, under the hero and moved by the same dial."""
        return []

    def below(self, state: CurveState) -> None:
        """Draws pictures and the like under the charts."""

    def select(self, clicked: Any) -> None:
        """The dial was released at a value, or a point of a chart clicked, whose customdata is one."""
        self.choose(**{self.card["dial"]: clicked})

    def choose(self, **values: Any) -> None:
        """Changes settings of the method. A browser sends 8 for 8.0, which would be another recipe: each value is read as
        its setting's own type."""
        entries = {entry["name"]: entry for entry in self.card["settings"]}
        read = {name: spelled(checked(entries[name], value)) for name, value in values.items()}
        choice = session.choice().with_method(self.method, **read)
        session.choose(choice.with_dial(self.method, True) if self.card["dial"] in values else choice)

    def waits(self, state: CurveState) -> bool:
        """Whether something on the page is about to change by itself."""
        return state.running
