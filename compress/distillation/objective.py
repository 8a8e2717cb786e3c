"""One lesson: what a student hears at each step, from the labels and from its teacher, and how much each counts."""

from __future__ import annotations

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
from compress.networks.evaluation import CHUNK, evaluating
from compress.networks.families import Network
from compress.training import losses as knowledge
from compress.training.stack import Outputs, Stack
from compress.training.stack_layers import Flow, Packed

WRITTEN_OUT = ("soft", "logits")
LOSSES = (*WRITTEN_OUT, "decoupled", "hints", "attention", "relational")


@dataclass(frozen=True)
class KDObjective:
    """(1 - alpha) cross-entropy with the labels + alpha (what the teacher says).

    Attributes:
        alpha: 0 is the control: labels alone. 1: the teacher alone.
        temperature: of the soft targets.
        loss: one of LOSSES; hints, attention and relational are added to the soft targets.
        strength: the weight of what they add.
    """

    alpha: float
    temperature: float
    loss: str = "soft"
    strength: float = 1.0


class TeacherTargets:
    """What a teacher says of every training example, computed once: logits, and what the loss needs of its inside.

    Attributes:
        logits: (n, classes), from the network in evaluation mode; its batch-norm statistics stay as they are.
        hints: (n, features) of the middle stage; attention: one map (n, places...) a stage that has places;
            embedding: (n, units), the last layer's input. Only where the loss asks for it.
    """

    def __init__(self, network: Network, inputs: Tensor, loss: str = "soft") -> None:
        logits, hints, maps, embeddings = [], [], [], []
        with evaluating(network):
            for chunk in inputs.split(CHUNK):
                logits.append(network(chunk))
                if loss not in ("hints", "attention", "relational"):
                    continue
                stages, last = teacher_stages(network, chunk)
                embeddings.append(last.flatten(1))
                if loss == "hints":
                    _must(stages, "hints", "a teacher with a hidden layer")
                    hints.append(hint_features(*middle(stages))[0])
                if loss == "attention":
                    placed = [stage for stage in stages if has_places(stage[1])]
                    _must(placed, "attention", "a teacher with maps or states (cnn, resnet, gru)")
                    maps.append([attention_map(*stage)[0] for stage in placed])
        # Inference tensors take no part in a gradient; clones do.
        self.logits = torch.cat(logits).clone()
        self.hints = torch.cat(hints).clone() if hints else None
        self.attention = [torch.cat(parts).clone() for parts in zip(*maps, strict=True)]
        self.embedding = torch.cat(embeddings).clone() if loss == "relational" else None

    @property
    def sizes(self) -> tuple[tuple[int, ...] | None, ...]:
        """Of what is said of one example: students of one stack hear lectures of the same sizes."""
        return tuple(None if said is None else tuple(said.shape[1:])
                     for said in (self.logits, self.hints, self.embedding, *self.attention))


