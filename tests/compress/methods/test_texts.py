"""Every method on networks over token ids: the table is the layer to compress, and every file says what its point says."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.layers.base import macs
from compress.layers.factors import Factors
from compress.layers.rounded.quantized import Quantized
from compress.method import Method
from compress.methods import methods
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.methods.quantize import Quantize
from compress.networks.embedding import Embedding
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.recipe import Step
from compress.training.teachers import train_teacher, untrained
from tests.compress.helpers import python, quick
from tests.compress.texts import toy_texts

TEACHERS = {"embedding_bag": "embedding_bag(width=16,hidden=12,epochs=8,learning_rate=0.02)",
            "token_gru": "token_gru(width=16,hidden=8,epochs=10,learning_rate=0.02)",
            "token_cnn": "token_cnn(width=16,channels=8-6,epochs=12,learning_rate=0.02)"}
CASES: list[tuple[str, dict[str, object]]] = [
    ("low_rank", {"keep": 0.2}), ("low_rank", {"keep": 0.3, "scheme": "sequential", "allocation": "greedy"}),
    ("low_rank", {"keep": 0.3, "scheme": "centred", "recovery_steps": 5}),
    ("prune", {"sparsity": 0.8, "criterion": "second_order"}),
    ("prune", {"sparsity": 0.5, "pattern": "units"}),
    ("prune", {"sparsity": 0.8, "criterion": "wanda", "allocation": "sensitivity"}),
    ("prune", {"sparsity": 0.7, "schedule": "gradual", "recovery_epochs": 1}),
    ("prune", {"sparsity": 0.5, "pattern": "n:4"}), ("prune", {"sparsity": 0.5, "pattern": "inputs"}),
    ("prune", {"sparsity": 0.6, "pattern": "inputs", "criterion": "second_order", "schedule": "gradual",
               "recovery_epochs": 1}),
    ("quantize", {"levels": 5, "compared": False}), ("quantize", {"levels": 4, "per": "channel", "compared": False}),
    ("quantize", {"levels": 3, "scheme": "ternary", "per": "channel", "compared": False}),
    ("quantize", {"levels": 255, "activations": "int8", "compared": False}),
    ("quantize", {"levels": 4, "scheme": "codebook", "recovery_epochs": 1, "compared": False}),
    ("sparse_code", {"nonzeros": 2, "atoms": 8, "block": 8, "dictionary": "data", "recovery_epochs": 1}),
    ("distill", {"width": 0.5, "epochs": 1}), ("distill", {"width": 0.5, "epochs": 1, "loss": "hints"}),
    ("activation_codes", {"nonzeros": 2, "atoms": 8, "iterations": 1, "pca_baseline": False})]


@pytest.fixture(scope="module")
def texts() -> Dataset:
    return toy_texts(240)


@pytest.fixture(scope="module")
def teachers(texts: Dataset) -> dict[str, Network]:
    return {name: train_teacher(texts, Step.parse(step)).network for name, step in TEACHERS.items()}


def made(method: Method, network: Network, data: Dataset) -> Network:
    return method.compress(network, data)


@pytest.mark.parametrize("name", TEACHERS)
def test_a_teacher_reads_the_sentiment_of_texts(teachers: dict[str, Network], texts: Dataset, name: str) -> None:
    inputs, labels = on_device(texts.validation, torch.device("cpu"))
    assert float((logits_of(teachers[name], inputs).argmax(1) == labels).float().mean()) > 0.9
    assert teachers[name][0].in_features == len(texts.words)


@pytest.mark.parametrize("name", TEACHERS)
@pytest.mark.parametrize(("method", "settings"), CASES, ids=[f"{name}-{place}" for place, (name, _) in enumerate(CASES)])
def test_the_file_of_every_method_predicts_what_its_network_does(
        teachers: dict[str, Network], texts: Dataset, name: str, method: str, settings: dict[str, object]) -> None:
    one = methods()[method].from_plain(settings)
    network = made(one, teachers[name], texts)
    contents = network_file.to_bytes(network, MadeFor.of(texts), one.stored)
    again, described = network_file.with_description(contents)
    inputs = on_device(texts.validation, torch.device("cpu"))[0]
    assert torch.equal(logits_of(again, inputs), logits_of(network, inputs))
    assert described == MadeFor.of(texts)
    assert len(contents) < len(network_file.to_bytes(teachers[name], MadeFor.of(texts))) + 2000


@pytest.mark.parametrize(("name", "values"), [("low_rank", [0.1, 0.3]), ("prune", [0.5, 0.9]), ("quantize", [3, 16]),
                                              ("sparse_code", [1, 2]), ("distill", [0.25, 0.5])])
def test_points_of_a_curve_equal_points_alone(teachers: dict[str, Network], texts: Dataset, name: str,
                                              values: list[float]) -> None:
    method = quick(methods()[name])
    for candidate in method.curve(teachers["embedding_bag"], texts, values):
        alone = made(method.at(candidate.value), teachers["embedding_bag"], texts)
        assert network_file.to_bytes(candidate.network) == network_file.to_bytes(alone)


@pytest.mark.parametrize("name", ["data_svd", "data_codes"])
def test_methods_for_data_refuse_ids(teachers: dict[str, Network], texts: Dataset, name: str) -> None:
    with pytest.raises(ValueError, match=r"ids of words, which are names rather than numbers.*Choose a method for networks"):
        made(methods()[name](), teachers["embedding_bag"], texts)


def test_a_table_becomes_a_narrow_table_and_a_linear_layer(teachers: dict[str, Network], texts: Dataset) -> None:
    network = made(LowRank(keep=0.2), teachers["embedding_bag"], texts)
    first, second = network[0]
    assert isinstance(network[0], Factors) and (type(first), type(second)) == (Embedding, torch.nn.Linear)
    assert (first.in_features, first.out_features, second.out_features) == (len(texts.words), 3, 16)


def test_each_row_of_a_table_has_a_step_of_its_own(teachers: dict[str, Network], texts: Dataset) -> None:
    table = made(Quantize(levels=4, per="channel"), teachers["embedding_bag"], texts)[0]
    assert isinstance(table, Quantized) and table.levels.step.shape == (1, len(texts.words))
    before, after = teachers["embedding_bag"][0].weight, table.weight
    reach = before.abs().amax(0)
    assert bool(((before - after).abs().amax(0) <= reach / 2 + 1e-6).all())


def test_ids_are_never_rounded(teachers: dict[str, Network], texts: Dataset) -> None:
    network = made(Quantize(levels=255, activations="int8"), teachers["embedding_bag"], texts)
    assert isinstance(network[0], Quantized) and macs(network, torch.ones(1, *texts.shape)) == 16 * 12 + 12 * 2


def test_surgeon_is_refused_for_a_long_table(texts: Dataset) -> None:
    long = dataclasses.replace(texts, words=tuple(map(str, range(600))))
    with pytest.raises(ValueError, match=r"surgeon removes one weight at a time.*600 tokens; it can be used up to 512"):
        made(Prune(criterion="surgeon"), untrained(Step("embedding_bag"), long), long)


@pytest.mark.parametrize("chain", ["low_rank(keep=0.3)+quantize(levels=5)", "prune(sparsity=0.5)+low_rank(keep=0.2)",
                                   "sparse_code(nonzeros=2,atoms=8,block=8,dictionary=data)+prune(sparsity=0.3)",
                                   "quantize(levels=4,per=channel)+prune(sparsity=0.5)",
                                   "low_rank(keep=0.3)+prune(sparsity=0.5,pattern=inputs)",
                                   "prune(sparsity=0.5,pattern=inputs)+quantize(levels=5)"])
def test_methods_follow_each_other_on_a_table(teachers: dict[str, Network], texts: Dataset, chain: str) -> None:
    network = teachers["embedding_bag"]
    for text in chain.split("+"):
        step = Step.parse(text)
        network = made(methods()[step.name].from_plain(dict(step.settings)), network, texts)
    again = network_file.from_bytes(network_file.to_bytes(network))
    inputs = on_device(texts.validation, torch.device("cpu"))[0]
    assert torch.equal(logits_of(again, inputs), logits_of(network, inputs))


@pytest.mark.parametrize(("step", "message"), [
    ("mlp", r"mlp reads numbers, but the examples of toy_reviews are tokens \(the ids of words\)\. Choose one of"),
    ("embedding_bag(width=3-4)", r"EmbeddingBag: width must be one number, but got '3-4'\. For example: width=32")])
def test_teachers_that_cannot_read_texts_are_refused(texts: Dataset, step: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        untrained(Step.parse(step), texts)


def test_a_student_reads_what_its_teacher_reads(teachers: dict[str, Network], texts: Dataset) -> None:
    distill = methods()["distill"]
    with pytest.raises(ValueError, match=r"a student of the family cnn reads numbers, but its teacher reads tokens"):
        made(distill.from_plain({"student": "cnn"}), teachers["embedding_bag"], texts)
    student = made(distill.from_plain({"student": "token_gru", "epochs": 1}), teachers["embedding_bag"], texts)
    assert student[0].in_features == len(texts.words)


def test_a_fresh_process_predicts_the_same(prepared: None, teachers: dict[str, Network], texts: Dataset,
                                           tmp_path: Path) -> None:
    """With as many threads: a convolution over another number of them adds in another order."""
    script = ("import json, sys, torch\nfrom compress.files import network_file\nfrom compress.networks import device\n"
              "device.prepare()\nfor path in sys.argv[2:]:\n"
              "    print(json.dumps(network_file.read(path)(torch.tensor(json.loads(sys.argv[1]))).tolist()))\n")
    inputs, paths, wanted = texts.validation.inputs[:4].tolist(), [], []
    for name, network in teachers.items():
        smaller = made(LowRank(keep=0.3), network, texts)
        paths.append(str(tmp_path / name))
        network_file.write(smaller, paths[-1], MadeFor.of(texts), LowRank().stored)
        wanted.append(smaller(torch.tensor(inputs)).tolist())
    found = python("-c", script, json.dumps(inputs), *paths, check=True).stdout.splitlines()
    assert [json.loads(line) for line in found] == wanted
