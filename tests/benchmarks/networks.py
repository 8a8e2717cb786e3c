"""Networks of a visitor's own: python -m tests.benchmarks.networks files opening

    files    small files in the styles of five exporters: what each method makes of them, whether a fresh reading predicts
             the same, and whether ONNX Runtime agrees with the file and with an export of the smaller networks
    opening  transformers with random weights, exported by torch: operators, difference from ONNX Runtime, seconds, peak of
             memory over the length of the file while it is opened, written, compared and read again

Needs the optional extra: pip install onnx onnxscript onnxruntime.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.networks.graph.architecture import Own
from compress.points import onnx_export, uploaded
from compress.training import own_network
from tests.benchmarks.report import show
from tests.benchmarks.timing import table
from tests.compress.helpers import ids_data, toy_data
from tests.compress.networks.onnx import graphs
from tests.compress.points.onnx_graph.cases import network_of

ROOT = Path(__file__).resolve().parents[2]
MEASURED = """
import json, os, re, sys, time
from pathlib import Path
import onnxruntime
from compress.networks import device
from compress.points import uploaded
from compress.files import network_file

def memory(what):
    return 1024 * int(re.search(what + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

device.prepare()
path, before = Path(sys.argv[1]), memory("VmRSS")
began = time.perf_counter()
found = uploaded.opened_file(path, "network")
seconds = time.perf_counter() - began
opened = memory("VmHWM") - before
network_file.read(found.path)
about = found.about
print(json.dumps({"parameters": about["parameters"], "compressible": about["compressible"], "bytes": about["bytes"],
                  "difference": about["largest_difference"], "operators": about["operators"], "seconds": seconds,
                  "opened": opened / about["bytes"], "read": (memory("VmHWM") - before) / about["bytes"]}))
"""


class VisionTransformer(nn.Module):
    """Patches, a class token, positions and blocks of attention."""

    def __init__(self, width: int, heads: int, depth: int, size: int, patch: int) -> None:
        super().__init__()
        self.patches, self.token = nn.Conv2d(3, width, patch, patch), nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, (size // patch) ** 2 + 1, width) * 0.02)
        self.blocks = nn.ModuleList(block(width, heads) for _ in range(depth))
        self.norm, self.scores = nn.LayerNorm(width), nn.Linear(width, 10)

    def forward(self, batch: Tensor) -> Tensor:
        patches = self.patches(batch).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(batch.shape[0], -1, -1), patches], 1) + self.positions
        for one in self.blocks:
            tokens = one(tokens)
        return self.scores(self.norm(tokens)[:, 0])


class Language(nn.Module):
    """As BERT: tables of tokens and positions, blocks of attention, a layer over the first token's state."""

    def __init__(self, width: int, heads: int, depth: int, tokens: int = 30522) -> None:
        super().__init__()
        self.table, self.positions, self.norm = nn.Embedding(tokens, width), nn.Embedding(512, width), nn.LayerNorm(width)
        self.blocks = nn.ModuleList(block(width, heads) for _ in range(depth))
        self.pool, self.scores = nn.Linear(width, width), nn.Linear(width, 2)

    def forward(self, ids: Tensor) -> Tensor:
        states = self.norm(self.table(ids) + self.positions(torch.arange(64)))
        for one in self.blocks:
            states = one(states)
        return self.scores(torch.tanh(self.pool(states[:, 0])))


def block(width: int, heads: int) -> nn.Module:
    """One block of attention and a perceptron."""
    return nn.TransformerEncoderLayer(width, heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True)


IMAGE, TEXT = (2, 3, 224, 224), (2, 64)
NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "as ViT-Ti/16": (lambda: VisionTransformer(192, 3, 12, 224, 16), IMAGE),
    "as ViT-S/16": (lambda: VisionTransformer(384, 6, 12, 224, 16), IMAGE),
    "as ViT-B/16": (lambda: VisionTransformer(768, 12, 12, 224, 16), IMAGE),
    "as BERT-Tiny": (lambda: Language(128, 2, 2), TEXT), "as BERT-Small": (lambda: Language(512, 8, 4), TEXT)}


def opening() -> str:
    """One row for each network."""
    rows = []
    for name, (made, shape) in NETWORKS.items():
        sys.stderr.write(f"{name}\n")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "network.onnx"
            export(made(), shape, path)
            done = subprocess.run([sys.executable, "-c", MEASURED, str(path)], cwd=ROOT, check=True, text=True,
                                  stdout=subprocess.PIPE)
        found = json.loads(done.stdout)
        names = ", ".join(found["operators"])
        rows.append([name, f"{found['parameters'] / 1e6:.1f}", f"{found['bytes'] / 1e6:.0f}",
                     f"{sum(found['operators'].values())} of {len(found['operators'])} names: {names}",
                     f"{100 * found['compressible'] / found['parameters']:.1f} %", f"{found['difference']:.0e}",
                     f"{found['seconds']:.1f}", f"{found['opened']:.2f}", f"{found['read']:.2f}"])
    return table(["network", "million numbers", "MB", "operators", "in layers that methods can act on", "largest difference",
                  "s to open", "peak over the file", "and when it is read again"], rows)


def export(network: nn.Module, shape: tuple[int, ...], path: Path) -> None:
    """Writes a network with the exporter that torch has by scripts: examples of any number."""
    example = torch.randint(0, 30522, shape) if len(shape) == 2 else torch.randn(shape)
    torch.backends.mha.set_fastpath_enabled(False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network.eval(), (example,), path, dynamo=False, input_names=["x"],
                          dynamic_axes={"x": {0: "n"}}, opset_version=17)


METHODS = {"low rank": "low_rank(keep=0.4,output_layer=true)", "prune": "prune(sparsity=0.5)",
           "units": "prune(sparsity=0.5,pattern=units)", "inputs": "prune(sparsity=0.3,pattern=inputs)",
           "quantize": "quantize(levels=16,compared=false)",
           "sparse code": "sparse_code(nonzeros=1,atoms=4,block=2,output_layer=true)",
           "distill": "distill(width=0.1,epochs=1,seeds=1,temperatures=none)",
           "activation codes": "activation_codes(nonzeros=1,atoms=4,iterations=1)"}


def files() -> str:
    """One row for each file."""
    made: dict[str, tuple[str, Callable[[], bytes]]] = {
        **{f"{name} ": ("torch, script", partial(graphs.script, name)) for name in
           ("mlp", "cnn", "resnet", "gru", "lstm", "attention", "words")},
        "mlp, one example": ("torch, script", partial(graphs.script, "mlp", True)),
        **{name: ("torch, dynamo", partial(graphs.dynamo, name)) for name in ("gru", "attention")},
        "convolution, channels last": ("onnx.helper", graphs.channels_last), "branches": ("onnx.helper", graphs.branches),
        "MLPClassifier, 2 classes": ("as skl2onnx writes", partial(graphs.scikit, 2)),
        "MLPClassifier, 5 classes": ("as skl2onnx writes", partial(graphs.scikit, 5)),
        "MLPClassifier": ("skl2onnx", _scikit)}
    rows = []
    for name, (exporter, contents) in made.items():
        sys.stderr.write(f"{exporter}: {name}\n")
        if exporter == "skl2onnx" and find_spec(exporter) is None:
            rows.append([exporter, name, "the package is not installed", "", "", "", ""])
            continue
        rows.append([exporter, name.strip(), *_of_file(contents())])
    return table(["exporter", "network", "operators", "largest difference from ONNX Runtime", "methods that act on it",
                  "exported again, largest difference", "processor seconds: to open, and for all methods"], rows)


def _scikit() -> bytes:
    from skl2onnx import to_onnx
    from sklearn.neural_network import MLPClassifier

    data = toy_data((4,))
    classifier = MLPClassifier((6,), max_iter=20).fit(data.train.inputs, data.train.labels)
    return bytes(to_onnx(classifier, data.train.inputs[:1], options={"zipmap": True}).SerializeToString())


def _of_file(contents: bytes) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        path.write_bytes(contents)
        began = time.process_time()
        found = uploaded.opened_file(path, "network")
        seconds = time.process_time() - began
        network = network_file.read(found.path)
    classes, shape = network.architecture.classes, network.architecture.shape
    is_words = found.about["operators"].get("LSTM", 0) > 0 and len(shape) == 1
    data = ids_data() if is_words else toy_data(shape, classes=classes, examples=120)
    own = Own(values="as_stored" if is_words else "normalised", channels="as_stored", layout="channels_first",
              order=tuple(range(classes)))
    adopted = own_network.adopt(network, own, data).network
    began, refused, worst = time.process_time(), [], 0.0
    for name, text in METHODS.items():
        try:
            worst = max(worst, _exported(network_of(text, adopted, data)[0], data))
        except ValueError:
            refused.append(name)
    return [str(sum(found.about["operators"].values())), f"{found.about['largest_difference']:.0e}",
            f"all but {', '.join(refused)}" if refused else "all", f"{worst:.0e}",
            f"{seconds:.1f}, {time.process_time() - began:.1f}"]


def _exported(network: Network, data: Dataset) -> float:
    """The largest difference of ONNX Runtime's scores for the network's ONNX file, of the largest score. Raises ValueError
    where it has none."""
    described = MadeFor.of(data)
    raw = data.normaliser.undo(data.validation.inputs).astype("float32")
    ours = logits_of(network, torch.from_numpy(described.normaliser.apply(raw))).numpy()
    theirs = onnx_export.session_of(onnx_export.to_onnx(network, described)).run(None, {"examples": raw})[0]
    return float(abs(ours - theirs).max() / max(1.0, abs(ours).max()))


PARTS = {"files": files, "opening": opening}

if __name__ == "__main__":
    show(PARTS)
