"""A recipe: data set, teacher, methods and seed of a network, as plain data, with one spelling for four uses.

It is the key in the store, the text in a link, the argument on the command line and the first line of a code snippet:

    mnist5k/mlp(hidden=300-100,epochs=20)/low_rank(keep=0.1,scheme=whitened)/0
    data    teacher                       methods, joined by '+'             seed

This module imports no method and nothing heavy, so that the web process can use recipes too. Settings that are left out
are filled in by compress.methods before a recipe is used as a key.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

CURVE, SEED, CONTROL, BASELINE, VARIANT, STEP = "curve", "seed", "control", "baseline", "variant", "step"
"""Roles of what is measured for a curve: a point at a dial value; the same from another seed; the same without what the
method adds; another approach to compare with; the same with another value of some other setting, for a map; a network on
the way of a chain."""
ROLES = (CURVE, SEED, CONTROL, BASELINE, VARIANT, STEP)

LAST = 0
"""The last step, whose dial varies where a curve names no other. Steps count from 1, in Python, links (`dial-step`) and the
shell (`--dial-step`); a curve over the last step's dial has the same key however the step is named."""

UNSAID = (("coding", "none"), ("precision", "float32"))
"""How every file was stored before these were settings: a recipe that does not say them means these, and has the same key as
one that says them, so that points of earlier versions are still found."""

LATER = (("activations", "float32"), ("budget", 0), ("correction", 0))
"""Settings that methods got later, with the values that all points before had: they count as UNSAID does."""

_ODD = re.compile(r"[^\w.-]")
_STEP = re.compile(r"([A-Za-z_]\w*)(?:\((.*)\))?")


@dataclass(frozen=True)
class Step:
    """A name with its settings, for example low_rank(keep=0.1); hashable, settings sorted by name."""

    name: str
    settings: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, name: str, settings: dict[str, Any]) -> Step:
        """A step from a dict of plain values."""
        return cls(name, tuple(sorted(settings.items())))

    @property
    def values(self) -> dict[str, Any]:
        """The settings as a dict."""
        return dict(self.settings)

    def without(self, name: str) -> Step:
        """The same step with one setting left out (the dial of a curve)."""
        return Step(self.name, tuple(pair for pair in self.settings if pair[0] != name))

    def having(self, **settings: Any) -> Step:
        """The same step with some settings changed."""
        return Step.of(self.name, {**self.values, **settings})

    def unstored(self) -> Step:
        """The same step without how its file is stored, for a method whose network another one goes on with."""
        return Step(self.name, tuple(pair for pair in self.settings if pair[0] not in dict(UNSAID)))

    def without_unsaid(self) -> Step:
        """The same step without what it would mean if it did not say it."""
        return Step(self.name, tuple(pair for pair in self.settings if pair not in UNSAID + LATER))

    def by_present_names(self, renamed: dict[str, str]) -> Step:
        """The same step, its settings called as they are now.

        Args:
            renamed: older name -> present name, as a method's card has it.
        """
        return Step.of(self.name, {renamed.get(name, name): value for name, value in self.settings})

    def text(self) -> str:
        """For example low_rank(keep=0.1,scheme=whitened)."""
        inside = ",".join(f"{name}={_spell(value)}" for name, value in self.settings)
        return f"{self.name}({inside})" if inside else self.name

    @classmethod
    def parse(cls, text: str) -> Step:
        """The opposite of text(). Raises ValueError that shows the expected form."""
        match = _STEP.fullmatch(text.strip())
        if not match:
            raise ValueError(f"{_shown(text)} is not a name with settings; write it like low_rank(keep=0.1) or mlp.")
        inside = match[2] or ""
        pairs = inside.split(",") if inside.strip() else []
        for pair in pairs:
            if not pair.strip():
                raise ValueError(f"{_shown(text)} has a comma too many: nothing stands before or after it. Take it out.")
            if "=" not in pair:
                raise ValueError(f"{_shown(pair)} in {_shown(text)} is not name=value; write it like "
                                 f"{match[1][:60]}(name=value).")
        names = [pair.split("=", 1)[0].strip() for pair in pairs]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name[:60]} is given twice in {_shown(text)}; give each setting once.")
        return cls.of(match[1], {name: _read(pair.split("=", 1)[1].strip()) for name, pair in
                                 zip(names, pairs, strict=True)})


