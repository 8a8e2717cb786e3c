"""ONNX files against ours: python -m tests.benchmarks.onnx files

    files  a point of every method on every family of networks: agreement of predicted classes on validation, bytes of our
           file and of the ONNX file, time of ONNX Runtime over torch's

Needs the optional extra: pip install onnx onnxscript onnxruntime.
"""

from __future__ import annotations

import sys

from compress.data import datasets
from compress.data.datasets import Dataset
from compress.files.made_for import MadeFor
from compress.networks.families import Network
from compress.points import onnx_export
from compress.recipe import Step
from compress.training.teachers import train_teacher
from tests.benchmarks.report import show
from tests.benchmarks.timing import table
from tests.compress.points.onnx_graph.cases import CASES, MORE, network_of

FAMILIES = {"LeNet-300-100, MNIST-5k": ("mnist5k", "mlp"), "LeNet-5, MNIST-5k": ("mnist5k", "cnn"),
            "ResNet 8-16, digits": ("digits", "resnet(channels=8-16)"), "GRU 24, digits": ("digits", "gru(hidden=24)")}


def files() -> str:
    """One row for each method, one column for each family."""
    columns = {}
    for number, (name, (data_name, teacher)) in enumerate(FAMILIES.items()):
        data = datasets.load(data_name)
        network = train_teacher(data, Step.parse(teacher)).network
        cases = {"the teacher": "", **CASES, **({} if number else MORE)}
        columns[name] = {case: cell(text, network, data) for case, text in cases.items()}
    rows = [[case, *(column.get(case, "") for column in columns.values())] for case in next(iter(columns.values()))]
    return table(["network", *FAMILIES], rows)


def cell(text: str, teacher: Network, data: Dataset) -> str:
    """Share of equal classes; kB of our file, of the ONNX file; time of ONNX Runtime over torch's."""
    sys.stderr.write(f"{data.name} {text}\n")
    described = MadeFor.of(data)
    network, ours = network_of(text, teacher, data)
    theirs = onnx_export.to_onnx(network, described)
    found = onnx_export.agreement(theirs, network, described, data)
    return f"{100 * found.agreement:.4g} %; {len(ours) / 1000:.1f}, {len(theirs) / 1000:.1f} kB; {found.latency:.2f}"


PARTS = {"files": files}

if __name__ == "__main__":
    show(PARTS)
