"""Distillation: students of all widths with their controls, and what the teacher's outputs hold beyond the label."""

from dataclasses import replace
from typing import Any

import streamlit as st

from compress.recipe import Recipe
from compress.setting_values import label_of
from pages.ui.charts import charts, outside, palette, words
from pages.ui.charts.distillation import dark_knowledge, distill_charts
from pages.ui.charts.distillation.students import Result, Students, about, of_job, of_plans, only_first_right
from pages.ui.explore import pictures, results
from pages.ui.explore.curve import explore
from pages.ui.explore.curve_state import CurveState
from pages.ui.explore.folds import Fold, of_point
from pages.ui.explore.method_page import MethodPage, Preset
from pages.ui.liveplot import liveplot
from pages.ui.shell import session
from pages.ui.shell.frame import open_page

STRONG = "mlp(hidden=400-400,dropout=0.2,shift=2,epochs=20)"
PRESETS = (
    Preset("Digits in seconds", "digit", "Students of every width, each beside the same network on labels alone.", {},
           "digits", "LeNet-300-100"),
    Preset("Only 50 labels, in seconds", "few labels", "The other digits are used without labels, with the teacher's "
           "outputs as targets.", {"labelled": 50, "alpha": 1.0, "epochs": 20, "temperatures": "1-8"}, "digits",
           "LeNet-300-100"),
    Preset("Words", "text", "Sentences of documentation: students with narrower embedding tables, down to one "
           "number for each word.", {"epochs": 20, "temperature": 2.0, "seeds": 1, "temperatures": "none"}, "docstrings",
           "Embedding bag"),
    Preset("A bag of words", "bag", "Students of 2,000 counted words: each unit less in the first layer saves 2,000 "
           "numbers.", {"epochs": 20, "temperature": 2.0, "seeds": 1, "temperatures": "none"}, "docstring_words",
           "LeNet-300-100"),
    Preset("The textbook pair", "pair", "784-128-10, trained on shifted digits (augmentation), is the teacher of 784-64-10 "
           "and its neighbours.", {"width": 0.5, "temperatures": "1-20"}, "mnist5k", "mlp(hidden=128,shift=2,epochs=40)"),
    Preset("30 hidden units", "narrow", "A strong teacher, trained on shifted digits (augmentation); students of one small "
           "hidden layer.", {"depth": 1, "width": 0.075, "temperature": 2.0, "temperatures": "1-8"}, "mnist5k", STRONG),
    Preset("Only 100 labels", "some labels", "The other 2,900 digits are used without labels, with the teacher's outputs as "
           "targets.", {"labelled": 100, "width": 0.2, "alpha": 1.0, "temperatures": "1-20"}, "mnist5k", STRONG),
    Preset("Trained without a class", "missing class", "Its training examples have no 3, yet it recognises many "
           "threes.", {"omit": 3, "width": 0.2, "alpha": 1.0, "temperature": 8.0, "temperatures": "1-20"}, "mnist5k",
           STRONG),
    Preset("Gap too large", "gap", "At a high temperature tiny students do worse than on labels alone; see whether an "
           "assistant of middle size helps.",
           {"assistant": 0.1, "width": 0.015, "temperature": 20.0, "temperatures": "none", "seeds": 5}, "mnist5k", STRONG),
)