class StackedObjective:
    """The lessons of a stack's students, from one lecture each; gives every student's loss at a step.

    Raises:
        ValueError: the loss needs stages that a student does not have.
    """

    def __init__(self, stack: Stack, lessons: list[KDObjective], lectures: list[TeacherTargets], seed: int) -> None:
        device = next(iter(stack.parameters.values())).data.device
        self.stack, self.loss = stack, lessons[0].loss
        self.strength = lessons[0].strength
        self.alpha = torch.tensor([lesson.alpha for lesson in lessons], device=device)
        self.temperature = torch.tensor([lesson.temperature for lesson in lessons], device=device)
        self.listens = any(lesson.alpha > 0 for lesson in lessons)
        self.has_controls = not all(lesson.alpha > 0 for lesson in lessons)
        distinct = list(dict.fromkeys(lectures))
        self.lectures = distinct
        self.which = torch.tensor([distinct.index(lecture) for lecture in lectures], device=device)
        self.regressors: list[Packed] = []
        self.tables: list[Tensor] = []
        if self.loss == "hints" and self.listens:
            _must(stack.stages, "hints", "a student with a hidden layer")
            self.regressors = [_regressors(stack, distinct[0].hints.shape[1], seed, device)]
        if self.loss == "attention" and self.listens:
            _must([flow for flow in stack.stages if has_places(flow)], "attention", "a student with maps or states (cnn, "
                  "resnet, gru)")

    def backward(self, outputs: Outputs, labels: Tensor, labelled: Tensor | None, rows: Tensor) -> None:
        """Adds the gradient of every student's own losses() to the stack's tensors. For the losses on logits alone it
        is written out, which takes a third of the operations: softmax(z) - label, T (q - p), (z - v) / classes."""
        if self.listens and self.loss not in WRITTEN_OUT:
            self.losses(outputs, labels, labelled, rows).sum().backward()
            return
        with torch.no_grad():
            gradient = self._from_labels(outputs.logits, labels, labelled)
            if self.listens:
                pull = self._teacher_gradient(outputs.logits, rows)
                if self.has_controls:  # 0 times what a broken teacher says is not 0
                    pull = torch.where(self.alpha[:, None, None] > 0, pull, 0.0)
                gradient = gradient.mul_(1 - self.alpha[:, None, None]).add_(pull)
        outputs.logits.backward(gradient)

    def _from_labels(self, logits: Tensor, labels: Tensor, labelled: Tensor | None) -> Tensor:
        of_logs = logits.new_zeros(len(labels), logits.shape[-1])
        if labelled is None:
            of_logs.scatter_(1, labels[:, None], -1 / len(labels))
        else:
            of_logs.scatter_(1, labels[:, None], (labelled.to(logits.dtype) / -labelled.sum().clamp_min(1.0))[:, None])
        of_logs = of_logs.expand_as(logits).contiguous()
        # The very kernel behind cross_entropy's own gradient, so that a control's is the same bit for bit.
        return torch.ops.aten._log_softmax_backward_data(of_logs, logits.log_softmax(-1), -1, logits.dtype)

    def _teacher_gradient(self, logits: Tensor, rows: Tensor) -> Tensor:
        """alpha times the gradient of what the teacher says."""
        weight = self.alpha[:, None, None] / len(rows)
        if self.loss == "logits":
            gap = logits - self._said("logits", rows)
            return (gap - gap.mean(-1, keepdim=True)).mul_(weight / logits.shape[-1])
        heat = self.temperature[:, None, None]
        gap = (logits / heat).softmax(-1).sub_(self._softened(rows))
        return gap.mul_(weight * heat)

    def _softened(self, rows: Tensor) -> Tensor:
        """The teachers' probabilities at every student's temperature, looked up in tables made once."""
        if not self.tables:
            pairs = list(zip(self.which.tolist(), self.temperature.tolist(), strict=True))
            distinct = list(dict.fromkeys(pairs))
            self.tables = [(self.lectures[lecture].logits / heat).softmax(-1) for lecture, heat in distinct]
            self.entry = torch.tensor([distinct.index(pair) for pair in pairs], device=self.which.device)
        heard = [table.index_select(0, rows) for table in self.tables]
        return heard[0] if len(heard) == 1 else torch.stack(heard)[self.entry]

    def losses(self, outputs: Outputs, labels: Tensor, labelled: Tensor | None, rows: Tensor) -> Tensor:
        """(N,): each student's loss on a batch.

        Args:
            labels: (b,); labelled: (b,) of 0 and 1, or None if all labels may be used; rows: (b,) into train.
        """
        hard = knowledge.hard_labels(outputs.logits, labels, labelled)
        if not self.listens:
            return hard
        heard = self._from_teacher(outputs, labels, labelled, rows)
        return (1 - self.alpha) * hard + torch.where(self.alpha > 0, self.alpha * heard, 0.0)

    def _from_teacher(self, outputs: Outputs, labels: Tensor, labelled: Tensor | None, rows: Tensor) -> Tensor:
        student, teacher = outputs.logits, self._said("logits", rows)
        if self.loss == "logits":
            return knowledge.logit_matching(student, teacher)
        if self.loss == "decoupled":
            chosen = teacher.argmax(-1).expand(student.shape[:-1])
            target = chosen if labelled is None else torch.where(labelled > 0, labels, chosen)
            target = labels.expand(student.shape[:-1]) if labelled is None else target
            return knowledge.decoupled(student, teacher, target, self.temperature)
        soft = knowledge.soft_targets(student, teacher, self.temperature)
        return soft if self.loss == "soft" else soft + self.strength * self._extra(outputs, rows)

    def _extra(self, outputs: Outputs, rows: Tensor) -> Tensor:
        if self.loss == "hints":
            stage, flow = middle(list(zip(outputs.stages, self.stack.stages, strict=True)))
            return knowledge.hint(hint_features(stage, flow) @ self.regressors[0].data, self._said("hints", rows))
        if self.loss == "relational":
            return knowledge.relational(outputs.embedding, self._said("embedding", rows))
        own = [attention_map(stage, flow) for stage, flow in zip(outputs.stages, self.stack.stages, strict=True)
               if has_places(flow)]
        pairs = min(len(own), len(self.lectures[0].attention))
        losses = [knowledge.attention(*on_common_grid(own[-place], self._maps(-place, rows)))
                  for place in range(1, pairs + 1)]
        return torch.stack(losses).sum(0)

    def _said(self, what: str, rows: Tensor) -> Tensor:
        """(b, ...) of the one lecture, or (N, b, ...) where students have different teachers."""
        heard = [getattr(lecture, what)[rows] for lecture in self.lectures]
        return heard[0] if len(heard) == 1 else torch.stack(heard)[self.which]

    def _maps(self, place: int, rows: Tensor) -> Tensor:
        heard = [lecture.attention[place][rows] for lecture in self.lectures]
        return torch.stack(heard)[self.which]


def middle(stages: list[tuple[Tensor, Flow]]) -> tuple[Tensor, Flow]:
    """The stage from which a hint is read."""
    return stages[(len(stages) - 1) // 2]


def _regressors(stack: Stack, features: int, seed: int, device: torch.device) -> Packed:
    """One linear map a student from its middle stage to the teacher's; drawn from its own seed, whatever the company."""
    flow = stack.stages[(len(stack.stages) - 1) // 2]
    example = torch.zeros(2, *stack.networks[0].architecture.shape, device=device)
    with torch.inference_mode():
        total = hint_features(middle(list(zip(stack.forward(example).stages, stack.stages, strict=True)))[0], flow).shape[2]
    places = feature_places(flow, total)
    drawn = []
    for place in places:
        generator = torch.Generator().manual_seed(seed)
        drawn.append(torch.randn(len(place), features, generator=generator) / len(place) ** 0.5)
    everything = torch.arange(features)
    packed = Packed(drawn, [(place, everything) for place in places], (total, features))
    packed.data = packed.data.to(device).requires_grad_()
    return packed


def _must(found: list, loss: str, wanted: str) -> None:
    if not found:
        raise ValueError(f"Distill: loss={loss} needs {wanted}, but this one has none. Set loss to soft or relational.")
