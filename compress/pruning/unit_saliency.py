"""Saliency of whole units, by the same criteria as that of single weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.layers.input_moments import input_mean_squares, input_moments
from compress.networks.evaluation import device_of
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.pruning import saliency
from compress.pruning.saliency import BATCH, products
from compress.pruning.units import Group, Member
from compress.solvers.brain_surgeon import column_losses, inverse_of

CRITERIA = tuple(one for one in saliency.CRITERIA if one != "surgeon")  # which removes single weights
Scores = dict[str, Tensor]


def unit_saliencies(network: Network, groups: list[Group], criterion: str, data: Dataset, seed: int = 0,
                    initial: Network | None = None, report: Reporter = no_report) -> Scores:
    """Group's path -> (units,): non-negative scores, float64 on the CPU; the units with the lowest are removed first.

    - magnitude: root mean square of the weights that make the unit (Li et al. 2017 use the sum of magnitudes).
    - random: uniform on [0, 1).
    - taylor: $\\sum_b (\\sum g_b w)^2$ over minibatches $b$, the inner sum over the weights that make the unit (Molchanov et
      al. 2019).
    - snip: $\\sum |g w|$ over the same weights at their initial values.
    - wanda: the norm of $|w| \\, \\|x\\|$ over the weights that read the unit.
    - second_order: the loss of the outputs of all layers that read the unit, after a refit of these layers.
    """
    if criterion == "random":
        generator = torch.Generator().manual_seed(seed)
        return {group.path: torch.rand(group.units, generator=generator).double() for group in groups}
    if criterion == "magnitude":
        return {group.path: _root_mean_square(network, group) for group in groups}
    if criterion in ("taylor", "snip"):
        return _by_gradient(network, groups, criterion, data, initial, report)
    report(0.0, "reading calibration activations")
    if criterion == "wanda":
        squares = input_mean_squares(network, on_device(data.calibration, device_of(network))[0], readers(groups))
        return _over_consumers(groups, lambda member: _wanda_energy(
            network, member, squares[member.tensor.removesuffix(".weight")][0]), torch.sqrt)
    moments = consumer_moments(network, groups, data)
    inverses = {tensor: inverse_of(moment) for tensor, moment in moments.items()}
    return _over_consumers(groups, lambda member: column_losses(
        network.get_parameter(member.tensor).detach().flatten(1), consumer_columns(network, member).to(device_of(network)),
        inverses[member.tensor]))


def _over_consumers(groups: list[Group], value: Callable[[Member], Tensor],
                    change: Callable[[Tensor], Tensor] = lambda total: total) -> Scores:
    """Group's path -> (units,) on the CPU: the sum of a value over the weights that read the units, changed at the end."""
    return {group.path: change(torch.stack([value(member) for member in group.consumers]).sum(0)).cpu() for group in groups}


def consumer_moments(network: Network, groups: list[Group], data: Dataset) -> dict[str, Tensor]:
    """Name of each weight that reads units -> second moment of its layer's inputs on calibration (columns, columns)."""
    moments = input_moments(network, on_device(data.calibration, device_of(network))[0], readers(groups))
    return {f"{path}.weight": own.full(path)[0] for path, own in moments.items()}


def readers(groups: list[Group]) -> list[str]:
    """Paths of the layers that read units."""
    return list(dict.fromkeys(member.tensor.removesuffix(".weight") for group in groups for member in group.consumers))


def consumer_columns(network: Network, member: Member) -> Tensor:
    """(units, k): the columns of the weight's matrix (rows, inputs x kernel) that read each unit."""
    kernel = network.get_parameter(member.tensor)[0, 0].numel()
    return (member.places[:, :, None] * kernel + torch.arange(kernel)).flatten(1)


def _by_gradient(network: Network, groups: list[Group], criterion: str, data: Dataset, initial: Network | None,
                 report: Reporter) -> Scores:
    """taylor and snip: products of weights and gradients, summed over the weights that make each unit."""
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
    """(units,) float64: the sum of a value of rows over the rows that make each unit."""
    total = torch.zeros(units, dtype=torch.float64)
    for member in members:
        total += value(member.tensor).detach().double().cpu()[member.places].sum(1)
    return total


def _root_mean_square(network: Network, group: Group) -> Tensor:
    """(units,): of the weights that make each unit."""
    members = [member for member in group.producers if _is_a_matrix(network, member)]
    numbers = sum(member.places.shape[1] * network.get_parameter(member.tensor)[0].numel() for member in members)
    squares = _over(members, group.units, lambda tensor: network.get_parameter(tensor).flatten(1).square().sum(1))
    return (squares / numbers).sqrt()


def _is_a_matrix(network: Network, member: Member) -> bool:
    tensor = network.state_dict()[member.tensor]
    return tensor.dim() > 1


def _wanda_energy(network: Network, member: Member, squares: Tensor) -> Tensor:
    """(units,): sum of w^2 x^2 over the weights that read each unit."""
    strength = (network.get_parameter(member.tensor).detach().flatten(1).double().square() * squares).sum(0)
    return strength[consumer_columns(network, member).to(strength.device)].sum(1)
