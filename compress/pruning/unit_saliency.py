"""How much each unit matters, by the same criteria as single weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.layers.input_moments import input_moments
from compress.networks.evaluation import device_of
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.pruning.saliency import BATCH, products
from compress.pruning.units import Group, Member
from compress.solvers.brain_surgeon import column_losses, inverse_of

Scores = dict[str, Tensor]


def unit_saliencies(network: Network, groups: list[Group], criterion: str, data: Dataset, seed: int = 0,
                    initial: Network | None = None, report: Reporter = no_report) -> Scores:
    """Group's path -> (units,) float64 on the CPU, not negative; low ones go first.

    - magnitude: root mean square of the weights that make the unit (Li et al. 2017 take their sum).
    - random: uniform.
    - taylor: $\\sum_b (\\sum g_b w)^2$ over minibatches, the inner sum over the weights that make it (Molchanov et al.
      2019).
    - snip: $\\sum |g w|$ of these at the initial weights.
    - wanda: norm of $|w| \\, \\|x\\|$ over the weights that read it.
    - second_order: what the outputs of all layers that read it lose when it goes and they are refitted.
    """
    if criterion == "random":
        generator = torch.Generator().manual_seed(seed)
        return {group.path: torch.rand(group.units, generator=generator).double() for group in groups}
    if criterion == "magnitude":
        return {group.path: _root_mean_square(network, group) for group in groups}
    if criterion in ("taylor", "snip"):
        return _by_gradient(network, groups, criterion, data, initial, report)
    report(0.0, "reading calibration activations")
    moments = consumer_moments(network, groups, data)
    if criterion == "wanda":
        return {group.path: sum(_wanda_energy(network, member, moments[member.tensor])
                                for member in group.consumers).sqrt().cpu() for group in groups}
    inverses = {tensor: inverse_of(moment) for tensor, moment in moments.items()}
    return {group.path: sum(column_losses(
        network.get_parameter(member.tensor).detach().flatten(1), consumer_columns(network, member).to(device_of(network)),
        inverses[member.tensor]) for member in group.consumers).cpu() for group in groups}


def consumer_moments(network: Network, groups: list[Group], data: Dataset) -> dict[str, Tensor]:
    """Name of each weight that reads units -> second moment of its layer's inputs on calibration (columns, columns)."""
    paths = list(dict.fromkeys(member.tensor.removesuffix(".weight") for group in groups for member in group.consumers))
    moments = input_moments(network, on_device(data.calibration, device_of(network))[0], paths)
    return {f"{path}.weight": moments[path].second[0] for path in paths}


def consumer_columns(network: Network, member: Member) -> Tensor:
    """(units, k): the columns of the weight's matrix (rows, inputs x kernel) that read each unit."""
    kernel = network.get_parameter(member.tensor)[0, 0].numel()
    return (member.places[:, :, None] * kernel + torch.arange(kernel)).flatten(1)


def _by_gradient(network: Network, groups: list[Group], criterion: str, data: Dataset, initial: Network | None,
                 report: Reporter) -> Scores:
    """The weights' products with their gradients, gathered a unit at a time."""
    paths = list(dict.fromkeys(member.tensor.removesuffix(".weight") for group in groups for member in group.producers
                               if _is_a_matrix(network, member)))
    if criterion == "snip":
        found = products(network if initial is None else initial, paths, data, Tensor.abs, report, len(data.calibration))
        return _of_groups(network, groups, found, lambda values: values)
    totals: Scores = {}

    def gather(batch: Scores) -> None:
        for path, values in _of_groups(network, groups, batch, Tensor.square).items():
            totals[path] = totals.get(path, 0) + values

    products(network, paths, data, lambda product: product, report, BATCH, gather)
    return totals


def _of_groups(network: Network, groups: list[Group], found: Scores, change: Callable[[Tensor], Tensor]) -> Scores:
    def value(tensor: str) -> Tensor:
        return found[tensor.removesuffix(".weight")].sum(1)

    return {group.path: change(_over([member for member in group.producers if _is_a_matrix(network, member)], group.units,
                                     value)) for group in groups}


def _over(members: list[Member], units: int, value: Callable[[str], Tensor]) -> Tensor:
    """(units,) float64: the sum of a value of each row over the rows that make a unit."""
    total = torch.zeros(units, dtype=torch.float64)
    for member in members:
        total += value(member.tensor).detach().double().cpu()[member.places].sum(1)
    return total


def _root_mean_square(network: Network, group: Group) -> Tensor:
    """(units,) of the weights that make each unit."""
    members = [member for member in group.producers if _is_a_matrix(network, member)]
    numbers = sum(member.places.shape[1] * network.get_parameter(member.tensor)[0].numel() for member in members)
    squares = _over(members, group.units, lambda tensor: network.get_parameter(tensor).flatten(1).square().sum(1))
    return (squares / numbers).sqrt()


def _is_a_matrix(network: Network, member: Member) -> bool:
    tensor = network.state_dict()[member.tensor]
    return tensor.dim() > 1


def _wanda_energy(network: Network, member: Member, moment: Tensor) -> Tensor:
    """(units,): sum of w^2 x^2 over the weights that read each unit."""
    strength = (network.get_parameter(member.tensor).detach().flatten(1).double().square() * moment.diagonal()).sum(0)
    return strength[consumer_columns(network, member).to(strength.device)].sum(1)
