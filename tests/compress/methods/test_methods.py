"""What every method promises, asked of every method there is: a new file in compress/methods is covered at once."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import torch
from safetensors.torch import load

from compress.data.datasets import Dataset
from compress.files import container, network_file
from compress.files.artefacts import Artefacts
from compress.files.made_for import MadeFor
from compress.method import Candidate, Method
from compress.methods import method, methods
from compress.networks.families import Network
from compress.points.measure import Reference, measure, same_tensors
from compress.recipe import CURVE, Step
from compress.settings import MOST_SEED
from tests.compress.helpers import few_values, identical, poisoned, quick, state

KINDS = list(methods().values())
every_method = pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])


def contents(candidate: Candidate, data: Dataset) -> bytes:
    """Of the candidate's file."""
    return candidate.contents or network_file.to_bytes(candidate.network, MadeFor.of(data), candidate.method.stored)


@every_method
@pytest.mark.parametrize("teacher", ["mlp(hidden=48-32,epochs=6)", "resnet(channels=8-16,epochs=2)"])
def test_the_teacher_stays_bit_for_bit_as_it_was(kind: type[Method], teacher: str, digits: Dataset,
                                                 trained: Callable[[str], Network]) -> None:
    network = trained(teacher)
    before, mode = state(network), [module.training for module in network.modules()]
    small = quick(kind).compress(network, digits)
    list(quick(kind).curve(network, digits, few_values(kind, digits)[:2]))
    quick(kind).inside(network, digits, few_values(kind, digits)[:2])
    assert identical(before, state(network))
    assert mode == [module.training for module in network.modules()]
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in network.modules())
    ours = {tensor.data_ptr() for tensor in network.parameters()}
    assert kind.applies_to == "data" or ours.isdisjoint(tensor.data_ptr() for tensor in small.parameters())


@every_method
def test_the_largest_seed_is_one_like_any_other(kind: type[Method], mlp: Network, digits: Dataset) -> None:
    """Also where other seeds are derived from it, of students and their dropout."""
    turned = dataclasses.replace(quick(kind), **({"dropout": 0.5} if kind.name == "distill" else {}))
    turned = turned.at(few_values(kind, digits)[1])
    first, again = (turned.compress(mlp, digits, seed=MOST_SEED) for _ in range(2))
    assert identical(state(first), state(again))
    for seed in (-1, MOST_SEED + 1, 2 ** 63, True):
        with pytest.raises(ValueError, match=rf"{kind.__name__}: seed must be (a whole number )?between 0 and {MOST_SEED}"):
            turned.compress(mlp, digits, seed=seed)


@every_method
def test_compress_makes_what_its_curve_makes_at_this_value(kind: type[Method], mlp: Network,
                                                                       digits: Dataset) -> None:
    turned = quick(kind)
    values = few_values(kind, digits)
    for candidate in turned.curve(mlp, digits, values):
        alone = turned.at(candidate.value).compress(mlp, digits)
        assert identical(state(alone), state(candidate.network)), candidate.value


@every_method
def test_a_point_does_not_depend_on_which_others_are_measured_or_in_which_order(kind: type[Method], mlp: Network,
                                                                               digits: Dataset) -> None:
    values = few_values(kind, digits)
    rising = {candidate.value: candidate for candidate in quick(kind).curve(mlp, digits, values)}
    falling = {candidate.value: candidate for candidate in quick(kind).curve(mlp, digits, values[::-1])}
    assert list(rising) == values and list(falling) == values[::-1]
    for value in values:
        up, down = rising[value], falling[value]
        assert len(contents(up, digits)) == len(contents(down, digits))
        assert contents(up, digits) == contents(down, digits)
        assert up.contents or identical(state(up.network), state(down.network))


@every_method
def test_a_plan_has_every_dial_value_and_each_candidate_has_its_method(kind: type[Method], mlp: Network,
                                                                            digits: Dataset) -> None:
    turned, values = quick(kind), few_values(kind, digits)[:2]
    plan = turned.plan(values)
    assert {run.method for run in plan if run.role == CURVE} == {turned.at(value) for value in values}
    wanted = [run.method for run in plan]
    made = list(turned.candidates(mlp, digits, wanted))
    assert [candidate.method for candidate in made] == wanted
    assert [candidate.value for candidate in made] == [one.value for one in wanted]
    assert len({one.step() for one in wanted}) == len(wanted) == len(plan)


@every_method
def test_logits_that_shared_work_gave_are_those_of_the_network(kind: type[Method], mlp: Network,
                                                              digits: Dataset) -> None:
    inputs = torch.tensor(digits.validation.inputs)
    for candidate in quick(kind).curve(mlp, digits, few_values(kind, digits)):
        if candidate.logits is not None:
            with torch.inference_mode():
                own = candidate.network(inputs)
            assert torch.allclose(candidate.logits, own, atol=1e-4)
            assert torch.equal(candidate.logits.argmax(1), own.argmax(1))


@every_method
def test_the_test_split_is_never_read(kind: type[Method], mlp: Network, digits: Dataset) -> None:
    blind = dataclasses.replace(digits, _test=poisoned(digits.open_test()))
    made, unseen = (quick(kind).compress(mlp, data) for data in (digits, blind))
    assert identical(state(made), state(unseen))


