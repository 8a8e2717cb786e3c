"""Distillation's losses against hand computations, closed forms and limits."""

from __future__ import annotations

from collections.abc import Callable
from math import log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from compress.training import losses

CLASSES = 10


def logits(*shape: int, seed: int = 0, scale: float = 3.0) -> Tensor:
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gradient(loss: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    at = at.clone().requires_grad_()
    loss(at).sum().backward()
    return at.grad


def test_the_divergence_is_that_of_the_teacher_from_the_student_summed_over_classes():
    teacher, student = torch.tensor([[0.8, 0.2]], dtype=torch.float64).log(), torch.tensor([[0.4, 0.6]],
                                                                                                dtype=torch.float64).log()
    by_hand = 0.8 * log(0.8 / 0.4) + 0.2 * log(0.2 / 0.6)
    swapped = 0.4 * log(0.4 / 0.8) + 0.6 * log(0.6 / 0.2)
    found = float(losses.soft_targets(student, teacher, 1.0))
    assert found == pytest.approx(by_hand, rel=1e-6) and abs(found - swapped) > 0.04
    assert float(losses.soft_targets(student.repeat(7, 1), teacher.repeat(7, 1), 1.0)) == pytest.approx(by_hand, rel=1e-6)


@given(st.floats(0.5, 64.0), st.integers(0, 50))
def test_its_gradient_is_the_temperature_times_the_difference_of_probabilities(temperature, seed):
    student, teacher = logits(4, CLASSES, seed=seed), logits(4, CLASSES, seed=seed + 1)
    found = gradient(lambda z: losses.soft_targets(z, teacher, temperature), student)
    q, p = ((one / temperature).softmax(-1) for one in (student, teacher))
    assert torch.allclose(found, temperature * (q - p) / 4, atol=1e-12)


@pytest.mark.parametrize(("temperature", "error"), [(10.0, 0.06), (100.0, 0.006), (1000.0, 0.0006)])
def test_at_high_temperature_its_gradient_tends_to_the_centred_logit_difference_over_classes(temperature, error):
    student, teacher = logits(200, CLASSES, scale=1.0), logits(200, CLASSES, seed=1, scale=1.0)
    found = gradient(lambda z: losses.soft_targets(z, teacher, temperature), student)
    limit = gradient(lambda z: losses.logit_matching(z, teacher), student)
    gap = student - teacher
    assert torch.allclose(limit, (gap - gap.mean(-1, keepdim=True)) / CLASSES / 200)
    assert float((found - limit).norm() / limit.norm()) == pytest.approx(error, rel=0.5)


def test_the_size_of_the_gradient_does_not_depend_on_a_high_temperature():
    student, teacher = logits(64, CLASSES), logits(64, CLASSES, seed=1)
    norms = [float(gradient(lambda z, temperature=temperature: losses.soft_targets(z, teacher, temperature), student).norm())
             for temperature in (32.0, 64.0)]
    assert norms[0] == pytest.approx(norms[1], rel=0.02)


@pytest.mark.parametrize("loss", [
    lambda z, v: losses.soft_targets(z, v, 4.0), losses.logit_matching,
    lambda z, v: losses.decoupled(z, v, torch.zeros(6, dtype=torch.long), 4.0)], ids=["soft", "logits", "decoupled"])
def test_logits_that_differ_by_a_constant_have_no_loss(loss):
    teacher = logits(6, CLASSES)
    student = teacher + logits(6, 1, seed=5)
    assert float(loss(student, teacher).abs()) < 1e-12
    assert float(gradient(lambda z: loss(z, teacher), student).abs().max()) < 1e-12


def test_decoupled_losses_put_together_are_the_soft_loss():
    student, teacher, target = logits(1, CLASSES), logits(1, CLASSES, seed=1), torch.tensor([3])
    temperature = 4.0
    others = 1 - float((teacher / temperature).softmax(-1)[0, 3])
    assert float(losses.decoupled(student, teacher, target, temperature, beta=others)) == pytest.approx(
        float(losses.soft_targets(student, teacher, temperature)), rel=1e-9)


def test_decoupled_losses_stay_finite_where_a_teacher_is_sure():
    teacher = torch.tensor([[200.0, 0.0, 0.0]])
    found = gradient(lambda z: losses.decoupled(z, teacher, torch.tensor([0]), 1.0), torch.zeros(1, 3))
    assert found.isfinite().all()


def test_hard_labels_are_plain_cross_entropy_bit_for_bit():
    student, labels = logits(5, 32, CLASSES).float(), torch.arange(32) % CLASSES
    for one, found in zip(student, losses.hard_labels(student, labels), strict=True):
        assert torch.equal(found, functional.cross_entropy(one, labels, reduction="none").mean())


def test_only_labelled_examples_count_for_hard_labels():
    student, labels = logits(2, 8, CLASSES), torch.arange(8)
    mask = torch.tensor([1.0, 0, 1, 0, 0, 0, 0, 1])
    rows = mask.nonzero().flatten()
    assert torch.allclose(losses.hard_labels(student, labels, mask),
                          losses.hard_labels(student[:, rows], labels[rows]))
    assert torch.equal(losses.hard_labels(student, labels, torch.zeros(8)), torch.zeros(2, dtype=torch.float64))


def test_each_student_has_its_own_loss_and_temperature():
    student, teacher = logits(3, 5, CLASSES), logits(5, CLASSES, seed=1)
    temperatures = torch.tensor([1.0, 4.0, 20.0], dtype=torch.float64)
    together = losses.soft_targets(student, teacher, temperatures)
    alone = [losses.soft_targets(one, teacher, float(temperature))
             for one, temperature in zip(student, temperatures, strict=True)]
    assert torch.allclose(together, torch.stack(alone))
    for loss in (lambda z: losses.relational(z, teacher), lambda z: losses.logit_matching(z, teacher)):
        assert torch.allclose(loss(student), torch.stack([loss(one) for one in student]))


def test_relations_do_not_change_when_an_embedding_is_turned_scaled_and_moved():
    embedding = logits(12, 6)
    turned = torch.linalg.qr(logits(6, 6, seed=3)).Q
    assert float(losses.relational(2.5 * embedding @ turned + 3, embedding)) < 1e-20
    assert float(losses.relational(logits(12, 4, seed=2), embedding)) > 1
    twins = embedding.clone()
    twins[1] = twins[0]
    assert gradient(lambda z: losses.relational(z, embedding), twins).isfinite().all()


def test_attention_looks_at_where_not_at_how_much():
    places = logits(4, 25).square()
    assert float(losses.attention(7 * places, places)) < 1e-20
    assert float(losses.attention(places.flip(1), places)) > 0.01


def test_a_hint_is_half_the_mean_squared_error():
    assert float(losses.hint(torch.ones(3, 4), torch.zeros(3, 4))) == 0.5


@pytest.mark.parametrize("loss", [lambda z, v: losses.soft_targets(z, v, 3.0), losses.logit_matching,
                                  lambda z, v: losses.decoupled(z, v, torch.arange(6) % CLASSES, 3.0)],
                         ids=["soft", "logits", "decoupled"])
@pytest.mark.parametrize(("scale", "shift"), [(0.01, 0.0), (1.0, 50.0), (70.0, -3.0)])
def test_the_loss_of_standardised_logits_knows_neither_size_nor_shift(loss, scale, shift):
    student, teacher = logits(2, 6, CLASSES), logits(6, CLASSES, seed=1)
    expected = loss(losses.standardised(student), losses.standardised(teacher))
    found = loss(losses.standardised(scale * student + shift), losses.standardised(teacher / scale - shift))
    assert torch.allclose(found, expected, rtol=1e-5) and float(expected.min()) > 1e-3
    assert not torch.allclose(loss(2 * student, teacher), loss(student, teacher), rtol=1e-2)


def test_there_is_no_gradient_where_the_scores_match():
    teacher = logits(6, CLASSES)
    scores = losses.standardised(teacher)
    assert torch.allclose(scores.mean(-1), torch.zeros(6, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(scores.var(-1, correction=0), torch.ones(6, dtype=torch.float64), rtol=1e-9)
    found = gradient(lambda z: losses.soft_targets(losses.standardised(z), scores, 4.0), 0.2 * teacher + 7)
    assert float(found.abs().max()) < 1e-10
    assert float(gradient(lambda z: losses.soft_targets(z, teacher, 4.0), 0.2 * teacher + 7).abs().max()) > 1e-3


def test_the_gradient_through_the_scores_is_that_of_autograd_also_for_equal_logits():
    student, weights = logits(4, CLASSES), logits(4, CLASSES, seed=5)
    found = losses.through_standardised(weights, student)
    assert torch.allclose(found, gradient(lambda z: (losses.standardised(z) * weights).sum(), student), atol=1e-12)
    assert losses.through_standardised(weights, torch.zeros_like(student)).isfinite().all()
    assert not losses.standardised(torch.ones(2, CLASSES)).any()
