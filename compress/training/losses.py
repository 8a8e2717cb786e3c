"""What a student can be taught of a teacher's outputs: losses as pure functions.

Every loss takes tensors whose leading dimensions are any number of students, (..., b, classes) for b examples, and
gives one number a student, (...,): a mean over the examples. A sum of them has each student's own gradient.
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
        labelled: (b,) of 0 and 1: examples whose label may be used, over which the mean is taken.
    """
    losses = functional.cross_entropy(student.movedim(-1, 1) if student.dim() == 2 else student.flatten(0, -2),
                                      labels.expand(student.shape[:-1]).flatten(), reduction="none")
    losses = losses.view(student.shape[:-1])
    if labelled is None:
        return losses.mean(-1)
    return (losses * labelled).sum(-1) / labelled.sum().clamp_min(1.0)


def soft_targets(student: Tensor, teacher: Tensor, temperature: Tensor | float) -> Tensor:
    r"""T^2 KL(p || q) with p = softmax(v / T) of the teacher's logits v and q = softmax(z / T) of the student's z
    (Hinton, Vinyals & Dean 2015). Its gradient, T (q - p), keeps its size when T grows; its limit is logit matching."""
    temperature = _column(temperature, student)
    log_q = (student / temperature).log_softmax(-1)
    log_p = (teacher / temperature).log_softmax(-1)
    divergence = (log_p.exp() * (log_p - log_q)).sum(-1)
    return (temperature.squeeze(-1).square() * divergence).mean(-1)


def logit_matching(student: Tensor, teacher: Tensor) -> Tensor:
    """Half the mean squared difference of the logits, each around its mean over the classes (Ba & Caruana 2014; the
    mean does not change a softmax). Exactly what soft targets become when T goes to infinity."""
    gap = student - teacher
    return (gap - gap.mean(-1, keepdim=True)).square().mean(-1).mean(-1) / 2


def decoupled(student: Tensor, teacher: Tensor, target: Tensor, temperature: Tensor | float,
              beta: float = DECOUPLED_BETA) -> Tensor:
    """T^2 (TCKD + beta NCKD): how sure of the target class, and the distribution among the others, weighed apart (Zhao
    et al. 2022). With beta = 1 - p_target of each example it would be soft_targets().

    Args:
        target: (..., b) classes: the label, or where it is unknown the teacher's choice.
    """
    temperature = _column(temperature, student)
    mask = functional.one_hot(target, student.shape[-1]).to(student.dtype)
    log_q, log_p = ((logits / temperature).log_softmax(-1) for logits in (student, teacher))
    binary = _binary_divergence((log_p.exp() * mask).sum(-1), (log_q.exp() * mask).sum(-1))
    others_q, others_p = ((logits / temperature - 1e4 * mask).log_softmax(-1) for logits in (student, teacher))
    among_others = (others_p.exp() * (others_p - others_q)).sum(-1)
    return (temperature.squeeze(-1).square() * (binary + beta * among_others)).mean(-1)


def hint(student: Tensor, teacher: Tensor) -> Tensor:
    """Half the mean squared error of a hidden layer's outputs after the student's regressor (FitNets: Romero et al.
    2015): features (..., b, units of the teacher)."""
    return (student - teacher).square().mean(-1).mean(-1) / 2


def attention(student: Tensor, teacher: Tensor) -> Tensor:
    """Squared distance of two attention maps (..., b, places), each the channels' sum of squares scaled to norm 1
    (Zagoruyko & Komodakis 2017), summed over places."""
    return (functional.normalize(student, dim=-1) - functional.normalize(teacher, dim=-1)).square().sum(-1).mean(-1)


def relational(student: Tensor, teacher: Tensor) -> Tensor:
    """Relations between the examples of a batch: 25 times the Huber loss of their distances, scaled to mean 1, plus 50
    times that of the angles of all triplets (Park et al. 2019). Embeddings (..., b, units); the numbers of units of
    teacher and student may differ."""
    losses = []
    for relation, weight in ((_distances, 25.0), (_angles, 50.0)):
        gap = functional.smooth_l1_loss(relation(student), relation(teacher).expand(
            *student.shape[:-2], *relation(teacher).shape[teacher.dim() - 2:]), reduction="none")
        losses.append(weight * gap.flatten(student.dim() - 2).mean(-1))
    return losses[0] + losses[1]


def _distances(embedding: Tensor) -> Tensor:
    """(..., b, b), the mean over different examples being 1; safe to differentiate where examples coincide."""
    squares = embedding.square().sum(-1)
    gram = embedding @ embedding.mT
    squared = (squares[..., :, None] + squares[..., None, :] - 2 * gram).clamp_min(1e-12)
    apart = 1 - torch.eye(embedding.shape[-2], device=embedding.device, dtype=embedding.dtype)
    distances = squared.sqrt() * apart
    count = embedding.shape[-2] * (embedding.shape[-2] - 1)
    return distances / (distances.sum((-2, -1), keepdim=True) / max(1, count)).clamp_min(1e-12)


def _angles(embedding: Tensor) -> Tensor:
    """Cosines (..., b, b, b) of the angle at example i between j and k."""
    edges = embedding[..., None, :, :] - embedding[..., :, None, :]
    edges = edges / edges.square().sum(-1, keepdim=True).clamp_min(1e-12).sqrt()
    return edges @ edges.mT


def _binary_divergence(p: Tensor, q: Tensor) -> Tensor:
    """KL of two Bernoulli distributions, finite at their ends."""
    tiny = torch.finfo(p.dtype).tiny
    first = p * (p.clamp_min(tiny).log() - q.clamp_min(tiny).log())
    return first + (1 - p) * ((1 - p).clamp_min(tiny).log() - (1 - q).clamp_min(tiny).log())


def _column(temperature: Tensor | float, like: Tensor) -> Tensor:
    """The temperature with dimensions for examples and classes."""
    return torch.as_tensor(temperature, dtype=like.dtype, device=like.device)[..., None, None]
