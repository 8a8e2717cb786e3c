"""Coded files give every tensor back bit for bit; a changed bit, or a declared size that is too large, is refused."""

from __future__ import annotations

import json
import zlib
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load
from torch import Tensor

from compress.files import container
from compress.files.coding import coded_file
from compress.files.coding import tensors as coded_tensors
from compress.files.coding.known_text import KNOWN_TEXT
from compress.files.coding.reader import Reader, number
from compress.files.coding.table import table_from
from compress.files.coding.tensors import Hints
from compress.layers.bit_packing import Rows, Symbols, packed

RANDOM = np.random.default_rng(0)
NUMBERS = RANDOM.integers(0, 5, 700)
MASK = RANDOM.random((30, 40)) < 0.1
HINTS = Hints({"packed": Symbols(700, 3)}, {"columns": Rows("counts", 40)})


def every() -> dict[str, Tensor]:
    """Tensors of every type and form, also empty ones and single numbers."""
    generator = torch.Generator().manual_seed(0)
    floats = torch.randn(40, 60, generator=generator)
    return {
        "float32": floats, "float16": floats.half(), "bfloat16": floats.bfloat16(), "float64": floats.double(),
        "int8": (floats * 20).to(torch.int8), "int32": (floats * 20).to(torch.int32), "int64": (floats * 9).long(),
        "bool": floats > 1, "few values": (floats * 2).round() * 0.37, "single": torch.tensor(3.5),
        "none": torch.zeros(0, 7), "zeros": torch.zeros(500), "one row": floats[:1].clone(),
        "packed": torch.from_numpy(packed(NUMBERS, 3)),
        "columns": torch.from_numpy(np.nonzero(MASK)[1].astype(np.uint8)),
        "counts": torch.from_numpy(MASK.sum(1).astype(np.uint16))}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(
        tensor.dtype == other[name].dtype and torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_every_kind_of_tensor_comes_back_in_the_form_that_suits_it() -> None:
    contents = container.pack({"a": [1, "é"]}, every(), "entropy", HINTS)
    manifest, tensors = container.unpack(contents)
    assert manifest == {"a": [1, "é"]} and same(tensors, every())
    forms = {entry.name: entry.form[0] for entry in coded_file.table(contents)}
    assert (forms["columns"], forms["counts"], forms["packed"]) == ("places", "follows", "packed")
    assert (forms["few values"], forms["float32"]) == ("words", "planes")


def test_negative_zero_and_the_smallest_numbers_come_back() -> None:
    odd = torch.tensor([0.0, -0.0, 1e-45, -1e-45, 3e38, -3e38] * 20)
    found = container.unpack(container.pack({}, {"odd": odd, "more": torch.arange(300.0)}, "entropy"))[1]
    assert torch.equal(found["odd"].view(torch.int32), odd.view(torch.int32))


def test_what_layers_say_wrongly_costs_bytes_and_no_number() -> None:
    wrong = Hints({"packed": Symbols(701, 3), "float32": Symbols(9, 4)}, {"columns": Rows("counts", 39)})
    right, contents = (container.pack({}, every(), "entropy", hints) for hints in (HINTS, wrong))
    assert same(container.unpack(contents)[1], every()) and len(contents) > len(right)


def test_coded_files_are_safetensors_with_one_tensor() -> None:
    contents = container.pack({}, every(), "entropy", HINTS)
    assert load(contents)["coded"].dtype == torch.uint8 and set(load(contents)) == {"coded"}


def test_without_coding_the_tensors_are_plain() -> None:
    assert same(load(container.pack({}, every())), every())


def test_a_file_that_coding_would_make_longer_stays_plain() -> None:
    noise = torch.randint(0, 256, (5,), dtype=torch.uint8)
    short = container.pack({"n": RANDOM.bytes(3000).hex()}, {"noise": noise}, "entropy")
    assert same(container.unpack(short)[1], {"noise": noise})
    assert len(short) <= len(container.pack({"n": ""}, {"noise": noise})) + 6000


@pytest.mark.parametrize("coding", ["entropy", "none"])
def test_every_flipped_bit_is_refused(coding: str) -> None:
    tensors = {"1.weight": torch.linspace(-1, 1, 96).reshape(8, 12), "mask": torch.ones(20, dtype=torch.uint8)}
    contents = container.pack({"data": "toy"}, tensors, coding)
    assert coded_file.is_coded(container.of_safetensors(contents)) == (coding == "entropy")
    for bit in range(8 * len(contents)):
        changed = bytearray(contents)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match=r"^net (is not a readable|was not written by|holds weights that are no)"):
            container.unpack(bytes(changed), "net")


@pytest.mark.parametrize("coding", ["entropy", "none"])
def test_every_shorter_file_and_a_longer_one_is_refused(coding: str) -> None:
    contents = container.pack({"data": "toy"}, {"weight": torch.arange(99.0)}, coding)
    for length in range(len(contents)):
        with pytest.raises(ValueError, match=r"^net "):
            container.unpack(contents[:length], "net")
    with pytest.raises(ValueError, match=r"^net "):
        container.unpack(contents + b"\0", "net")


