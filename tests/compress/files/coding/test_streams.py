"""Sequences of symbols come back exactly, near their entropy, and never as other symbols."""

from __future__ import annotations

import lzma
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.files.coding import entropy_coder, histogram, streams
from compress.files.coding.reader import Reader, number

RANDOM = np.random.default_rng(0)
SEQUENCES = {
    "empty": np.zeros(0, dtype=np.uint8), "one symbol": np.full(1000, 7, dtype=np.uint8),
    "one": np.array([200], dtype=np.uint8), "all distinct": RANDOM.permutation(60_000).astype(np.uint16),
    "bytes of every value": RANDOM.permutation(256).astype(np.uint8),
    "a mask": (RANDOM.random(5000) < 0.03).astype(np.uint8),
    "two far apart": np.where(RANDOM.random(2000) < 0.5, 3, 65_000).astype(np.uint16),
    "large numbers": RANDOM.integers(2**32 - 100, 2**32, 1000, dtype=np.uint32),
    "wide numbers": RANDOM.integers(0, 2**32, 1000, dtype=np.uint32),
    "2^20 symbols": np.clip(RANDOM.normal(128, 6, 1 << 20), 0, 255).astype(np.uint8)}


def back(contents: bytes, symbols: np.ndarray) -> np.ndarray:
    source = Reader(contents)
    found = streams.from_bytes(source, len(symbols), symbols.dtype.type)
    assert source.is_at_end
    return found


@pytest.mark.parametrize("name", SEQUENCES)
@pytest.mark.parametrize("repeats", [False, True])
def test_symbols_come_back(name: str, repeats: bool) -> None:
    symbols = SEQUENCES[name][:1 << 16] if repeats else SEQUENCES[name]
    contents = streams.to_bytes(symbols, repeats)
    found = back(contents, symbols)
    assert found.dtype == symbols.dtype and np.array_equal(found, symbols)
    assert len(contents) <= symbols.nbytes + 1


def test_one_symbol_takes_no_more_bytes_for_more_of_it() -> None:
    assert len(streams.to_bytes(np.full(1 << 20, 200, dtype=np.uint8))) == 3


def test_a_sequence_that_occurs_again_is_stored_once() -> None:
    symbols = np.tile(RANDOM.integers(0, 256, 500, dtype=np.uint8), 20)
    assert len(streams.to_bytes(symbols, repeats=True)) < 700 < len(streams.to_bytes(symbols)) / 10


@pytest.mark.parametrize(("length", "alphabet", "spread"), [
    (1, 2, 1.0), (20, 2, 1.0), (1000, 3, 0.2), (50_000, 300, 1.0), (235_200, 2, 0.05), (1 << 20, 16, 0.5),
    (1 << 20, 2, 0.01), (1_000_003, 5000, 1.0)])
def test_the_coded_length_is_less_than_64_bits_above_the_entropy(length: int, alphabet: int, spread: float) -> None:
    random = np.random.default_rng(length)
    symbols = random.choice(alphabet, length, p=random.dirichlet(np.full(alphabet, spread)))
    counts = np.bincount(symbols, minlength=alphabet)
    if np.count_nonzero(counts) == 1:
        counts = counts + 1
        symbols = np.append(symbols, np.arange(alphabet))
    coded, entropy = entropy_coder.coded(symbols, counts), entropy_coder.entropy_bits(counts)
    assert entropy <= 8 * len(coded) < entropy + 64
    assert np.array_equal(entropy_coder.decoded(coded, counts), symbols)


def test_the_entropy_is_that_of_its_definition() -> None:
    assert entropy_coder.entropy_bits(np.array([4, 0, 2, 2])) == pytest.approx(8 * 1.5)
    assert entropy_coder.entropy_bits(np.array([0, 9])) == entropy_coder.entropy_bits(np.zeros(3)) == 0.0
    assert streams.order_0(np.array([5, 5, 9, 1], dtype=np.uint8)) == pytest.approx(6.0)


@given(st.lists(st.integers(1, 1 << 20), min_size=2, max_size=40))
def test_weights_are_whole_units_of_one_near_the_shares(counts: list[int]) -> None:
    made, shares = entropy_coder.weights(np.array(counts)), np.array(counts) / sum(counts) * entropy_coder.UNITS
    assert made.min() >= 1 and made.sum() == entropy_coder.UNITS
    assert np.abs(made - shares).max() < 1 + (shares < 1).sum()


@given(st.lists(st.integers(0, 2**32 - 1), max_size=60))
def test_counts_come_back(counts: list[int]) -> None:
    assert histogram.from_bytes(histogram.to_bytes(np.array(counts, dtype=np.int64)), len(counts)).tolist() == counts


