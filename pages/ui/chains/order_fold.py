"""Does the order matter? Every two methods in both orders at equal bytes, as a map; measured when it is asked for."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from compress.curves.chains.contest_words import EQUALLY
from compress.curves.chains.order_plan import SEEDS, SMALLER, Order, chainable, named
from compress.curves.store import ACTIVE
from compress.service.requests import OrderRequest
from pages.ui.charts import outside, words
from pages.ui.charts.chains import order_map
from pages.ui.liveplot import liveplot
from pages.ui.shell import records, session, tray, widgets
from pages.ui.shell.frame import Page
from pages.ui.shell.gesture import begins

TITLE = "Does the order matter? Every two methods, both ways round, at equal bytes"


def draw(page: Page) -> None:
    """What is in the fold."""
    _choices(page)
    polls = is_running(_job(order_of(page)))
    st.fragment(_matrix, run_every=0.7 if polls else None)(page, polls)


def order_of(page: Page) -> Order:
    """The matrix that is chosen, on the sidebar's network."""
    return Order(session.choice().recipe(), session.remembered("order.smaller", 16.0), session.remembered("order.seeds", 3),
                 chainable(page.known["methods"]))


def is_running(job: dict[str, Any] | None) -> bool:
    """Whether a job is queued or at work."""
    return job is not None and job["state"] in ACTIVE


def _choices(page: Page) -> None:
    order = order_of(page)
    left, right, _ = st.columns([2, 2, 3], vertical_alignment="bottom")
    with left:
        st.segmented_control("Times smaller than the teacher", SMALLER, required=True, format_func=lambda one: f"{one}×",
                             **widgets.bound_chips("order.size", int(order.smaller), _smaller))
    with right:
        st.segmented_control("Seeds, each with a teacher of its own", SEEDS, required=True,
                             **widgets.bound_chips("order.count", order.seeds, partial(session.remember, "order.seeds")))


def _smaller(value: int) -> None:
    session.remember("order.smaller", float(value))


def _job(order: Order) -> dict[str, Any] | None:
    return session.store().latest_job(_key(order))


def _key(order: Order) -> str:
    return records.job_key(order.recipe, f"order {order.smaller:g} {order.seeds}")


def _matrix(page: Page, polled: bool) -> None:
    order = order_of(page)
    job = _job(order)
    if is_running(job) != polled:
        st.rerun()
    digest = records.data_digest(order.recipe.data)
    view = session.store().view(order.view_key, digest) or {} if digest else {}
    missing, verdicts = order.missing(view), order.verdicts(view)
    if is_running(job) and job:
        tray.progress(job, "order")
    elif missing:
        tray.outcome(job)
        st.button(f"Measure {missing} comparison{'s' if missing > 1 else ''}", type="primary", icon=":material/grid_on:",
                  **begins("order.measure", _key(order), partial(_submit, order)))
    refused = {pair: view["refused"][named(pair)] for pair in order.pairs if named(pair) in view.get("refused", {})}
    titles = [(name, page.known["methods"][name]["title"]) for name in order.methods]
    if verdicts or refused:
        st.html(f"<div class='ce-notice'>{sentence(order, verdicts, dict(titles), _asked(order))}</div>")
        liveplot([order_map.order_map(titles, verdicts, refused)], key="chain.order")
    for pair, reason in refused.items():
        st.caption(outside.markdown(f"Refused: {page.known['methods'][pair[0]]['title']} and "
                                    f"{page.known['methods'][pair[1]]['title']}. {reason}"))
    st.caption("Every method has its default settings, without training after it; distillation trains. The first step takes "
               "half of the way to the size asked (by ratio); the dial of the second is chosen so that the file is as large "
               f"as asked. {EQUALLY} Bold: significant, by an exact test over examples, the votes of an example's seeds "
               "added up (McNemar's test where there is one seed), with Holm's correction for all pairs. The "
               "test is about these networks only; the result of each seed is in the cell's hover text.")


def _asked(order: Order) -> float:
    """Bytes of the files that are asked for, for the first seed's teacher; 0 before it is trained."""
    teacher = records.teacher_record(order.recipe)
    return teacher["card"]["bytes"] / order.smaller if teacher else 0.0


def sentence(order: Order, verdicts: dict[Any, Any], titles: dict[str, str], asked: float) -> str:
    """What the map says, as HTML. asked: bytes of the files that were asked for."""
    clear = {pair: one for pair, one in verdicts.items() if one.is_significant}
    text = (f"The order matters for <b>{len(clear)} of {len(verdicts)}</b> pairs ({order.seeds} "
            f"seed{'s' if order.seeds > 1 else ''}). Asked were files of {words.size(asked)}, {order.smaller:g}× smaller "
            "than the teacher's; each cell has the size really reached.")
    if not clear:
        return text
    pair, most = max(clear.items(), key=lambda item: abs(item[1].points))
    first, second = pair if most.points > 0 else pair[::-1]
    sizes = words.size(sum(most.sizes) / 2)
    return (f"{text} Most for {titles[first].lower()} and {titles[second].lower()}: {titles[first].lower()} first is "
            f"<b>{abs(most.points):.1f} points</b> better at {sizes}.")


def _submit(order: Order) -> None:
    session.submit(OrderRequest(order.recipe.text(), order.smaller, order.seeds), _key(order), "Order of methods")
