"""Every family of networks that can be made, and architecture.py's words for them."""

from __future__ import annotations

from compress.networks.architecture import (
    ARCHITECTURES,
    FAMILIES,
    MOST_CLASSES,
    Architecture,
    Family,
    Network,
    build,
    family,
)
from compress.networks.number_families import CNN, MLP, Logistic, Recurrent, ResNet
from compress.networks.token_families import EmbeddingBag, TokenCNN, TokenFamily, TokenGRU

__all__ = ["ARCHITECTURES", "CNN", "FAMILIES", "MLP", "MOST_CLASSES", "Architecture", "EmbeddingBag", "Family", "Logistic",
           "Network", "Recurrent", "ResNet", "TokenCNN", "TokenFamily", "TokenGRU", "build", "family"]
