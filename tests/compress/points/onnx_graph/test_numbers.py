"""What an ONNX file stores of each kind of layer, and with which operators it computes."""

from __future__ import annotations

import math

import pytest
import torch

from compress.files.made_for import MadeFor
from compress.points import onnx_export
from compress.points.onnx_graph import modules
from tests.compress.points.onnx_graph.cases import network_of

onnx = pytest.importorskip("onnx", reason="the optional extra for ONNX is not installed")
pytest.importorskip("onnxruntime", reason="the optional extra for ONNX is not installed")

MLP = "mlp(hidden=48-32,epochs=6)"
WEIGHTS = 64 * 48 + 48 * 32 + 32 * 10


def graph_of(text, teacher, data):
    """The ONNX graph of the network of these methods."""
    network, _ = network_of(text, teacher, data)
    return onnx.load_from_string(onnx_export.to_onnx(network, MadeFor.of(data))).graph


def operators(graph):
    return {node.op_type for node in graph.node}


def stored(graph, *kinds):
    """How many numbers of these types the file holds."""
    wanted = [getattr(onnx.TensorProto, kind) for kind in kinds]
    return sum(math.prod(one.dims) for one in graph.initializer if one.data_type in wanted)


@pytest.mark.parametrize(("settings", "operator", "kind"), [
    ("levels=5", "DequantizeLinear", "UINT4"), ("levels=16", "DequantizeLinear", "UINT4"),
    ("levels=256,per=channel", "DequantizeLinear", "UINT8"), ("levels=1000", "DequantizeLinear", "UINT16"),
    ("levels=16,per=group", "DequantizeLinear", "UINT4"), ("levels=16,scheme=codebook", "Gather", "UINT4"),
    ("levels=256,activations=int8", "MatMulInteger", "UINT8"),
    ("levels=65536,scheme=float16", "Cast", "FLOAT16"), ("levels=65536,scheme=bfloat16", "Cast", "BFLOAT16")])
def test_weights_are_stored_in_the_numbers_of_the_layer(settings, operator, kind, trained, digits):
    graph = graph_of(f"quantize({settings})", trained(MLP), digits)
    assert operator in operators(graph)
    assert WEIGHTS <= stored(graph, kind) < WEIGHTS + 200
    assert stored(graph, "FLOAT") < 700  # biases, steps and the normaliser


def test_a_convolution_of_whole_numbers_has_the_operator_for_it(trained, digits):
    graph = graph_of("quantize(levels=256,activations=int8)", trained("resnet(channels=8-16,epochs=2)"), digits)
    assert {"ConvInteger", "QuantizeLinear"} <= operators(graph)
    assert stored(graph, "UINT8") > 4 * stored(graph, "FLOAT")  # small layers stay as they are


def test_weights_that_were_removed_are_not_stored(trained, digits):
    graph = graph_of("prune(sparsity=0.9)", trained(MLP), digits)
    assert stored(graph, "FLOAT") < 0.1 * WEIGHTS + 200 and stored(graph, "UINT8", "UINT16") < 0.1 * WEIGHTS + 20
    both = graph_of("prune(sparsity=0.9)+quantize(levels=16,scheme=codebook)", trained(MLP), digits)
    assert stored(both, "FLOAT") < 300 and stored(both, "UINT8", "UINT16") < 2 * (0.1 * WEIGHTS + 20)


def test_a_recurrent_unit_is_one_operator_where_its_maps_are_matrices_and_a_loop_where_they_are_not(trained, digits):
    teacher = trained("gru(hidden=12,epochs=1)")
    assert "GRU" in operators(graph_of("quantize(levels=16)", teacher, digits))
    factors = graph_of("low_rank(keep=0.3)", teacher, digits)
    assert "Scan" in operators(factors) and "GRU" not in operators(factors)


def test_a_module_without_a_writer_is_left_to_torchs_exporter(trained, digits, monkeypatch):
    network, described = trained(MLP), MadeFor.of(digits)
    monkeypatch.delitem(modules.WRITERS, torch.nn.ReLU)
    pytest.importorskip("onnxscript", reason="the optional extra for ONNX is not installed")
    assert onnx_export.agreement(onnx_export.to_onnx(network, described), network, described, digits).agreement == 1.0
