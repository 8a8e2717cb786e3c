"""Why a network cannot be quantized: memory."""

from __future__ import annotations

from torch import nn

from compress.layers.base import dense_layers
from compress.layers.input_moments import WIDE, bytes_of_moment, has_diagonal_moment, title_of_moment
from compress.memory import shortage
from compress.networks.families import Network

COPIES = 5  # of a second moment at once: itself, damped and in the order of rounding, its factor, and what LAPACK takes


def refusal_of_memory(network: Network, whole: bool) -> str:
    """A sentence with a remedy if the second moments of the inputs (columns x columns numbers for each layer of an open
    network) do not fit; else "".

    Args:
        whole: whether the moments of very wide layers are needed too. Otherwise their roots serve, which hold the examples.
    """
    sizes = {path: (1 if isinstance(layer, nn.Linear) else layer.groups, layer.weight[0].numel())
             for path, layer in dense_layers(network).items() if not has_diagonal_moment(layer)}
    sizes = {path: size for path, size in sizes.items() if whole or size[1] <= WIDE}
    if not sizes:
        return ""
    widest = max(sizes, key=lambda path: sizes[path][1])
    needed = sum(bytes_of_moment(*one) for one in sizes.values()) + COPIES * 8 * sizes[widest][1] ** 2
    return shortage(needed, f"Quantize: {title_of_moment(widest, sizes[widest][1])} and its factor",
                    "Choose the scheme nearest, codebook or ternary, or float16." if whole else
                    "Choose the scheme float16 or bfloat16.")
