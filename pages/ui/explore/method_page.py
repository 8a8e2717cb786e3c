"""What the page of one method has of its own; `explore` draws everything that these pages share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from compress.recipe import Recipe
from compress.settings import checked, spelled
from pages.ui.charts import charts, marks, setting_words
from pages.ui.explore import results
from pages.ui.explore.curve_state import CurveState
from pages.ui.explore.folds import Fold
from pages.ui.liveplot import liveplot
from pages.ui.shell import plot_events, session
from pages.ui.shell.frame import Page

HERO_FILL = {"least": 300, "most": 520, "beside": 420}  # pixels that the rest of the stage needs
CHOICE = 56  # pixels of a choice over the picture
CHOICE_FILL = {name: pixels + (CHOICE if name == "beside" else -CHOICE) for name, pixels in HERO_FILL.items()}


@dataclass(frozen=True)
class Preset:
    """A button that shows something worth seeing: what to choose, and why.

    Attributes:
        picture: on the button: a name in charts/chip_pictures.py.
        start: what it puts in the teacher's place, like prune(sparsity=0.9); "" for nothing, None leaves that as it is.
    """

    title: str
    picture: str
    text: str
    settings: dict[str, Any]
    data: str | None = None
    teacher: str | None = None
    start: str | None = None


class MethodPage:
    """Base of the pages about one method. A page overrides what it has more to show of, or other words for.

    Class attributes:
        method: the method's name in recipes.
        presets: the strip under the title.
        open_settings: how many settings are beside the stage; the others are in a drawer.
    """

    method: ClassVar[str]
    presets: ClassVar[tuple[Preset, ...]] = ()
    open_settings: ClassVar[int] = 2

    def __init__(self, page: Page) -> None:
        self.page = page
        self.card = page.known["methods"][self.method]

    @property
    def dial_key(self) -> str:
        """The name of the dial's element, which other charts follow."""
        return f"dial.{self.method}"

    def label(self, value: Any) -> str:
        """A dial value in words."""
        return setting_words.value(setting_words.dial(self.card), value)

    def caption(self, value: Any) -> str:
        """What stands over a dial value, such as its unit; "" for the dial's label."""
        return ""

    def stop(self, value: Any) -> str:
        """A stop of the dial under the pointer: Share kept: 10 %."""
        return f"{setting_words.dial(self.card)['label']}: {self.label(value)}"

    def hint(self) -> str:
        """What the dial is, in one short line under it."""
        return setting_words.dial(self.card)["help"]

    def curve_name(self, recipe: Recipe) -> str:
        """A curve in the legend: the method, and what is not at its default."""
        return ", ".join([self.card["title"], *setting_words.changed_settings(recipe.methods[-1], self.card)])

    def notices(self, state: CurveState) -> list[str]:
        """Sentences about these very results (HTML): the first one or two stand above the hero, the rest under "Why?"."""
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

    def tiles(self, state: CurveState) -> list[list[tuple[str, str]] | None]:
        """The same as large figures, each with what it is."""
        return [point and charts.tiles(point, state.reference) for point in marks.at(state.points, state.values)]

    def picture(self, state: CurveState) -> charts.Chart | None:
        """The object itself, which moves with the dial beside the hero; None while there is none."""
        return None

    def early_picture(self, state: CurveState) -> charts.Chart | None:
        """What is known of the picture while the inside view is made; None for nothing."""
        return None

    def picture_choice(self, state: CurveState) -> bool:
        """Draws the choice of what the picture shows, such as a layer; whether there is one."""
        return False

    def live(self, state: CurveState) -> None:
        """Draws what happens now, while points are made."""

    def folds(self, state: CurveState) -> list[Fold]:
        """Everything else, in groups under the stage: none, or all that this curve may ever have, see folds.draw()."""
        return []

    def actions(self, state: CurveState) -> None:
        """Draws what can be done with the point at the dial, beside taking it away."""

    def draw(self, name: str, shown: list[charts.Chart]) -> None:
        """Draws charts that the page's dial moves; a click on a point that is one of its stops turns it."""
        key = f"{name}.{self.method}"
        liveplot(shown, key=key, follows=self.dial_key, on_select=plot_events.on_selected(key, self.select))

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
