"""Second moments and means of the inputs of layers, collected by hooks in one evaluation of the network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from compress.layers.base import is_dense, weight_of
from compress.layers.matrix_view import inputs_as_columns
from compress.memory import require
from compress.networks.embedding import Embedding, frequencies
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.solvers.svd import Diagonal, Metric, Root


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of a layer's inputs x, in the columns of its matrix (channel view), float64.

    Attributes:
        second: mean of x x^T (groups, columns, columns); of fewer samples than columns, its root (groups, columns, samples);
            of the ids of a large embedding table, its diagonal.
        mean: mean of x, (groups, columns).
    """

    second: Metric
    mean: Tensor

    @property
    def covariance(self) -> Metric:
        """Second moment around the mean. Of a root F = X / sqrt(samples), F less the mean / sqrt(samples) is the root."""
        if isinstance(self.second, Diagonal):
            return Diagonal(self.second.values, self.mean)
        if isinstance(self.second, Root):
            factor = self.second.factor
            return Root(factor - self.mean[..., None] / factor.shape[-1] ** 0.5)
        return self.second - self.mean[..., :, None] * self.mean[..., None, :]

    @property
    def is_wide(self) -> bool:
        """Whether this is the root, or the diagonal, of a moment of more than WIDE inputs."""
        return not isinstance(self.second, Tensor) and self.mean.shape[-1] > WIDE

    def full(self, path: str) -> Tensor:
        """mean of x x^T (groups, columns, columns), for methods that need it. path: the layer's, for messages.

        Raises:
            MemoryShort: it does not fit.
        """
        if isinstance(self.second, Tensor):
            return self.second
        groups, columns = self.mean.shape
        require(bytes_of_moment(groups, columns), title_of_moment(path, columns), WITHOUT_INPUTS)
        if isinstance(self.second, Diagonal):
            less = 0.0 if self.second.less is None else self.second.less[..., None] @ self.second.less[..., None, :]
            return self.second.values.diag_embed() - less
        return self.second.factor @ self.second.factor.mT


WIDE = 8192  # inputs of a layer above which its moment is kept as its root, where it has one
ENOUGH = 64_000_000  # bytes
WITHOUT_INPUTS = ("Choose a scheme or criterion that does not read the inputs (plain, magnitude), or a "
                  "narrower layer.")


def diagonal_of(metric: Metric) -> Tensor:
    """The mean squares of the inputs (groups, columns)."""
    if isinstance(metric, Diagonal):
        return metric.values if metric.less is None else metric.values - metric.less.square()
    return metric.factor.square().sum(-1) if isinstance(metric, Root) else metric.diagonal(dim1=-2, dim2=-1)


def bytes_of_moment(groups: int, columns: int) -> int:
    """Memory for a second moment of so many inputs while it is summed: the sum, and what is added to it."""
    return 2 * 8 * groups * columns ** 2


def title_of_moment(path: str, columns: int) -> str:
    """What takes the memory, for messages."""
    return f"The second moment of the inputs of layer {path}, {columns:,} x {columns:,} numbers,"


def input_moments(network: Network, inputs: Tensor, paths: Iterable[str],
                  between: Callable[[], None] = lambda: None) -> dict[str, Moments]:
    """Moments of the inputs of some layers while the network reads these examples (n, *shape).

    Args:
        between: called before each of the parts in which the examples are read; may raise Cancelled.

    Raises:
        MemoryShort: a moment does not fit.
    """
    paths = list(paths)
    gathered = {path: _Gathered(path) for path in paths if not _is_one_hot(network.get_submodule(path))}
    tables = {path: _Counted(path, network.get_submodule(path)) for path in paths if path not in gathered}
    _watch(network, inputs, {path: own.add for path, own in gathered.items()},
           {path: own.add for path, own in tables.items()}, between)
    found = {path: own.moments() for path, own in gathered.items()} | {path: own.moments() for path, own in tables.items()}
    return {path: found[path] for path in paths}


def in_turn(network: nn.Module, paths: Iterable[str]) -> list[list[str]]:
    """Layers in order, in groups whose second moments take about as much memory as the weights of the network, or ENOUGH.
    Each group costs one evaluation of the examples; moments are the same in any group."""
    most = max(ENOUGH, sum(weight.numel() * weight.element_size() for weight in network.parameters()))
    groups: list[list[str]] = []
    taken = 0
    for path in paths:
        layer = network.get_submodule(path)
        weight = weight_of(layer)
        of_groups = 1 if isinstance(layer, nn.Linear) else int(getattr(layer, "groups", 1))
        needed = 0 if has_diagonal_moment(layer) else bytes_of_moment(of_groups, weight[0].numel())
        if not groups or taken + needed > most:
            groups.append([])
            taken = 0
        groups[-1].append(path)
        taken += needed
    return groups


