"""Names of tensors in the state_dict of a user's own class, as those of the same network here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from torch import Tensor

from compress.settings import shown

COUNTER = "num_batches_tracked"  # of batch normalisation; no effect on scores
OF_GRU = re.compile(r"(.*?)(weight|bias)_(ih|hh)_l0(_reverse)?")
KIND = re.compile(r"((for|back)wards\.\w+\.)?[^.]+$")
Tensors = dict[str, Tensor]


def unwrapped(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> tuple[Tensors, tuple[str, ...]]:
    """The tensors without what stands before all of their names, as torch's DataParallel (module.), torch.compile
    (_orig_mod.) and networks with a single part have it; and a note about it."""
    kept = {_of_gru(name): tensor for name, tensor in found.items() if not name.endswith(COUNTER)}
    left_out = ""
    while kept and not kept.keys() & wanted.keys():
        first, dot, _ = next(iter(kept)).partition(".")
        before = first + dot
        if not dot or first.isdigit() or not all(name.startswith(before) for name in kept):
            break
        kept, left_out = {name.removeprefix(before): tensor for name, tensor in kept.items()}, left_out + before
    return kept, (f"All names of its tensors begin with {shown(left_out)}, which was left out.",) if left_out else ()


def as_here(found: Tensors, wanted: Mapping[str, Tensor], tables: set[str]) -> tuple[Tensors, tuple[str, ...]]:
    """The tensors with the names that are wanted, where each can be told by its kind (the last part of its name) and its
    shape alone; as they are where they cannot. And a note about it.

    Args:
        tables: names of tables of embeddings, which torch has as (tokens, width), and networks here as (width, tokens).
    """
    notes: tuple[str, ...] = ()
    if found.keys() != wanted.keys():
        ours = {_key(name, tensor.mT if name in tables else tensor): name for name, tensor in wanted.items()}
        theirs = Counter(_key(name, tensor) for name, tensor in found.items())
        if len(ours) == len(wanted) and ours.keys() == theirs.keys() and max(theirs.values()) == 1:
            renamed = {name: ours[_key(name, tensor)] for name, tensor in found.items()}
            found = {renamed[name]: tensor for name, tensor in found.items()}
            pairs = ", ".join(f"{theirs} is {own}" for theirs, own in renamed.items() if theirs != own)
            notes = (f"The names of its tensors are others; each was told by its shape, which no other has: {pairs}"[:400] +
                     ".",)
    turned = {name: tensor.mT.contiguous() if name in tables and tensor.dim() == 2 and
              tensor.shape == wanted[name].shape[::-1] else tensor for name, tensor in found.items()}
    return turned, notes


def _key(name: str, tensor: Tensor) -> tuple[str, tuple[int, ...]]:
    """The kind of a tensor, such as weight or running_mean (of a GRU also of which of its maps), and its shape."""
    found = KIND.search(name)
    return found[0] if found else name, tuple(tensor.shape)


def _of_gru(name: str) -> str:
    """The name here of a tensor of torch's GRU."""
    found = OF_GRU.fullmatch(name)
    if not found:
        return name
    before, kind, of, backwards = found.groups()
    return f"{before}{'backwards' if backwards else 'forwards'}.{'input' if of == 'ih' else 'state'}_map.{kind}"
