"""Quantization: the error of the outputs, zeros that stay, baselines and controls, what a page is shown."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from itertools import pairwise, product
from math import log2

import pytest
import torch

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.layers.base import bytes_of_weight, compressed_layers, dense_layers
from compress.layers.input_moments import input_moments
from compress.layers.opening import merged
from compress.layers.rounded.half import Half
from compress.layers.rounded.quantized import Quantized
from compress.method import Method
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.methods.quantize import Quantize
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.quantization import refusal
from compress.quantization.allocation import CHOICES, Allocator
from compress.quantization.quantizer import Quantizer
from compress.recipe import BASELINE, CONTROL, CURVE
from tests.compress.helpers import agreement, identical, poisoned, state

TEACHERS = ["mlp(hidden=48-32,epochs=6)", "cnn(epochs=1)", "resnet(channels=8-16,epochs=2)", "gru(hidden=24,epochs=2)"]


def weights(network: Network) -> dict[str, torch.Tensor]:
    return {path: layer.weight.detach() for path, layer in dense_layers(merged(network)).items()}


@pytest.mark.parametrize("text", TEACHERS)
@pytest.mark.parametrize("scheme", ["gptq", "nearest"])
def test_eight_bits_lose_nothing_and_take_a_quarter_of_the_bytes(text: str, scheme: str, digits: Dataset,
                                                                trained: Callable[[str], Network]) -> None:
    teacher = trained(text)
    small = Quantize(levels=255, scheme=scheme).compress(teacher, digits)
    assert agreement(small, teacher, digits) > 0.985
    layers = compressed_layers(small)
    assert layers and all(isinstance(layer, Quantized) for layer in layers.values())
    taken, before = (sum(bytes_of_weight(one.get_submodule(path)) for path in layers) for one in (small, teacher))
    assert before / 4 <= taken < 0.26 * before and len(network_file.to_bytes(small)) < len(network_file.to_bytes(teacher))


@pytest.mark.parametrize("text", TEACHERS)
def test_gptq_changes_the_outputs_of_each_layer_less_than_the_nearest_levels(text: str, digits: Dataset,
                                                                            trained: Callable[[str], Network]) -> None:
    for per in ("tensor", "channel", "group"):
        method = Quantize(levels=5, per=per, group=8)
        candidate = next(method.curve(trained(text), digits, [5]))
        layers = candidate.inside["layers"]
        assert all(layer["error"] <= layer["error_nearest"] for layer in layers)
        assert sum(layer["error"] for layer in layers) < 0.85 * sum(layer["error_nearest"] for layer in layers)


def test_the_error_that_a_page_is_shown_is_that_of_the_outputs(mlp: Network, digits: Dataset) -> None:
    candidate = next(Quantize().curve(mlp, digits, [4]))
    path, shown = "1", candidate.inside["layers"][0]
    inputs = torch.tensor(digits.calibration.inputs).flatten(1)
    whole, small = (one.get_submodule(path) for one in (mlp, candidate.network))
    with torch.no_grad():
        gap = (whole(inputs) - small(inputs)).double().square().sum()
        energy = (inputs.double() @ whole.weight.double().mT).square().sum()
    assert shown["error"] == pytest.approx(float(gap / energy), rel=1e-4)
    weight = whole.weight.detach().double()
    lost = (weight - small.merged().weight.detach()).square().mean() / weight.var(correction=0)
    assert shown["distortion"] == pytest.approx(float(lost), rel=1e-6)
    assert sum(shown["counts"]) == weight.numel() and shown["levels"] == sorted(shown["levels"])
    shares = torch.tensor(shown["counts"]).double() / weight.numel()
    assert shown["bits"] == pytest.approx(float(-(shares[shares > 0] * shares[shares > 0].log2()).sum()))


def test_the_bias_takes_up_the_mean_error_of_gptq(mlp: Network, digits: Dataset) -> None:
    inputs = torch.tensor(digits.calibration.inputs)
    small = Quantize(levels=3).compress(mlp, digits)
    with torch.inference_mode():
        first = [one[1](inputs.flatten(1)).mean(0) for one in (mlp, small)]
    assert torch.allclose(*first, atol=1e-4)
    assert torch.equal(Quantize(levels=3, scheme="nearest").compress(mlp, digits)[1].bias, mlp[1].bias)


@pytest.mark.parametrize("levels", [3, 4, 6, 7, 16])
@pytest.mark.parametrize("per", ["tensor", "channel", "group"])
def test_a_symmetric_grid_has_zero_among_its_levels(levels: int, per: str, mlp: Network, digits: Dataset) -> None:
    small = Quantize(levels=levels, per=per, group=16).compress(mlp, digits)
    for path, layer in compressed_layers(small).items():
        values = layer.merged().weight.detach().unique()
        assert 0.0 in values, path
        if per == "tensor":
            largest = mlp.get_submodule(path).weight.detach().abs().max()
            assert len(values) <= levels and float(values.abs().max()) <= float(largest) * (1 + 1e-6)


def test_two_levels_are_a_sign_and_a_size(mlp: Network, digits: Dataset) -> None:
    small = Quantize(levels=2, per="channel").compress(mlp, digits)
    rows = small[1].merged().weight.detach()
    assert all(len(row.abs().unique()) == 1 and len(row.unique()) <= 2 for row in rows)
    assert agreement(small, mlp, digits) > 0.5


def test_weights_that_were_pruned_stay_zero_and_take_one_bit(mlp: Network, digits: Dataset) -> None:
    pruned = Prune(sparsity=0.9).compress(mlp, digits)
    before = weights(pruned)
    for scheme in ("gptq", "nearest"):
        for symmetric in (True, False):
            small = Quantize(levels=16, scheme=scheme, symmetric=symmetric).compress(pruned, digits)
            assert all(bool((after[before[path] == 0] == 0).all()) for path, after in weights(small).items())
            assert len(network_file.to_bytes(small)) < len(network_file.to_bytes(pruned))
            assert small[1].levels.kept == int((before["1"] != 0).sum())


def test_both_factors_are_quantized(mlp: Network, digits: Dataset) -> None:
    thin = LowRank(keep=0.3).compress(mlp, digits)
    small = Quantize(levels=63).compress(thin, digits)
    assert [type(part) for part in small[1]] == [Quantized, Quantized] and agreement(small, thin, digits) > 0.95
    assert len(network_file.to_bytes(small)) < 0.6 * len(network_file.to_bytes(thin))


def test_the_plan_has_nearest_levels_as_controls_and_floats_as_baselines(mlp: Network, digits: Dataset) -> None:
    plan = Quantize(damping=0.1).plan([3, 5])
    assert [(run.role, run.label, run.method.levels, run.method.scheme) for run in plan] == [
        (CURVE, "", 3, "gptq"), (CURVE, "", 5, "gptq"), (CONTROL, "nearest", 3, "nearest"),
        (CONTROL, "nearest", 5, "nearest"), (BASELINE, "float16", 65536, "float16"),
        (BASELINE, "bfloat16", 65536, "bfloat16")]
    assert all(run.method.damping == 0.1 for run in plan if run.role != BASELINE)
    assert [run.method.levels for run in Quantize().plan([3, 4, 6, 256, 2048]) if run.label == "codebook"] == [4, 256]
    assert not any(run.label == "codebook" for run in Quantize(scheme="codebook").plan([4]))
    assert {run.role for run in Quantize(compared=False).plan([3, 5])} == {CURVE}
    assert {run.method.step() for run in Quantize(damping=0.2).plan([3])} >= {
        run.method.step() for run in Quantize(damping=0.1).plan([3]) if run.role == BASELINE}


def test_sixteen_bit_floats_are_half_the_file_and_their_number_of_levels_is_named(mlp: Network, digits: Dataset) -> None:
    small = Quantize(levels=65536, scheme="float16").compress(mlp, digits)
    assert all(isinstance(layer, Half) for layer in compressed_layers(small).values())
    assert agreement(small, mlp, digits) == 1.0
    with pytest.raises(ValueError, match=r"levels must be 65536 with the scheme float16, .* got 16. Choose levels=65536"):
        Quantize(levels=16, scheme="float16").compress(mlp, digits)


def test_the_view_has_each_layers_weights_and_its_sensitivity(mlp: Network, digits: Dataset) -> None:
    view = Quantize().inside(mlp, digits, [2, 5, 255])
    assert view["levels"] == [2, 5, 255] and [layer["path"] for layer in view["layers"]] == ["1", "3", "5"]
    for layer in view["layers"]:
        assert sum(layer["weights"]) == mlp.get_submodule(layer["path"]).weight.numel()
        assert len(layer["accuracy"]) == len(layer["loss"]) == 3 and layer["loss"][0] > layer["loss"][2]


def test_only_calibration_examples_are_read(resnet: Network, digits: Dataset) -> None:
    alone = dataclasses.replace(digits, train=poisoned(digits.train), validation=poisoned(digits.validation),
                                _test=poisoned(digits.open_test()))
    for method in (Quantize(levels=5), Quantize(levels=4, clipping="least_error", per="channel")):
        assert identical(state(method.compress(resnet, digits)), state(method.compress(resnet, alone)))


def test_moments_and_factors_are_made_once_for_all_levels_and_schemes(mlp: Network, digits: Dataset,
                                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    from compress.quantization import quantizer, rounding

    def counted(name: str, inner: Callable) -> Callable:
        return lambda *arguments: calls.append(name) or inner(*arguments)

    monkeypatch.setattr(quantizer, "input_moments", counted("moments", input_moments))
    monkeypatch.setattr(rounding, "factor", counted("factor", rounding.factor))
    monkeypatch.setattr(rounding, "fitted", counted("grid", rounding.fitted))
    fresh = copy.deepcopy(mlp)
    methods: list[Method] = [Quantize(levels=levels, scheme=scheme, per=per) for levels in (3, 8, 255)
                             for scheme in ("gptq", "nearest") for per in ("tensor", "channel")]
    list(Quantize().candidates(fresh, digits, methods))
    Quantize().inside(fresh, digits, [3, 8])
    assert calls.count("moments") == 1 and calls.count("factor") == 3
    assert calls.count("grid") == 3 * 3 * 2  # layers, numbers of levels, kinds of steps: both schemes have the same grid


def test_a_layer_whose_levels_would_save_nothing_stays_and_is_named(digits: Dataset,
                                                                  trained: Callable[[str], Network]) -> None:
    tiny = trained("mlp(hidden=5,epochs=1)")
    candidate = next(Quantize().curve(tiny, digits, [16]))
    assert list(compressed_layers(candidate.network)) == ["1"]
    assert candidate.notes == ("layer 3 stays as it is: its levels would take more room, no gain",)
    assert [layer["is_stored"] for layer in candidate.inside["layers"]] == [True, False]


def test_entropy_falls_and_errors_rise_with_fewer_levels(mlp: Network, digits: Dataset) -> None:
    made = [candidate.inside["layers"][0] for candidate in Quantize().curve(mlp, digits, [3, 5, 9, 17, 255])]
    for fewer, more in pairwise(made):
        assert fewer["bits"] < more["bits"] and fewer["error"] > more["error"] and fewer["distortion"] > more["distortion"]
    assert all(layer["bits"] < log2(levels) for layer, levels in zip(made, [3, 5, 9, 17, 255], strict=True))


def test_what_does_not_fit_into_memory_is_refused_before_it_starts(mlp: Network, digits: Dataset,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusal, "shortage", lambda needed, what, remedy: f"{what} needs {needed} bytes. {remedy}")
    with pytest.raises(ValueError, match=r"inputs of layer 1, 64 x 64 numbers, and its factor needs .* the scheme nearest, "
                                         "codebook or ternary, or float16"):
        Quantize().compress(mlp, digits)
    assert Quantize(levels=65536, scheme="float16").compress(mlp, digits)


def test_a_preview_has_the_layers_of_the_result(mlp: Network, digits: Dataset) -> None:
    for method in (Quantize(levels=5), Quantize(levels=2, per="channel"), Quantize(levels=65536, scheme="bfloat16")):
        shown, made = method.preview(mlp, digits), method.compress(mlp, digits)
        assert {path: type(layer) for path, layer in compressed_layers(shown).items()} == {
            path: type(layer) for path, layer in compressed_layers(made).items()}
    assert Quantizer(mlp, digits, False).layers.keys() == {"1", "3"}


def test_a_codebook_has_few_values_near_the_weights_and_is_trained_with_its_numbers_held(mlp: Network,
                                                                                        digits: Dataset) -> None:
    method = Quantize(levels=4, scheme="codebook")
    plain = method.compress(mlp, digits)
    tuned = dataclasses.replace(method, recovery_epochs=2).compress(mlp, digits)
    for path, layer in compressed_layers(plain).items():
        after = tuned.get_submodule(path)
        assert len(layer.merged().weight.detach().unique()) == 4
        assert torch.equal(layer.levels.numbers, after.levels.numbers)
        assert not torch.equal(layer.levels.codebook, after.levels.codebook)
    losses = [cross_entropy(one, digits) for one in (tuned, plain)]
    assert losses[0] < losses[1]


def test_more_values_than_distinct_weights_make_no_error(mlp: Network, digits: Dataset) -> None:
    first = Quantize(levels=5, scheme="codebook").compress(mlp, digits)
    again = Quantize(levels=9, scheme="codebook").compress(first, digits)
    assert all(torch.equal(before, after) for before, after in zip(weights(first).values(), weights(again).values(),
                                                                  strict=True))


def test_ternary_weights_have_one_size_a_row_and_three_levels_in_all(mlp: Network, digits: Dataset) -> None:
    small = Quantize(levels=3, scheme="ternary", per="channel").compress(mlp, digits)
    rows = small[1].merged().weight.detach()
    assert all(len(row[row != 0].abs().unique()) == 1 and len(row.unique()) == 3 for row in rows)
    with pytest.raises(ValueError, match=r"levels must be 3 with the scheme ternary, but got 4. Choose levels=3"):
        Quantize(levels=4, scheme="ternary").compress(mlp, digits)


@pytest.mark.parametrize("method", [Quantize(levels=3, per="channel"), Quantize(levels=4, scheme="codebook"),
                                    Quantize(levels=3, scheme="ternary")], ids=lambda method: method.scheme)
def test_straight_through_training_moves_weights_to_other_levels_of_the_same_values(method: Quantize, mlp: Network,
                                                                                    digits: Dataset) -> None:
    start = Prune(sparsity=0.5).compress(mlp, digits)
    plain = method.compress(start, digits)
    turned = dataclasses.replace(method, recovery_epochs=3, recovery="levels", recovery_rate=0.003)
    candidate = next(turned.curve(start, digits, [turned.levels]))
    tuned = candidate.network
    assert cross_entropy(tuned, digits) < cross_entropy(plain, digits)
    for path, layer in compressed_layers(plain).items():
        after = tuned.get_submodule(path)
        assert isinstance(after, Quantized)
        assert path == "5" or not torch.equal(layer.levels.numbers, after.levels.numbers)
        values = set(layer.merged().weight.detach().unique().tolist())
        assert set(after.merged().weight.detach().unique().tolist()) <= values | {0.0}
    before = weights(start)
    assert all(bool((after[before[path] == 0] == 0).all()) for path, after in weights(tuned).items())
    shown = candidate.inside["layers"][0]
    assert shown["levels"] == pytest.approx(weights(tuned)["1"].unique().tolist(), rel=1e-4)


def test_a_trained_recurrent_network_and_one_with_batch_norm_are_stored_with_their_levels(
        digits: Dataset, trained: Callable[[str], Network]) -> None:
    for text in TEACHERS[2:]:
        for recovery in ("values", "levels"):
            small = Quantize(levels=7, recovery_epochs=1, recovery=recovery).compress(trained(text), digits)
            assert all(isinstance(layer, Quantized) for layer in compressed_layers(small).values())
            again = network_file.from_bytes(network_file.to_bytes(small))
            assert network_file.to_bytes(again) == network_file.to_bytes(small)


def cross_entropy(network: Network, data: Dataset) -> float:
    """Of the training examples."""
    logits = logits_of(network, torch.tensor(data.train.inputs))
    return float(torch.nn.functional.cross_entropy(logits, torch.tensor(data.train.labels)))


def test_measured_shares_take_no_more_bytes_and_the_least_sum_of_losses(mlp: Network, digits: Dataset) -> None:
    for candidate in Quantize(allocation="measured").curve(mlp, digits, [4, 7]):
        shown = candidate.inside["allocation"]
        allocator = Allocator(Quantizer(mlp, digits, True), Quantize().rounding)
        menus = allocator.menus
        assert shown["bytes"] <= shown["budget"] and set(shown["levels"]) == {"1", "3", "5"}
        sums = [(sum(menus[path][place][0] for path, place in zip(menus, places, strict=True)),
                 sum(menus[path][place][1] for path, place in zip(menus, places, strict=True)))
                for places in product(range(len(CHOICES)), repeat=3)]
        least = min(loss for size, loss in sums if size <= shown["budget"])
        assert shown["predicted"] == pytest.approx(allocator.whole + least, abs=1e-12)
        assert shown["measured"] > 0
        stored = {layer["path"]: len(layer["levels"]) for layer in candidate.inside["layers"]}
        assert all(stored[path] <= count for path, count in shown["levels"].items())
        assert candidate.notes[-1] == "levels of the layers: " + ", ".join(
            f"{path}: {count}" for path, count in shown["levels"].items())


def test_many_levels_at_once_are_rounded_as_each_alone(mlp: Network, digits: Dataset) -> None:
    together, alone = (Quantizer(mlp, digits, True) for _ in range(2))
    rounding = Quantize(per="channel").rounding
    together.prepare(rounding, [3, 4, 8, 255])
    for path in together.layers:
        for levels in (3, 4, 8, 255):
            one, other = (of.roundable()[path].rounded(rounding, levels) for of in (together, alone))
            assert torch.equal(one.numbers, other.numbers) and torch.equal(one.matrix, other.matrix)
