"""Memory that curves of a large network of your own take: python -m tests.benchmarks.large_curves peaks

A transformer as ViT-S/16 with random weights, 40 random images. Each curve runs in a process of its own; its points are
written, read back and evaluated as a job does it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.networks import NETWORKS, ROOT, export
from tests.benchmarks.report import show
from tests.benchmarks.timing import table

NAME = "as ViT-S/16"
CURVES = {"low rank, whitened, 5 to 15 %": ("low_rank", [0.05, 0.15]),
          "low rank, whitened, 5 to 40 %": ("low_rank", [0.05, 0.15, 0.4]),
          "low rank, inside view": ("low_rank", []), "sparse code": ("sparse_code", [2]),
          "prune": ("prune", [0.5, 0.9]), "quantize": ("quantize", [16])}
MEASURED = """
import json, re, sys, tempfile, time
from pathlib import Path
import numpy as np
from compress.data import datasets
from compress.data.raw_data import RawData
from compress.files import network_file
from compress.files.artefacts import Artefacts
from compress.methods import method
from compress.networks import device
from compress.networks.graph.architecture import Own
from compress.points.measure import Reference, measure
from compress.recipe import Step
from compress.training import own_network

def memory(what):
    return 1024 * int(re.search(what + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

device.prepare()
path, text, values = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
images = np.random.default_rng(0).normal(size=(40, 3, 224, 224)).astype(np.float32)
data = datasets.prepare(RawData("Images", "image", tuple("0123456789"), images, np.arange(40) % 10), "images", 0)
own = Own(values="normalised", channels="as_stored", layout="channels_first", order=tuple(range(10)))
before, began = memory("VmRSS"), time.process_time()
Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
teacher = own_network.adopt(network_file.read(path), own, data).network
reference, made = Reference.of(teacher, data), method(Step.parse(text))
with tempfile.TemporaryDirectory() as folder:
    if not values:
        made.inside(teacher, data, list(made.values))
    for candidate in made.curve(teacher, data, values) if values else ():
        measure(candidate, data, reference, Artefacts(Path(folder)), latency=False)
        del candidate
print(json.dumps([(memory("VmHWM") - before), time.process_time() - began]))
"""


def peaks() -> str:
    """One row for each curve."""
    from compress.points import uploaded

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        made, shape = NETWORKS[NAME]
        export(made(), shape, path)
        found = uploaded.opened_file(path, "network")
        for title, (text, values) in CURVES.items():
            sys.stderr.write(f"{title}\n")
            done = subprocess.run([sys.executable, "-c", MEASURED, str(found.path), text, json.dumps(values)], cwd=ROOT,
                                  check=True, text=True, stdout=subprocess.PIPE)
            peak, seconds = json.loads(done.stdout)
            rows.append([title, f"{peak / path.stat().st_size:.2f}", f"{seconds:.0f}"])
    return table([f"{NAME}: curve", "peak over the file", "processor seconds"], rows)


PARTS = {"peaks": peaks}

if __name__ == "__main__":
    show(PARTS)
