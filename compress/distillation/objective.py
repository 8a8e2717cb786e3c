"""The distillation objective: cross-entropy with the labels plus a term that compares a student with its teacher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from compress.distillation.hidden_features import (
    attention_map,
    feature_places,
    has_places,
    hint_features,
    on_common_grid,
    teacher_stages,
)
from compress.distillation.refusal import missing
from compress.networks.evaluation import chunk_of, evaluating
from compress.networks.families import Network
from compress.training import losses
from compress.training.side_by_side import SideBySide
from compress.training.stack import Outputs, Stack
from compress.training.stack_layers import Layout, StackedTensor

CLOSED_FORM = ("soft", "logits")  # losses on the logits alone, whose gradient is computed without autograd
LOSSES = (*CLOSED_FORM, "decoupled", "hints", "attention", "relational")


@dataclass(frozen=True)
class KDObjective:
    """(1 - alpha) cross-entropy with the labels + alpha (the teacher term).

    Attributes:
        alpha: weight of the teacher term; 0 is the control (labels alone), 1 the teacher alone.
        temperature: of the soft targets.
        loss: one of LOSSES; hints, attention and relational are added to the soft targets.
        strength: weight of the added loss.
        standardised: whether the teacher term compares the z-scores of the logits (Sun et al. 2024).
    """

    alpha: float
    temperature: float
    loss: str = "soft"
    strength: float = 1.0
    standardised: bool = False


class TeacherTargets:
    """A teacher's outputs on every training example, computed once: logits, and the hidden features that a loss needs.

    Attributes:
        logits: (n, classes), from the network in evaluation mode; batch-norm statistics do not change.
        hints: (n, features) of the middle stage, for the loss "hints".
        attention: one map (n, places...) for each stage with places, for the loss "attention".
        embedding: (n, units), the input of the last layer, for the loss "relational".

    Raises:
        ValueError: the loss needs a stage that the teacher does not have.
    """

    def __init__(self, network: Network, inputs: Tensor, loss: str = "soft") -> None:
        logits, hints, embeddings = [], [], []
        maps: list[list[Tensor]] = []
        with evaluating(network):
            for chunk in inputs.split(chunk_of(network)):
                logits.append(network(chunk))
                if loss not in ("hints", "attention", "relational"):
                    continue
                stages, last = teacher_stages(network, chunk)
                embeddings.append(last.flatten(1))
                if loss == "hints":
                    _require(stages, "hints", "a teacher with a hidden layer")
                    hints.append(hint_features(*middle(stages))[0])
                if loss == "attention":
                    placed = [stage for stage in stages if has_places(stage[1])]
                    _require(placed, "attention", "a teacher with maps or states (cnn, resnet, gru)")
                    maps.append([attention_map(*stage)[0] for stage in placed])
        # Inference tensors take no part in a gradient; clones do.
        self.logits = torch.cat(logits).clone()
        self.hints = torch.cat(hints).clone() if hints else None
        self.attention = [torch.cat(parts).clone() for parts in zip(*maps, strict=True)]
        self.embedding = torch.cat(embeddings).clone() if loss == "relational" else None

    @property
    def sizes(self) -> tuple[tuple[int, ...] | None, ...]:
        """Shapes of the targets of one example: students of one stack need targets of equal shapes."""
        return tuple(None if target is None else tuple(target.shape[1:])
                     for target in (self.logits, self.hints, self.embedding, *self.attention))


class StackedObjective:
    """The objectives of all students in a stack: every student's loss, and the gradient of every student's loss.

    Attributes:
        targets: the distinct targets; target_of: (N,) index of each student's targets among them.
        uses_teacher: whether any student has a teacher term; has_controls: whether any has none.
        regressors: linear maps from the students' middle stages to the teacher's, trained along (loss "hints" only).

    Raises:
        ValueError: the loss needs a stage that a student does not have.
    """

    def __init__(self, stack: Stack | SideBySide, objectives: Sequence[KDObjective], targets: Sequence[TeacherTargets],
                 seed: int) -> None:
        device = stack.device
        self.loss = objectives[0].loss
        self.strength = objectives[0].strength
        self.alpha = torch.tensor([objective.alpha for objective in objectives], device=device)
        self.temperature = torch.tensor([objective.temperature for objective in objectives], device=device)
        self.standardised = torch.tensor([objective.standardised for objective in objectives], device=device)
        self.any_standardised = any(objective.standardised for objective in objectives)
        self.uses_teacher = any(objective.alpha > 0 for objective in objectives)
        self.has_controls = not all(objective.alpha > 0 for objective in objectives)
        self.targets = list(dict.fromkeys(targets))
        self.target_of = torch.tensor([self.targets.index(target) for target in targets], device=device)
        self.regressors: list[StackedTensor] = []
        self.soft_tables: list[Tensor] = []
        self.stages: list[Layout] = []
        if isinstance(stack, Stack):
            self._prepare(stack, seed, device)
        elif not self.closed:
            raise TypeError(f"networks side by side keep no hidden features, which the loss {self.loss} needs; stack them")

    @property
    def closed(self) -> bool:
        """Whether the gradient is one of the logits alone, in closed form."""
        return not self.uses_teacher or self.loss in CLOSED_FORM

    def _prepare(self, stack: Stack, seed: int, device: torch.device) -> None:
        """What losses on hidden features need of the students."""
        self.stages, hints = stack.stages, self.targets[0].hints
        if self.loss == "hints" and self.uses_teacher and hints is not None:
            _require(stack.stages, "hints", "a student with a hidden layer")
            self.regressors = [_regressors(stack, hints.shape[1], seed, device)]
        if self.loss == "attention" and self.uses_teacher:
            _require([layout for layout in stack.stages if has_places(layout)], "attention",
                     "a student with maps or states (cnn, resnet, gru)")

    def backward(self, outputs: Outputs, labels: Tensor, labelled: Tensor | None, rows: Tensor) -> None:
        """Adds the gradient of losses() to the stack's tensors; arguments as for losses().

        For the losses on logits alone the gradient is written in closed form, a third of the operations of autograd. Of
        one example with student logits z and q = softmax(z / T), teacher logits v and p = softmax(v / T), and K classes:
            cross-entropy:   d(-log softmax(z)_y)/dz = softmax(z) - onehot(y)
            soft targets:    d log q_i/dz_j = (1_ij - q_j) / T, so d(T^2 KL(p || q))/dz = T^2 (q - p) / T = T (q - p)
            logit matching:  with C = 1 - (mean over the classes), C^T C = C, so d(|C (z - v)|^2 / 2K)/dz = C (z - v) / K
        Of standardised logits these are the gradients with respect to the z-scores: see losses.through_standardised().
        """
        if self.closed:
            outputs.logits.backward(self.gradient(outputs.logits, labels, labelled, rows))
        else:
            self.losses(outputs, labels, labelled, rows).sum().backward()

    @torch.no_grad()
    def gradient(self, logits: Tensor, labels: Tensor, labelled: Tensor | None, rows: Tensor) -> Tensor:
        """(N, b, classes): the gradient of a closed loss with respect to the logits (N, b, classes), every row by itself;
        other arguments as for losses()."""
        gradient = self._label_gradient(logits, labels, labelled)
        if self.uses_teacher:
            from_teacher = self._teacher_gradient(logits, rows)
            if self.has_controls:  # 0 times the NaN of a broken teacher is not 0
                from_teacher = torch.where(self.alpha[:, None, None] > 0, from_teacher, 0.0)
            gradient = gradient.mul_(1 - self.alpha[:, None, None]).add_(from_teacher)
        return gradient

    def losses(self, outputs: Outputs, labels: Tensor, labelled: Tensor | None, rows: Tensor) -> Tensor:
        """(N,): each student's loss on a batch.

        Args:
            labels: (b,).
            labelled: (b,) of 0 and 1, 1 where the label may be used; None if all labels may be used.
            rows: (b,) indices of the batch in train.
        """
        hard = losses.hard_labels(outputs.logits, labels, labelled)
        if not self.uses_teacher:
            return hard
        soft = self._teacher_losses(outputs, labels, labelled, rows)
        return (1 - self.alpha) * hard + torch.where(self.alpha > 0, self.alpha * soft, 0.0)

    def _label_gradient(self, logits: Tensor, labels: Tensor, labelled: Tensor | None) -> Tensor:
        """(N, b, classes): the gradient of the cross-entropy with the labels."""
        of_log_softmax = logits.new_zeros(len(labels), logits.shape[-1])
        if labelled is None:
            of_log_softmax.scatter_(1, labels[:, None], -1 / len(labels))
        else:
            shares = labelled.to(logits.dtype) / -labelled.sum().clamp_min(1.0)
            of_log_softmax.scatter_(1, labels[:, None], shares[:, None])
        of_log_softmax = of_log_softmax.expand_as(logits).contiguous()
        # The kernel behind cross_entropy's own gradient, so that a control's gradient is equal bit for bit.
        return torch.ops.aten._log_softmax_backward_data(of_log_softmax, logits.log_softmax(-1), -1, logits.dtype)

    def _teacher_gradient(self, logits: Tensor, rows: Tensor) -> Tensor:
        """(N, b, classes): alpha times the gradient of the teacher term, as derived in backward()."""
        weight, scores = self.alpha[:, None, None] / len(rows), self._compared(logits)
        if self.loss == "logits":
            gap = scores - self._compared(self._targets("logits", rows))
            gradient = (gap - gap.mean(-1, keepdim=True)).mul_(weight / logits.shape[-1])
        else:
            temperature = self.temperature[:, None, None]
            gap = (scores / temperature).softmax(-1).sub_(self._soft_targets(rows))
            gradient = gap.mul_(weight * temperature)
        if not self.any_standardised:
            return gradient
        return torch.where(self.standardised[:, None, None], losses.through_standardised(gradient, logits), gradient)

    def _compared(self, logits: Tensor) -> Tensor:
        """What of logits (b, classes) or (N, b, classes) is compared: z-scores for the students that are standardised."""
        if not self.any_standardised:
            return logits
        return torch.where(self.standardised[:, None, None], losses.standardised(logits), logits)

    def _soft_targets(self, rows: Tensor) -> Tensor:
        """The teachers' probabilities at every student's temperature, (b, classes) or (N, b, classes), from tables that
        are computed once."""
        if not self.soft_tables:
            kinds = list(zip(self.target_of.tolist(), self.temperature.tolist(), self.standardised.tolist(), strict=True))
            distinct = list(dict.fromkeys(kinds))
            for number, temperature, scored in distinct:
                logits = self.targets[number].logits
                self.soft_tables.append(((losses.standardised(logits) if scored else logits) / temperature).softmax(-1))
            self.table_of = torch.tensor([distinct.index(kind) for kind in kinds], device=self.target_of.device)
        found = [table.index_select(0, rows) for table in self.soft_tables]
        return found[0] if len(found) == 1 else torch.stack(found)[self.table_of]

    def _teacher_losses(self, outputs: Outputs, labels: Tensor, labelled: Tensor | None, rows: Tensor) -> Tensor:
        """(N,): the teacher term of each student."""
        student, teacher = self._compared(outputs.logits), self._compared(self._targets("logits", rows))
        if self.loss == "logits":
            return losses.logit_matching(student, teacher)
        if self.loss == "decoupled":
            predicted = self._targets("logits", rows).argmax(-1).expand(student.shape[:-1])
            known = labels.expand(student.shape[:-1])
            target = known if labelled is None else torch.where(labelled > 0, known, predicted)
            return losses.decoupled(student, teacher, target, self.temperature)
        soft = losses.soft_targets(student, teacher, self.temperature)
        return soft if self.loss == "soft" else soft + self.strength * self._feature_losses(outputs, rows)

    def _feature_losses(self, outputs: Outputs, rows: Tensor) -> Tensor:
        """(N,): the loss on hidden features that is added to the soft targets."""
        if self.loss == "hints":
            stage, layout = middle(list(zip(outputs.stages, self.stages, strict=True)))
            return losses.hint(hint_features(stage, layout) @ self.regressors[0].data, self._targets("hints", rows))
        if self.loss == "relational":
            if outputs.embedding is None:
                raise ValueError("Distill: the loss relational needs a student with a hidden layer, but it has none. Set "
                                 "loss to soft.")
            return losses.relational(outputs.embedding, self._targets("embedding", rows))
        maps = [attention_map(stage, layout) for stage, layout in zip(outputs.stages, self.stages, strict=True)
                if has_places(layout)]
        pairs = min(len(maps), len(self.targets[0].attention))
        found = [losses.attention(*on_common_grid(maps[-place], self._attention_targets(-place, rows)))
                 for place in range(1, pairs + 1)]
        return torch.stack(found).sum(0)

    def _targets(self, name: str, rows: Tensor) -> Tensor:
        """(b, ...) where all students have one teacher, (N, b, ...) otherwise."""
        found: list[Tensor] = [getattr(target, name)[rows] for target in self.targets]
        return found[0] if len(found) == 1 else torch.stack(found)[self.target_of]

    def _attention_targets(self, place: int, rows: Tensor) -> Tensor:
        """(N, b, places...): the teachers' attention maps of one stage."""
        return torch.stack([target.attention[place][rows] for target in self.targets])[self.target_of]