def test_the_counts_of_a_smooth_histogram_take_less_than_two_bits_and_their_digits() -> None:
    counts = np.bincount(SEQUENCES["2^20 symbols"], minlength=256)
    digits = sum(max(0, int(count).bit_length() - 1) for count in counts)
    assert 8 * len(histogram.to_bytes(counts)) < digits + 2 * len(counts)


@given(st.binary(max_size=12), st.integers(0, 9))
def test_damaged_counts_are_refused_or_read(contents: bytes, symbols: int) -> None:
    try:
        found = histogram.from_bytes(contents, symbols)
    except ValueError as error:
        assert "coded tensors" in str(error)
    else:
        assert len(found) == symbols and found.min(initial=0) >= 0


@given(st.binary(max_size=60), st.integers(0, 50), st.sampled_from([np.uint8, np.uint16]))
def test_damaged_streams_are_refused_or_have_the_declared_length(contents: bytes, count: int, kind: type) -> None:
    try:
        found = streams.from_bytes(Reader(contents), count, kind)
    except ValueError as error:
        assert "coded" in str(error)
    else:
        assert found.shape == (count,) and found.dtype == kind


@pytest.mark.parametrize("name", ["a mask", "one symbol", "bytes of every value"])
def test_every_shorter_or_longer_stream_is_refused(name: str) -> None:
    symbols = SEQUENCES[name]
    contents = streams.to_bytes(symbols)
    for length in range(len(contents)):
        with pytest.raises(ValueError, match="coded"):
            back(contents[:length], symbols)
    if name == "a mask":
        for wrong in (symbols[1:], np.append(symbols, symbols)):
            with pytest.raises(ValueError, match="another number of symbols"):
                back(contents, wrong)


def test_a_short_stream_of_many_symbols_ends_where_its_count_does() -> None:
    """LZMA can write a gigabyte in a few hundred bytes: no more than was declared is made."""
    contents = streams.to_bytes(np.tile(np.arange(200, dtype=np.uint8), 5000), repeats=True)
    assert contents[0] == 3 and len(contents) < 1500
    with pytest.raises(ValueError, match="another number of symbols"):
        streams.from_bytes(Reader(contents), 50, np.uint8)


@given(st.integers(0, 2**56 - 1))
def test_numbers_come_back_from_few_bytes(value: int) -> None:
    assert Reader(number(value)).number() == value
    assert len(number(value)) == max(1, -(-value.bit_length() // 7))


def test_a_number_without_an_end_is_refused() -> None:
    for contents in (b"", b"\xff", b"\xff" * 9):
        with pytest.raises(ValueError, match="coded tensors"):
            Reader(contents).number()


def test_without_the_package_the_message_says_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "constriction", None)
    for work in (lambda: entropy_coder.coded(np.array([0, 1]), np.array([1, 1])),
                 lambda: entropy_coder.decoded(b"1234", np.array([1, 1]))):
        with pytest.raises(ValueError, match=r"pip install 'constriction.*coding=none"):
            work()


def test_of_a_long_sequence_without_repetitions_only_a_part_goes_through_lzma(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    compress = lzma.compress

    def counted(contents: bytes, *settings: object, **named: object) -> bytes:
        tried.append(len(contents))
        return compress(contents, *settings, **named)

    monkeypatch.setattr(streams.lzma, "compress", counted)
    noise = (RANDOM.random(6 * streams.SAMPLE) < 0.1).astype(np.uint8)
    assert len(streams.to_bytes(noise, repeats=True)) == len(streams.to_bytes(noise)) and sum(tried) == 2 * streams.SAMPLE
    rows = np.tile(noise[:100_000], 50)
    assert len(streams.to_bytes(rows, repeats=True)) < len(streams.to_bytes(rows)) / 20 and len(rows) in tried


@pytest.mark.parametrize("length", [1, 99, 100, 101, 1000])
def test_symbols_that_are_coded_in_parts_have_the_same_bytes(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    symbols = RANDOM.integers(0, 300, length + 2, dtype=np.uint16)
    counts = np.bincount(symbols, minlength=300)
    whole = entropy_coder.coded(symbols, counts)
    monkeypatch.setattr(entropy_coder, "AT_ONCE", 100)
    assert entropy_coder.coded(symbols, counts) == whole
    assert np.array_equal(entropy_coder.decoded(whole, counts), symbols)
    assert np.array_equal(entropy_coder.counted(symbols, 0, 299), counts)
