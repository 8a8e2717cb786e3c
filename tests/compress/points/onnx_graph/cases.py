"""Points of every method and of their chains, for tests and the benchmark of ONNX files."""

from __future__ import annotations

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.method import Method
from compress.methods import methods
from compress.networks.families import Network
from compress.recipe import Step
from compress.stored import PLAIN

# What is exported of every family of networks; little is trained.
CASES = {
    "low rank": "low_rank(keep=0.3)",
    "pruned weights": "prune(sparsity=0.9)",
    "pruned units": "prune(sparsity=0.5,pattern=units)",
    "pruned 2:4": "prune(sparsity=0.5,pattern=n:4)",
    "sparse code": "sparse_code(nonzeros=2)",
    "distilled": "distill(width=0.5,epochs=1,seeds=1,temperatures=none)",
    "5 levels": "quantize(levels=5)",
    "256 levels, a step each output": "quantize(levels=256,per=channel)",
    "16 levels, a step each group": "quantize(levels=16,per=group)",
    "4 levels, not symmetric": "quantize(levels=4,symmetric=false)",
    "codebook of 16": "quantize(levels=16,scheme=codebook)",
    "bfloat16": "quantize(levels=65536,scheme=bfloat16)",
    "3 levels, corrected by rank 4": "quantize(levels=3,correction=4)",
    "256 levels, inputs of 8 bits": "quantize(levels=256,activations=int8)",
    "codebook, inputs of 8 bits": "quantize(levels=16,scheme=codebook,activations=int8)",
    "hidden outputs by a pursuit": "activation_codes(nonzeros=2,atoms=16,iterations=1,pca_baseline=false)",
    "low rank, 32 levels": "low_rank(keep=0.4)+quantize(levels=32)",
    "pruned, codebook": "prune(sparsity=0.8)+quantize(levels=16,scheme=codebook)",
    "sparse code, 32 levels": "sparse_code(nonzeros=2)+quantize(levels=32)",
}
# What differs in the form of its numbers alone, or trains a network of its own: once is enough.
MORE = {
    "ternary": "quantize(levels=3,scheme=ternary)",
    "float16": "quantize(levels=65536,scheme=float16)",
    "2 levels": "quantize(levels=2)",
    "1,000 levels": "quantize(levels=1000)",
    "groups, not symmetric": "quantize(levels=16,per=group,symmetric=false)",
    "not symmetric, inputs of 8 bits": "quantize(levels=16,symmetric=false,activations=int8)",
    "pruned, a step each output": "prune(sparsity=0.8)+quantize(levels=5,per=channel)",
    "pruned, not symmetric": "prune(sparsity=0.8)+quantize(levels=4,symmetric=false)",
    "pruned, inputs of 8 bits": "prune(sparsity=0.8)+quantize(levels=16,activations=int8)",
    "low rank, inputs of 8 bits": "low_rank(keep=0.4)+quantize(levels=32,activations=int8)",
    "coefficients of one byte": "sparse_code(nonzeros=2,storage=int8)",
    "files of 16 bits": "prune(sparsity=0.5,precision=float16)",
    "hidden outputs by components": "activation_codes(nonzeros=2,dictionary=components,pca_baseline=false)",
    "projected examples": "data_svd(components=6,epochs=1)",
    "codes of examples": "data_codes(nonzeros=2,atoms=16,iterations=1,epochs=1,classify=codes,pca_baseline=false)",
}


def network_of(text: str, teacher: Network, data: Dataset) -> tuple[Network, bytes]:
    """The network of methods joined by '+', as it is read from its file, and the file; of no text, the teacher."""
    network, steps = teacher, [Step.parse(part) for part in text.split("+") if part]
    made: list[Method] = [methods()[step.name].from_plain(step.values) for step in steps]
    for method in made:
        network = method.compress(network, data)
    stored = made[-1].stored if made else PLAIN
    contents = network_file.to_bytes(network, MadeFor.of(data), stored)
    return network_file.from_bytes(contents), contents

