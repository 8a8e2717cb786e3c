"""Damage: sound bytes or a sound text, and a random generator -> a damaged one. Nothing here knows the program,
but for the frame of coded files: damage inside would be found by their checksum alone."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
import zlib
from random import Random
from typing import Any

from compress.files.coding import coded_file
from compress.files.coding.known_text import KNOWN_TEXT
from compress.files.coding.reader import Reader, number

GIANT = (10**6, 10**9, 2**31, 2**63, 10**18, 10**40)
ODD: tuple[Any, ...] = (*GIANT, -1, 0, 1, -10**9, 0.5, 1e308, -0.0, True, False, None, "", "x", "é\u202e\0", "0" * 5000,
                        "NaN", "../../etc/passwd", "<script>", [], {}, [[]], [0] * 5000, {"kind": "factors"},
                        {"front": "scale"})
NUMBERS = ("nan", "inf", "-inf", "1e999", "1e308", "-1", "0x10", "1_000", "\u0663", "²", "9" * 5000, "1e400", "true")
DEEP = (50, 900, 20_000)


def damaged(contents: bytes, other: bytes, random: Random) -> bytes:
    """One of: flipped bits, a cut, a part of another file, zeros, a repeated or a removed part, changed lengths."""
    kind = random.choice(("bits", "bits", "cut", "splice", "zeros", "repeat", "remove", "number", "empty"))
    made = bytearray(contents)
    if kind == "empty" or not contents:
        return random.choice((b"", b"\0", b"{", random.randbytes(200)))
    start = random.randrange(len(made)) if random.random() < 0.5 else random.randrange(min(len(made), 600))
    length = random.choice((1, 4, 8, 100, 5000))
    if kind == "bits":
        for _ in range(random.choice((1, 1, 3, 50))):
            place = random.randrange(len(made)) if random.random() < 0.5 else random.randrange(min(len(made), 600))
            made[place] ^= 1 << random.randrange(8)
    elif kind == "cut":
        del made[start:]
    elif kind == "splice":
        taken = random.randrange(max(1, len(other)))
        made[start:start + length] = other[taken:taken + length]
    elif kind == "zeros":
        made[start:start + length] = bytes(min(length, len(made) - start))
    elif kind == "repeat":
        made[start:start] = made[start:start + length]
    elif kind == "remove":
        del made[start:start + length]
    else:
        made[start:start + 8] = random.choice((0, 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1)).to_bytes(8, random.choice(
            ("little", "big")))
    return bytes(made)


def mutated(plain: Any, random: Random) -> Any:
    """JSON-able data with some value, at a random place, replaced, removed, repeated, renamed or nested deeply."""
    made = json.loads(json.dumps(plain))
    places = list(_places(made))
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        owner, name = random.choice(places) if places else ([], 0)
        if name < len(owner) if isinstance(owner, list) else name in owner:  # an earlier change may have removed it
            _change(owner, name, random)
    return made


def _change(owner: Any, name: Any, random: Random) -> None:
    kind = random.choice(("odd", "odd", "odd", "near", "remove", "repeat", "rename", "deep"))
    value = owner[name]
    if kind == "near" and isinstance(value, int | float):
        owner[name] = random.choice((value + 1, value - 1, -value, value * 1000, float(value), str(value), [value]))
    elif kind == "remove":
        del owner[name]
    elif kind == "repeat" and isinstance(owner, list):
        owner[name:name] = [value] * random.choice((1, 100))
    elif kind == "rename" and isinstance(owner, dict):
        owner[random.choice(("", "kind", "x" * 3000, str(name).upper()))] = owner.pop(name)
    elif kind == "deep":
        for _ in range(random.choice(DEEP[:2])):
            value = random.choice(([value], {"of": value}, {str(name): value}))
        owner[name] = value
    else:
        owner[name] = random.choice(ODD)


def _places(value: Any) -> Any:
    """(owner, name) of every value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in list(inside):
        yield value, name
        yield from _places(part)


def as_json(value: Any) -> str:
    """JSON of data of any depth; where Python's encoder gives up, brackets as deep."""
    try:
        return json.dumps(value)
    except RecursionError:
        return "[" * DEEP[2] + "]" * DEEP[2]


def container(contents: bytes, random: Random) -> bytes:
    """A network's file whose manifest, or whose header of tensors, is mutated; the lengths around it are right, and in a
    coded file the checksum."""
    length = int.from_bytes(contents[:8], "little")
    header = json.loads(contents[8:8 + length])
    if coded_file.is_coded(header):
        return coded(contents[8 + length:], random)
    if random.random() < 0.75:
        manifest = mutated(json.loads(header["__metadata__"]["manifest"]), random)
        header["__metadata__"]["manifest"] = as_json(manifest)
        text = json.dumps(header)
    else:
        text = as_json(mutated(header, random))
    return len(text.encode()).to_bytes(8, "little") + text.encode() + contents[8 + length:]