def middle(stages: Sequence[tuple[Tensor, Layout]]) -> tuple[Tensor, Layout]:
    """The stage from which hints are taken."""
    return stages[(len(stages) - 1) // 2]


def _regressors(stack: Stack, features: int, seed: int, device: torch.device) -> StackedTensor:
    """One linear map for each student, from its middle stage to the teacher's; drawn from the student's seed, so that the
    other students of the stack do not matter."""
    layout = stack.stages[(len(stack.stages) - 1) // 2]
    example = torch.zeros(2, *stack.networks[0].architecture.shape, device=device)
    with torch.inference_mode():
        stage, _ = middle(list(zip(stack.forward(example).stages, stack.stages, strict=True)))
        total = hint_features(stage, layout).shape[2]
    places = feature_places(layout, total)
    drawn = []
    for place in places:
        generator = torch.Generator().manual_seed(seed)
        drawn.append(torch.randn(len(place), features, generator=generator) / len(place) ** 0.5)
    all_features = torch.arange(features)
    stacked = StackedTensor(drawn, [(place, all_features) for place in places], (total, features))
    stacked.data = stacked.data.to(device).requires_grad_()
    return stacked


def _require(found: Sequence[object], loss: str, needed: str) -> None:
    if not found:
        raise ValueError(missing(loss, needed))