def test_flipped_bits_of_larger_files_are_refused() -> None:
    contents = container.pack({"a": 1}, every(), "entropy", HINTS)
    for bit in RANDOM.integers(0, 8 * len(contents), 300).tolist():
        changed = bytearray(contents)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match=r"^the file "):
            container.unpack(bytes(changed))


def forged(head: Any, coded: bytes = b"", deflated: bytes | None = None) -> bytes:
    """A file whose checksum fits, whatever its head says."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, KNOWN_TEXT)
    made = deflate.compress(json.dumps(head).encode()) + deflate.flush() if deflated is None else deflated
    rest = number(len(made)) + made + coded
    return coded_file._frame(4 + len(rest)) + zlib.crc32(rest).to_bytes(4, "little") + rest


def entry(**changes: Any) -> dict[str, Any]:
    made = {"name": "a", "type": "F32", "shape": [8], "form": ["planes"], "coded": 40, **changes}
    return {"tensors": [list(made.values())]}


@pytest.mark.parametrize("head", [
    [], 7, {}, {"tensors": {}}, {"tensors": [1]}, {"tensors": [[]]}, entry(name=3), entry(type="F7"), entry(type=["F32"]),
    entry(shape=8), entry(shape=[-1]), entry(shape=[1.5]), entry(shape=[True]), entry(shape=[2] * 70), entry(form=[]),
    entry(form="planes"), entry(form=["planes", 1]), entry(form=["magic"]), entry(form=[["planes"]]),
    entry(form=["packed", 8, 3]), entry(type="U8", shape=[3], form=["packed", 9, 3]), entry(form=["packed", -8, 3]),
    entry(type="U8", shape=[3], form=["packed", 8, 0]), entry(form=["follows"]), entry(type="U8", form=["follows"]),
    entry(type="U8", form=["places", 3, 3]), entry(type="U8", shape=[3], form=["words"]), entry(coded=-1),
    entry(coded=39), entry(coded="40"), {"tensors": entry()["tensors"] * 2},
    {"tensors": [["a", "U8", [3], ["places", 2, 9], 9], ["b", "U8", [3], ["follows"], 0]]}])
def test_tables_without_sense_are_refused(head: Any) -> None:
    with pytest.raises(ValueError, match=r"^net is not a readable network file"):
        container.unpack(forged(head, bytes(40)), "net")


@pytest.mark.parametrize("head", [
    entry(shape=[10**12]), entry(shape=[1 << 40, 1 << 40]), entry(shape=[0, 1 << 50]),
    entry(type="U8", shape=[10**9], form=["packed", 8 * 10**9, 1]),
    {"tensors": [["a", "U8", [0], ["places", 1, 10**12], 9], ["b", "U8", [1], ["follows"], 0]]},
    {"tensors": [[str(place), "U8", [10**6], ["planes"], 6] for place in range(2000)]}])
def test_no_memory_is_taken_for_declared_sizes(head: Any) -> None:
    with pytest.raises(ValueError, match=r"^net is not a readable network file"):
        container.unpack(forged(head, b"\1" * 100), "net")


def test_a_head_that_inflates_without_end_is_refused() -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = bomb.compress(b" " * (1 << 26)) + bomb.flush()
    assert len(deflated) < 1 << 17
    for made in (deflated, deflated[:-4], b"", b"\xff\xff"):
        with pytest.raises(ValueError, match=r"its head (has more than 4194304 bytes|cannot be inflated)"):
            container.unpack(forged(None, deflated=made), "net")


def test_coded_bytes_that_mean_other_numbers_are_refused_by_their_own_checksum() -> None:
    """Whoever makes the outer checksum fit again, or another version of the coder, still gets no other weights."""
    entries, (contents,) = coded_tensors.coded({"a": torch.arange(400) % 7}, Hints())
    table = [one.plain() for one in entries]
    assert container.unpack(forged({"tensors": table}, contents))[1]["a"].tolist() == (torch.arange(400) % 7).tolist()
    for place in range(len(contents)):
        changed = contents[:place] + bytes([contents[place] ^ 16]) + contents[place + 1:]
        with pytest.raises(ValueError, match=r"^net is not a readable network file"):
            container.unpack(forged({"tensors": table}, changed), "net")


def test_more_bytes_than_the_table_says_are_refused() -> None:
    entries, (contents,) = coded_tensors.coded({"a": torch.arange(400) % 7}, Hints())
    with pytest.raises(ValueError, match="more bytes than its table"):
        coded_tensors.read(table_from([one.plain() for one in entries]), Reader(contents + b"\0"))


def test_a_file_that_a_reader_would_refuse_for_its_memory_is_written_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = {"zeros": torch.zeros(100_000)}
    assert len(container.pack({}, tensors, "entropy")) < 300
    monkeypatch.setattr(coded_file, "FREE_MEMORY", 1000)
    assert len(container.pack({}, tensors, "entropy")) > 400_000
