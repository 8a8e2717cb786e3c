"""What the Compare page shows of all points, and what it is asked, as part of its link: `filter.data`, `filter.teacher`,
`filter.method` and `filter.setting`, each with titles joined by |, or * for all; `at_most` and `within`, the numbers of its
two questions; `search`, `speed` and `minutes`, what is searched for; `open` and `look`, the networks that are looked into
and at what of them; `draw`, `x`, `y`, `mark`, `colour` and `fold`, how networks are drawn. Imports neither streamlit nor
torch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from compress.search.target import AT_MOST, NAMES, WITHIN, Target
from pages.ui.shell.choice import shortened

PAGE = "Compare"
ALL = "*"
OPENED, LOOK, FOLD, DRAW, MOST_OPENED = "open", "look", "fold", "draw", 4
PLANE, MAP = "plane", "map"
NO_FOLD, SEEDS = "none", "seeds"
LOST, SIZE, BOTH, FRONT = "lost", "size", "both", "front"  # the first question, the second, both, or none
WHEREVER = "any"  # speed
SEARCHES = {"search": (LOST, SIZE, BOTH, FRONT), "speed": (WHEREVER, "1", "0.5", "0.25"),
            "minutes": ("3", "1", "6", "15", "60")}
"""What can be searched for, how fast the network shall be (a share of the teacher's time), and how long; the first is the
default."""
LOOKS = ("flips", "classes", "sure", "layers", "code")  # what is shown of opened networks; the first is the default
MEASURED = ("x", "y", "mark", "colour")
TITLES = ("data", "teacher", "method", "setting")
AXES = ("bytes", "accuracy", "macs", "latency", "expected_calibration_error", "agreement", "lost")
RECALL = "recall:"  # before the name of a class
ONE_POINT, TWENTY_KB = Target(points_lost=1.0), Target(bytes=20_000)
_PLAIN = " ,;:+-_()[]/'\"=^!?&#@$~"  # a title is spelled as it is, but for the signs that this spelling uses itself

_NETWORK = re.compile(r"[0-9a-f]{8,64}/[0-9a-f]{8,64}")


@dataclass(frozen=True)
class Filters:
    """Titles of what is shown; () shows all, None is free: data sets are then those of the sidebar, all others shown.

    Attributes:
        lost, size: the two questions: the smallest file at most so many points below the teacher, and the best accuracy
            within so many bytes.
        search, speed, minutes: of the search, one of SEARCHES each.
        opened: networks that are looked into, each as KEY/REFERENCE; look: at what of them, one of LOOKS.
        drawn: on a plane, or as a map of what was made of what.
        x, y: what networks are drawn over, one of AXES or recall:CLASS; mark, colour: what the size and the colour of a mark
            of the map are. folded: seeds as one point.
    """

    data: tuple[str, ...] | None = None
    teacher: tuple[str, ...] | None = None
    method: tuple[str, ...] | None = None
    setting: tuple[str, ...] | None = None
    lost: Target = ONE_POINT
    size: Target = TWENTY_KB
    search: str = LOST
    speed: str = WHEREVER
    minutes: str = "3"
    opened: tuple[str, ...] = ()
    look: str = LOOKS[0]
    x: str = "bytes"
    y: str = "accuracy"
    mark: str = "macs"
    colour: str = "lost"
    drawn: str = PLANE
    folded: bool = False

    @property
    def is_search(self) -> bool:
        """Whether a search is described that is not the first one."""
        return any(getattr(self, name) != values[0] for name, values in SEARCHES.items())

    @property
    def target(self) -> Target:
        """What is searched for."""
        return Target(self.lost.points_lost if self.search in (LOST, BOTH) else None,
                      self.size.bytes if self.search in (SIZE, BOTH) else None,
                      None if self.speed == WHEREVER else float(self.speed))

    def to_link(self) -> dict[str, str]:
        """Query parameters that restore it; none for what is free, or as it is at first."""
        given = {name: getattr(self, name) for name in TITLES}
        link = {f"filter.{name}": "|".join(quote(title, _PLAIN) for title in titles) or ALL
                for name, titles in given.items() if titles is not None}
        for asked, first in ((self.lost, ONE_POINT), (self.size, TWENTY_KB)):
            link |= asked.to_link() if asked != first else {}
        link |= {name: value for name in MEASURED if (value := getattr(self, name)) != getattr(Filters, name)}
        link |= {name: getattr(self, name) for name in SEARCHES} if self.is_search else {}
        link |= {OPENED: " ".join(self.opened)} if self.opened else {}
        link |= {LOOK: self.look} if self.look != LOOKS[0] else {}
        link |= {DRAW: MAP} if self.drawn == MAP else {}
        return {**link, FOLD: SEEDS} if self.folded else link


def taken(parameters: Mapping[str, str], notices: list[str]) -> tuple[Filters, dict[str, str]]:
    """The filters of a link, and its other parameters; what it asks for in vain is left out, with a sentence in notices."""
    names = {f"filter.{name}": name for name in TITLES}
    found = {name: _titles(parameters[parameter]) for parameter, name in names.items() if parameter in parameters}
    asked = {field: target for field, name in (("lost", AT_MOST), ("size", WITHIN))
             if (target := _asked(name, parameters.get(name), notices))}
    own = (*names, *NAMES, OPENED, LOOK, FOLD, DRAW, *MEASURED, *SEARCHES)
    measures = {name: _axis(name, parameters[name], notices) for name in MEASURED if name in parameters}
    searched = {name: _one_of(name, parameters[name], SEARCHES[name], notices) for name in SEARCHES if name in parameters}
    look = _one_of(LOOK, parameters.get(LOOK, LOOKS[0]), LOOKS, notices)
    drawn = _one_of(DRAW, parameters.get(DRAW, PLANE), (PLANE, MAP), notices)
    folded = _one_of(FOLD, parameters.get(FOLD, NO_FOLD), (NO_FOLD, SEEDS), notices)
    opened = _opened(parameters.get(OPENED, ""), notices)
    return (Filters(**found, **asked, **measures, **searched, drawn=drawn, opened=opened, look=look,
                    folded=folded == SEEDS),
            {name: text for name, text in parameters.items() if name not in own})


def _axis(name: str, text: str, notices: list[str]) -> str:
    if text in AXES or (text.startswith(RECALL) and len(text) > len(RECALL)):
        return text
    notices.append(f"The link draws networks over {shortened(text)!r}, which is not measured. Measures are "
                   f"{', '.join(AXES)} and recall:CLASS.")
    return str(getattr(Filters, name))


def _one_of(name: str, text: str, allowed: tuple[str, ...], notices: list[str]) -> str:
    if text in allowed:
        return text
    first = allowed[0]
    notices.append(f"The link's {name}={shortened(text)} is none of {', '.join(sorted(allowed))}; using {first}.")
    return first


def _opened(text: str, notices: list[str]) -> tuple[str, ...]:
    """At most four networks; what cannot be one is left out."""
    named = list(dict.fromkeys(text.split()))
    found = [one for one in named if _NETWORK.fullmatch(one)]
    if found != named:
        notices.append(f"The link opens {shortened(' '.join(set(named) - set(found)))}, which is no network.")
    return tuple(found[:MOST_OPENED])


def _asked(name: str, text: str | None, notices: list[str]) -> Target | None:
    if not text:
        return None
    try:
        return Target.of_options({name: text})
    except ValueError as error:
        notices.append(f"{error} The link's was left out.")
        return None


def _titles(text: str) -> tuple[str, ...]:
    return () if text == ALL else tuple(dict.fromkeys(filter(None, map(unquote, text.split("|")))))
