"""What the app asks a worker for, as plain data and back."""

from __future__ import annotations

import json

import pytest

from compress.service.job_kinds import JOBS
from compress.service.requests import (
    KINDS,
    ChainRequest,
    CurveRequest,
    DuelRequest,
    FinalRequest,
    InspectRequest,
    NetworkRequest,
    OnnxRequest,
    OrderRequest,
    PointsRequest,
    ProgramRequest,
    RaceRequest,
    Request,
    SolveRequest,
    SpeedRequest,
    TeacherRequest,
    request_of,
)

ALL = [TeacherRequest("digits/mlp/0"), CurveRequest("digits/mlp/low_rank/0", (0.1, 0.2)),
       PointsRequest(("digits/mlp/low_rank(keep=0.1)/0", "digits/mlp/prune(sparsity=0.9)/0")), SpeedRequest("digits/mlp/0"),
       SolveRequest("digits/mlp/0", "at_most=1", 3.0),
       RaceRequest("digits/mlp/0"), FinalRequest("digits", ("abc",), "final"),
       ChainRequest("digits/mlp/prune+quantize/0", (0.5, 0.9), 1),
       OrderRequest("digits/mlp/0", 16.0, 3), DuelRequest("digits/mlp/prune/0", "digits/mlp/distill/0", "bytes", 9e3, 5),
       InspectRequest("digits", "abc", "def"), OnnxRequest("digits", "abc"), ProgramRequest("digits", "abc"),
       NetworkRequest("opened abc", "/home/a.onnx", "digits", "1-28-28")]


@pytest.mark.parametrize("request_", ALL, ids=lambda one: one.kind)
def test_a_request_comes_back_from_its_plain_data(request_: Request) -> None:
    assert request_of(request_.kind, json.loads(json.dumps(request_.plain()))) == request_


def test_every_kind_has_a_function() -> None:
    assert set(KINDS.values()) == set(JOBS) == {type(one) for one in ALL}


def test_what_no_worker_can_do_is_answered_with_what_it_can() -> None:
    with pytest.raises(ValueError, match=r"no job of kind 'dance'; kinds are teacher, curve, points, chain, race, order, "):
        request_of("dance", {})
    with pytest.raises(ValueError, match=r"A job of kind 'teacher' has the fields recipe, but got none"):
        request_of("teacher", {})
    with pytest.raises(ValueError, match=r"A job of kind 'final' has the fields data, digests, key, but got data"):
        request_of("final", {"data": "digits"})
