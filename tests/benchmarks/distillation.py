"""Distillation: what it costs and what it gives.

    python -m tests.benchmarks.distillation speed     16 students together, against three ways to train them one by one
    python -m tests.benchmarks.distillation families  the page's 105 students of a CNN, a ResNet and a GRU, one epoch
    python -m tests.benchmarks.distillation gain      few labels, and two layers of 300 at T = 20: gains over the control
    python -m tests.benchmarks.distillation scores    students of 2 x 30 with and without standardised logits
    python -m tests.benchmarks.distillation chart     from the click to the first epoch's points, in a browser

speed runs twice, once as threads wait in this program (passively, for busy machines) and once as torch has them by
default (spinning, which is best for the loops on an idle machine). Every way reads the same tensors in memory.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from compress.data import datasets
from compress.data.datasets import Dataset, Split
from compress.data.tensors import on_device
from compress.distillation.joint_training import train_students
from compress.distillation.objective import KDObjective, TeacherTargets
from compress.distillation.student_groups import Student
from compress.methods.distill import Distill
from compress.networks import device
from compress.networks.evaluation import logits_of
from compress.networks.families import MLP, Architecture, Network, build
from compress.points.statistics import mean_interval
from compress.recipe import Step
from compress.training.loop import Training, train
from compress.training.teachers import train_teacher
from tests.benchmarks.report import show
from tests.benchmarks.timing import spread, table, taking_turns
from tests.compress.helpers import planned

WIDTHS = [round(4 + 124 * place / 15) for place in range(16)]
PLAN = Training(epochs=5)
ALPHA, TEMPERATURE = 0.9, 4.0
TEACHER = "mlp(hidden=1200-1200,epochs=2)"
STRONG = "mlp(hidden=800-800,dropout=0.3,shift=2,epochs=30)"


# -- speed -------------------------------------------------------------------------------------------------------------


def speed() -> str:
    """A table for each policy of waiting, which torch reads once, when it is loaded: so each has a process of its own."""
    script = "from tests.benchmarks.distillation import race; print(race())"
    return "\n\n".join(
        subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.PIPE, text=True,
                       env={**os.environ, "OMP_WAIT_POLICY": policy}).stdout.strip() for policy in ("passive", "active"))


def race() -> str:
    """One table: medians of the rounds, ratios of them, and how far the accuracies differ from training alone."""
    where = device.prepare()
    data = four_thousand()
    teacher = train_teacher(data, Step.parse(TEACHER), device=where).network
    students = sixteen_students(teacher, data, where)
    ways = {"together": lambda number: train_students(students, data, PLAN, device=where),
            "loop": lambda number: loop(students, data, where),
            "targets": lambda number: sixteen_students(teacher, data, where),
            "loader": lambda number: loader(teacher, data, where) if number < 2 else None,
            "sklearn": lambda number: sklearn(data) if number < 2 else None}
    for way in ("together", "loop"):
        ways[way](0)  # warm: torch loads parts of its optimizers late
    seconds, results = taking_turns(ways, 5)
    ours, targets = median(seconds["together"]), median(seconds["targets"])
    gaps = [abs(one.accuracies[-1] - accuracy(other, data, where))
            for one, other in zip(results["together"][0], results["loop"][0], strict=True)]
    rows = [["16 students together, judged on validation after every epoch", spread(seconds["together"]), ""],
            ["the teacher reads all images, once for all", spread(seconds["targets"]), ""]]
    for way, name, own in (("loop", "one by one, tensors in memory, teacher's logits kept", ours),
                           ("loader", "one by one, DataLoader, teacher run at every step", ours + targets),
                           ("sklearn", "16 MLPClassifiers, hard labels", ours)):
        taken = [value for value, result in zip(seconds[way], results[way], strict=True) if result is not None]
        rows.append([name, spread(taken), f"1/{median(taken) / own:.1f}"])
    found = table(["way", "seconds", "together takes"], rows)
    return (f"Threads wait {os.environ['OMP_WAIT_POLICY']}ly; accuracies after the last epoch, together and alone, differ "
            f"by {mean(gaps):.4f} on average, {max(gaps):.4f} at most.\n\n{found}")


def sixteen_students(teacher: Network, data: Dataset, where: torch.device) -> list[Student]:
    """The 16 students; the teacher reads all images once."""
    targets = TeacherTargets(teacher, on_device(data.train, where)[0])
    return [Student(Architecture(MLP((width,)), data.shape, 10), 0, KDObjective(ALPHA, TEMPERATURE), targets)
            for width in WIDTHS]


def four_thousand() -> Dataset:
    """MNIST-5k with train and validation read together: a load, not a measurement. The test split stays closed."""
    data = datasets.load("mnist5k")
    parts = (data.train, data.validation)
    joined = Split(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("inputs", "labels")))
    return dataclasses.replace(data, train=joined)


def loop(students: list[Student], data: Dataset, where: torch.device) -> list[Network]:
    """A good plain loop: fused Adam, everything in memory, the same first weights and batches."""
    inputs, labels = on_device(data.train, where)
    made = []
    for student in students:
        network = build(student.architecture, student.seed).to(where)
        optimizer, schedule = optimizer_of(network, len(inputs))
        order = torch.Generator().manual_seed(student.seed)
        for _ in range(PLAN.epochs):
            for rows in torch.randperm(len(inputs), generator=order).to(where).split(PLAN.batch):
                step(network(inputs[rows]), labels[rows], student.targets.logits[rows], optimizer)
                schedule.step()
        made.append(network.eval())
    return made


def loader(teacher: Network, data: Dataset, where: torch.device) -> list[Network]:
    """What people write."""
    examples = TensorDataset(*on_device(data.train, torch.device("cpu")))
    made = []
    for width in WIDTHS:
        network = build(Architecture(MLP((width,)), data.shape, 10)).to(where)
        optimizer, schedule = optimizer_of(network, len(examples))
        for _ in range(PLAN.epochs):
            for batch, labels in DataLoader(examples, batch_size=PLAN.batch, shuffle=True):
                batch, labels = batch.to(where), labels.to(where)
                with torch.no_grad():
                    teacher_logits = teacher(batch)
                step(network(batch), labels, teacher_logits, optimizer)
                schedule.step()
        made.append(network)
    return made


def step(logits: Tensor, labels: Tensor, teacher_logits: Tensor, optimizer: torch.optim.Optimizer) -> None:
    log_q, p = (logits / TEMPERATURE).log_softmax(1), (teacher_logits / TEMPERATURE).softmax(1)
    soft = functional.kl_div(log_q, p, reduction="batchmean")
    optimizer.zero_grad(set_to_none=True)
    ((1 - ALPHA) * functional.cross_entropy(logits, labels) + ALPHA * TEMPERATURE**2 * soft).backward()
    optimizer.step()


def optimizer_of(network: nn.Module, examples: int) -> tuple[Any, Any]:
    optimizer = torch.optim.AdamW(network.parameters(), PLAN.learning_rate, weight_decay=0.0, fused=True)
    steps = PLAN.epochs * -(-examples // PLAN.batch)
    return optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)


def sklearn(data: Dataset) -> list[Any]:
    """scikit-learn's own networks, on labels: same widths, epochs and batch."""
    from sklearn.neural_network import MLPClassifier

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that five epochs are few
        return [MLPClassifier((width,), batch_size=PLAN.batch, max_iter=PLAN.epochs, learning_rate_init=PLAN.learning_rate,
                              random_state=0).fit(data.train.inputs.reshape(len(data.train), -1), data.train.labels)
                for width in WIDTHS]


