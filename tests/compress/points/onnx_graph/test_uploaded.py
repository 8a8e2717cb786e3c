"""Points of uploaded networks, and of tables of embeddings, predict in ONNX Runtime what they predict here."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from compress.data.datasets import Dataset
from compress.files.made_for import MadeFor
from compress.layers.base import with_layers
from compress.layers.matrix_view import factorised
from compress.networks.embedding import Embedding
from compress.networks.evaluation import logits_of
from compress.networks.families import Architecture, EmbeddingBag, Network, TokenCNN, TokenGRU, build
from compress.networks.graph.architecture import Own
from compress.networks.onnx.opening import opened
from compress.points import onnx_export
from compress.training.own_network import adopt
from tests.compress.helpers import ids_data, toy_data
from tests.compress.networks.onnx import graphs
from tests.compress.points.onnx_graph.cases import network_of

onnx = pytest.importorskip("onnx", reason="the optional extra for ONNX is not installed")
pytest.importorskip("onnxruntime", reason="the optional extra for ONNX is not installed")

TEXTS = ("", "low_rank(keep=0.4,output_layer=true)", "prune(sparsity=0.7)", "quantize(levels=16)",
         "quantize(levels=16,scheme=codebook)", "sparse_code(nonzeros=1,atoms=4,block=2,output_layer=true)",
         "low_rank(keep=0.5,output_layer=true)+quantize(levels=32)", "quantize(levels=3,correction=1)")
OF_MATRICES = tuple(text for text in TEXTS if "low_rank" not in text and "correction" not in text)
FILES = {"channels last": graphs.channels_last, "fixed resnet": partial(graphs.script, "resnet", True),
         "dynamo attention": partial(graphs.dynamo, "attention"), "dynamo gru": partial(graphs.dynamo, "gru"),
         "fixed lstm": partial(graphs.script, "lstm", True)}
FAMILIES = {"embedding_bag": EmbeddingBag(20, (6,), (5,)), "token_gru": TokenGRU(20, (6,), (5,)),
            "token_cnn": TokenCNN(20, (6,), (5, 4))}


def teacher(kind: str) -> tuple[Network, Dataset]:
    if kind in FAMILIES:
        return build(Architecture(FAMILIES[kind], (7,), 3), 1).eval(), ids_data()
    data = ids_data() if kind == "words" else toy_data((1, 8, 8), examples=90)
    own = Own(values="as_stored" if kind == "words" else "normalised", order=(2, 0, 1))
    contents = FILES[kind]() if kind in FILES else graphs.script(kind)
    return adopt(opened(contents, kind).network, own, data).network, data


@pytest.mark.parametrize(("kind", "texts"), [("cnn", TEXTS), ("resnet", TEXTS[:3]), ("attention", TEXTS), ("gru", TEXTS),
                                             ("words", OF_MATRICES), ("embedding_bag", TEXTS), ("token_gru", TEXTS),
                                             ("token_cnn", TEXTS),
                                             *((kind, TEXTS[:1]) for kind in FILES)])
def test_scores_are_the_same(kind: str, texts: tuple[str, ...]) -> None:
    """Every module has a writer: nothing is left to torch's exporter, which would store dense layers."""
    network, data = teacher(kind)
    described = MadeFor.of(data)
    raw = data.normaliser.undo(data.validation.inputs).astype(np.float32)
    inputs = torch.from_numpy(described.normaliser.apply(raw))
    for text in texts:
        smaller, _ = network_of(text, network, data)
        contents = onnx_export.written(smaller, described)
        onnx.checker.check_model(onnx.load_from_string(contents))
        session = onnx_export.session_of(contents)
        for count in (1, len(raw)):
            ours, theirs = logits_of(smaller, inputs[:count]).numpy(), session.run(None, {"examples": raw[:count]})[0]
            assert np.abs(ours - theirs).max() < 1e-5, text


def test_a_table_is_gathered_from_its_factors() -> None:
    network, data = teacher("words")
    table = network.get_submodule("1")
    assert isinstance(table, Embedding)
    factors = with_layers(network, {"1": factorised(table, torch.eye(6, 1)[None])})
    whole, small = (onnx_export.written(one, MadeFor.of(data)) for one in (network, factors))
    before, after = ([tuple(one.dims) for one in onnx.load_from_string(contents).graph.initializer] for contents in
                     (whole, small))
    assert after.count((20, 6)) == before.count((20, 6)) - 1 and (20, 1) in after and (20, 1) not in before


def test_what_was_exported_is_opened_again() -> None:
    for kind in ("attention", "words"):
        network, data = teacher(kind)
        described = MadeFor.of(data)
        found = opened(onnx_export.written(network, described), "again").network
        raw = data.normaliser.undo(data.validation.inputs).astype(np.float32)
        inputs = torch.from_numpy(described.normaliser.apply(raw))
        assert torch.allclose(logits_of(found, torch.from_numpy(raw)), logits_of(network, inputs), atol=1e-5)