class DistillPage(MethodPage):
    """Students, their controls, and the teacher's soft targets."""

    method = "distill"
    presets = PRESETS

    def notices(self, state: CurveState) -> list[str]:
        """The results at this stop in sentences, and whether each difference is significant."""
        found, own = students(state), state.settings
        if not state.point:
            return []
        gain = found.gain(state.dial, own["temperature"])
        sentences = [f"The student <b>{outside.html(state.point['inside']['title'])}</b> is "
                     f"{words.smaller_than(state.point['bytes'], state.reference['bytes'], 'its teacher')} and reaches "
                     f"<b>{words.accuracy(state.point)}</b>."]
        if gain:
            verdict = ("the teacher's outputs help" if gain.mean > 0 else "training on labels alone is better here")
            sentences.append(f"Against the same students on labels alone: <b>{distill_charts.gain_in_words(gain)}</b>"
                             + (f": {verdict}." if gain.certain else "."))
        through = found.assistant_gain(state.dial, own["temperature"])
        if through:
            sentences.append("Against students trained with the teacher directly, the assistant adds "
                             f"<b>{distill_charts.gain_in_words(through)}</b>.")
        sentences.append(unseen_class(found, state))
        if not state.running:
            sentences.append(best_gain(found, state.values))
        return sentences + results.notes(state)

    def hero(self, state: CurveState, others: dict[str, list[dict]]) -> charts.Chart:
        """Students, controls and the teacher."""
        own = state.settings
        return distill_charts.hero(
            students(state), state.reference, temperature=own["temperature"], seed=own["student_seed"], values=state.values,
            logits=own["loss"] == "logits", start=state.start, alone=own["alpha"] == 0)

    def readout(self, state: CurveState) -> list[str | None]:
        """A student's size and accuracy, also while it is still learning."""
        return [finished or (student and " · ".join(so_far(student, state.reference)))
                for finished, student in zip(super().readout(state), at_stops(state), strict=True)]

    def tiles(self, state: CurveState) -> list[list[tuple[str, str]] | None]:
        """A student's figures, also while it is still learning."""
        return [finished or (student and tiles_so_far(student, state.reference))
                for finished, student in zip(super().tiles(state), at_stops(state), strict=True)]

    def picture(self, state: CurveState) -> charts.Chart | None:
        """Softened outputs of the teacher and of each width's student for one example."""
        if "teacher_logits" not in state.view or not any("logits" in point["inside"] for point in state.points):
            return self._gains(state) if state.points else None
        number = session.remembered_place("distill.example", len(state.view["examples"]))
        return dark_knowledge.at_stops(state.view, number, state.points, state.values, state.settings["temperature"])

    def folds(self, state: CurveState) -> list[Fold]:
        """What the teacher adds, how the student learned, dark knowledge, and what only the student learned."""
        return [Fold("What the teacher's outputs add", lambda: self._added(state)),
                Fold("Dark knowledge: the teacher's soft targets",
                     (lambda: dark(state)) if "teacher_logits" in state.view else None),
                Fold("How the student learns", of_point(self._learning, state)),
                Fold("Learned only with the teacher", of_point(helped, state))]

    def actions(self, state: CurveState) -> None:
        """The student as a start of other pages."""
        use(state)

    def _gains(self, state: CurveState) -> charts.Chart:
        return distill_charts.gains(students(state), state.settings["temperature"], state.values,
                                    [self.label(value) for value in state.values])

    def _added(self, state: CurveState) -> None:
        found, shown = students(state), [self._gains(state)]
        if len(found.distilled) > 1:
            shown.append(distill_charts.heat_map(found, state.values, [self.label(value) for value in state.values]))
        self.draw("gains", shown)
        st.caption(f"Over {state.asked['seeds']} seeds. The map's cells can be clicked.")

    def _learning(self, state: CurveState) -> None:
        own = state.settings
        control = students(state).controls.get((state.dial, own["student_seed"]))
        self.draw("learning", [distill_charts.learning(state.point, control and control.point, own["epochs"])])
        steps = own["epochs"] * -(-state.teacher["card"]["train_examples"] // own["batch"])
        reads = "The control reads" if own["unlabelled"] else "Both read"
        few = f" {reads} the {own['labelled']:,} labelled examples alone, more often." if own["labelled"] else ""
        st.caption(f"Student and control start from the same weights and take the same {steps:,} steps of {own['batch']} "
                   f"examples in the same order.{few} Shaded above: the range over {state.asked['seeds']} seeds.")

    def select(self, clicked: Any) -> None:
        """A click on the map takes the dial and the temperature there; one on a curve takes the dial."""
        width, *temperature = clicked if isinstance(clicked, list) else [clicked]
        self.choose(width=width, **({"temperature": temperature[0]} if temperature else {}))


def students(state: CurveState) -> Students:
    """Every student of these settings, and how far those of a running job are."""
    if "students" not in state.cache:
        state.cache["students"] = _looked_up(state)
    return state.cache["students"]


def _looked_up(state: CurveState) -> Students:
    store, digest = session.store(), state.teacher["digest"]
    plans = about(store.plans(digest), state.recipe)
    points = store.points_of({run.key for plan in plans for run in plan.runs}, digest)
    points |= {Recipe.parse(point["recipe"]).key(): point for point in state.points}
    predictions = None if state.running else store.all_predictions(state.chain, digest)
    found = of_plans(plans, state.recipe, points, predictions, state.teacher["card"]["labels"])
    return of_job(state.job["live"], state.plan, state.recipe, found) if state.running else found


def unseen_class(found: Students, state: CurveState) -> str:
    """How many examples of a class the student recognises that was never among its own."""
    own = state.settings
    key = (state.dial, own["student_seed"])
    student, control = found.distilled.get(own["temperature"], {}).get(key), found.controls.get(key)
    label, classes = label_of(own["omit"]), state.teacher["card"]["classes"]
    if label not in classes or not student or student.predictions is None or not control or control.predictions is None:
        return ""
    its = found.labels == classes.index(label)
    right, alone = (int((one.predictions[its] == classes.index(label)).sum()) for one in (student, control))
    name = outside.html(label, outside.NAME)
    return (f"Of {int(its.sum())} examples of class <b>{name}</b>, on which it was not trained, it recognises "
            f"<b>{right}</b>; on labels alone {alone}.")


def best_gain(found: Students, values: list[float]) -> str:
    """The largest gain whose interval leaves out zero."""
    places = [(value, temperature) for temperature in found.distilled for value in values]
    gains = [(found.gain(*place), place) for place in places]
    certain = [(gain.mean, *place) for gain, place in gains if gain and gain.certain and gain.mean > 0]
    if not certain:
        return "At no measured width and temperature is the gain significant."
    mean, value, temperature = max(certain)
    return f"Largest significant gain: width {100 * value:g} %, T = {temperature:g}, {100 * mean:+.1f} points."


def at_stops(state: CurveState) -> list[Result | None]:
    """The student at each stop of the dial, also while it is learning."""
    places = students(state).distilled.get(state.settings["temperature"], {})
    return [places.get((value, state.settings["student_seed"])) for value in state.values]


def so_far(student: Result, reference: dict) -> list[str]:
    """34.1 kB, 12× smaller, 93.2 % so far."""
    reached = "diverged" if student.accuracy is None else f"{words.percent(student.accuracy)} so far"
    return [words.size(student.bytes), words.times_smaller(student.bytes, reference["bytes"]), reached]


def tiles_so_far(student: Result, reference: dict) -> list[tuple[str, str]]:
    """The same in large figures, each with what it is."""
    size, smaller, reached = so_far(student, reference)
    return [(size, smaller), (reached.removesuffix(" so far"), "accuracy so far"), ("–", "speed")]


def use(state: CurveState) -> None:
    """Puts the student at the dial in the teacher's place, on every other page."""
    taken = session.choice().start == state.recipe.methods
    st.button("This student is in the teacher's place" if taken else "Put this student in the teacher's place",
              icon=":material/swap_horiz:", key="distill.use", disabled=taken,
              on_click=lambda: session.choose(replace(session.choice(), start=state.recipe.methods)),
              help="Every other page then starts from this student: factorise it, prune it, compare it.")


def dark(state: CurveState) -> None:
    """The softened outputs of teacher, student and control for one example, with a temperature dial of their own."""
    view, own = state.view, state.settings
    number = session.remembered_place("distill.example", len(view["examples"]))
    left, right = st.columns([1, 5], gap="medium")
    with left:
        shown = pictures.of_examples(view, [view["examples"][number]])
        if shown:
            st.html(pictures.gallery([(shown[0], f"class {outside.name(view['example_labels'][number])}")], size=120,
                                     widest=120))
        st.button("Another example", key="distill.next", width="stretch", on_click=lambda: session.remember(
            "distill.example", (number + 1) % len(view["examples"])))
        st.caption(f"{number + 1} of {len(view['examples'])} on which the teacher is least certain")
    series = [("teacher", view["teacher_logits"][number], palette.GREY)]
    if state.point and "logits" in state.point["inside"]:
        series.append(("student", state.point["inside"]["logits"][number], palette.of_method("distill")))
        control = students(state).controls.get((state.dial, own["student_seed"]))
        if control and control.point:
            series.append(("labels alone", control.point["inside"]["logits"][number], palette.SKY))
    with right:
        liveplot([dark_knowledge.outputs(view, number, series), dark_knowledge.alike(view)], key="distill.dark",
                 dial=dark_knowledge.dial(view, number, own["temperature"]))


def helped(state: CurveState) -> None:
    """Examples that every student with the teacher has right and every one without has wrong."""
    found, own = students(state), state.settings
    labels, classes = found.labels, [outside.name(name) for name in state.teacher["card"]["classes"]]
    distilled, alone = ([one.predictions for (width, _), one in sorted(places.items())
                      if width == state.dial and one.predictions is not None]
                     for places in (found.distilled.get(own["temperature"], {}), found.controls))
    if not distilled or not alone:
        return
    only, lost = only_first_right(distilled, alone, labels), only_first_right(alone, distilled, labels)
    seeds = min(len(distilled), len(alone))
    each = "in every seed" if seeds > 1 else "with this seed"
    st.caption(f"{len(only)} validation examples are right {each} with the teacher and wrong {each} without; {len(lost)} "
               "the other way round.")
    shown = pictures.of_examples(state.view, only[:12])
    if shown:
        st.html(pictures.gallery([(values, f"{classes[labels[row]]}, alone: {classes[alone[0][row]]}")
                                  for values, row in zip(shown, only, strict=False)]))


page = open_page("Distill", "Train small networks to imitate the teacher's outputs. Hollow points: the same networks on "
                 "labels alone.",
                 {"distill": "Distillation"})
explore(DistillPage(page))