@dataclass(frozen=True)
class Recipe:
    """Data set, teacher, methods in order, seed. Without methods: the teacher itself."""

    data: str
    teacher: Step
    methods: tuple[Step, ...] = ()
    seed: int = 0

    def text(self) -> str:
        """The spelling for people, links and the command line."""
        middle = "+".join(step.text() for step in self.methods)
        return "/".join([self.data, self.teacher.text(), *([middle] if middle else []), str(self.seed)])

    @classmethod
    def parse(cls, text: str) -> Recipe:
        """The opposite of text(). Raises ValueError that shows the expected form."""
        parts = text.strip().split("/")
        if len(parts) not in (3, 4) or not re.fullmatch(r"\d{1,40}", parts[-1], re.ASCII):
            raise ValueError(f"{_shown(text)} is not a recipe; write data/teacher/method/seed, for example "
                             "digits/mlp/low_rank(keep=0.1)/0.")
        methods = tuple(Step.parse(step) for step in parts[2].split("+")) if len(parts) == 4 else ()
        return cls(parts[0], Step.parse(parts[1]), methods, int(parts[-1]))

    def key(self) -> str:
        """A short digest of the canonical spelling: the key in the store. How a file is stored is a matter of the last
        method alone."""
        methods = [*(step.unstored().without_unsaid() for step in self.methods[:-1]),
                   *(step.without_unsaid() for step in self.methods[-1:])]
        return hashlib.sha256(replace(self, methods=tuple(methods)).text().encode()).hexdigest()[:20]

    def as_measured(self) -> Recipe:
        """The recipe of a point, with the coding of its file written out where it was measured before that was a setting."""
        *before, last = self.methods or (None,)
        if last is None or UNSAID[0][0] in last.values:
            return self
        return replace(self, methods=(*before, last.having(**dict(UNSAID[:1]))))

    def curve(self, dial: str, dial_step: int = LAST) -> Recipe:
        """The recipe of the whole curve: this one without the dial of the last method, or of the one with this number."""
        return self._with_step(dial_step, self.methods[dial_step - 1].without(dial))

    def at(self, dial: str, value: Any, dial_step: int = LAST) -> Recipe:
        """One point of the curve: this recipe with the dial of the last method, or of the one with this number, set."""
        return self._with_step(dial_step, self.methods[dial_step - 1].having(**{dial: value}))

    def parent(self) -> Recipe | None:
        """The recipe of the network that the last method was applied to, in a file of float32 that is not coded; None for
        the teacher."""
        *before, last = self.methods or (None,)
        if last is None:
            return None
        return replace(self, methods=(*before[:-1], *(step.having(**dict(UNSAID)) for step in before[-1:])))

    def ancestry(self) -> list[Recipe]:
        """The networks from the teacher on, each made of the one before it; the last one is this recipe's."""
        before = self.parent()
        return [*(before.ancestry() if before else []), self]

    def _with_step(self, number: int, step: Step) -> Recipe:
        place = range(len(self.methods))[number - 1]
        return replace(self, methods=(*self.methods[:place], step, *self.methods[place + 1:]))

    def reference(self) -> Recipe:
        """The recipe of the teacher that every ratio is measured against."""
        return replace(self, methods=())


def dial_step(value: Any, steps: int, name: str = "dial-step") -> int:
    """The number of the step whose dial varies, from its text or number; the last of so many steps for "" and LAST.

    Raises:
        ValueError: not a whole number from 1 to the number of steps; calls the setting `name`.
    """
    text = str(value).strip()
    if text in ("", str(LAST)):
        return steps
    if not re.fullmatch(r"\d{1,6}", text, re.ASCII) or not 1 <= int(text) <= steps:
        raise ValueError(f"{name} must be a whole number between 1 and {steps}, the number of steps, but got "
                         f"{_shown(text)}. Leave it out for the last one, {steps}.")
    return int(text)


def _shown(text: str) -> str:
    """The beginning of a text for a message."""
    return repr(text) if len(text) <= 200 else f"{text[:200]!r}..."


def _spell(value: Any) -> str:
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    """Text from data (the label of a class) with %XX in the place of signs that have a meaning in a recipe or a link, and of
    the first sign where the text would be read as a value of JSON: true, 1.50. Whole numbers are left as they are."""
    plain = _ODD.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)
    if plain != text or not text:
        return plain
    value = _read(text)
    alike = isinstance(value, str) or (type(value) is int and str(value) == text)
    return text if alike else f"%{ord(text[0]):02X}{text[1:]}"


def _read(text: str) -> Any:
    if "%" in text:
        return unquote(text)
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError):  # no JSON, or brackets thousands deep
        return text
    except ValueError as error:
        raise ValueError(f"{text[:20]}... has {len(text)} digits, too many for a number; write a smaller number.") from error
    return value if value is None or isinstance(value, bool | int | float) else text
