"""Distillation losses: how far a student's outputs are from the labels or from a teacher's outputs, as pure functions.

The leading dimensions of all tensors are any number of students: (..., b, classes) for b examples. Every loss is one number
for each student, (...,): a mean over the examples. The gradient of their sum is the gradient of each student's loss.
Temperatures are scalars or of shape (...,).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

DECOUPLED_BETA = 8.0


def hard_labels(student: Tensor, labels: Tensor, labelled: Tensor | None = None) -> Tensor:
    """Cross-entropy with the true classes: the mean of -log q_label.

    Args:
        student: logits (..., b, classes); labels: (b,).
        labelled: (b,) of 0 and 1, 1 for examples whose label may be used; the mean is over these examples.
    """
    losses = functional.cross_entropy(student.movedim(-1, 1) if student.dim() == 2 else student.flatten(0, -2),
                                      labels.expand(student.shape[:-1]).flatten(), reduction="none")
    losses = losses.view(student.shape[:-1])
    if labelled is None:
        return losses.mean(-1)
    return (losses * labelled).sum(-1) / labelled.sum().clamp_min(1.0)


def soft_targets(student: Tensor, teacher: Tensor, temperature: Tensor | float) -> Tensor:
    r"""T^2 KL(p || q) with p = softmax(v / T) of the teacher's logits v and q = softmax(z / T) of the student's z
    (Hinton, Vinyals & Dean 2015). The gradient with respect to z is T (q - p). Its size does not vanish as T grows, because
    q - p is of order 1 / T; the limit of the loss is logit_matching()."""
    temperature = _column(temperature, student)
    log_q = (student / temperature).log_softmax(-1)
    log_p = (teacher / temperature).log_softmax(-1)
    divergence = (log_p.exp() * (log_p - log_q)).sum(-1)
    return (temperature.squeeze(-1).square() * divergence).mean(-1)


def standardised(logits: Tensor) -> Tensor:
    """The z-scores of logits (..., classes): each row with mean 0 and variance 1 (Sun et al. 2024, "Logit Standardization in
    Knowledge Distillation"). A z + b for every a > 0 and b has the same: a student compared by them may have logits of
    another size than its teacher's, whatever the temperature. Equal logits have the z-scores 0."""
    return (logits - logits.mean(-1, keepdim=True)) / _deviation(logits)


def through_standardised(gradient: Tensor, logits: Tensor) -> Tensor:
    """The gradient with respect to the logits z, from that with respect to their z-scores s = (z - mean z) / d of K classes.
    With d^2 = |z - mean z|^2 / K, ds_i/dz_j = (1_ij - 1/K - s_i s_j / K) / d, so that g becomes
    (g - mean g - s mean(g s)) / d."""
    scores = standardised(logits)
    centred = gradient - gradient.mean(-1, keepdim=True)
    return (centred - scores * (gradient * scores).mean(-1, keepdim=True)) / _deviation(logits)


def logit_matching(student: Tensor, teacher: Tensor) -> Tensor:
    """Half the mean squared difference of the logits, both centred over the classes (Ba & Caruana 2014; a constant added
    to all logits does not change a softmax). The limit of soft_targets() for T to infinity: to first order
    softmax(z / T) = (1 + (z - mean z) / T) / K for K classes, so T (q - p) becomes the centred difference over K."""
    gap = student - teacher
    return (gap - gap.mean(-1, keepdim=True)).square().mean(-1).mean(-1) / 2


def decoupled(student: Tensor, teacher: Tensor, target: Tensor, temperature: Tensor | float,
              beta: float = DECOUPLED_BETA) -> Tensor:
    """T^2 (TCKD + beta NCKD): the divergence between the probabilities of the target class, and the divergence between the
    distributions over the other classes, with weights of their own (Zhao et al. 2022). With beta = 1 - p_target of each
    example it equals soft_targets().

    Args:
        target: (..., b) classes: the label, or the teacher's prediction where the label is unknown.
    """
    temperature = _column(temperature, student)
    mask = functional.one_hot(target, student.shape[-1]).to(student.dtype)
    log_q, log_p = ((logits / temperature).log_softmax(-1) for logits in (student, teacher))
    binary = _binary_divergence((log_p.exp() * mask).sum(-1), (log_q.exp() * mask).sum(-1))
    others_q, others_p = ((logits / temperature - 1e4 * mask).log_softmax(-1) for logits in (student, teacher))
    among_others = (others_p.exp() * (others_p - others_q)).sum(-1)
    return (temperature.squeeze(-1).square() * (binary + beta * among_others)).mean(-1)


def hint(student: Tensor, teacher: Tensor) -> Tensor:
    """Half the mean squared difference of hidden features (..., b, units of the teacher), the student's after its regressor
    (FitNets: Romero et al. 2015)."""
    return (student - teacher).square().mean(-1).mean(-1) / 2


def attention(student: Tensor, teacher: Tensor) -> Tensor:
    """Squared distance of two attention maps (..., b, positions), sums of squares over the channels, each scaled to norm 1
    (Zagoruyko & Komodakis 2017)."""
    return (functional.normalize(student, dim=-1) - functional.normalize(teacher, dim=-1)).square().sum(-1).mean(-1)


def relational(student: Tensor, teacher: Tensor) -> Tensor:
    """25 times the Huber loss of the distances between the examples of a batch, scaled to mean 1, plus 50 times the Huber
    loss of the cosines of the angles of all triplets (Park et al. 2019).

    Args:
        student, teacher: embeddings (..., b, units); the numbers of units may differ.
    """
    losses = []
    for relation, weight in ((_distances, 25.0), (_angles, 50.0)):
        found, wanted = relation(student), relation(teacher)
        gap = functional.smooth_l1_loss(found, wanted.expand_as(found), reduction="none")
        losses.append(weight * gap.flatten(student.dim() - 2).mean(-1))
    return losses[0] + losses[1]


def _distances(embedding: Tensor) -> Tensor:
    """(..., b, b), scaled to mean 1 over pairs of different examples. The gradient is finite for equal examples."""
    squares = embedding.square().sum(-1)
    gram = embedding @ embedding.mT
    squared = (squares[..., :, None] + squares[..., None, :] - 2 * gram).clamp_min(1e-12)
    apart = 1 - torch.eye(embedding.shape[-2], device=embedding.device, dtype=embedding.dtype)
    distances = squared.sqrt() * apart
    count = embedding.shape[-2] * (embedding.shape[-2] - 1)
    return distances / (distances.sum((-2, -1), keepdim=True) / max(1, count)).clamp_min(1e-12)


def _angles(embedding: Tensor) -> Tensor:
    """(..., b, b, b): the cosine of the angle at example i between examples j and k."""
    edges = embedding[..., None, :, :] - embedding[..., :, None, :]
    edges = edges / edges.square().sum(-1, keepdim=True).clamp_min(1e-12).sqrt()
    return edges @ edges.mT


def _binary_divergence(p: Tensor, q: Tensor) -> Tensor:
    """KL divergence of two Bernoulli distributions, finite for probabilities of 0 and 1."""
    tiny = torch.finfo(p.dtype).tiny
    first = p * (p.clamp_min(tiny).log() - q.clamp_min(tiny).log())
    return first + (1 - p) * ((1 - p).clamp_min(tiny).log() - (1 - q).clamp_min(tiny).log())


def _deviation(logits: Tensor) -> Tensor:
    """(..., 1): the standard deviation of each row, at least 1e-6, so that equal logits can be divided by it."""
    return (logits.var(-1, correction=0, keepdim=True) + 1e-12).sqrt()


def _column(temperature: Tensor | float, like: Tensor) -> Tensor:
    """The temperature with two more dimensions, for examples and classes."""
    return torch.as_tensor(temperature, dtype=like.dtype, device=like.device)[..., None, None]
