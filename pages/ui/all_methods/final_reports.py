"""The final report: pinned networks on the test split, by which nothing was chosen; counted, once a data set."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from compress.curves.sink import opened_counter, report_key
from compress.curves.store import ACTIVE
from compress.service.requests import FinalRequest
from pages.ui.charts import outside, words
from pages.ui.shell import records, session, tray
from pages.ui.shell.choice import Card
from pages.ui.shell.gesture import begins

Row = dict[str, Any]


def draw(pinned: list[Row], known: Card) -> None:
    """One button a data set: opens its test split for the pinned networks, and counts how often that was done."""
    for data, contents in sorted({(row["data"], row["data_digest"] or "") for row in pinned}):
        own = [row for row in pinned if (row["data"], row["data_digest"] or "") == (data, contents)]
        if contents != records.data_digest(data):
            why = "the files of this name have other contents now" if contents else "the contents of its files are unknown"
            st.caption(f"No final report on {outside.markdown(own[0]['data_title'])}: {why}.")
            continue
        key = report_key(data, contents, [row["digest"] for row in own])
        opened = session.store().counter(opened_counter(data, contents))
        report = session.store().view(key, "final")
        job = session.store().latest_job(key)
        if job and job["state"] in ACTIVE:
            st.fragment(_wait_for, run_every=0.4)(key)
        elif report:
            _report(report, own, opened)
            _whole_page(data, contents, own, known)
        else:
            tray.outcome(job)
            title = outside.markdown(own[0]["data_title"])
            request = FinalRequest(data, tuple(row["digest"] for row in own), key)
            st.button(f"Final report: test the {len(own)} pinned of {title}",
                      **begins(f"final.{data}", key, partial(session.submit, request, key, "Final report")))
            st.caption(f"Uses the test split of {title}, by which nothing was chosen. {words.test_uses(opened)} so far. "
                       "Do it once, when all choices are made.")


def _wait_for(key: str) -> None:
    job = session.store().latest_job(key)
    if job["state"] not in ACTIVE:
        st.rerun()
    tray.progress(job, "final")


def _report(report: Row, own: list[Row], opened: int) -> None:
    by_digest = {row["digest"]: row for row in own}
    which = "" if opened == 1 else f" (this report was use {report['opened']:,})"
    st.markdown(f"**Final report** on {report['examples']:,} test examples of {outside.markdown(own[0]['data_title'])}. "
                f"{words.test_uses(opened)}{which}.")
    pairs = [(by_digest[row["name"]], row) for row in report["rows"] if row["name"] in by_digest]
    st.dataframe([{"network": own["network"],
                   "validation accuracy, 95 %": words.accuracy_range(own),
                   "test accuracy, 95 %": words.accuracy_range(tested),
                   "test inside the validation interval": "yes" if is_inside(own, tested) else "no",
                   "size": words.size(own["bytes"])} for own, tested in pairs], hide_index=True)
    st.caption(f"{sum(is_inside(*pair) for pair in pairs)} of {len(pairs)} test accuracies lie inside the validation "
               f"interval. {words.INTERVAL}")


def _whole_page(data: str, contents: str, own: list[Row], known: Card) -> None:
    """The report as one HTML file, made when it is asked for."""
    def made() -> bytes:
        from compress.report import gathering, page  # a page that nobody downloads a report from need not wait for numpy

        store, digests = session.store(), [row["digest"] for row in own]
        found = gathering.gather(store, data, contents, digests, known["methods"], own[0]["data_title"])
        if found is None:
            raise LookupError(f"the final report on {data} was deleted a moment ago")
        return page.page(found, store.artefacts)

    st.download_button("This report as one page (HTML)", made, f"report_{outside.file_part(data)}.html", "text/html",
                       key=f"report.{data}", icon=":material/description:", on_click="ignore",
                       help="Charts, settings, seeds, versions and pictures in one file that needs no network.")


def is_inside(validated: Row, tested: Row) -> bool:
    """Whether the accuracy on the test split lies inside the interval of the accuracy on validation."""
    return validated["accuracy_low"] <= tested["accuracy"] <= validated["accuracy_high"]
