"""Knowledge distillation: a small student trained on the teacher's outputs, with the same student on labels as control."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import isnan
from typing import Any

import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.distillation.dark_knowledge import MOST_CLASSES, ambiguous_examples, knowledge_view, logits_on
from compress.distillation.joint_training import OnEpoch, TrainedStudent, train_students
from compress.distillation.objective import LOSSES, KDObjective, TeacherTargets
from compress.distillation.refusal import refusal
from compress.distillation.student_architecture import SAME, student_architecture
from compress.distillation.student_groups import Student
from compress.distillation.transfer_set import TransferSet, omitted_class, transfer_set
from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.method import Candidate, Entrant, Method, Run
from compress.networks.evaluation import device_of
from compress.networks.families import Architecture, Network, build
from compress.progress import Reporter, StudentSoFar, StudentsSoFar, no_report
from compress.recipe import BASELINE, CONTROL, CURVE, SEED, VARIANT
from compress.setting_values import NO_LABEL
from compress.settings import setting
from compress.stored import Stored
from compress.training.batches import refusal as refusal_of_batches
from compress.training.loop import Training
from compress.workload import Phase


@dataclass(frozen=True)
class Distill(Method):
    r"""Train a small student on the outputs of the teacher, not on the labels alone.

    With the logits $z$ of the student and $v$ of the teacher, the loss is
    $(1-\alpha)\,\mathrm{CE}(z, \text{label}) + \alpha\,T^2\,\mathrm{KL}(\mathrm{softmax}(v/T)\,\|\,\mathrm{softmax}(z/T))$
    (Hinton, Vinyals & Dean 2015). A temperature $T$ above 1 raises the teacher's small probabilities, which contain how
    similar a wrong class is to the right one. The factor $T^2$ keeps the size of the gradient, $T\,(q - p)$ with
    $p = \mathrm{softmax}(v/T)$ and $q = \mathrm{softmax}(z/T)$, when $T$ changes.

    The **loss** is one of six:

    - **soft**: the loss above.
    - **logits**: half the mean squared difference of the centred logits (Ba & Caruana 2014), the limit of soft for
      $T \to \infty$.
    - **decoupled**: the probability of the target class and the distribution over the other classes are compared
      separately, the second with eight times the weight (DKD: Zhao et al. 2022).
    - **hints**: soft, plus half the mean squared difference between the middle hidden layer of the teacher and a linear map
      of that of the student; the map is trained too and then discarded (FitNets: Romero et al. 2015).
    - **attention**: soft, plus the squared distance of the attention maps of each stage: the sum of squares over the
      channels at each position, scaled to norm 1 (Zagoruyko & Komodakis 2017). Both networks need convolutions or a GRU.
    - **relational**: soft, plus the differences of distances and angles between the examples of a batch, as the last hidden
      layer represents them (RKD: Park et al. 2019).

    With **standardised** logits the teacher term compares z-scores over the classes, $(z - \bar z) / \sigma(z)$ and
    $(v - \bar v) / \sigma(v)$, in the place of $z$ and $v$ (Sun et al. 2024). A student then learns which classes are
    similar without having to reach the size of its teacher's logits. This helps small students at high temperatures, where
    the other losses ask for the logits themselves.

    With an **assistant**, a network of the assistant's width is distilled from the teacher first, and the student from this
    network (TAKD: Mirzadeh et al. 2020). A very small student may learn more from a teacher nearer to its size.

    **Every student has a control**: the same architecture with the same initial weights, the same number of steps and the
    same batches, trained on the labels alone ($\alpha = 0$). The gain is the difference of the two accuracies on the same
    validation examples, with an interval over several seeds. With few labels, the student also reads the other examples,
    for which the teacher gives the targets; the control takes its equal number of steps on the labelled examples.

    All widths, temperatures, seeds and controls are trained at once. On a CPU each is bit for bit the student that is
    trained alone with the same number of threads. On a GPU they are one tensor program, and rounding differs a little.

    **When it fails.** A student as large as its teacher, or one with enough labels, gains nothing. With $\alpha = 1$, a
    high temperature and few steps, it can be worse than the control. The outputs of a teacher that is always sure, or often
    wrong, contain no more than the labels.
    """

    name = "distill"
    title = "Distillation"
    dial = "width"
    values = (0.03, 0.05, 0.08, 0.12, 0.2, 0.35, 0.6)
    race = (Entrant("", {"epochs": 30, "seeds": 1, "temperatures": ()}, (0.02, 0.04, 0.06, 0.08, 0.12, 0.2, 0.35),
                    effort=4),)

    width: float = setting(0.1, low=0.002, high=2.0, step=0.01, share=True, label="Student width",
                           help="Hidden units of each layer, as a share of the teacher's.")
    temperature: float = setting(4.0, low=0.5, high=64.0, step=0.5, tried=(2.0, 4.0, 8.0),
                                 help="Divides the logits before the softmax: higher values give more equal probabilities.")
    alpha: float = setting(0.9, low=0.0, high=1.0, step=0.05,
                           help="Weight of the teacher term; the labels have weight 1 - alpha. 0: labels only.")
    loss: str = setting("soft", choices=LOSSES, help="How the student is compared with the teacher.")
    student: str = setting(SAME, choices=(SAME, "mlp", "cnn", "resnet", "gru", "embedding_bag", "token_gru", "token_cnn"),
                           help="The student's family; 'same' is the teacher's.")
    depth: int = setting(0, low=0, high=8,
                         help="Hidden layers (or convolutions) of the student; 0: as many as the teacher has.")
    labelled: int = setting(0, low=0, high=10_000_000, step=10, label="Labelled examples",
                            help="Number of training examples with a label; 0: all.")
    unlabelled: bool = setting(True, label="Use the rest without labels", idle={"labelled": (0,)},
                               help="With few labels, the student also reads the other training examples, without labels.")
    omit: int | str = setting(NO_LABEL, is_label=True, label="Class never shown",
                              help="Label, as the data have it, of a class that is left out of the student's training "
                                   "examples; -1: none (a class with the label -1 or none is written in quotes).")
    assistant: float = setting(0.0, low=0.0, high=1.0, step=0.05, label="Assistant's width",
                               help="Width of a network between teacher and student; 0: no assistant.")
    strength: float = setting(1.0, low=0.0, high=1000.0, step=0.1,
                              idle={"loss": ("soft", "logits", "decoupled"), "alpha": (0.0,)},
                              help="Weight of the loss that hints, attention and relational add to the soft targets.")
    standardised: bool = setting(False, label="Standardise logits", idle={"alpha": (0.0,)},
                                 help="The teacher term compares z-scores of the logits: their size does not matter.")
    epochs: int = setting(15, low=1, high=2000, tried=(15, 30, 60),
                        help="Passes over the training examples, the same for every student.")
    learning_rate: float = setting(0.01, low=1e-6, high=10.0,
                                   help="Size of the first steps; it falls to zero along a cosine.")
    batch: int = setting(64, low=1, high=65536, help="Examples in each step.")
    dropout: float = setting(0.0, low=0.0, high=0.9,
                             help="Share of hidden units that are dropped at each training step (MLP students).")
    student_seed: int = setting(0, low=0, high=999, help="Of a student's initial weights and the order of its batches.")
    seeds: int = setting(3, low=1, high=20, of_sweep=True, label="Seeds",
                         help="Students of each setting, with different seeds: for the intervals of gains.")
    temperatures: tuple[float, ...] = setting((1.0, 8.0, 20.0), low=0.5, high=64.0, of_sweep=True,
                                              label="Other temperatures",
                                              help="Also trained, for the map; joined by '-'. 'none': only the "
                                                   "temperature above.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if 0 < self.assistant < 0.002:
            raise ValueError("Distill: assistant must be 0 (none) or between 0.002 and 1.0, but got "
                             f"{self.assistant}. Choose a width above the student's.")

    def plan(self, values: Sequence[Any]) -> tuple[Run, ...]:
        """Every width at every temperature and seed; at the method's temperature also the controls and, with an assistant,
        the students without it."""
        matters = self.loss != "logits" and self.alpha > 0
        others = sorted(set(self.temperatures) - {self.temperature}) if matters else []
        if self.student_seed + self.seeds > 1000:
            raise ValueError("Distill: the sum of student_seed and seeds must be at most 1000, but got "
                             f"{self.student_seed} and {self.seeds}. Lower student_seed to {1000 - self.seeds}.")
        own = [replace(self.at(value), student_seed=self.student_seed + number)
               for number in range(self.seeds) for value in values]
        runs = [Run(one.control(), CONTROL, "labels alone") for one in own] if self.alpha > 0 else []
        if self.assistant and self.alpha > 0:
            runs += [Run(replace(one, assistant=0.0), BASELINE, "without an assistant") for one in own]
        runs += [Run(one, CURVE if one.student_seed == self.student_seed else SEED) for one in own]
        runs += [Run(replace(one, temperature=other), VARIANT, f"T = {other:g}") for other in others for one in own]
        return tuple({run.method: run for run in runs}.values())

    def control(self) -> Distill:
        """The same student without the teacher; settings without effect have their defaults."""
        usual = Distill()
        return replace(self, alpha=0.0, temperature=usual.temperature, loss=usual.loss, unlabelled=usual.unlabelled,
                       assistant=usual.assistant, strength=usual.strength, standardised=usual.standardised)

    def candidates(self, network: Network, data: Dataset, wanted: Sequence[Distill], report: Reporter = no_report,
                   seed: int = 0) -> Iterator[Candidate]:
        """All students, trained together; `report` gets the accuracy of each after every epoch."""
        trained = self._train(network, data, list(wanted), report, seed)
        shown = ambiguous_examples(network, data) if len(data.classes) <= MOST_CLASSES else None
        for method, student in zip(wanted, trained, strict=True):
            notes = _notes(student, method, data)
            yield Candidate(method, student.network, inside=_inside(student, data, shown), notes=notes)

    def inside(self, network: Network, data: Dataset, values: Sequence[Any], report: Reporter = no_report,
               seed: int = 0) -> dict[str, Any]:
        """Dark knowledge: the teacher's logits on some examples, and the similarity of classes."""
        return knowledge_view(network, data)

    def invalid_reason(self, network: Network, data: Dataset) -> str:
        """The student's architecture, hidden layers for the loss, the transfer set and batches must be possible."""
        try:
            student = build(self.architecture(network))
            chosen = transfer_set(data, self.labelled, self.unlabelled, self.omit, 0)
        except ValueError as error:  # names the setting and the remedy
            return str(error)
        example = torch.zeros(1, *data.shape, device=device_of(network))
        fewest = min(len(rows) for rows in (chosen.rows, chosen.control, data.train) if rows is not None)
        batches = (refusal_of_batches(student, "Distill", "batch", self.batch)
                   or refusal_of_batches(student, "Distill", "labelled", fewest))
        return batches or (refusal(self.loss, network, student.to(example.device), example) if self.alpha > 0 else "")

    def preview(self, network: Network, data: Dataset) -> Network:
        """The student with its first weights."""
        return build(self.architecture(network)).to(device_of(network)).eval()

    def architecture(self, teacher: Network) -> Architecture:
        """The student's. Raises ValueError where it makes no sense for this teacher."""
        return student_architecture(teacher.architecture, self.student, self.width, self.depth, self.dropout)

    def _train(self, teacher: Network, data: Dataset, methods: list[Distill], report: Reporter, seed: int,
               targets: TeacherTargets | None = None) -> list[TrainedStudent]:
        device, plan = device_of(teacher), Training(self.epochs, self.learning_rate, self.batch)
        chosen = transfer_set(data, self.labelled, self.unlabelled, self.omit, seed)
        helped = [one for one in methods if one.assistant and one.alpha > 0]
        reading, helping, teaching = report.phases(Phase("targets"), Phase("assistants"), Phase("students"))
        reading(0.0, "the teacher reads all training examples")
        objective = _shared_objective(methods)
        targets = targets or TeacherTargets(teacher, on_device(data.train, device)[0], objective.loss)
        targets_of = dict.fromkeys(methods, targets)
        if helped:
            targets_of |= self._assistants(teacher, data, helped, helping, seed, targets)
        students = [one._student(teacher, targets_of[one], objective, chosen, seed) for one in methods]
        return train_students(students, data, plan, teaching, device, on_epoch=_students_so_far(students, methods, data))

    def _assistants(self, teacher: Network, data: Dataset, methods: list[Distill], report: Reporter, seed: int,
                    targets: TeacherTargets) -> dict[Distill, TeacherTargets]:
        """The targets of every student from its assistant; there is one assistant for each temperature and seed."""
        middle = {one: replace(one, width=one.assistant, assistant=0.0) for one in methods}
        distinct = list(dict.fromkeys(middle.values()))
        trained = self._train(teacher, data, distinct, report, seed, targets)
        inputs = on_device(data.train, device_of(teacher))[0]
        targets_of = {one: TeacherTargets(student.network, inputs, _shared_objective(methods).loss)
                      for one, student in zip(distinct, trained, strict=True)}
        return {one: targets_of[between] for one, between in middle.items()}

    def _student(self, teacher: Network, targets: TeacherTargets, objective: KDObjective, chosen: TransferSet,
                 seed: int) -> Student:
        objective = replace(objective, alpha=self.alpha, temperature=self.temperature, standardised=self.standardised)
        control = self.alpha == 0
        return Student(self.architecture(teacher), 1000 * (seed + 1) + self.student_seed, objective, targets,
                       chosen.control if control else chosen.rows, None if control else chosen.labelled, chosen.omitted)


