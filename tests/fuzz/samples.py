"""Sound files of every kind, on data so small that a file is read in a few milliseconds."""

from __future__ import annotations

import gzip
import json
import struct
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas
from PIL import Image
from safetensors.torch import save

from compress.curves.store import Store
from compress.curves.sweep import run, sweep_of
from compress.data import datasets
from compress.data.datasets import Dataset
from compress.files import network_file
from compress.files.artefacts import digest_of
from compress.files.made_for import MadeFor
from compress.methods import method
from compress.recipe import Recipe, Step
from compress.service.description import description
from compress.training.teachers import untrained
from tests.compress.helpers import toy_data
from tests.compress.networks.onnx import graphs

TEACHERS = ("logistic(epochs=1)", "mlp(hidden=12-8,epochs=1)", "cnn(channels=3-4,hidden=8,epochs=1)",
            "resnet(channels=3-4,epochs=1)", "gru(hidden=6,epochs=1)")
METHODS = ("low_rank(keep=0.3,scheme=centred,output_layer=true,coding=none)", "prune(sparsity=0.6,precision=int8)",
           "prune(sparsity=0.97)", "prune(sparsity=0.5,pattern=units)",
           "sparse_code(nonzeros=2,atoms=4,block=4,dictionary=data,output_layer=true)",
           "quantize(levels=5,compared=false)", "quantize(levels=6,per=channel,compared=false)",
           "quantize(levels=7,symmetric=false,per=group,group=8,compared=false)",
           "quantize(levels=65536,scheme=bfloat16,compared=false)", "prune(sparsity=0.9)+quantize(levels=16,compared=false)",
           "distill(width=0.5,epochs=1,seeds=1,temperatures=none)", "data_svd(components=3,epochs=1)",
           "data_svd(components=3,epochs=1,storage=int8)",
           "data_codes(nonzeros=2,atoms=8,iterations=1,epochs=1,classify=codes,pca_baseline=false)",
           "activation_codes(nonzeros=1,atoms=6,iterations=1)",
           "low_rank(keep=0.3,output_layer=true)+prune(sparsity=0.5)",
           "low_rank(keep=0.4,output_layer=true)+sparse_code(nonzeros=1,atoms=2,block=2,dictionary=data,output_layer=true)",
           "activation_codes(nonzeros=1,atoms=6,iterations=1,pca_baseline=false)+low_rank(keep=0.4,output_layer=true)")
FRONTS = ("data_svd(components=3,epochs=1)", "data_codes(nonzeros=2,atoms=8,iterations=1,epochs=1,classify=codes,tile=4)",
          "data_codes(nonzeros=2,atoms=8,iterations=1,epochs=1,classify=projections)")
FAMILIES_READ = ("mlp(hidden=12-8)", "cnn(channels=3-4,hidden=8)")  # whose state_dicts are read
DIALS = {"low_rank": "keep", "prune": "sparsity", "sparse_code": "nonzeros", "quantize": "levels", "distill": "width",
         "data_svd": "components", "data_codes": "nonzeros", "activation_codes": "nonzeros"}


def images() -> Dataset:
    """150 images of 8x8 in 3 classes."""
    return toy_data((1, 8, 8))


