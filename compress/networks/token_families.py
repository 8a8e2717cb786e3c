"""Families of networks that read texts as rows of token ids: almost all weights are in the embedding table."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from compress.networks.architecture import Family
from compress.networks.embedding import AsChannels, Embedding, LargestOverTime, LastState
from compress.networks.feed_forward import perceptron
from compress.networks.gru import GRU
from compress.settings import setting, spelled


@dataclass(frozen=True)
class TokenFamily(Family):
    """What these families share: the table."""

    is_built, reads = False, "tokens"
    vocabulary: int = setting(4000, low=3, high=65536,
                              help="Rows of the embedding table: padding, the unknown token, then the most frequent tokens "
                                   "of the training texts. All others are unknown.")
    width: tuple[int, ...] = setting((32,), low=1, high=4096, help="Numbers in a token's embedding (one number).")

    def one_width(self, shape: tuple[int, ...]) -> int:
        """The width of an embedding. Raises ValueError for several, or examples that are no rows of tokens."""
        if len(shape) != 1:
            raise ValueError(f"{type(self).__name__}: needs texts as token ids, but an example is {shape}. Choose mlp.")
        if len(self.width) != 1:
            raise ValueError(f"{type(self).__name__}: width must be one number, but got {spelled(self.width)!r}. For "
                             "example: width=32.")
        return self.width[0]


@dataclass(frozen=True)
class EmbeddingBag(TokenFamily):
    """The mean of the embeddings of a text's tokens, ReLU, and linear layers: a deep averaging network (Iyyer et al. 2015).
    The order of the words does not matter. Almost all weights are in the embedding table."""

    name, title, is_built = "embedding_bag", "Embedding bag", True
    hidden: tuple[int, ...] = setting((), low=1, high=8192, help="Units of each layer after the mean; 'none' for no layer.")
    dropout: float = setting(0.0, low=0.0, high=0.9, help="Share of hidden units that are dropped at each training step.")

    def layers(self, shape: tuple[int, ...], classes: int) -> nn.Sequential:
        width = self.one_width(shape)
        return nn.Sequential(Embedding(self.vocabulary, width, mean=True), nn.ReLU(),
                             *perceptron(width, self.hidden, classes, self.dropout))

    def title_for(self, shape: tuple[int, ...], classes: int) -> str:
        return "-".join(str(size) for size in (self.vocabulary, *self.width, *self.hidden, classes))


@dataclass(frozen=True)
class TokenGRU(TokenFamily):
    """A GRU (Cho et al. 2014) over the embeddings of a text's tokens; a linear layer reads the last state."""

    name, title, is_built = "token_gru", "GRU over tokens", True
    hidden: tuple[int, ...] = setting((32,), low=1, high=2048, help="Units of the recurrent layer (one number).")

    def layers(self, shape: tuple[int, ...], classes: int) -> nn.Sequential:
        width = self.one_width(shape)
        if len(self.hidden) != 1:
            raise ValueError(f"TokenGRU: hidden must be one number of units, but got {spelled(self.hidden)!r}. "
                             "For example: hidden=32.")
        return nn.Sequential(Embedding(self.vocabulary, width, mean=False), GRU(width, self.hidden[0], False), LastState(),
                             nn.Linear(self.hidden[0], classes))

    def title_for(self, shape: tuple[int, ...], classes: int) -> str:
        return f"{self.vocabulary}-{spelled(self.width)}-GRU {spelled(self.hidden)}-{classes}"


@dataclass(frozen=True)
class TokenCNN(TokenFamily):
    """Convolutions over the embeddings of a text's tokens, and the largest output of each channel over the text (Kim 2014):
    a channel looks for a few words in their order, wherever they stand."""

    name, title, is_built = "token_cnn", "CNN over tokens", True
    channels: tuple[int, ...] = setting((32,), low=1, high=1024, help="Channels of each convolution.")
    window: int = setting(3, low=1, high=15, help="Neighbouring tokens that a convolution reads.")
    dropout: float = setting(0.0, low=0.0, high=0.9, help="Share of the largest outputs dropped at each training step.")

    def layers(self, shape: tuple[int, ...], classes: int) -> nn.Sequential:
        widths = (self.one_width(shape), *self.channels)
        if not self.channels:
            raise ValueError("TokenCNN: channels must be at least one number, but got 'none'. For example: channels=32.")
        convolutions = [module for before, after in pairwise(widths) for module in (
            nn.Conv1d(before, after, self.window, padding=self.window // 2), nn.ReLU())]
        dropout = [nn.Dropout(self.dropout)] if self.dropout else []
        return nn.Sequential(Embedding(self.vocabulary, widths[0], mean=False), AsChannels(), *convolutions,
                             LargestOverTime(), *dropout, nn.Linear(widths[-1], classes))

    def title_for(self, shape: tuple[int, ...], classes: int) -> str:
        return f"{self.vocabulary}-{spelled(self.width)}-CNN {spelled(self.channels)}-{classes}"
