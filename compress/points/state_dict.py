"""A torch state_dict in safetensors as a network: its tensors are put by their names into a family of networks of this
program."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from compress.data.datasets import Dataset
from compress.files.contents import mapped
from compress.files.header import of_safetensors
from compress.networks.embedding import Embedding
from compress.networks.families import FAMILIES, Network
from compress.networks.graph.architecture import LONGEST_NAME, graph_network
from compress.networks.graph.reading import Reading
from compress.points import state_dict_names, state_dict_sizes
from compress.points.state_dict_names import COUNTER, Tensors
from compress.recipe import Step
from compress.settings import shown, similar
from compress.training import teachers

PICKLED = (b"PK\x03\x04", b"\x80\x02")
LISTED = 5
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


def network_of(path: Path, family: str, data: Dataset, called: str) -> tuple[Network, tuple[str, ...]]:
    """The network, which reads examples as the data have them, and notes for people.

    Args:
        family: of networks of this program with its settings, for example "mlp(hidden=300-100)"; "" for the one that the
            sizes of the tensors tell.
        data: whose shape and classes the network has.

    Raises:
        ValueError: a file that is no safetensors, a family that is not known or cannot be used, or tensors whose names or
            shapes are not those of the network; says which.
    """
    tensors = _tensors(path)
    step = Step.parse(family) if family else _told(path, tensors, data)
    if step.name not in FAMILIES:
        raise ValueError(f"There is no network family {shown(step.name)}; choose one of {', '.join(FAMILIES)}, for example "
                         f"mlp(hidden=300-100).{similar(step.name, list(FAMILIES))}")
    network, wanted, found, notes = _fitted(tensors, step, data)
    problem = _difference(wanted, found)
    if problem:
        raise ValueError(f"{path.name} does not fit {network.architecture.title()} ({step.text()} for {data.title}): "
                         f"{_remedy(tensors, wanted, data, problem)}")
    network.load_state_dict({name: found[name].to(torch.float32) for name in wanted}, strict=False)
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ValueError(f"{path.name} holds weights that are no numbers ({shown(name)}): NaN or infinity.")
    told = () if family else (f"The sizes of its tensors are those of {step.text()}.",)
    return _as_graph(network, called), (*told, *notes)


def _fitted(tensors: Tensors, step: Step, data: Dataset) -> tuple[Network, Tensors, Tensors, tuple[str, ...]]:
    """A network of a family, its own tensors, those of the file by the same names as far as they can be told, and notes."""
    network = teachers.untrained(step, data, 0)
    wanted = {name: tensor for name, tensor in network.state_dict().items() if not name.endswith(COUNTER)}
    found, notes = state_dict_names.unwrapped(tensors, wanted)
    found, renamed = state_dict_names.as_here(found, wanted, _tables(network))
    return network, wanted, found, notes + renamed


def _told(path: Path, tensors: Tensors, data: Dataset) -> Step:
    """The family that the sizes are those of. Raises ValueError if there is none, with what can be done."""
    step = _proposal(tensors, data)
    if step is None:
        other = state_dict_sizes.needs_other_data(tensors, data) or (
            f"its weights have the sizes {state_dict_sizes.in_words(tensors)}, which are those of no network of this "
            f"program for {data.title}. Say the family ({', '.join(FAMILIES)}), for example mlp(hidden=300-100), and what "
            "does not fit is listed; or export the network as ONNX, where names and families do not matter.")
        raise ValueError(f"{path.name} cannot be opened as a network: {other[0].lower()}{other[1:]}")
    return step


def _proposal(tensors: Tensors, data: Dataset) -> Step | None:
    """The family that the sizes tell, where the tensors fit it."""
    step = state_dict_sizes.proposed(state_dict_names.unwrapped(tensors, {})[0], data)
    if step is None:
        return None
    try:
        _, wanted, found, _ = _fitted(tensors, step, data)
    except ValueError:  # sizes beyond a range, or examples of another shape: no network of this program
        return None
    return None if _difference(wanted, found) else step


def _remedy(tensors: Tensors, wanted: Tensors, data: Dataset, problem: str) -> str:
    """What does not fit, by sizes or by names, and what can be done."""
    if (step := _proposal(tensors, data)) is not None:
        remedy = f"These are the sizes of {step.text()}: choose that family."
    else:
        remedy = state_dict_sizes.needs_other_data(tensors, data) or (
            f"By their names, {problem}. The settings of the family are the sizes of its layers; names are those of torch's "
            "Sequential. Rename the tensors, or export the network as ONNX, where names do not matter.")
    ours, theirs = (state_dict_sizes.in_words(one) for one in (wanted, tensors))
    return f"its weights have the sizes {theirs}, the network's {ours}. {remedy}" if ours != theirs else remedy


def _tensors(path: Path) -> Tensors:
    """The tensors of a safetensors file, as views of it."""
    contents = mapped(path).view
    if bytes(contents[:4]).startswith(PICKLED):
        raise ValueError(f"{path.name} is a pickled file, which could run code and is not opened. Save the weights with "
                         "safetensors.torch.save_file(network.state_dict(), \"network.safetensors\").")
    try:
        of_safetensors(contents)
        return load_file(path)
    except ValueError as error:
        raise ValueError(f"{path.name} is no readable safetensors file: {error}.") from error
    except (SafetensorError, OSError, KeyError, TypeError, RuntimeError, OverflowError) as error:
        raise ValueError(f"{path.name} is no readable safetensors file: its header does not describe the bytes after "
                         "it.") from error


def _tables(network: Network) -> set[str]:
    """The names of the tables of embeddings."""
    return {f"{path}.weight" for path, module in network.named_modules() if isinstance(module, Embedding)}


def _difference(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """What keeps the tensors from being those that are wanted, in words; "" if nothing."""
    missing, more = [name for name in wanted if name not in found], [name for name in found if name not in wanted]
    problems = []
    if missing:
        problems.append(f"{_listed(missing)} {'is' if len(missing) == 1 else 'are'} missing")
    if more:
        problems.append(f"{_listed(more)} {'is' if len(more) == 1 else 'are'} not of this network")
    for name in wanted.keys() & found.keys():
        ours, theirs = list(wanted[name].shape), list(found[name].shape)
        if ours != theirs:
            problems.append(f"{shown(name)} has the shape {theirs}, not {ours}")
        elif found[name].dtype not in FLOATS:
            problems.append(f"{shown(name)} holds numbers of the type {str(found[name].dtype).removeprefix('torch.')}, no "
                            "floating-point numbers")
    return "; ".join(sorted(problems)[:LISTED]) + ("; ..." if len(problems) > LISTED else "")


def _listed(names: list[str]) -> str:
    return ", ".join(map(shown, names[:LISTED])) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")


def _as_graph(network: Network, called: str) -> Network:
    """As networks of ONNX files are kept: without dropout, since it is not trained from the beginning."""
    architecture = network.architecture
    shape = architecture.shape
    modules = [module for module in network if not isinstance(module, nn.Dropout)]
    reading = Reading(shape, shape, whole=architecture.family.reads == "tokens")
    return graph_network(called[:LONGEST_NAME], shape, architecture.classes, [reading, *modules])
