"""The final report: what of it needs no page."""

from __future__ import annotations

import pytest

from pages.ui.all_methods import final_reports
from pages.ui.shell import records
from tests.pages.samples import point


@pytest.mark.parametrize(("tested", "inside"), [(90, True), (83, True), (82, False), (97, False)])
def test_a_test_accuracy_is_inside_the_interval_of_validation_or_not(tested, inside):
    validated = point(0.1, 1_000, 90)  # 82.6 to 94.5 %
    assert final_reports.is_inside(validated, point(0.1, 1_000, tested)) is inside


@pytest.mark.parametrize(("contents", "why"), [
    ("earlier", "the files of this name have other contents now"), (None, "the contents of its files are unknown")])
def test_there_is_no_report_on_files_that_are_not_the_present_ones(contents, why, monkeypatch):
    said = []
    monkeypatch.setattr(records, "data_digest", lambda name: "present")
    monkeypatch.setattr(final_reports.st, "caption", said.append)
    monkeypatch.setattr(final_reports.st, "button", lambda *_, **__: pytest.fail("a report is offered"))
    final_reports.draw([{"data": "local:mine", "data_digest": contents, "data_title": "Mine"}], {})
    assert said == [f"No final report on Mine: {why}."]
