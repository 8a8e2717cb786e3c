"""Embedding tables as linear layers whose input is a row of token ids."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

PADDING, UNKNOWN = 0, 1  # ids; the others are those of tokens, the most frequent first
FIRST_SPREAD = 0.1  # standard deviation of initial embeddings: a mean of some twenty of them must not vanish


class Embedding(nn.Linear):
    """Token ids (n, length), in any type of numbers, -> embeddings (n, length, width), or with `mean` their mean over the
    tokens of a text, (n, width).

    The layer is the linear map W (width, tokens) of one-hot inputs, or of the shares that tokens have in a text: column t is
    the embedding of token t, the row t of the table. An output is looked up, so that no multiply-adds are counted. An id
    beyond the table is that of the unknown token; padding has no embedding (zeros) and does not count for the mean.

    Tables that came in a graph are not `padded`: every id is a row like all others, negative ones count from the end, ids
    have any shape (n, ...), and an id beyond the table is an IndexError.
    """

    macs_per_position = 0

    def __init__(self, tokens: int, width: int, mean: bool, bias: bool = False, padded: bool = True,
                 device: torch.device | str | None = None) -> None:
        self.mean, self.padded = mean, padded
        super().__init__(tokens, width, bias, device)

    def reset_parameters(self) -> None:
        """Initial weights: normal numbers, and no bias."""
        if self.weight.is_meta:  # torch would load its compiler for numbers that take no memory
            return
        nn.init.normal_(self.weight, std=FIRST_SPREAD)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, batch: Tensor) -> Tensor:
        return looked_up(batch, self.weight, self.bias, self.mean, self.padded)


class LastState(nn.Module):
    """The state after the last step: (n, steps, units) -> (n, units). Texts end at the last step: padding comes first."""

    def forward(self, batch: Tensor) -> Tensor:
        return batch[:, -1]


class AsChannels(nn.Module):
    """Tokens in their order, (n, steps, width), as convolutions read them: (n, width, steps)."""

    def forward(self, batch: Tensor) -> Tensor:
        return batch.transpose(1, 2)


class LargestOverTime(nn.Module):
    """The largest output of each channel over all steps (Collobert et al. 2011): (n, channels, steps) -> (n, channels)."""

    def forward(self, batch: Tensor) -> Tensor:
        return batch.amax(2)


def looked_up(batch: Tensor, weight: Tensor, bias: Tensor | None, mean: bool, padded: bool = True) -> Tensor:
    """The outputs of an Embedding with this weight (width, tokens)."""
    ids = known_ids(batch, weight.shape[1], padded)
    if not (padded or mean):
        found = functional.embedding(ids, weight.mT)
        return found if bias is None else found + bias
    held = _held(ids, padded).to(weight.dtype)
    found = functional.embedding(ids, weight.mT) * held[..., None]
    if mean:
        found = found.sum(1) / held.sum(1, keepdim=True).clamp_min(1.0)
    return found if bias is None else found + bias


def known_ids(batch: Tensor, tokens: int, padded: bool = True) -> Tensor:
    """Ids (n, length) int64 of rows of a table of so many tokens; one beyond it becomes UNKNOWN. If the table is not padded,
    negative ids count from its end, and those beyond it stay as they are."""
    ids = batch.long()
    if not padded:
        return torch.where(ids < 0, ids + tokens, ids)
    return torch.where((ids < tokens) & (ids >= 0), ids, UNKNOWN)


def shares(batch: Tensor, tokens: int, padded: bool = True) -> Tensor:
    """The shares (n, tokens) of tokens in texts: what an Embedding with `mean` multiplies by its weight."""
    ids = known_ids(batch, tokens, padded)
    held = _held(ids, padded).float()
    counts = held.new_zeros(len(ids), tokens).scatter_add_(1, ids, held)
    return counts / held.sum(1, keepdim=True).clamp_min(1.0)


def frequencies(batch: Tensor, tokens: int, padded: bool = True) -> Tensor:
    """How often (tokens,) each token is in a batch (n, length), float64; padding counts as no token."""
    counts = torch.bincount(known_ids(batch, tokens, padded).flatten(), minlength=tokens).double()
    if padded:
        counts[PADDING] = 0
    return counts


def _held(ids: Tensor, padded: bool) -> Tensor:
    """Whether an id is one of a token, not of padding."""
    return ids != PADDING if padded else torch.ones_like(ids, dtype=torch.bool)