@every_method
def test_every_candidate_becomes_a_file_with_equal_outputs(kind: type[Method], mlp: Network, digits: Dataset,
                                                          tmp_path) -> None:
    inputs = torch.tensor(digits.validation.inputs)
    for candidate in quick(kind).curve(mlp, digits, few_values(kind, digits)[:2]):
        kept = Artefacts(tmp_path)
        point = measure(candidate, digits, Reference.of(mlp, digits), kept, latency=False)
        assert point.bytes == kept.path(point.digest).stat().st_size == len(contents(candidate, digits))
        assert not candidate.network.training
        if candidate.contents is None:
            with torch.inference_mode():
                assert torch.equal(network_file.read(kept.path(point.digest))(inputs), candidate.network(inputs))


@every_method
def test_its_class_has_all_that_pages_and_the_command_line_need(kind: type[Method]) -> None:
    card = kind.card()
    names = [entry["name"] for entry in card["settings"]]
    assert card["dial"] in names and card["title"] and len(inspect.getdoc(kind) or "") > 100
    assert card["values"] and list(card["values"]) == sorted(set(card["values"]))
    assert card["applies_to"] in ("network", "data")
    for value in card["values"]:
        assert getattr(kind().at(value), kind.dial) == value
    assert all(entry["help"] for entry in card["settings"])


@every_method
def test_a_method_comes_back_from_its_step(kind: type[Method]) -> None:
    """With every setting at its default, and with each one of a point at another value that goes with the defaults."""
    assert method(Step(kind.name)) == kind()
    turned, entries = [kind()], [entry for entry in kind.describe() if not entry["of_sweep"]]
    for name, value in ((entry["name"], value) for entry in entries for value in others(entry)):
        with suppress(ValueError):
            turned.append(kind.from_plain({name: value}))
    assert len(set(turned)) == len(turned) > len(entries)
    for one in turned:
        assert method(one.step()) == method(Step.parse(one.step().text())) == one


def others(entry: dict[str, Any]) -> list[Any]:
    """Values of a setting other than its default."""
    default = entry["default"]
    if isinstance(default, bool):
        return [not default]
    if isinstance(default, (list, tuple)):
        return [[8]]
    found = entry["choices"] or [entry["low"], entry["high"], 3]
    return [value for value in found if value not in (None, default)]


def test_one_concept_has_one_name_in_all_methods() -> None:
    """Whoever knows a setting of one method knows it of every other."""
    older = {old: present for kind in KINDS for old, present in kind.renamed.items()}
    for kind in KINDS:
        for entry in kind.card()["settings"]:
            assert entry["name"] not in older, f"{kind.name} calls {older[entry['name']]} {entry['name']}"
    shared = {entry["name"]: (entry["label"], entry["type"]) for kind in KINDS for entry in kind.card()["settings"]}
    for kind in (method(Step(name)).card() for name in ("sparse_code", "data_codes", "activation_codes")):
        known = {entry["name"]: (entry["label"], entry["type"]) for entry in kind["settings"]}
        for name in ("nonzeros", "atoms", "iterations", "dictionary"):
            assert known[name] == shared[name], (kind["name"], name)


@every_method
def test_an_older_name_of_a_setting_is_still_read(kind: type[Method]) -> None:
    known = {entry["name"]: entry["default"] for entry in kind.describe()}
    assert set(kind.renamed.values()) <= set(known) and not set(kind.renamed) & set(known)
    assert kind.card()["renamed"] == kind.renamed
    for old, present in kind.renamed.items():
        assert method(Step.of(kind.name, {old: known[present]})) == kind()
        with pytest.raises(ValueError, match=f"{present} is given twice, once by an older name"):
            method(Step.of(kind.name, {old: known[present], present: known[present]}))


def test_an_unknown_method_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no method 'magic'; choose one of .*low_rank"):
        method(Step("magic"))


def test_an_unknown_setting_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"LowRank has no setting 'magic'; its settings are keep, scheme"):
        method(Step.of("low_rank", {"magic": 1}))


@every_method
def test_a_coded_file_holds_what_an_uncoded_one_does_in_fewer_bytes(kind: type[Method], mlp: Network,
                                                                    digits: Dataset) -> None:
    value = few_values(kind, digits)[0]
    coded, plain = (contents(next(dataclasses.replace(quick(kind), coding=coding).curve(mlp, digits, [value])), digits)
                    for coding in ("entropy", "none"))
    (manifest, tensors), (other, others) = container.unpack(coded), container.unpack(plain)
    assert manifest == other and identical(tensors, others) and len(coded) < len(plain)
    assert identical(load(plain), others)  # with safetensors alone


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.applies_to == "network"], ids=lambda kind: kind.name)
@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_a_point_in_less_precision_is_measured_as_its_file_has_it(kind: type[Method], precision: str, mlp: Network,
                                                                  digits: Dataset, tmp_path) -> None:
    method = dataclasses.replace(quick(kind), precision=precision)
    candidate = next(method.curve(mlp, digits, few_values(kind, digits)[:1]))
    kept, reference = Artefacts(tmp_path), Reference.of(mlp, digits)
    point = measure(candidate, digits, reference, kept, latency=False)
    network = network_file.from_bytes(kept.contents(point.digest))
    inputs = torch.tensor(digits.validation.inputs)
    with torch.inference_mode():
        predicted = network(inputs).argmax(1).numpy().astype("<u2").tobytes()
    full = dataclasses.replace(candidate, method=dataclasses.replace(method, precision="float32"))
    length = measure(full, digits, reference, kept, latency=False).bytes
    assert point.predictions == predicted
    if kind.name == "quantize":  # all its weights are whole numbers
        assert same_tensors(network, candidate.network) and abs(point.bytes - length) < 40
    else:
        assert not same_tensors(network, candidate.network) and point.bytes < length