def families() -> str:
    """Seconds of one epoch of MNIST-5k for all of the page's students (7 widths, 4 temperatures, 3 seeds, controls), and
    15 times those of one student a width trained by the plain loop on labels."""
    where, data, rows = device.prepare(), datasets.load("mnist5k"), []
    for text in ("cnn(epochs=1)", "resnet(channels=8-16-32,epochs=1)", "gru(epochs=1)"):
        teacher = train_teacher(data, Step.parse(text), device=where).network
        method = Distill(epochs=1)
        grid = planned(method, method.values)
        began = time.perf_counter()
        for _ in method.candidates(teacher, data, grid):
            pass
        together = time.perf_counter() - began
        began = time.perf_counter()
        for value in method.values:
            start = build(method.at(value).architecture(teacher)).to(where)
            train(start, data, Training(epochs=1, learning_rate=method.learning_rate))
        alone = (time.perf_counter() - began) * len(grid) / len(method.values)
        rows.append([text, len(grid), f"{together:.1f}", f"{alone:.1f}", f"1/{alone / together:.1f}"])
    return table(["teacher", "students", "together, s", "one by one, s", "together takes"], rows)


# -- gain --------------------------------------------------------------------------------------------------------------


def gain() -> str:
    """Accuracy on the 1,000 validation images of MNIST-5k of students and of their controls, 5 seeds."""
    where, data = device.prepare(), datasets.load("mnist5k")
    teacher = train_teacher(data, Step.parse(STRONG), device=where).network
    rows = []
    epochs = -(-2000 * 64 // 3000)  # 2,000 steps and a few of 64 examples
    for labelled in (50, 300, 3000):
        for unlabelled in ((True, False) if labelled < 3000 else (False,)):
            method = Distill(width=0.375, temperature=4.0, alpha=0.9, labelled=0 if labelled == 3000 else labelled,
                             unlabelled=unlabelled, epochs=epochs, learning_rate=0.002, seeds=5, temperatures=())
            rows.append([f"{labelled} labels, 784-300-300-10, {epochs * 47} steps", "all 3,000 images, the rest unlabelled"
                         if unlabelled else "the labelled images only", *compared(method, teacher, data, where)])
    method = Distill(width=0.375, temperature=20.0, alpha=0.9, epochs=15, learning_rate=0.002, seeds=5, temperatures=())
    rows.append(["3,000 labels, 784-300-300-10, T = 20, 15 epochs", "all 3,000 images", *compared(method, teacher, data,
                                                                                                 where)])
    return (table(["students", "read", "control", "with the teacher", "gain, points (95 % over seeds)"], rows)
            + f"\n\nThe teacher, `{STRONG}`: {100 * accuracy(teacher, data, where):.1f} %.")


def scores() -> str:
    """Accuracies of students 784-30-30-10 on MNIST-5k at each temperature, mean of 3 seeds."""
    where, data = device.prepare(), datasets.load("mnist5k")
    teacher = train_teacher(data, Step.parse(STRONG), device=where).network
    usual = Distill(width=0.0375, learning_rate=0.002, alpha=0.9, epochs=20, seeds=3, temperatures=(1.0, 4.0, 20.0),
                    temperature=2.0)
    found: dict[tuple[float, float, bool], list[float]] = {}
    both = [usual, dataclasses.replace(usual, standardised=True)]
    wanted = dict.fromkeys(one for method in both for one in planned(method, [method.width]))
    for candidate in usual.candidates(teacher, data, list(wanted)):
        own = candidate.method.plain()
        found.setdefault((own["alpha"], own["temperature"], own["standardised"]), []).append(
            accuracy(candidate.network, data, where))
    shown = {key: f"{100 * mean(values):.1f} %" for key, values in found.items()}
    (control,) = (value for key, value in shown.items() if key[0] == 0)
    rows = [[f"T = {heat:g}", shown[0.9, heat, False], shown[0.9, heat, True]] for heat in (1.0, 2.0, 4.0, 20.0)]
    return (table(["temperature", "logits", "standardised logits"], rows) + f"\n\nOn labels alone: {control}. The teacher: "
            f"{100 * accuracy(teacher, data, where):.1f} %.")


def compared(method: Distill, teacher: Network, data: Dataset, where: torch.device) -> list[str]:
    found: dict[bool, dict[int, float]] = {True: {}, False: {}}
    for candidate in method.candidates(teacher, data, planned(method, [method.width])):
        settings = candidate.method.plain()
        found[settings["alpha"] > 0][settings["student_seed"]] = accuracy(candidate.network, data, where)
    middle, low, high = mean_interval([found[True][seed] - found[False][seed] for seed in found[False]])
    return [f"{100 * mean(found[False].values()):.1f} %", f"{100 * mean(found[True].values()):.1f} %",
            f"{100 * middle:+.2f} ({100 * low:+.2f} to {100 * high:+.2f})"]


def accuracy(network: Network, data: Dataset, where: torch.device) -> float:
    inputs, labels = on_device(data.validation, where)
    return float((logits_of(network, inputs).argmax(1) == labels).float().mean())


# -- chart -------------------------------------------------------------------------------------------------------------


def chart() -> str:
    """Seconds from the click on 'Measure the curve' to the first students' points on the chart, teacher kept, worker
    warm; MNIST-5k with the default settings of the page (105 students)."""
    from urllib.parse import urlencode

    from playwright.sync_api import sync_playwright

    from tests.browser.serving import CHROMIUM, CHROMIUM_ARGUMENTS, serve_app

    taken = []
    with tempfile.TemporaryDirectory() as home, sync_playwright() as driver:
        subprocess.run([sys.executable, "-m", "compress", "teacher", "--data", "mnist5k"], check=True, capture_output=True,
                       env={**os.environ, "COMPRESS_HOME": home})
        with serve_app(Path(home), COMPRESS_AT_ONCE="no") as app:
            page = driver.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS).new_page()
            for number in range(3):
                link = {"data": "mnist5k", "teacher": "mlp", "student_seed": str(10 * number), "temperatures": "1-8-20"}
                page.goto(f"{app.address}/Distill?{urlencode(link)}")
                page.get_by_role("button", name="Measure the").wait_for(timeout=60_000)
                time.sleep(3)
                began = time.perf_counter()
                page.get_by_role("button", name="Measure the").click()
                page.locator("[role=img][aria-label*='points with the teacher']").first.wait_for(timeout=60_000)
                taken.append(time.perf_counter() - began)
                page.get_by_role("button", name="Cancel").first.click()
                time.sleep(4)
    return table(["from the click to the first students on the chart, s"], [[spread(taken)]])


PARTS = {"speed": speed, "families": families, "gain": gain, "scores": scores, "chart": chart}

if __name__ == "__main__":
    show(PARTS)
