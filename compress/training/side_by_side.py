"""Many networks trained side by side on a CPU, every one with kernels of its own, so that it is bit for bit the network that
is trained alone.

One product for the matrices of several networks would be faster for each of them, but the order in which a product sums
depends on the shapes of all its operands: on how many networks there are and how wide the widest is. Here the batches, the
targets, the gradient of the losses (which is computed row by row) and the optimizer's loop are shared; products,
convolutions and recurrent layers are called once for each network, with that network's shapes. What a call costs beside its
arithmetic is small, because gradients are propagated by hand: no graph is recorded but in normalised and recurrent blocks.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional

from compress.networks.embedding import Embedding
from compress.networks.evaluation import device_of, logits_of
from compress.networks.families import Network
from compress.training.stack import leaves
from compress.training.stack_layers import dropout_generator

ALIGNMENT = 16  # numbers: every parameter begins at a multiple of 64 bytes, as a tensor of its own would

aten = torch.ops.aten


class SideBySide:
    """Networks that read the same batches. The tensors are copies: the given networks stay as they are.

    Attributes:
        networks: the copies, whose parameters are views of `trained`.
        trained: for each network one tensor with all its parameters; its `grad` is filled by backward().
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self.networks = [copy.deepcopy(network).train() for network in networks]
        self.trained = [_flattened(network) for network in self.networks]
        self.programs = [_program(network) for network in self.networks]
        self.recorded = [any(isinstance(layer, _Recorded) and layer.has_weights for layer in program)
                         for program in self.programs]

    def __len__(self) -> int:
        return len(self.networks)

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return device_of(self.networks[0])

    @torch.no_grad()
    def forward(self, batch: Tensor, noise_seed: int = 0) -> Tensor:
        """The logits of all networks (N, b, classes); what backward() needs is kept. Dropout is on.

        Args:
            noise_seed: of this step's dropout.
        """
        return torch.stack([self._forward(program, batch, noise_seed) for program in self.programs])

    @torch.no_grad()
    def backward(self, gradient: Tensor) -> None:
        """Writes the gradient of every parameter, from that of the logits (N, b, classes)."""
        for flat, program, recorded, own in zip(self.trained, self.programs, self.recorded, gradient, strict=True):
            if recorded and flat.grad is not None:
                flat.grad.zero_()
            first = next(place for place, layer in enumerate(program) if layer.has_weights)
            for place in range(len(program) - 1, first - 1, -1):
                own = program[place].backward(own, place > first)

    def logits_of(self, inputs: Tensor) -> Tensor:
        """Outputs (N, n, classes) in evaluation mode."""
        return torch.stack([logits_of(network, inputs) for network in self.networks])

    def snapshot(self) -> list[dict[str, Tensor]]:
        """A copy of every network's tensors, for keep() and network()."""
        return [_copied(network) for network in self.networks]

    def keep(self, snapshot: list[dict[str, Tensor]], chosen: Tensor) -> None:
        """Copies the present tensors of the chosen networks (mask (N,) bool) into a snapshot, in place."""
        for number in chosen.nonzero().flatten().tolist():
            snapshot[number] = _copied(self.networks[number])

    def network(self, number: int, snapshot: list[dict[str, Tensor]]) -> Network:
        """One network of a snapshot, in evaluation mode, with tensors of its own."""
        network = copy.deepcopy(self.networks[number])  # whose parameters are copies, no views
        network.load_state_dict(snapshot[number])
        return network.eval()

    @staticmethod
    def _forward(program: list[_Layer], batch: Tensor, noise_seed: int) -> Tensor:
        for layer in program:
            batch = layer.forward(batch, noise_seed)
        return batch


class _Layer:
    """One layer of one network.

    Attributes:
        has_weights: whether backward() writes gradients of parameters.
    """

    has_weights = False

    def forward(self, batch: Tensor, noise_seed: int) -> Tensor:
        """The outputs; what backward() needs is kept."""
        raise NotImplementedError

    def backward(self, gradient: Tensor, wanted: bool) -> Tensor:
        """Writes the parameters' gradients and returns that of the inputs (anything, if it is not wanted)."""
        raise NotImplementedError


class _Linear(_Layer):
    has_weights = True

    def __init__(self, layer: nn.Linear) -> None:
        self.weight, self.bias = layer.weight.detach(), layer.bias.detach()
        self.transposed = self.weight.t()
        self.weight_gradient, self.bias_gradient = layer.weight.grad, layer.bias.grad

    def forward(self, batch: Tensor, noise_seed: int) -> Tensor:
        self.batch = batch
        return torch.addmm(self.bias, batch, self.transposed)

    def backward(self, gradient: Tensor, wanted: bool) -> Tensor:
        torch.mm(gradient.t(), self.batch, out=self.weight_gradient)
        torch.sum(gradient, 0, out=self.bias_gradient)
        return gradient.mm(self.weight) if wanted else gradient


class _Convolution(_Layer):
    has_weights = True

    def __init__(self, layer: nn.Conv1d | nn.Conv2d) -> None:
        self.layer, self.weight_gradient = layer, layer.weight.grad
        self.bias_gradient = None if layer.bias is None else layer.bias.grad
        self.apply = functional.conv1d if isinstance(layer, nn.Conv1d) else functional.conv2d
        self.sizes = None if layer.bias is None else [len(layer.bias)]

    def forward(self, batch: Tensor, noise_seed: int) -> Tensor:
        self.batch, layer = batch, self.layer
        return self.apply(batch, layer.weight, layer.bias, layer.stride, layer.padding, layer.dilation)

    def backward(self, gradient: Tensor, wanted: bool) -> Tensor:
        layer = self.layer
        inputs, weight, bias = aten.convolution_backward.default(
            gradient, self.batch, layer.weight, self.sizes, layer.stride, layer.padding, layer.dilation, False,
            [0] * len(layer.stride), 1, [wanted, True, layer.bias is not None])
        if self.weight_gradient is not None:
            self.weight_gradient.copy_(weight)
        if self.bias_gradient is not None:
            self.bias_gradient.copy_(bias)
        return inputs if wanted else gradient


