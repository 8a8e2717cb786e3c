"""A network of the user as a teacher: how it reads the examples of a data set, and which class each of its outputs is.

Where a setting says auto, every possibility is tried on the calibration split, which is a part of the training split, and
the one with the highest accuracy is taken; the notes say which one that was.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
import torch
from torch import Tensor, nn

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.files import kept_networks, network_file
from compress.layers.base import bytes_of
from compress.memory import give_back_of
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.networks.graph.architecture import GraphArchitecture, Own, graph_network
from compress.networks.graph.reading import Order, Reading
from compress.progress import Reporter, no_report
from compress.settings import shown

MOST_TRIED = 1000  # examples of the calibration split
AUTO = "auto"
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
VALUES = ("normalised", "as_stored", "unit", "centred", "imagenet")
CHANCE = 1.5  # times the share of the largest class: below, a network knows nothing of these examples
GAIN, LEAST = 0.1, 0.5  # an order of classes is believed if it gives so much more accuracy, and at least so much
WORDS = {"normalised": "mean 0 and standard deviation 1", "as_stored": "the stored numbers", "unit": "0 to 1",
         "centred": "-1 to 1", "imagenet": "ImageNet's mean and standard deviation"}


@dataclass(frozen=True)
class Way:
    """A way to read examples: the settings of Own, none of them auto."""

    layout: str
    values: str
    channels: str

    def words(self) -> str:
        """For people."""
        last, turned = self.layout == "channels_last", self.channels == "reversed"
        return WORDS[self.values] + (", channels last" if last else "") + (", colours reversed" if turned else "")


@dataclass(frozen=True, eq=False)
class Adopted:
    """A network that reads a data set's normalised examples.

    Attributes:
        notes: sentences about what was found out.
        tried: each way with its accuracy on the calibration split, the best first; empty if nothing had to be tried.
    """

    network: Network
    notes: tuple[str, ...]
    tried: tuple[tuple[Way, float], ...]


def kept(name: str) -> Network:
    """The network of a kept file, as it was added. Raises ValueError if there is none, or it is damaged."""
    network = network_file.read(kept_networks.path_of(name))
    architecture = network.architecture
    if not isinstance(architecture, GraphArchitecture):
        raise ValueError(f"The network {shown(name)} is of another kind than those that are added. Remove it and add it "
                         "again.")
    return graph_network(kept_networks.called(name), architecture.shape, architecture.classes, list(network),
                         architecture.labels)


def structure(own: Own, data: Dataset) -> Network:
    """The network with the first way to read the examples that is possible. Raises ValueError as adopted()."""
    network = kept(own.network)
    return _reading(network, data, _ways(own, network, data)[0], own.order)


def adopted(own: Own, data: Dataset, report: Reporter = no_report, device: torch.device | str = "cpu") -> Adopted:
    """A kept network as a teacher for a data set. Raises as adopt(), or ValueError where there is no such network."""
    return adopt(kept(own.network).to(device), own, data, report, device)


def adopt(network: Network, own: Own, data: Dataset, report: Reporter = no_report,
          device: torch.device | str = "cpu") -> Adopted:
    """A network as a teacher for a data set.

    Raises:
        ValueError: its input or outputs do not fit the data; says what fits.
        Cancelled: through `report`.
    """
    ways = _ways(own, network, data)
    inputs, labels = on_device(data.calibration, torch.device(device))
    inputs, labels = inputs[:MOST_TRIED], labels[:MOST_TRIED]
    tried: list[tuple[Way, float]] = []
    scores: dict[Way, Tensor] = {}
    order, named = own.order, _order_of_names(network, data)
    order = order or named
    if _reads_whole(network):
        _scores(_reading(network, data, ways[0], order), _extremes(data, torch.device(device)), own.network)
    for number, way in enumerate(ways):
        report(number / (len(ways) + 1), f"reads the examples as {way.words()}")
        scores[way] = _scores(_reading(network, data, way, order), inputs, own.network)
        tried.append((way, float((scores[way].argmax(1) == labels).float().mean())))
    best = max(tried, key=lambda one: one[1])
    notes = [f"Your network reads the examples as {best[0].words()}: of {len(ways)} ways, this one gives the highest "
             f"accuracy on {len(labels):,} training examples ({100 * best[1]:.1f} %)."] if len(ways) > 1 else []
    if named and not own.order and named != tuple(range(len(named))):
        notes.append("Its outputs were put into the order of the data's classes, by their names.")
    if not order:
        found = _order_found(scores, labels, len(data.classes), best)
        if found:
            order, best = found[0], found[1]
            notes.append(f"Its outputs are in another order than the data's classes: with order={'-'.join(map(str, order))} "
                         f"its accuracy on these training examples is {100 * best[1]:.1f} %. Say the order yourself if you "
                         "know it.")
    largest = float(torch.bincount(labels, minlength=len(data.classes)).max()) / len(labels)
    if best[1] < min(1.0, CHANCE * largest):
        notes.append(_at_chance(best[1], ways))
    chosen = _reading(network, data, best[0], order)
    give_back_of(bytes_of([network]))
    return Adopted(chosen, tuple(notes), tuple(sorted(tried, key=lambda one: -one[1])))


def _at_chance(accuracy: float, ways: list[Way]) -> str:
    tried = "; ".join(way.words() for way in ways)
    return (f"It is right for {100 * accuracy:.1f} % of the training examples, no more than by chance. Likely causes: it "
            "was trained on other data or other classes, its outputs have another order, or it expects other values, "
            f"channels or axes. Tried: {tried}.")


def _ways(own: Own, network: Network, data: Dataset) -> list[Way]:
    """Every possible way that the settings allow. Raises ValueError if there is none."""
    architecture = network.architecture
    outputs, classes = architecture.classes, len(data.classes)
    if own.order and (len(own.order) != classes or len(set(own.order)) != classes or max(own.order) >= outputs):
        raise ValueError(f"Own: order must name {classes} different outputs between 0 and {outputs - 1}, one for each class "
                         f"of {data.title}, but got {'-'.join(map(str, own.order))}. Set order to none to let it be found "
                         "out.")
    if not own.order and outputs != classes:
        raise ValueError(f"The network {own.network} has {outputs} outputs, but {data.title} has {classes} classes. Choose "
                         "the data that it was trained for" + (", or name its output for each class with the setting order."
                                                      if outputs > classes else "."))
    layouts = [own.layout] if own.layout != AUTO else _layouts(data.shape, architecture.shape)
    if prod(data.shape) != prod(architecture.shape):
        raise ValueError(f"The network {own.network} reads examples of {_shown(architecture.shape)}, but those of "
                         f"{data.title} are {_shown(data.shape)}. Choose data whose examples have as many values.")
    colours = data.kind == "image" and data.shape[0] == 3
    values: list[str] = [own.values] if own.values != AUTO else [
        one for one in VALUES if colours or one != "imagenet"]
    if _reads_whole(network) and own.values == AUTO:
        values = ["as_stored"]
    if own.values == "imagenet" and not colours:
        raise ValueError("Own: values can be imagenet for images with three colours only. Set values to auto.")
    channels = [own.channels] if own.channels != AUTO else ["as_stored", *(["reversed"] if colours else [])]
    return [Way(*way) for way in product(layouts, values, channels)]


def _layouts(data: tuple[int, ...], shape: tuple[int, ...]) -> list[str]:
    """The likely layouts: those whose axes fit; both where the network reads a flat list of several channels."""
    moved = (*data[1:], data[0])
    if shape == data and shape != moved:
        return ["channels_first"]
    if shape == moved and shape != data:
        return ["channels_last"]
    return ["channels_first"] if len(data) == 1 or data[0] == 1 else ["channels_first", "channels_last"]


def _reading(network: Network, data: Dataset, way: Way, order: tuple[int, ...]) -> Network:
    """The network that reads normalised examples of the data this way, and gives the scores in this order."""
    old, *rest = network
    if not isinstance(old, Reading):
        raise TypeError("a kept network begins with how it reads its examples")
    first = Reading(data.shape, old.shape, way.channels == "reversed", way.layout == "channels_last", old.whole)
    scale, shift = _scaled(data, way.values)
    for own, numbers in ((first.scale, scale), (first.shift, shift)):
        found = torch.from_numpy(numbers)  # texts have one number for all of their ids
        own.copy_(found.reshape(()) if found.numel() == 1 else found.reshape(own.shape))
    classes = network.architecture.classes
    last: list[nn.Module] = [Order(order)] if order and order != tuple(range(classes)) else []
    called = network.architecture.title()
    device = old.scale.device
    return graph_network(called, data.shape, len(order) or classes, [first.to(device), *rest, *last])


def _scaled(data: Dataset, values: str) -> tuple[np.ndarray, np.ndarray]:
    """Scale and shift, for each channel, of normalised values."""
    mean, deviation = (numbers.astype(np.float64) for numbers in (data.normaliser.mean, data.normaliser.standard_deviation))
    if values == "normalised":
        return np.ones_like(mean, np.float32), np.zeros_like(mean, np.float32)
    factor, offset = np.ones_like(mean), np.zeros_like(mean)
    if values != "as_stored":
        low, high = _range(data)
        factor, offset = factor / (high - low), offset - low / (high - low)
    if values == "centred":
        factor, offset = 2 * factor, 2 * offset - 1
    if values == "imagenet":
        average, spread = (np.array(numbers).reshape(mean.shape) for numbers in IMAGENET)
        factor, offset = factor / spread, (offset - average) / spread
    return (factor * deviation).astype(np.float32), (factor * mean + offset).astype(np.float32)


def _range(data: Dataset) -> tuple[float, float]:
    """Lowest and highest value that the data can have: 0 and 255 of bytes, else those of the training split."""
    if data.raw_bytes_per_example == prod(data.shape):
        return 0.0, 255.0
    raw = data.normaliser.undo(data.train.inputs)
    low, high = float(raw.min()), float(raw.max())
    return low, high if high > low else low + 1


def _scores(network: Network, inputs: Tensor, name: str) -> Tensor:
    try:
        return logits_of(network, inputs)
    except (IndexError, RuntimeError) as error:
        raise ValueError(f"The network {name} cannot compute with these examples: a number in them is none that it has a "
                         "row for, or its operators do not fit their values. Choose the data that it was trained for."
                         ) from error


def _extremes(data: Dataset, device: torch.device) -> Tensor:
    """The training and validation examples with the lowest and the highest value: if the network has rows for their numbers,
    it has rows for all."""
    rows = []
    for split in (data.train, data.validation):
        values = data.normaliser.undo(split.inputs).reshape(len(split), -1)
        rows += [split.inputs[int(values.max(1).argmax())], split.inputs[int(values.min(1).argmin())]]
    return torch.from_numpy(np.stack(rows)).to(device)


def _order_of_names(network: Network, data: Dataset) -> tuple[int, ...]:
    """The places of the data's classes among the network's, if both have the same names; else nothing."""
    architecture = network.architecture
    labels = architecture.labels if isinstance(architecture, GraphArchitecture) else ()
    return tuple(labels.index(name) for name in data.classes) if labels and sorted(labels) == sorted(data.classes) else ()


def _order_found(scores: dict[Way, Tensor], labels: Tensor, classes: int,
                 best: tuple[Way, float]) -> tuple[tuple[int, ...], tuple[Way, float]] | None:
    """The order of the outputs with the highest accuracy, over all ways, where it is far above that of the present order."""
    found: tuple[tuple[int, ...], tuple[Way, float]] | None = None
    for way, logits in scores.items():
        pairs = torch.bincount(labels * classes + logits.argmax(1), minlength=classes * classes)
        counts = pairs.view(classes, classes).cpu()
        places = counts.argmax(1)  # the output that most examples of each class have
        accuracy = float(counts.amax(1).sum()) / len(labels)
        is_order = len(places.unique()) == classes
        if is_order and accuracy >= max(LEAST, best[1] + GAIN, found[1][1] if found else 0):
            found = tuple(places.tolist()), (way, accuracy)
    return found


def _reads_whole(network: Network) -> bool:
    first = next(iter(network))
    return isinstance(first, Reading) and first.whole


def _shown(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) + " values"
