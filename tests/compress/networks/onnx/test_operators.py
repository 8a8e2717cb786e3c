"""Operators in graphs by hand compute what ONNX Runtime computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper

from compress.points import uploaded
from tests.compress.networks.onnx import graphs
from tests.compress.networks.onnx.graphs import node, numbers, whole

pytest.importorskip("onnxruntime")


def scalar(name: str, value: int) -> Any:
    return numpy_helper.from_array(np.int64(value), name)


def factors(name: str, *values: float) -> Any:
    return numpy_helper.from_array(np.array(values, np.float32), name)


PLACES = [node("Cast", "x", "c", to=7), node("Clip", "c low high", "p"), node("MatMul", "x w", "t"),
          node("GatherElements", "t p", "scores", axis=1)]
IMAGE = (1, 2, 4, 4)
GRAPHS: dict[str, tuple[list[Any], list[Any], tuple[int, ...]]] = {
    "whole numbers in limits stay places": (PLACES, [scalar("low", 0), scalar("high", 2), numbers("w", 3, 3)], (3,)),
    "powers of whole numbers stay places": (
        [node("Cast", "x", "c", to=7), node("Pow", "c two", "q"), node("Clip", "q low high", "p"),
         node("MatMul", "x w", "t"), node("GatherElements", "t p", "scores", axis=1)],
        [numpy_helper.from_array(np.float32(2), "two"), scalar("low", 0), scalar("high", 2), numbers("w", 3, 3)], (3,)),
    "the place of the largest number": (
        [node("ArgMax", "x", "p", axis=1, keepdims=1), node("MatMul", "x w", "t"),
         node("GatherElements", "t p", "g", axis=1), node("Add", "g t", "scores")], [numbers("w", 3, 3)], (3,)),
    **{f"sums, exclusive {exclusive}, reverse {reverse}": (
        [node("CumSum", "x axis", "s", exclusive=exclusive, reverse=reverse), node("MatMul", "s w", "scores")],
        [scalar("axis", 1), numbers("w", 5, 3)], (5,)) for exclusive in (0, 1) for reverse in (0, 1)},
    "a product over several axes": (
        [node("Einsum", "x w", "s", equation="bchw,chk->bk")], [numbers("w", 2, 4, 3)], IMAGE[1:]),
    "a sum by letters": ([node("Einsum", "x", "s", equation="bchw->bc")], [], IMAGE[1:]),
    **{f"larger images, {mode} {places}": (
        [node("Resize", "x none factors", "r", mode=mode, coordinate_transformation_mode=places,
              **({"nearest_mode": "floor"} if mode == "nearest" else {"cubic_coeff_a": -0.75} if mode == "cubic" else {})),
         node("Flatten", "r", "f"), node("MatMul", "f w", "scores")],
        [factors("none"), factors("factors", 1, 1, 2, 1.5), numbers("w", 96, 3)], IMAGE[1:])
       for mode, places in (("nearest", "asymmetric"), ("linear", "half_pixel"), ("linear", "align_corners"),
                            ("cubic", "half_pixel"), ("cubic", "align_corners"))},
    "images of the size that they have": (
        [node("Resize", "x none same", "r", mode="cubic", coordinate_transformation_mode="pytorch_half_pixel"),
         node("Flatten", "r", "f"), node("MatMul", "f w", "scores")],
        [factors("none"), factors("same", 1, 1, 1, 1), numbers("w", 32, 3)], IMAGE[1:]),
}


def file_of(name: str, path: Path) -> Path:
    nodes, constants, shape = GRAPHS[name]
    nodes = [*nodes[:-1], type(nodes[-1]).FromString(nodes[-1].SerializeToString())]
    nodes[-1].output[0] = "scores"
    path.write_bytes(graphs.made(nodes, constants, ("n", *shape)))
    return path


@pytest.mark.parametrize("name", GRAPHS)
def test_scores_are_those_of_onnx_runtime(name: str, tmp_path: Path) -> None:
    assert uploaded.opened_file(file_of(name, tmp_path / "network.onnx"), "network").about["largest_difference"] < 1e-5


REFUSED: dict[str, tuple[list[Any], list[Any], tuple[int, ...]]] = {
    "'Einsum': it has more than two inputs": (
        [node("Einsum", "x w v", "scores", equation="bi,ij,jk->bk")], [numbers("w", 3, 4), numbers("v", 4, 3)], (3,)),
    "'Resize': the options mode = linear and coordinate_transformation_mode = tf_crop_and_resize": (
        [node("Resize", "x none factors", "r", mode="linear", coordinate_transformation_mode="tf_crop_and_resize"),
         node("Flatten", "r", "f"), node("MatMul", "f w", "scores")],
        [factors("none"), factors("factors", 1, 1, 2, 2), numbers("w", 128, 3)], IMAGE[1:]),
    "'Resize': it makes .* only height and width of images": (
        [node("Resize", "x none none sizes", "r", mode="nearest"), node("Flatten", "r", "f"),
         node("MatMul", "f w", "scores")],
        [factors("none"), whole("sizes", 1, 2, 8, 8), numbers("w", 128, 3)], IMAGE[1:]),
    "'GatherElements': its indices are no whole numbers": (
        [node("MatMul", "x w", "t"), node("GatherElements", "t x", "scores", axis=1)], [numbers("w", 3, 3)], (3,)),
    "'ArgMax': its option select_last_index": (
        [node("ArgMax", "x", "p", axis=1, select_last_index=1), node("MatMul", "x w", "t"),
         node("GatherElements", "t p", "scores", axis=1)], [numbers("w", 3, 3)], (3,)),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_not_supported_is_said(words: str, tmp_path: Path) -> None:
    nodes, constants, shape = REFUSED[words]
    (tmp_path / "network.onnx").write_bytes(graphs.made(nodes, constants, ("n", *shape)))
    with pytest.raises(ValueError, match=f"the operator {words}"):
        uploaded.opened_file(tmp_path / "network.onnx", "network")


def test_places_outside_of_a_table_are_refused_with_and_without_onnx_runtime(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shapes fit, numbers do not."""
    nodes = [node("Cast", "x", "c", to=7), node("Add", "c many", "p"), node("MatMul", "x w", "t"),
             node("GatherElements", "t p", "scores", axis=1)]
    path = tmp_path / "network.onnx"
    path.write_bytes(graphs.made(nodes, [scalar("many", 1000), numbers("w", 3, 3)], ("n", 3)))
    for package in ("onnxruntime", "no_such_package"):
        monkeypatch.setattr(uploaded, "RUNTIME", package)
        with pytest.raises(ValueError, match="its operators cannot compute the scores of an example"):
            uploaded.opened_file(path, "network")
