"""Texts become rows of ids that end at the last place, and come back as words."""

from __future__ import annotations

import numpy as np
import pytest

from compress.data.texts.tokens import LONGEST_TOKEN, as_text, numbered_tokens, tokens_of


def test_tokens_are_words_in_lower_case_with_marks_of_question_and_exclamation():
    assert tokens_of("It's NOT good, is it?! Straße_2 (état-major)") == [
        "it's", "not", "good", "is", "it", "?", "!", "straße", "2", "état", "major"]
    assert tokens_of("<b>&amp;</b> ...") == ["b", "amp", "b"]
    assert tokens_of("a" * 999) == ["a" * LONGEST_TOKEN]


def test_pairs_of_neighbours_stand_behind_the_words():
    assert tokens_of("not so good", pairs=True) == ["not", "so", "good", "not so", "so good"]


def test_ids_are_by_the_alphabet_and_padding_comes_first():
    ids, words = numbered_tokens(["b a", "", "c b a d"], 3)
    assert words == ("", "(unknown)", "a", "b", "c")
    assert ids.tolist() == [[0, 3, 2], [0, 0, 0], [4, 3, 2]] and ids.dtype == np.int32
    assert [as_text(row, words) for row in ids] == ["b a", "", "c b a"]
    assert as_text([0, 1, 99], words) == "(unknown) (unknown)"


def test_texts_without_a_word_are_refused():
    with pytest.raises(ValueError, match=r"No text holds a word\. Choose a column of sentences"):
        numbered_tokens(["...", ""], 5)
