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
    """

    macs_per_position = 0

    def __init__(self, tokens: int, width: int, mean: bool, bias: bool = False,
                 device: torch.device | str | None = None) -> None:
        self.mean = mean
        super().__init__(tokens, width, bias, device)

    def reset_parameters(self) -> None:
        """Initial weights: normal numbers, and no bias."""
        nn.init.normal_(self.weight, std=FIRST_SPREAD)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, batch: Tensor) -> Tensor:
        return looked_up(batch, self.weight, self.bias, self.mean)


class LastState(nn.Module):
    """The state after the last step: (n, steps, units) -> (n, units). Texts end at the last step: padding comes first."""

    def forward(self, batch: Tensor) -> Tensor:
        return batch[:, -1]


def looked_up(batch: Tensor, weight: Tensor, bias: Tensor | None, mean: bool) -> Tensor:
    """The outputs of an Embedding with this weight (width, tokens)."""
    ids = known_ids(batch, weight.shape[1])
    held = (ids != PADDING).to(weight.dtype)
    found = functional.embedding(ids, weight.mT) * held[..., None]
    if mean:
        found = found.sum(1) / held.sum(1, keepdim=True).clamp_min(1.0)
    return found if bias is None else found + bias


def known_ids(batch: Tensor, tokens: int) -> Tensor:
    """Ids (n, length) int64; one beyond a table of so many tokens becomes UNKNOWN."""
    ids = batch.long()
    return torch.where((ids < tokens) & (ids >= 0), ids, UNKNOWN)


def shares(batch: Tensor, tokens: int) -> Tensor:
    """The shares (n, tokens) of tokens in texts: what an Embedding with `mean` multiplies by its weight."""
    ids = known_ids(batch, tokens)
    held = (ids != PADDING).float()
    counts = held.new_zeros(len(ids), tokens).scatter_add_(1, ids, held)
    return counts / held.sum(1, keepdim=True).clamp_min(1.0)


def frequencies(batch: Tensor, tokens: int) -> Tensor:
    """How often (tokens,) each token is in a batch (n, length), float64; padding counts as no token."""
    counts = torch.bincount(known_ids(batch, tokens).flatten(), minlength=tokens).double()
    counts[PADDING] = 0
    return counts