def make(folder: Path) -> None:
    """Writes the samples: a folder for each kind."""
    datasets.load = lambda name, seed=0, report=None: images()  # type: ignore[assignment]
    store = Store(folder / "home" / "store.sqlite")
    for teacher in TEACHERS:
        for chain in METHODS if teacher.startswith(("mlp", "cnn")) else METHODS[:3]:
            _curve(f"toy/{teacher}/{chain}/0", store)
    networks, data = folder / "network", folder / "compressed"
    for path in sorted((folder / "home" / "networks").glob("*.safetensors")):
        kind = networks if "architecture" in network_file.unpack(path)[0] else data
        _write(kind / path.name, path.read_bytes())
    for step in FRONTS:
        network = method(Step.parse(step)).compress(untrained(Step.parse(TEACHERS[1]), images()), images())
        _write(networks / f"{digest_of(step.encode())}.safetensors", network_file.to_bytes(network, MadeFor.of(images())))
    for path in (folder / "home" / "networks").glob("*.npy"):
        _write(folder / "pictures" / path.name, path.read_bytes())
    store._run("PRAGMA wal_checkpoint(TRUNCATE)")
    _write(folder / "store" / "store.sqlite", store.path.read_bytes())
    _write(folder / "description" / "description.json", json.dumps(description()).encode())
    _tables(folder / "npz")
    _own(folder / "own")
    for name, contents in {**{name: graphs.script(name) for name in ("mlp", "cnn", "resnet", "gru", "attention")},
                           "dynamo": graphs.dynamo("gru"), "last": graphs.channels_last(), "scikit": graphs.scikit(3),
                           "branches": graphs.branches()}.items():
        _write(folder / "onnx" / f"{name}.onnx", contents)
    for number, family in enumerate(FAMILIES_READ):
        tensors = untrained(Step.parse(family), images()).state_dict()
        _write(folder / "state_dict" / f"{number}.safetensors", save(tensors))
    _idx(folder)


def _curve(text: str, store: Store) -> None:
    recipe = Recipe.parse(text)
    last = recipe.methods[-1]
    try:
        wanted = sweep_of(recipe, [last.values[DIALS[last.name]]])
        list(run(wanted, store, latency=False))
    except ValueError:  # a method that this teacher does not go with
        return


def _tables(folder: Path) -> None:
    generator = np.random.default_rng(0)
    labels = np.arange(60) % 3
    folder.mkdir(parents=True)
    np.savez(folder / "table.npz", x=generator.normal(size=(60, 5)), y=labels)
    np.savez_compressed(folder / "images.npz", x=generator.integers(0, 256, (60, 6, 6), dtype=np.uint8), y=labels,
                        x_test=generator.integers(0, 256, (9, 6, 6), dtype=np.uint8), y_test=labels[:9])
    np.savez(folder / "names.npz", x=generator.normal(size=(60, 12)), y=np.array(["cat", "dog", "bird"])[labels],
             kind=np.array("sequence"))


def _own(folder: Path) -> None:
    """A table of every kind of column, as text and as Parquet, and pictures in class folders."""
    generator, rows = np.random.default_rng(0), range(60)
    table = pandas.DataFrame({"width": generator.normal(size=60),
                              "colour": [("red", "blue", "grey")[row % 3] for row in rows],
                              "gene": ["".join(generator.choice(list("ACGT"), 9)) for _ in rows],
                              "song": [f"it sings {row} times" for row in rows], "label": [row % 2 for row in rows]})
    folder.mkdir(parents=True)
    table.to_csv(folder / "table.csv", index=False)
    table[["gene", "label"]].to_csv(folder / "genes.tsv", index=False, sep="\t")
    table.to_parquet(folder / "table.parquet")
    with zipfile.ZipFile(folder / "pictures.zip", "w") as archive:
        for row in range(40):
            stream = BytesIO()
            Image.fromarray(generator.integers(0, 256, (6, 6), dtype=np.uint8)).save(stream, ("png", "jpeg", "gif")[row % 3])
            archive.writestr(f"{'owl' if row % 2 else 'wren'}/{row}.png", stream.getvalue())


def _idx(folder: Path) -> None:
    generator = np.random.default_rng(0)
    pixels = struct.pack(">4B3I", 0, 0, 8, 3, 60, 6, 6) + generator.integers(0, 256, 60 * 36, dtype=np.uint8).tobytes()
    labels = struct.pack(">4BI", 0, 0, 8, 1, 60) + bytes(index % 3 for index in range(60))
    for name, contents in (("train-images-idx3-ubyte", pixels), ("train-labels-idx1-ubyte", labels)):
        _write(folder / "idx" / name, contents)
        _write(folder / "idx.gz" / f"{name}.gz", gzip.compress(contents))


def _write(path: Path, contents: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(contents)
