"""Reasons why a network cannot be pruned with some settings: its architecture, its compressed layers, or memory."""

from __future__ import annotations

from torch import nn

from compress.layers.base import dense_layers
from compress.layers.input_moments import title_of_moment
from compress.layers.open_codes import OpenCodes
from compress.layers.opening import leave_out_zeros_only, opened
from compress.memory import shortage
from compress.networks.composite import Piece
from compress.networks.embedding import Embedding
from compress.networks.families import Network
from compress.pruning.input_pruner import WITHOUT_INPUTS, first_layer
from compress.pruning.saliency import REFITTED
from compress.pruning.selection import Selection
from compress.pruning.unit_saliency import readers
from compress.pruning.units import groups_of

MOST_TOKENS = 512  # of a table that surgeon takes seconds for
ON_INPUTS = ("wanda", *REFITTED)


def refusal(selection: Selection, schedule: str, network: Network) -> str:
    """A sentence with a remedy; "" if the network can be pruned with these settings."""
    zeros_only = leave_out_zeros_only(network)
    if not zeros_only and (schedule in ("rewind", "redraw") or selection.criterion == "snip"):
        return (f"Prune: the schedule {schedule} and the criterion {selection.criterion} need the network's initial "
                "weights, but some of its layers are compressed already. Put prune before the methods that replaced them, "
                "or choose the schedule one_shot and the criterion magnitude.")
    if selection.pattern == "units":
        open_network = opened(network) if zeros_only else network
        return _refusal_of_units(open_network) or _refusal_of_memory(selection, open_network)
    if selection.pattern == "inputs" and not first_layer(opened(network, codes=True)):
        return f"Prune: {WITHOUT_INPUTS}"
    return (_refusal_of_codes(selection, network) or _refusal_of_time(selection, network)
            or _refusal_of_memory(selection, network))


def _refusal_of_memory(selection: Selection, network: Network) -> str:
    """second_order and surgeon need the second moment of each layer's inputs and its inverse, columns x columns numbers
    each."""
    if selection.criterion not in REFITTED:
        return ""
    network = opened(network)
    layers = dense_layers(network)
    if selection.pattern == "units":
        layers = {path: layers[path] for path in readers(groups_of(network))}
    if selection.pattern == "inputs":
        first = first_layer(network)
        layers = {first: layers[first]}
    sizes = {path: (1 if isinstance(layer, nn.Linear) else layer.groups, layer.weight[0].numel())
             for path, layer in layers.items()}
    widest = max(sizes, key=lambda path: sizes[path][1])
    needed = sum(8 * groups * columns ** 2 for groups, columns in sizes.values()) + 3 * 8 * sizes[widest][1] ** 2
    return shortage(needed, f"Prune: {selection.criterion}: {title_of_moment(widest, sizes[widest][1])} and its inverse",
                    "Choose the criterion magnitude, taylor or wanda.")


def _refusal_of_time(selection: Selection, network: Network) -> str:
    """surgeon takes about n^3 operations for a row of n weights: for the tokens of a table hours."""
    tables = [layer.in_features for layer in opened(network).modules() if isinstance(layer, Embedding)]
    if selection.criterion != "surgeon" or max(tables, default=0) <= MOST_TOKENS:
        return ""
    return (f"Prune: the criterion surgeon removes one weight at a time, which takes hours for an embedding table of "
            f"{max(tables):,} tokens; it can be used up to {MOST_TOKENS:,}. Choose the criterion second_order.")


def _refusal_of_units(network: Network) -> str:
    if isinstance(network.architecture, Piece):
        return ("Prune: the pattern units makes a smaller network of the same family, but this one is "
                f"{network.architecture.title()}. Choose the pattern unstructured, or put prune before the method "
                "that cut it.")
    try:
        groups = groups_of(network)
    except ValueError as error:  # names the layer whose units are not known
        return str(error)
    return "" if groups else ("Prune: the pattern units removes hidden units, but this network has none. Choose the pattern "
                              "unstructured, or a teacher with hidden layers.")


def _refusal_of_codes(selection: Selection, network: Network) -> str:
    modules = opened(network, codes=True).named_modules()
    coded = next((path for path, layer in modules if isinstance(layer, OpenCodes)), None)
    if coded is not None and selection.criterion in ON_INPUTS:
        return (f"Prune: the criterion {selection.criterion} needs weights that multiply a layer's inputs, but layer "
                f"{coded} has sparse codes. Choose the criterion magnitude or taylor, or put prune before sparse_code.")
    if coded is not None and selection.group:
        return (f"Prune: the pattern {selection.pattern} needs weights of consecutive inputs, but layer {coded} has sparse "
                "codes. Choose the pattern unstructured, or put prune before sparse_code.")
    return ""
