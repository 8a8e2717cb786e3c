"""Reasons why a network cannot be pruned with some settings: its architecture, or layers that are compressed already."""

from __future__ import annotations

from compress.layers.open_codes import OpenCodes
from compress.layers.opening import leave_out_zeros_only, opened
from compress.networks.composite import Piece
from compress.networks.families import Network
from compress.pruning.selection import Selection
from compress.pruning.units import groups_of

ON_INPUTS = ("wanda", "second_order")


def refusal(selection: Selection, schedule: str, network: Network) -> str:
    """A sentence with a remedy; "" if the network can be pruned with these settings."""
    zeros_only = leave_out_zeros_only(network)
    if not zeros_only and (schedule in ("rewind", "redraw") or selection.criterion == "snip"):
        return (f"Prune: schedule={schedule} and criterion={selection.criterion} need the network's initial weights, but "
                "some of its layers are compressed already. Put prune before the methods that replaced them, or choose "
                "schedule=one_shot and criterion=magnitude.")
    if selection.pattern == "units":
        return _refusal_of_units(opened(network) if zeros_only else network)
    return _refusal_of_codes(selection, network)


def _refusal_of_units(network: Network) -> str:
    if isinstance(network.architecture, Piece):
        return ("Prune: pattern=units makes a smaller network of the same family, but this one is "
                f"{network.architecture.title()}. Choose pattern=unstructured, or put prune before the method that cut it.")
    try:
        groups = groups_of(network)
    except ValueError as error:  # names the layer whose units are not known
        return str(error)
    return "" if groups else ("Prune: pattern=units removes hidden units, but this network has none. Choose pattern="
                              "unstructured, or a teacher with hidden layers.")


def _refusal_of_codes(selection: Selection, network: Network) -> str:
    modules = opened(network, codes=True).named_modules()
    coded = next((path for path, layer in modules if isinstance(layer, OpenCodes)), None)
    if coded is not None and selection.criterion in ON_INPUTS:
        return (f"Prune: criterion={selection.criterion} needs weights that multiply a layer's inputs, but layer {coded} "
                "has sparse codes. Choose criterion=magnitude or taylor, or put prune before sparse_code.")
    if coded is not None and selection.group:
        return (f"Prune: pattern={selection.pattern} needs weights of consecutive inputs, but layer {coded} has sparse "
                "codes. Choose pattern=unstructured, or put prune before sparse_code.")
    return ""
