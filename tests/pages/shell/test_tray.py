"""What the tray says of a job, whose title, progress and error came from outside."""

from __future__ import annotations

import pytest

from pages.ui.charts import outside
from pages.ui.shell import tray

ATTACK = "![x](http://a.example/y.png) :red[x]"


@pytest.mark.parametrize("job", [
    {"state": "queued", "title": ATTACK},
    {"state": "running", "title": "Curve", "text": ATTACK, "share": 0.5, "started": None}])
def test_no_word_of_a_job_is_markup(job):
    assert outside.markdown(ATTACK) in tray.sentence(job)
