"""The job of several curves' networks at once: each is measured, and what is impossible is told after the others."""

from __future__ import annotations

import pytest
import torch

from compress.progress import no_report
from compress.recipe import Recipe
from compress.service.job_kinds import do
from compress.service.requests import PointsRequest

CPU = torch.device("cpu")


def test_one_network_of_each_curve_is_measured_and_an_impossible_one_does_not_stop_the_others(measured):
    curve = measured("low_rank", (0.1,))
    start = Recipe.parse(curve.points[0]["recipe"]).reference().text().rpartition("/")[0]
    methods = "low_rank(keep=7)", "low_rank(keep=0.4)", "prune(sparsity=0.9)"
    texts = tuple(f"{start}/{method}/0" for method in methods)
    with pytest.raises(ValueError, match=r"^1 of 3 networks could not be measured: .*keep"):
        do(PointsRequest(texts), curve.store, no_report, CPU)
    made = {Recipe.parse(one["recipe"]).methods[-1].name: one for one in curve.store.all_points()
            if one["dial"] in (0.4, 0.9)}
    assert made.keys() == {"low_rank", "prune"} and all(one["roles"] == ["curve"] for one in made.values())
