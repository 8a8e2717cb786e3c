"""Saliency of single weights, by the criteria of the pruning literature."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.layers.input_moments import in_turn, input_mean_squares, input_moments
from compress.layers.open_codes import OpenCodes
from compress.networks.evaluation import device_of
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.solvers.brain_surgeon import inverse_of, removal_losses
from compress.solvers.sequential_surgeon import Removal, removal

CRITERIA = ("magnitude", "random", "taylor", "snip", "wanda", "second_order", "surgeon")
REFITTED = ("second_order", "surgeon")  # criteria that take a refit of the other weights for granted
BATCH = 64
Scores = dict[str, Tensor]


def saliencies(network: Network, paths: Iterable[str], criterion: str, data: Dataset, seed: int = 0,
               initial: Network | None = None, report: Reporter = no_report, group: int = 1) -> Scores:
    """Path -> (rows, columns): non-negative scores of a layer's weights; the lowest are pruned first. A row is an output
    unit or channel.

    - magnitude: $|w|$; of a coefficient of sparse codes $|c|$ times the norm of its atom, the norm of what it adds to the
      weights.
    - random: uniform on [0, 1), to compare with.
    - taylor: $\\sum_b (g_b w)^2$ over minibatches $b$ of calibration, with the gradient $g_b$ of the loss: to first order,
      $g_b w$ is the change of the loss without the weight (Molchanov et al. 2019).
    - snip: $|g w|$ at the initial weights (Lee, Ajanthan & Torr 2019).
    - wanda: $|w| \\, \\|x\\|_2$, with the norm over calibration of the input that the weight multiplies (Sun et al. 2024).
    - second_order: $w^2 / (2 [H^{-1}]_{qq})$, the loss of removal after a refit of the weight's row (Hassibi & Stork 1993;
      Frantar & Alistarh 2023).
    - surgeon: the place of a weight, from 1, in the order in which the weights of its layer are removed one at a time, each
      by the loss second_order after the refits of all removals before (Frantar & Alistarh 2022).

    Args:
        initial: the network with its initial weights, for snip.
        group: of N:M sparsity, for the order of surgeon; 1 for single weights.
    """
    paths = list(paths)
    weights = {path: network.get_parameter(f"{path}.weight") for path in paths}
    if criterion == "magnitude":
        return {path: _effects(network, path) for path in paths}
    if criterion == "random":
        generator = torch.Generator().manual_seed(seed)
        return {path: torch.rand(_matrix(weight).shape, generator=generator) for path, weight in weights.items()}
    if criterion == "taylor":
        return products(network, paths, data, lambda product: product.square(), report)
    if criterion == "snip":
        inputs = len(data.calibration)
        return products(network if initial is None else initial, paths, data, lambda product: product.abs(), report, inputs)
    report(0.0, "reading calibration activations")
    examples = on_device(data.calibration, device_of(network))[0]
    if criterion == "wanda":
        squares = input_mean_squares(network, examples, paths)
        return {path: _matrix(weight).abs() * _input_norms(weight, squares[path]) for path, weight in weights.items()}
    work = {path: weight.numel() * weight[0].numel() ** 2 for path, weight in weights.items()}  # about, of each layer
    total, done, found = sum(work.values()), 0, Scores()
    for some in in_turn(network, paths):
        moments = input_moments(network, examples, some)
        for path in some:
            second, before, done = moments.pop(path).full(path), done, done + work[path]
            found[path] = (_second_order(weights[path], second) if criterion == "second_order" else
                           _in_turn(weights[path], second, group, report.part(before / total, done / total)))
    return found


def products(network: Network, paths: list[str], data: Dataset, measure: Callable[[Tensor], Tensor],
             report: Reporter = no_report, batch: int = BATCH, gather: Callable[[Scores], None] | None = None) -> Scores:
    """Path -> (rows, columns): measure(gradient x weight) summed over batches of calibration, in evaluation mode.

    Args:
        gather: called with the values of each batch, which are then not summed.
    """
    inputs, labels = on_device(data.calibration, device_of(network))
    weights = [network.get_parameter(f"{path}.weight") for path in paths]
    totals = {path: torch.zeros_like(_matrix(weight)) for path, weight in zip(paths, weights, strict=True)}
    training = network.training
    network.eval()
    try:
        for number, rows in enumerate(torch.arange(len(inputs), device=inputs.device).split(batch)):
            report(number * batch / len(inputs), "reading gradients")
            # cuDNN has no gradients of recurrent layers in evaluation mode.
            with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
                loss = nn.functional.cross_entropy(network(inputs[rows]), labels[rows])
                gradients = torch.autograd.grad(loss, weights)
            found = {path: measure(_matrix(gradient) * _matrix(weight))
                     for path, gradient, weight in zip(paths, gradients, weights, strict=True)}
            if gather is not None:
                gather(found)
            else:
                totals = {path: total + found[path] for path, total in totals.items()}
    finally:
        network.train(training)
    return totals


def _effects(network: Network, path: str) -> Tensor:
    """(rows, columns): magnitudes of weights; for coefficients of sparse codes, those of what they add to the weights."""
    owner = network.get_submodule(path.rpartition(".")[0])
    if isinstance(owner, OpenCodes):
        return owner.effects
    return _matrix(network.get_parameter(f"{path}.weight")).abs()


def _input_norms(weight: Tensor, squares: Tensor) -> Tensor:
    """(rows, columns): the root mean square of the input that each weight multiplies."""
    norms = squares.sqrt()
    return norms.repeat_interleave(len(weight) // len(norms), dim=0).to(weight.dtype)


def _second_order(weight: Tensor, moments: Tensor) -> Tensor:
    """(rows, columns): the removal loss of each weight; the rows of a group share the moment of the group's inputs."""
    matrices = _matrix(weight).unflatten(0, (len(moments), -1))
    losses = [removal_losses(matrix, inverse_of(second)) for matrix, second in zip(matrices, moments, strict=True)]
    return torch.cat(losses).to(weight.dtype)


def _in_turn(weight: Tensor, moments: Tensor, group: int, report: Reporter) -> Tensor:
    """(rows, columns): each weight's place in the order of removal, from 1; float32 holds those of 16 million weights."""
    matrices = _matrix(weight).unflatten(0, (len(moments), -1))
    found = [removal(matrix, inverse_of(second), group, report.part(number / len(moments), (number + 1) / len(moments)))
             for number, (matrix, second) in enumerate(zip(matrices, moments, strict=True))]
    places = Removal(torch.cat([one.steps for one in found]), torch.cat([one.losses for one in found])).of_all_rows()
    return (places + 1).to(weight.dtype)


def _matrix(weight: Tensor) -> Tensor:
    return weight.detach().flatten(1)
