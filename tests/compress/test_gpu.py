"""The same numbers on a GPU. Skipped where there is none; run them with: python -m pytest tests/compress/test_gpu.py"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from compress.curves.kept_teachers import obtain
from compress.curves.store import Store
from compress.curves.sweep import complete, run, sweep_of
from compress.data.datasets import Dataset, load
from compress.data.tensors import on_device
from compress.files import network_file
from compress.layers.base import macs, with_layers
from compress.low_rank.prefix_sums import PrefixSums
from compress.methods.activation_codes import ActivationCodes
from compress.methods.data_codes import DataCodes
from compress.methods.distill import Distill
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.methods.sparse_code import SparseCode
from compress.networks import device
from compress.networks.evaluation import logits_of
from compress.networks.families import Network, build
from compress.networks.gru import GRU
from compress.points.latency import latency_ratio
from compress.points.measure import evaluate
from compress.points.speed_map import speed_map
from compress.recipe import Recipe, Step
from compress.solvers.omp import omp
from compress.solvers.svd import gram, principal, randomized, spectrum
from compress.training.stack import Stack
from compress.training.teachers import train_teacher
from tests.compress.helpers import planned, random_matrix

GPU = torch.device("cuda", 0)
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device on this machine")


@pytest.fixture(scope="module")
def network(trained: Callable[[str], Network]) -> Network:
    """The perceptron, copied to the GPU."""
    return with_layers(trained("mlp(hidden=48-32,epochs=6)"), {}).to(GPU)


def test_the_device_is_a_gpu_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    device.prepare.cache_clear()
    monkeypatch.delenv("COMPRESS_DEVICE")
    chosen = device.prepare()
    device.prepare.cache_clear()
    assert chosen.type == "cuda" and device.title(chosen) == torch.cuda.get_device_name(chosen)


@pytest.mark.parametrize("shape", [(300, 784), (784, 300), (64, 64)])
def test_singular_values_and_subspaces_are_those_of_the_cpu(shape: tuple[int, int]) -> None:
    matrix = random_matrix(*shape).float()
    there = matrix.to(GPU)
    assert torch.allclose(gram(there).cpu(), gram(matrix), atol=1e-9)
    assert torch.allclose(spectrum(there).cpu(), spectrum(matrix), atol=1e-7)
    found = principal(there)
    assert found.basis.device.type == GPU.type
    assert torch.allclose(found.tail().cpu(), principal(matrix).tail(), atol=1e-8)
    for rank in (1, 10, 50):
        basis = found.basis[:, :rank]
        error = (there.double() - basis @ (basis.mT @ there.double())).square().sum()
        assert float(error) == pytest.approx(float(found.tail()[rank]), rel=1e-6, abs=1e-9)


def test_randomized_svd_draws_the_same_numbers_on_every_device() -> None:
    matrix = random_matrix(200, 120, decay=0.01)
    assert torch.allclose(randomized(matrix.to(GPU), 20).tail().cpu(), randomized(matrix, 20).tail(), rtol=1e-6)


@pytest.mark.parametrize("text", ["mlp(hidden=48-32,epochs=6)", "cnn(epochs=3)", "resnet(channels=8-16,epochs=2)",
                                  "gru(hidden=24,epochs=2)"])
def test_training_gets_as_far_as_on_the_cpu(text: str, digits: Dataset, trained: Callable[[str], Network]) -> None:
    done = train_teacher(digits, Step.parse(text), device=GPU)
    assert next(done.network.parameters()).device.type == GPU.type
    there = evaluate(done.network, digits.validation)["accuracy"]
    assert there > evaluate(trained(text), digits.validation)["accuracy"] - 0.15


@pytest.mark.parametrize("scheme", ["plain", "whitened", "centred", "sequential", "randomized"])
def test_low_rank_gives_the_predictions_of_the_cpu(scheme: str, network: Network, mlp: Network,
                                                   digits: Dataset) -> None:
    method = LowRank(scheme=scheme)
    pairs = zip(method.curve(network, digits, [0.1, 0.2, 0.4]), method.curve(mlp, digits, [0.1, 0.2, 0.4]), strict=True)
    for there, here in pairs:
        assert there.inside == here.inside and there.notes == here.notes
        answers = logits_of(there.network, on_device(digits.validation, GPU)[0]).argmax(1).cpu()
        expected = logits_of(here.network, torch.tensor(digits.validation.inputs)).argmax(1)
        assert float((answers == expected).float().mean()) > 0.98


def test_running_sums_give_the_networks_own_outputs(network: Network, digits: Dataset) -> None:
    inputs = on_device(digits.validation, GPU)[0]
    pieces = LowRank(scheme="whitened").factorised(network, digits)
    assert PrefixSums.over(network, pieces, inputs) is not None
    for candidate in LowRank(scheme="whitened").curve(network, digits, [0.1, 0.3, 0.4]):
        own = logits_of(candidate.network, inputs)
        assert candidate.logits is not None and torch.allclose(candidate.logits, own, atol=1e-3)


@pytest.mark.parametrize("text", ["mlp(epochs=6,hidden=48-32)", "resnet(channels=8-16,epochs=2)"])
def test_a_curve_has_the_accuracies_of_the_cpu(text: str, digits: Dataset, tmp_path: Path) -> None:
    """From one teacher, trained on the CPU and reloaded on the GPU."""
    recipe = complete(Recipe.parse(f"digits/{text}/low_rank/0"))
    here = Store(tmp_path / "cpu" / "store.sqlite")
    teacher = obtain(recipe, digits, here)
    there = Store(tmp_path / "gpu" / "store.sqlite")
    there.save_teacher(recipe.reference().key(), recipe.reference().text(), teacher.digest, digits.digest, teacher.file,
                       teacher.card)
    wanted = sweep_of(recipe, [0.1, 0.25, 0.5])
    curves = [{point.dial: point for point in run(wanted, store, device=where, latency=where == GPU)}
              for store, where in ((here, "cpu"), (there, GPU))]
    for dial, point in curves[1].items():
        assert point.accuracy == pytest.approx(curves[0][dial].accuracy, abs=0.02)
        assert (point.bytes, point.parameters, point.macs) == (
            curves[0][dial].bytes, curves[0][dial].parameters, curves[0][dial].macs)
        assert point.latency_low <= point.latency <= point.latency_high


def test_a_file_written_from_the_gpu_has_equal_outputs_on_the_cpu(network: Network, digits: Dataset,
                                                              tmp_path: Path) -> None:
    small = LowRank(keep=0.2).compress(network, digits)
    network_file.write(small, tmp_path / "net")
    again = network_file.read(tmp_path / "net")
    assert next(again.parameters()).device.type == "cpu"
    here, there = (evaluate(one, digits.validation)["accuracy"] for one in (again, small))
    assert here == pytest.approx(there, abs=0.01)


@pytest.mark.parametrize("both_ways", [False, True])
def test_the_fused_gru_agrees_with_its_steps(both_ways: bool) -> None:
    torch.manual_seed(0)
    unit, batch = GRU(5, 7, both_ways).to(GPU), torch.randn(4, 11, 5, device=GPU)
    with torch.inference_mode():
        fused = unit(batch)
        linear = [layer for layer in unit.modules() if isinstance(layer, nn.Linear)]
        hooks = [layer.register_forward_hook(lambda *_: None) for layer in linear]
        steps = unit(batch)
        for hook in hooks:
            hook.remove()
    assert torch.allclose(fused, steps, atol=1e-4)
    assert macs(Network(unit), batch[:1]) == (1 + both_ways) * 11 * 21 * 12


def test_a_network_is_about_as_fast_as_itself(network: Network) -> None:
    ratio, low, high = latency_ratio(network, network, torch.randn(128, 1, 8, 8, device=GPU))
    assert low <= ratio <= high and 0.3 < ratio < 3


@pytest.mark.parametrize("student", ["mlp", "cnn", "resnet", "gru"])
def test_a_stack_on_the_gpu_answers_as_its_networks_do(student: str, network: Network, digits: Dataset) -> None:
    architectures = [Distill(student=student, width=width).architecture(network) for width in (0.1, 0.25)]
    alone = [build(architecture, seed) for seed, architecture in enumerate(architectures)]
    inputs = on_device(digits.validation, GPU)[0]
    for one, found in zip(alone, Stack(alone, GPU).logits_of(inputs), strict=True):
        assert torch.allclose(found, logits_of(one.to(GPU), inputs), atol=1e-3)


@pytest.mark.parametrize("loss", ["soft", "logits", "decoupled", "hints", "relational"])
def test_students_learn_on_the_gpu_as_far_as_on_the_cpu(loss: str, network: Network, mlp: Network, digits: Dataset) -> None:
    method = Distill(loss=loss, width=0.5, epochs=6, seeds=2, temperatures=(8,))
    grid = planned(method, [0.25, 0.75])
    pairs = zip(method.candidates(network, digits, grid), method.candidates(mlp, digits, grid), strict=True)
    for there, here in pairs:
        assert next(there.network.parameters()).device.type == GPU.type
        scores = [evaluate(one.network, digits.validation)["accuracy"] for one in (there, here)]
        assert scores[0] > scores[1] - 0.1
        assert len(network_file.to_bytes(there.network)) == len(network_file.to_bytes(here.network))


def test_attention_and_convolutions_are_trained_on_the_gpu(digits: Dataset, trained: Callable[[str], Network]) -> None:
    teacher = with_layers(trained("cnn(epochs=10)"), {}).to(GPU)
    method = Distill(loss="attention", width=0.5, epochs=8, seeds=1, temperatures=())
    for candidate in method.candidates(teacher, digits, planned(method, [1.0])):
        assert evaluate(candidate.network, digits.validation)["accuracy"] > 0.5


def test_dropout_falls_on_the_same_units_as_on_the_cpu(network: Network, digits: Dataset) -> None:
    one = build(Distill(width=1.0, dropout=0.5).architecture(network), 0)
    batch = torch.tensor(digits.train.inputs[:32])
    here, there = (Stack([one], where).forward(batch.to(where), True, 5).logits.cpu() for where in ("cpu", GPU))
    assert torch.allclose(here, there, atol=1e-3)


PRUNED = [{}, {"criterion": "second_order"}, {"criterion": "wanda"}, {"criterion": "taylor"}, {"pattern": "n:4"},
          {"pattern": "units", "criterion": "second_order"}, {"pattern": "units", "criterion": "wanda"}]


@pytest.mark.parametrize("settings", PRUNED, ids=str)
def test_pruning_leaves_as_much_and_predicts_as_on_the_cpu(settings: dict, network: Network, mlp: Network,
                                                           digits: Dataset) -> None:
    method = Prune(**settings)
    inputs, _ = on_device(digits.validation, torch.device("cpu"))
    for here, there in zip(method.curve(mlp, digits, [0.5, 0.75]), method.curve(network, digits, [0.5, 0.75]), strict=True):
        assert there.network[1].weight.device.type == GPU.type
        assert network_file.nonzeros(there.network) == network_file.nonzeros(here.network)
        agreeing = logits_of(there.network, inputs.to(GPU)).argmax(1).cpu() == logits_of(here.network, inputs).argmax(1)
        assert float(agreeing.float().mean()) > 0.97


@pytest.mark.parametrize("settings", [{"schedule": "gradual"}, {"schedule": "rewind", "rounds": 2},
                                      {"recovery_loss": "teacher"}, {"pattern": "units"}], ids=str)
def test_training_with_masks_keeps_zeros_on_a_gpu(settings: dict, network: Network, digits: Dataset, tmp_path: Path) -> None:
    small = Prune(sparsity=0.75, recovery_epochs=2, **settings).compress(network, digits)
    reference = network if settings.get("pattern") else Prune(sparsity=0.75).compress(network, digits)
    assert network_file.nonzeros(small) <= network_file.nonzeros(reference)
    network_file.write(small, tmp_path / "file")
    inputs, _ = on_device(digits.validation, GPU)
    assert torch.equal(logits_of(network_file.read(tmp_path / "file").to(GPU), inputs), logits_of(small, inputs))


def test_the_break_even_map_is_measured_on_the_gpu(network: Network) -> None:
    found = speed_map(network)
    assert found["device"] == torch.cuda.get_device_name(GPU) and set(found["ways"]) == {"sparse", "units", "rank"}


@pytest.mark.parametrize("criterion", ["taylor", "snip"])
def test_gradients_of_a_recurrent_network_are_read_on_a_gpu(criterion: str, trained: Callable[[str], Network],
                                                            digits: Dataset) -> None:
    network = with_layers(trained("gru(hidden=24,epochs=2)"), {}).to(GPU)
    pruned = Prune(criterion=criterion, sparsity=0.5).compress(network, digits)
    assert network_file.nonzeros(pruned) < 0.6 * network_file.nonzeros(network)


def test_a_pursuit_chooses_the_atoms_of_the_cpu() -> None:
    generator = torch.Generator().manual_seed(0)
    signals, atoms = (torch.randn(count, 30, generator=generator, dtype=torch.float64) for count in (500, 80))
    here, there = omp(signals, atoms, 6), omp(signals.to(GPU), atoms.to(GPU), 6)
    assert there.indices.device.type == GPU.type and torch.equal(there.indices.cpu(), here.indices)
    assert torch.allclose(there.coefficients.cpu(), here.coefficients)


@pytest.mark.parametrize("recovery", [0, 2])
def test_weights_are_coded_on_a_gpu(recovery: int, network: Network, digits: Dataset, tmp_path: Path) -> None:
    small = SparseCode(atoms=24, block=8, nonzeros=4, recovery_epochs=recovery).compress(network, digits)
    assert network_file.write(small, tmp_path / "file") < 0.5 * len(network_file.to_bytes(network))
    inputs, _ = on_device(digits.validation, GPU)
    agreeing = logits_of(small, inputs).argmax(1) == logits_of(network, inputs).argmax(1)
    assert float(agreeing.float().mean()) > 0.9
    assert torch.equal(logits_of(network_file.read(tmp_path / "file").to(GPU), inputs), logits_of(small, inputs))


@pytest.mark.parametrize(("data", "settings"), [
    ("photographs", {"tile": 8}), ("planted", {}), ("digits", {"classify": "codes", "mini_batch": 300}),
    ("digits", {"nonnegative": True, "tile": 4, "stride": 2}), ("digits", {"dictionary": "components"}),
    ("digits", {"dictionary": "sklearn", "allowed": 0.1})])
def test_data_are_coded_on_a_gpu_as_on_a_cpu(data: str, settings: dict, network: Network) -> None:
    known = load(data)
    method = DataCodes(atoms=32, epochs=1, iterations=2, pca_baseline=False, **settings)
    there, here = (next(method.curve(one, known, [3])) for one in (network, copy.deepcopy(network).cpu()))
    assert there.inside["error"] == pytest.approx(here.inside["error"], rel=0.05)
    assert len(there.contents) == pytest.approx(len(here.contents), rel=0.02)
    assert json.dumps(method.inside(network, known, [3])) and next(there.network.parameters()).device.type == GPU.type


@pytest.mark.parametrize("settings", [{}, {"cut": 1, "nonnegative": True}, {"dictionary": "components"}])
def test_hidden_outputs_are_coded_on_a_gpu_as_on_a_cpu(settings: dict, network: Network, digits: Dataset) -> None:
    method = ActivationCodes(atoms=32, iterations=2, pca_baseline=False, **settings)
    there, here = (next(method.curve(one, digits, [4])) for one in (network, copy.deepcopy(network).cpu()))
    assert there.inside["error"] == pytest.approx(here.inside["error"], rel=0.1)
    inputs, _ = on_device(digits.validation, GPU)
    agreeing = logits_of(there.network, inputs).argmax(1).cpu() == logits_of(here.network, inputs.cpu()).argmax(1)
    assert float(agreeing.float().mean()) > 0.9
