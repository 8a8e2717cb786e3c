"""Peptides as sequences of amino acids, from the package modlamp (BSD): are they antimicrobial?"""

from __future__ import annotations

import numpy as np

from compress.data.added.letters import AMINO_ACIDS, one_hot
from compress.data.extras.package import Extra
from compress.data.raw_data import DatasetCard

LENGTH = 64  # all but 1 % are shorter
CLASSES = ("other", "antimicrobial")
EXTRA = Extra(DatasetCard("peptides", "Peptides", "sequence", f"20 x {LENGTH}", 2, 5_200,
                          "Sequences of amino acids: antimicrobial ones and others (modlamp, from APD3 and UniProt)."),
              "modlamp", "pip install --no-deps modlamp (0.2 MB)", "The peptides are in the package modlamp")


def peptides() -> dict[str, np.ndarray]:
    """modlamp's file of 2,600 antimicrobial peptides and 2,600 others. Longer ones than 64 amino acids are cut off."""
    path = EXTRA.file("data", "AMPvsUniProt.csv")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()[1:]
        pairs = [line.split(",") for line in lines if line.strip()]
        sequences, labels = [pair[0].strip() for pair in pairs], [int(pair[1]) for pair in pairs]
    except (OSError, ValueError, IndexError) as error:
        raise ValueError(f"The installed modlamp has no table of peptides as version 4.3.3 has ({path.parent.parent}). "
                         "Install that one: pip install --no-deps modlamp==4.3.3") from error
    return {"inputs": one_hot(sequences, AMINO_ACIDS, LENGTH), "labels": np.array(labels, dtype=np.int64),
            "words": np.array(list(AMINO_ACIDS))}