def coded(inside: bytes, random: Random) -> bytes:
    """A coded file whose head, or whose coded tensors, are damaged, under a checksum that fits."""
    source = Reader(inside[4:])
    head, rest = source.take(source.number()), inside[4 + source.place:]
    if random.random() < 0.6:
        opened = zlib.decompressobj(-15, KNOWN_TEXT)
        text = as_json(mutated(json.loads(opened.decompress(head)), random)).encode()
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, KNOWN_TEXT)
        head = deflate.compress(text) + deflate.flush()
    else:
        rest = damaged(rest, rest, random)
    made = number(len(head)) + head + rest
    return coded_file._frame(4 + len(made)) + zlib.crc32(made).to_bytes(4, "little") + made


def tensors(contents: bytes, random: Random) -> bytes:
    """A network's file with other numbers: NaN, infinity, giant or negative ones, in the place of some."""
    length = int.from_bytes(contents[:8], "little")
    made, start = bytearray(contents), 8 + length
    for _ in range(random.choice((1, 10, 1000))):
        place = start + 4 * random.randrange(max(1, (len(made) - start) // 4))
        made[place:place + 4] = random.choice((b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\xff\xff\x7f\x7f", b"\0\0\x80\xbf",
                                               b"\xff\xff\xff\xff", random.randbytes(4)))
    return bytes(made[:len(contents)])


def archive(contents: bytes, random: Random) -> bytes:
    """An .npz whose arrays are damaged, or whose headers declare other sizes, in a zip that is sound."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(contents)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            member = old.read(name)
            if random.random() < 0.6:
                member = random.choice((_declared, damaged))(member, member, random)
            if random.random() < 0.05:
                continue
            new.writestr(name, member)
            if random.random() < 0.05:
                new.writestr(random.choice((name, "z.npy", "../x.npy", "x")), member)
    return made.getvalue()


def _declared(member: bytes, other: bytes, random: Random) -> bytes:
    """An array's header with another shape, order or type."""
    text = member[10:128].decode("latin1")
    size = random.choice((*map(str, GIANT), "-1", "0", "1.5", "True"))
    changed = random.choice((("'shape': (", f"'shape': ({size}, "), ("False", "True"), ("<f8", "|O8"), ("<f8", "<f4"),
                             ("<i8", "<U900000"), ("(", "(" * 60), ("{", "["), ("'<", "'>"), ("<f8", "<c16"),
                             ("<f8", "<M8[s]")))
    header = text.rstrip().replace(*changed).encode("latin1")
    return member[:8] + len(header).to_bytes(2, "little") + header + member[128:]


def packed(contents: bytes, other: bytes, random: Random) -> bytes:
    """A .gz of damaged bytes, or of very many zeros behind a sound beginning."""
    plain = gzip.decompress(contents)
    if random.random() < 0.1:
        return gzip.compress(plain[:16] + bytes(random.choice((10**6, 5 * 10**7))), 9)
    return gzip.compress(damaged(plain, other, random), 1)


def link(parameters: dict[str, str], random: Random) -> dict[str, str]:
    """The query of a link with changed, repeated, nested, giant and foreign values and names."""
    made = dict(parameters)
    for _ in range(random.choice((1, 1, 2, 6))):
        name = random.choice([*made, "start", "t.hidden", "seed", "x", "distill.width", "low_rank.keep", "method", "data"])
        called = random.choice((name, name, name, f"{name}.x", name.upper(), f"t.{name}", "é", ""))
        made[called] = text(made.get(name, ""), random)
        if random.random() < 0.1:
            made.pop(name, None)
    return made


def text(value: str, random: Random) -> str:
    """Another text: damaged, giant, nested, or of another kind."""
    kind = random.choice(("odd", "odd", "damage", "double", "giant", "deep", "number", "step", "unicode"))
    if kind == "damage" and value:
        place = random.randrange(len(value))
        return value[:place] + random.choice("(),=+/.-%&\0\"'[]{}<>9eE ") + value[place + random.randrange(3):]
    if kind == "double":
        return value * random.choice((2, 50)) + random.choice(("", "+", ",", "("))
    if kind == "giant":
        return random.choice("9-(+,=[a%/ ") * random.choice((5000, 100_000))
    if kind == "deep":
        brackets = random.choice(("()", "[]", "{}"))
        return "mlp" + brackets[0] * random.choice(DEEP) + brackets[1] * random.choice((0, 50))
    if kind == "number":
        return random.choice(NUMBERS)
    if kind == "step":
        method, setting = random.choice(("low_rank", "prune", "distill", "x")), random.choice(("keep", "sparsity", "x"))
        return f"{method}({setting}={value or 1})"
    if kind == "unicode":
        return "".join(chr(random.choice((random.randrange(1, 0xD800), random.randrange(0xDC80, 0xDD00), 0x202E)))
                       for _ in range(30))
    return str(random.choice(ODD))
