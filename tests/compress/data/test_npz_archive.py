"""Arrays of an .npz file: what it declares is checked before an array is made; nothing but ValueError is raised."""

import io
import random
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from compress.data import declared_sizes
from compress.data.npz_archive import opened

VALUES = np.arange(24, dtype=np.float32).reshape(4, 6)
HUGE = 10 ** 12


def npy(header: str, body: bytes = b"", version: int = 1) -> bytes:
    """A .npy file with this text as its header."""
    packed = header.encode("latin-1")
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(packed)) + packed + body


def described(shape: object, dtype: object = "<f4", order: object = False) -> str:
    return repr({"descr": dtype, "fortran_order": order, "shape": shape}) + "\n"


def archive(path, contents: bytes, packing: int = zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", packing) as file:
        file.writestr("x.npy", contents)
    return path


def read(path) -> np.ndarray:
    with opened(path) as found:
        return found.read("x")


@pytest.mark.parametrize("array", [VALUES, VALUES.T, np.asfortranarray(VALUES), VALUES.astype(">f8"), VALUES[:0],
                                   np.array(3), np.array(["a", "bcd"]), VALUES > 3, np.array([b"ab"]), np.array("text")])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_are_read_as_numpy_reads_them(tmp_path, array, save):
    save(tmp_path / "some.npz", x=array, other=VALUES)
    with opened(tmp_path / "some.npz") as found:
        assert found.names == ["x", "other"]
        header, values = found.header("x"), found.read("x")
    assert (header.shape, header.dtype) == (array.shape, array.dtype)
    assert values.dtype == array.dtype and np.array_equal(values, array)


@pytest.mark.parametrize(("contents", "message"), [
    (npy(described((4, 6)), VALUES.tobytes()[:-1]), "declares 96 bytes .* but the archive has 95"),
    (npy(described((4, 6)), VALUES.tobytes() + b"x"), "declares 96 bytes .* but the archive has 97"),
    (npy(described((HUGE, 6)), VALUES.tobytes()), "declares 24000000000000 bytes"),
    (npy(described((2 ** 40, 2 ** 40)), VALUES.tobytes()), "declares .* bytes"),
    (npy(described((-4, -6)), VALUES.tobytes()), "which no array has"),
    (npy(described((-4, 0)), b""), "which no array has"),
    (npy(described((HUGE,), "<U0"), b""), "which no array has"),
    (npy(described((4, 6), "|O"), VALUES.tobytes()), r"Python objects.*x\.astype\(str\)"),
    (npy(described((4, 6), [("a", "|O")]), VALUES.tobytes()), "Python objects"),
    (npy(described((4, 6), "no type"), VALUES.tobytes()), "damaged header"),
    (npy(described("ab"), VALUES.tobytes()), "damaged header"),
    (npy(described((4, 6), "<f4", "yes"), VALUES.tobytes()), "damaged header"),
    (npy("(" * 5000, b""), "damaged header"),
    (npy("{'descr': 'no end", b""), "damaged header"),
    (npy("\xff\xfe\n", b"", 3), "damaged header"),
    (npy(" " * 70_000 + described((4, 6)), VALUES.tobytes(), 2), "header of 700.. bytes, but at most 65536"),
    (b"\x93NUMPY\x09\x00" + bytes(40), "formats 1 to 3"),
    (b"\x93NUM", "formats 1 to 3"),
    (b"", "formats 1 to 3"),
])
def test_a_wrong_declaration_is_refused(tmp_path, contents, message):
    path = archive(tmp_path / "some.npz", contents)
    with pytest.raises(ValueError, match=rf"some\.npz is not a valid \.npz file of plain arrays: .*{message}"):
        read(path)


def bomb(path, packing: int):
    """600 MB of zeros in some kB."""
    with zipfile.ZipFile(path, "w", packing, compresslevel=1) as file, file.open("x.npy", "w", force_zip64=True) as stream:
        stream.write(npy(described((600_000_000,), "|u1")))
        for _ in range(60):
            stream.write(bytes(10_000_000))
    return path


@pytest.mark.parametrize(("packing", "message"), [
    (zipfile.ZIP_DEFLATED, r"x has .* declares 600 MB.*unpacked, with np\.savez"),
    (zipfile.ZIP_BZIP2, "a way that numpy does not write; save it with np.savez_compressed")])
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, packing, message):
    path = bomb(tmp_path / "bomb.npz", packing)
    tracemalloc.start()
    with pytest.raises(ValueError, match=rf"bomb\.npz.*{message}"):
        read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_an_array_beyond_the_memory_is_refused_with_the_limit(tmp_path, monkeypatch):
    np.savez(tmp_path / "some.npz", x=VALUES)
    monkeypatch.setattr(declared_sizes, "spare", lambda: 190)
    with pytest.raises(ValueError, match=r"x declares 96 bytes, but at most 95 bytes can be read here.*uint8 or float32"):
        read(tmp_path / "some.npz")
    monkeypatch.setattr(declared_sizes, "spare", lambda: None)
    monkeypatch.setattr(declared_sizes, "MOST_BYTES", 95)
    with pytest.raises(ValueError, match="at most 95 bytes"):
        read(tmp_path / "some.npz")
    monkeypatch.setattr(declared_sizes, "MOST_BYTES", 96)
    assert np.array_equal(read(tmp_path / "some.npz"), VALUES)


def test_the_free_memory_is_known_here():
    assert 10 ** 7 < declared_sizes.most_bytes() <= declared_sizes.MOST_BYTES


@pytest.mark.parametrize("contents", [b"", b"no zip", npy(described((4, 6)), VALUES.tobytes()), b"PK\x05\x06" + bytes(18),
                                      b"PK\x03\x04" + bytes(200)])
def test_files_that_are_no_archive_are_named(tmp_path, contents):
    (tmp_path / "some.npz").write_bytes(contents)
    with pytest.raises(ValueError, match=r"some\.npz is not a valid"):
        read(tmp_path / "some.npz")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"none\.npz cannot be read \(No such file or directory\)"):
        read(tmp_path / "none.npz")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_whatever_is_damaged_the_answer_is_one_sentence(tmp_path, save):
    """600 files with bytes changed, cut out or put in: the values, or ValueError with the name of the file."""
    whole, chance, path, refused = io.BytesIO(), random.Random(0), tmp_path / "some.npz", 0
    save(whole, x=VALUES, y=np.array(["a", "b"]))
    for _ in range(600):
        contents = bytearray(whole.getvalue())
        for _ in range(chance.choice((1, 1, 2, 8))):
            place = chance.randrange(len(contents))
            cut, put_in = chance.choice((0, 1, 1, 4)), chance.choice((0, 1, 1, 4))
            contents[place:place + cut] = chance.randbytes(put_in)
        path.write_bytes(contents)
        try:
            with opened(path) as found:
                for name in found.names:
                    found.read(name)
        except ValueError as error:
            refused += 1
            assert str(path) in str(error)
    assert refused > 200