def input_mean_squares(network: Network, inputs: Tensor, paths: Iterable[str]) -> dict[str, Tensor]:
    """The diagonal of the second moment alone, the mean of x^2 (groups, columns), float64."""
    totals: dict[str, Tensor] = {}
    counts: dict[str, int] = {}

    def added(path: str) -> Callable[[Tensor], None]:
        def add(columns: Tensor) -> None:
            totals[path] = totals.get(path, 0) + columns.double().square().sum(-1)
            counts[path] = counts.get(path, 0) + columns.shape[-1]

        return add

    paths = list(paths)
    tables = {path: _Counted(path, network.get_submodule(path)) for path in paths
              if _is_one_hot(network.get_submodule(path))}
    _watch(network, inputs, {path: added(path) for path in paths if path not in tables},
           {path: own.add for path, own in tables.items()})
    found = {path: total / counts[path] for path, total in totals.items()}
    found |= {path: own.shares for path, own in tables.items()}
    return {path: found[path] for path in paths}


class _Gathered:
    """The inputs of a layer: kept as they are while they are fewer than the layer's columns, then summed as x x^T."""

    def __init__(self, path: str) -> None:
        self.path, self.samples = path, 0
        self.first: Tensor = torch.zeros(())
        self.parts: list[Tensor] = []
        self.second: Tensor | None = None

    def add(self, columns: Tensor) -> None:
        """Takes columns (groups, columns, samples)."""
        groups, size, samples = columns.shape
        self.samples += samples
        if self.second is None and self.samples > size:
            require(bytes_of_moment(groups, size), title_of_moment(self.path, size), WITHOUT_INPUTS)
            self.second = columns.new_zeros(groups, size, size, dtype=torch.float64)
            for part in self.parts:
                self.second += part @ part.mT
            self.parts = []
        if self.second is None:
            require(8 * columns.numel(), f"{self.samples:,} inputs of layer {self.path}", WITHOUT_INPUTS)
        columns = columns.double()
        self.first = self.first.to(columns) + columns.sum(-1)
        if self.second is None:
            self.parts.append(columns)
        else:
            self.second += columns @ columns.mT

    def moments(self) -> Moments:
        """Of all that was taken."""
        mean = self.first / self.samples
        if self.second is None:
            return Moments(Root(torch.cat(self.parts, dim=-1) / self.samples ** 0.5), mean)
        return Moments(self.second / self.samples, mean)


class _Counted:
    """The one-hot inputs of an embedding table of tokens in a row: x x^T is 1 at one place of the diagonal, so that the
    second moment is diagonal, with the mean of x. Padding is an input of zeros."""

    def __init__(self, path: str, table: nn.Module) -> None:
        self.path, self.samples, self.counts = path, 0, torch.zeros(())
        self.padded = isinstance(table, Embedding) and table.padded

    def add(self, ids: Tensor, tokens: int) -> None:
        """Takes token ids (n, ...)."""
        self.samples += ids.numel()
        self.counts = self.counts.to(ids.device) + frequencies(ids, tokens, self.padded)

    @property
    def shares(self) -> Tensor:
        """The share of each token, (1, tokens): the mean of x, and of x^2."""
        return self.counts[None] / self.samples

    def moments(self) -> Moments:
        """Of all that was taken."""
        columns = len(self.counts)
        if columns > WIDE:
            return Moments(Diagonal(self.shares), self.shares)
        require(bytes_of_moment(1, columns), title_of_moment(self.path, columns), WITHOUT_INPUTS)
        return Moments(self.shares.diag_embed(), self.shares)


def has_diagonal_moment(layer: nn.Module) -> bool:
    """Whether the second moment of a layer's inputs is kept as its diagonal: of a large table of embeddings."""
    return _is_one_hot(layer) and isinstance(layer, Embedding) and layer.in_features > WIDE


def _is_one_hot(layer: nn.Module) -> bool:
    return isinstance(layer, Embedding) and not layer.mean


def _watch(network: Network, inputs: Tensor, takers: dict[str, Callable[[Tensor], None]],
           tables: dict[str, Callable[[Tensor, int], None]], between: Callable[[], None] = lambda: None) -> None:
    """Gives the inputs of layers, as columns (groups, columns, samples), to these functions while the network reads; of
    tables of tokens in a row, the ids and how many tokens there are."""
    def watch(path: str, take: Callable[[Tensor], None]) -> torch.utils.hooks.RemovableHandle:
        layer = network.get_submodule(path)
        if not is_dense(layer):
            raise TypeError(f"inputs are gathered of dense layers, but layer {path} is a {type(layer).__name__}")
        return layer.register_forward_pre_hook(lambda module, arguments: take(inputs_as_columns(layer, arguments[0])))

    def watch_table(path: str, take: Callable[[Tensor, int], None]) -> torch.utils.hooks.RemovableHandle:
        layer = network.get_submodule(path)
        return layer.register_forward_pre_hook(lambda module, arguments: take(arguments[0], module.in_features))

    hooks = [network.register_forward_pre_hook(lambda module, arguments: between()),
             *(watch(path, take) for path, take in takers.items()),
             *(watch_table(path, take_ids) for path, take_ids in tables.items())]
    try:
        logits_of(network, inputs)
    finally:
        for hook in hooks:
            hook.remove()


def recalibrated(network: Network, inputs: Tensor) -> Network:
    """The network with batch-norm statistics measured again on these (calibration) examples.

    A change of weights changes the activations, so that the running statistics of batch-norm are those of another network.
    The buffers of the given network are changed in place.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return network
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    with torch.inference_mode():
        for chunk in inputs.tensor_split(-(-len(inputs) // 256)):
            network(chunk)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return network.eval()