class _ReLU(_Layer):
    def forward(self, batch: Tensor, noise_seed: int) -> Tensor:
        self.outputs = torch.relu(batch)
        return self.outputs

    def backward(self, gradient: Tensor, wanted: bool) -> Tensor:
        return aten.threshold_backward.default(gradient, self.outputs, 0)


class _MaxPool(_Layer):
    def __init__(self, layer: nn.MaxPool2d) -> None:
        self.options = tuple(_pair(value) for value in (layer.kernel_size, layer.stride, layer.padding, layer.dilation))
        self.ceiling = layer.ceil_mode

    def forward(self, batch: Tensor, noise_seed: int) -> Tensor:
        self.batch = batch
        outputs, self.places = aten.max_pool2d_with_indices.default(batch, *self.options, self.ceiling)
        return outputs

    def backward(self, gradient: Tensor, wanted: bool) -> Tensor:
        return aten.max_pool2d_with_indices_backward.default(gradient.contiguous(), self.batch, *self.options, self.ceiling,
                                                             self.places)


class _Flatten(_Layer):
    def forward(self, batch: Tensor, noise_seed: int) -> Tensor:
        self.shape = batch.shape
        return batch.flatten(1)

    def backward(self, gradient: Tensor, wanted: bool) -> Tensor:
        return gradient.reshape(self.shape)


class _Dropout(_Layer):
    """Which units are dropped depends on the step's seed and the layer's place alone."""

    def __init__(self, layer: nn.Dropout, number: int) -> None:
        self.probability, self.number = layer.p, number

    def forward(self, batch: Tensor, noise_seed: int) -> Tensor:
        generator = dropout_generator(noise_seed, self.number)
        kept = torch.rand(batch.shape[1], batch.shape[0], generator=generator) >= self.probability
        self.factor = kept.T.to(batch.dtype) / (1 - self.probability)
        return batch * self.factor

    def backward(self, gradient: Tensor, wanted: bool) -> Tensor:
        return gradient * self.factor


class _Recorded(_Layer):
    """Any other module, whose graph is recorded."""

    def __init__(self, module: nn.Module) -> None:
        self.module, self.has_weights = module, any(True for _ in module.parameters())

    def forward(self, batch: Tensor, noise_seed: int) -> Tensor:
        with torch.enable_grad():
            self.batch = batch.detach().requires_grad_()
            self.outputs = self.module(self.batch)
        return self.outputs.detach()

    def backward(self, gradient: Tensor, wanted: bool) -> Tensor:
        self.outputs.backward(gradient)
        assert self.batch.grad is not None
        return self.batch.grad


class _Lookup(_Recorded):
    """An embedding table, whose inputs, token ids, have no gradient."""

    def forward(self, batch: Tensor, noise_seed: int) -> Tensor:
        with torch.enable_grad():
            self.outputs = self.module(batch)
        return self.outputs.detach()

    def backward(self, gradient: Tensor, wanted: bool) -> Tensor:
        self.outputs.backward(gradient)
        return gradient


def _program(network: Network) -> list[_Layer]:
    return [_layer(module, number) for number, (_, module) in enumerate(leaves(network))]


def _layer(module: nn.Module, number: int) -> _Layer:
    if isinstance(module, Embedding):
        return _Lookup(module)
    if type(module) is nn.Linear and module.bias is not None:
        return _Linear(module)
    if isinstance(module, nn.Conv1d | nn.Conv2d) and _is_plain(module):
        return _Convolution(module)
    if type(module) is nn.ReLU:
        return _ReLU()
    if type(module) is nn.MaxPool2d:
        return _MaxPool(module)
    if type(module) is nn.Flatten:
        return _Flatten()
    if type(module) is nn.Dropout:
        return _Dropout(module, number)
    return _Recorded(module)


def _is_plain(layer: nn.Conv1d | nn.Conv2d) -> bool:
    """Whether a convolution has one group, zeros beyond the edges, and its padding in numbers."""
    plain = layer.groups == 1 and layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    return plain and type(layer) in (nn.Conv1d, nn.Conv2d)


def _pair(value: int | tuple[int, ...]) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)


def _flattened(network: Network) -> Tensor:
    """One tensor that holds all parameters of a network, which become views of it, as their gradients become views of its
    gradient."""
    parameters = list(network.parameters())
    rooms = [-(-parameter.numel() // ALIGNMENT) * ALIGNMENT for parameter in parameters]
    flat, gradient = (parameters[0].new_zeros(sum(rooms)) for _ in range(2))
    for parameter, own, slot in zip(parameters, flat.split(rooms), gradient.split(rooms), strict=True):
        size = prod(parameter.shape)
        view = own[:size].view(parameter.shape)
        view.copy_(parameter.detach())
        parameter.data = view
        parameter.grad = slot[:size].view(parameter.shape)
    flat.requires_grad_().grad = gradient
    return flat


def _copied(network: Network) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