def _shared_objective(methods: Sequence[Distill]) -> KDObjective:
    """The objective of the students with a teacher term; the loss setting of controls (alpha 0) has no effect."""
    first = next((one for one in methods if one.alpha > 0), methods[0])
    return KDObjective(first.alpha, first.temperature, first.loss, first.strength)


@lru_cache(maxsize=4096)
def file_size(architecture: Architecture, data: MadeFor, stored: Stored) -> int:
    """Bytes of a network's file; if it is coded, nearly: its weights' values change it by a few percent."""
    return len(network_file.to_bytes(build(architecture), data, stored))


def _students_so_far(students: list[Student], methods: list[Distill], data: Dataset) -> OnEpoch:
    """A callback that returns after each epoch the accuracy of every student so far and the length of its file."""
    made_for = MadeFor.of(data)
    facts = [StudentSoFar(file_size(student.architecture, made_for, one.stored), one.width, one.temperature,
                          one.student_seed, one.alpha, one.assistant, None)
             for student, one in zip(students, methods, strict=True)]
    latest: dict[int, float] = {}

    def on_epoch(epoch: int, accuracies: dict[int, float]) -> StudentsSoFar:
        latest.update(accuracies)
        return StudentsSoFar(epoch, tuple(replace(facts[place], accuracy=None if isnan(value) else value)
                                          for place, value in sorted(latest.items())))

    return on_epoch


def _inside(student: TrainedStudent, data: Dataset, shown: Tensor | None) -> dict[str, Any]:
    inside: dict[str, Any] = {
        "title": student.network.architecture.title(), "best_epoch": student.best_epoch,
        "accuracies": [None if isnan(value) else round(value, 5) for value in student.accuracies]}
    if student.diverged is not None:
        inside["diverged"] = student.diverged
    if shown is not None:
        inside["logits"] = logits_on(student.network, data, shown)
    return inside


def _notes(student: TrainedStudent, one: Distill, data: Dataset) -> tuple[str, ...]:
    place = omitted_class(data.classes, one.omit, data.name)
    unseen = (f"class {data.classes[place]} was never shown",) if place >= 0 else ()
    if student.diverged is None:
        return unseen
    if student.best_epoch:
        return (*unseen, f"diverged in epoch {student.diverged}; this is the network of epoch {student.best_epoch}. Lower "
                         f"learning_rate, now {one.learning_rate:g}")
    return (*unseen, f"diverged in its first epoch; this network is untrained. Lower learning_rate, now "
                     f"{one.learning_rate:g}")
