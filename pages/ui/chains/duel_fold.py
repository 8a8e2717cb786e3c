"""A duel: the chain on the screen against another one at equal size, over several seeds, with a verdict in words."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from compress.curves.chains.contest_words import EQUALLY
from compress.curves.chains.duel_plan import BYTES, MACS, Duel
from compress.curves.chains.order_plan import SEEDS
from compress.recipe import Recipe
from compress.service.requests import DuelRequest
from pages.ui.chains import presets
from pages.ui.chains.chained import Chained, of_text
from pages.ui.chains.order_fold import is_running
from pages.ui.chains.state import ChainState
from pages.ui.charts import outside, words
from pages.ui.shell import records, session, tray, widgets
from pages.ui.shell.choice import Card
from pages.ui.shell.frame import Page
from pages.ui.shell.gesture import begins

TITLE = "A duel: this chain against another one of the same size"
REVERSED = "The same steps the other way round"
BY = {BYTES: "bytes of the file", MACS: "multiply-adds"}


def draw(state: ChainState, page: Page) -> None:
    """What is in the fold."""
    if not state.point:
        st.caption("Measure the chain first: the duel is at the size of its last network.")
        return
    duel = _choices(state, page)
    polls = is_running(_job(duel))
    st.fragment(_fight, run_every=0.7 if polls else None)(duel, polls)


def opponents(own: Chained, known: Card) -> dict[str, Chained]:
    """What the chain can meet: itself the other way round, every preset, and every method alone."""
    found = {REVERSED: Chained(own.steps[::-1])} if len(own.steps) > 1 and own.steps != own.steps[::-1] else {}
    found |= {preset.title: of_text(preset.chain, known) for preset in presets.PRESETS}
    found |= {f"{card['title']} alone": of_text(name, known) for name, card in known["methods"].items()
              if card["applies_to"] == "network"}
    return {title: one for title, one in found.items() if one.steps != own.steps}


def _choices(state: ChainState, page: Page) -> Duel:
    able = opponents(state.chained, page.known)
    title = session.remembered("duel.opponent", next(iter(able)))
    title = title if title in able else next(iter(able))
    by, seeds = session.remembered("duel.by", BYTES), session.remembered("duel.seeds", 3)
    first, second, third = st.columns([3, 3, 2], vertical_alignment="bottom")
    with first:
        st.selectbox("Against",
                     **widgets.bound_choice("duel.chosen", able, title, partial(session.remember, "duel.opponent")))
    with second:
        st.segmented_control("At equal", list(BY), format_func=BY.get, required=True,
                             **widgets.bound_chips("duel.quantity", by, partial(session.remember, "duel.by")))
    with third:
        st.segmented_control("Seeds", SEEDS, required=True,
                             **widgets.bound_chips("duel.count", seeds, partial(session.remember, "duel.seeds")))
    point, choice = state.point or {}, session.choice()
    return Duel(_curve(state.chained.recipe(choice), page.known), _curve(able[title].recipe(choice), page.known), by,
                float(point["bytes" if by == BYTES else "macs"]), seeds)


def _curve(recipe: Recipe, known: Card) -> Recipe:
    return recipe.curve(known["methods"][recipe.methods[-1].name]["dial"])


def _job(duel: Duel) -> dict[str, Any] | None:
    return session.store().latest_job(_key(duel))


def _key(duel: Duel) -> str:
    return records.job_key(duel.first, f"{duel.view_key} {duel.seeds}")


def _fight(duel: Duel, polled: bool) -> None:
    job = _job(duel)
    if is_running(job) != polled:
        st.rerun()
    digest = records.data_digest(duel.first.data)
    view = session.store().view(duel.view_key, digest) or {}
    found, known = duel.verdict(view), duel.known(view)
    if is_running(job) and job:
        tray.progress(job, "duel")
    elif len(known) < duel.seeds:
        tray.outcome(job)
        st.button("Measure the duel" if not known else f"Measure the {duel.seeds - len(known)} seeds left", type="primary",
                  **begins("duel.measure", _key(duel), partial(_submit, duel)))
    if found:
        st.html(f"<div class='ce-notice'><b>{outside.html(found.in_words('this chain', 'the other one'))}</b></div>")
        st.dataframe(rows(known, duel.by), hide_index=True)
    st.caption(f"The last dial of each is chosen for the size of the network on the screen. {EQUALLY} The test is exact, "
               "over the same validation examples, the votes of an example's seeds added up (McNemar's test where there is "
               "one seed).")


def rows(known: list[dict[str, Any]], by: str) -> list[dict[str, str]]:
    """One row for each seed."""
    size = words.size if by == BYTES else words.many
    return [{"seed": str(Recipe.parse(one["recipes"][0]).seed), "this chain": words.percent(one["accuracies"][0]),
             "the other one": words.percent(one["accuracies"][1]), "its size": size(one["sizes"][0]),
             "the other's size": size(one["sizes"][1]),
             "only this one right": str(one["votes"].count("+")), "only the other right": str(one["votes"].count("-"))}
            for one in known]


def _submit(duel: Duel) -> None:
    request = DuelRequest(duel.first.text(), duel.second.text(), duel.by, duel.size, duel.seeds)
    session.submit(request, _key(duel), "Duel")
