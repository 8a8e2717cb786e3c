"""What a general compressor still takes off a coded file, and how long reading takes: python -m tests.benchmarks.coding PART

    files       each method's file of each family: coded bytes, what xz takes off, order-0 entropy, time of reading

`xz -9e` looks for all redundancy that it knows: of a file of more than 20 kB it may take less than 3 % off. Networks are
trained briefly, because the bytes count here and not the accuracy. Entropy: what the file would take if its symbols took
their order-0 entropy, with its header.
"""

from __future__ import annotations

import lzma
import sys
import time
from collections.abc import Iterator
from statistics import median

import torch

from compress.data import datasets
from compress.data.datasets import Dataset
from compress.files import container, network_file
from compress.files.made_for import MadeFor
from compress.files.waterfall import waterfall
from compress.methods import method, methods
from compress.networks.families import Network
from compress.recipe import Step
from compress.stored import ENTROPY, NONE, Stored
from compress.training.teachers import train_teacher
from tests.benchmarks.report import show
from tests.benchmarks.timing import table

TEACHERS = {"mlp": "mlp(hidden=300-100,epochs=3)", "cnn": "cnn(epochs=2)", "resnet": "resnet(epochs=1)",
            "gru": "gru(epochs=2)"}
DATA = {"mlp": "mnist5k", "cnn": "mnist5k", "resnet": "mnist1d", "gru": "mnist1d"}
OF_NETWORKS = ("low_rank(keep=0.3)", "low_rank(keep=0.3,precision=int8)", "prune(sparsity=0.5)", "prune(sparsity=0.9)",
               "prune(sparsity=0.97)", "prune(sparsity=0.9,precision=float16)", "prune(sparsity=0.9,precision=int8)",
               "prune(sparsity=0.5,pattern=units)", "sparse_code(nonzeros=3,iterations=3)",
               "sparse_code(nonzeros=6,iterations=3,storage=float32)", "distill(width=0.5,epochs=2,seeds=1)")
OF_DATA = ("data_svd(components=32,epochs=1)", "data_svd(components=32,epochs=1,storage=int8)",
           "data_codes(nonzeros=4,iterations=2,epochs=1)", "data_codes(nonzeros=3,tile=7,atoms=64,iterations=2,epochs=1)",
           "data_codes(nonzeros=3,tile=7,atoms=64,allowed=0.1,iterations=2,epochs=1)",
           "activation_codes(nonzeros=4,iterations=2)")
LEAST, BAR = 20_000, 0.03


def files() -> str:
    """A table with one row for each file of at least 20 kB, and a verdict."""
    rows, worst = [], 0.0
    for family, step, plain, coded in every():
        if len(coded) < LEAST:
            continue
        fall = waterfall(coded)["parts"]
        entropy = sum(part["entropy"] or 0.0 for part in fall.values()) + fall["header"]["coded"]
        less = 1 - len(lzma.compress(coded, preset=9 | lzma.PRESET_EXTREME)) / len(coded)
        before = 1 - len(lzma.compress(plain, preset=9 | lzma.PRESET_EXTREME)) / len(plain)
        worst = max(worst, less)
        rows.append([family, step, f"{len(plain) / 1000:,.1f}", f"{len(coded) / 1000:,.1f}", f"{entropy / 1000:,.1f}",
                     f"{100 * before:.1f}", f"{100 * less:.2f}", f"{1000 * seconds(plain):.1f}",
                     f"{1000 * seconds(coded):.1f}"])
    verdict = "kept" if worst < BAR else "MISSED"
    return table(["network", "method", "uncoded, kB", "coded, kB", "entropy, kB", "xz -9e off uncoded, %", "off coded, %",
                  "read uncoded, ms", "read coded, ms"], rows) + (
        f"\n\nThe most that xz -9e takes off: {100 * worst:.2f} %. The bar of {100 * BAR:.0f} % is {verdict}.")


def every() -> Iterator[tuple[str, str, bytes, bytes]]:
    """Family, method, and the file uncoded and coded."""
    for family, text in TEACHERS.items():
        data = datasets.load(DATA[family])
        teacher = train_teacher(data, Step.parse(text), 0).network
        plain, coded = (network_file.to_bytes(teacher, MadeFor.of(data), Stored(coding=coding))
                        for coding in (NONE, ENTROPY))
        yield family, "the teacher, if it were coded", plain, coded
        for own in (*OF_NETWORKS, *_others(), *(OF_DATA if family == "mlp" else ())):
            sys.stderr.write(f"{family} {own}\n")
            made = _both(own, teacher, data)
            if made:
                yield family, own.replace("_", r"\_"), *made


def _others() -> list[str]:
    """Methods that the list above does not have, with their defaults."""
    known = {Step.parse(text).name for text in (*OF_NETWORKS, *OF_DATA)}
    return [name for name in methods() if name not in known]


def _both(text: str, teacher: Network, data: Dataset) -> tuple[bytes, bytes] | None:
    """The file of a candidate uncoded and coded; None where this network does not go with the method."""
    chosen = method(Step.parse(text))
    if chosen.invalid_reason(teacher, data):
        return None
    candidate = next(chosen.curve(teacher, data, [chosen.value]))
    if candidate.contents is not None:
        plain = next(method(Step.parse(text).having(coding=NONE)).curve(teacher, data, [chosen.value])).contents
        return plain or b"", candidate.contents
    plain, coded = (network_file.to_bytes(candidate.network, MadeFor.of(data), Stored(chosen.precision, coding))
                    for coding in (NONE, ENTROPY))
    return plain, coded


def seconds(contents: bytes) -> float:
    """The median time of reading a file's tensors."""
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        container.unpack(contents)
        times.append(time.perf_counter() - begin)
    return median(times)


PARTS = {"files": files}

if __name__ == "__main__":
    torch.set_num_threads(1)
    show(PARTS)
