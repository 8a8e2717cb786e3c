"""What the tray says of a job, whose title, progress and error came from outside."""

from __future__ import annotations

import pytest

from pages.ui.charts import outside
from pages.ui.shell import tray
from tests.pages.shell.test_job_words import job

ATTACK = "![x](http://a.example/y.png) :red[x]"


@pytest.mark.parametrize("one", [job(1, state="queued", title=ATTACK), job(1, title="Curve", text=ATTACK)])
def test_no_word_of_a_job_is_markup(one):
    assert outside.markdown(ATTACK) in tray.sentence(one, [one])
