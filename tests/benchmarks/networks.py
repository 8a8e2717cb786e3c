"""Networks of a visitor's own: python -m tests.benchmarks.networks opening

    opening  transformers with random weights, exported by torch: operators, difference from ONNX Runtime, seconds, peak of
             memory over the length of the file while it is opened, written, compared and read again

Needs the optional extra: pip install onnx onnxscript onnxruntime.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from tests.benchmarks.report import show
from tests.benchmarks.timing import table

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


PARTS = {"opening": opening}

if __name__ == "__main__":
    show(PARTS)
