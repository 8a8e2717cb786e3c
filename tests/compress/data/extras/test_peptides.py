"""Peptides of the package modlamp."""

from __future__ import annotations

import pytest

from compress.data import bundled

TABLE = b"4,1,UniProt,AMP\nGLWK, 1\nYVPLPN, 0\nDGVK, 1\nW, 0\n"


def test_peptides_are_one_feature_an_amino_acid_and_one_place_a_position(package):
    package("modlamp", "data/AMPvsUniProt.csv", TABLE)
    raw = bundled.read("peptides")
    assert (raw.kind, raw.classes, raw.inputs.shape) == ("sequence", ("other", "antimicrobial"), (4, 20, 64))
    assert raw.labels.tolist() == [1, 0, 1, 0] and raw.inputs.sum() == 15
    letters = "ACDEFGHIKLMNPQRSTVWY"
    assert "".join(letters[place] for place in raw.inputs[1, :, :6].argmax(0)) == "YVPLPN"
    assert not next(card for card in bundled.cards() if card.name == "peptides").problem


def test_another_table_of_peptides_is_refused_in_words(package):
    package("modlamp", "data/AMPvsUniProt.csv", b"nothing\nhere\n")
    with pytest.raises(ValueError, match=r"The installed modlamp has no table of peptides as version 4\.3\.3"):
        bundled.read("peptides")
