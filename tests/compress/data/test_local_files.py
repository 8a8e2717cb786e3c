"""The user's own data in COMPRESS_DATA."""

import gzip
import os
import re
import struct
import tracemalloc

import numpy as np
import pytest

from compress.data import datasets, local_files

GENERATOR = np.random.default_rng(0)
IMAGES = GENERATOR.integers(0, 256, (30, 5, 4)).astype(np.uint8)
DIGITS = (np.arange(30) % 3).astype(np.uint8)


def name_data(monkeypatch, *paths) -> None:
    monkeypatch.setenv("COMPRESS_DATA", os.pathsep.join(str(path) for path in paths))


def idx(array: np.ndarray, magic: int | None = None) -> bytes:
    head = struct.pack(">I", 0x0800 + array.ndim if magic is None else magic)
    return head + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()


def idx_folder(folder, ending: str = "", test: bool = False):
    folder.mkdir(parents=True, exist_ok=True)
    pack = gzip.compress if ending else bytes
    for part in ("train", "t10k") if test else ("train",):
        (folder / f"{part}-images-idx3-ubyte{ending}").write_bytes(pack(idx(IMAGES)))
        (folder / f"{part}-labels-idx1-ubyte{ending}").write_bytes(pack(idx(DIGITS)))
    return folder


def npz(path, **arrays):
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("test", [False, True])
def test_a_folder_of_idx_files_is_read_as_images(monkeypatch, tmp_path, ending, test):
    name_data(monkeypatch, idx_folder(tmp_path / "mine", ending, test))
    raw = local_files.read("local:mine")
    assert (raw.kind, raw.shape, raw.classes, raw.bytes_per_example) == ("image", (1, 5, 4), ("0", "1", "2"), 20)
    assert np.array_equal(raw.inputs[:, 0], IMAGES) and np.array_equal(raw.labels, DIGITS)
    assert (raw.test_inputs is not None) == test


@pytest.mark.parametrize(("shape", "kind", "expected"), [
    ((30, 6), None, ("tabular", (6,))), ((30, 6), "sequence", ("sequence", (1, 6))),
    ((30, 5, 4), None, ("image", (1, 5, 4))), ((30, 5, 4), "sequence", ("sequence", (5, 4))),
    ((30, 3, 5, 4), None, ("image", (3, 5, 4))), ((30, 5, 4, 3), None, ("image", (3, 5, 4))),
    ((30, 5, 4, 1), "image", ("image", (1, 5, 4))), ((30, 3, 5, 3), None, ("image", (3, 5, 3)))])
def test_the_kind_of_examples_follows_from_their_shape(monkeypatch, tmp_path, shape, kind, expected):
    inputs = GENERATOR.normal(size=shape).astype(np.float32)
    extra = {} if kind is None else {"kind": np.array(kind)}
    name_data(monkeypatch, npz(tmp_path / "mine.npz", x=inputs, y=DIGITS, **extra))
    raw = local_files.read("local:mine")
    assert (raw.kind, raw.shape) == expected
    last = shape[-1] if expected[1][0] != shape[1] and len(shape) == 4 else None
    assert np.array_equal(raw.inputs, inputs.transpose(0, 3, 1, 2) if last else inputs.reshape(30, *expected[1]))


@pytest.mark.parametrize(("inputs", "labels"), [("x", "y"), ("X", "labels"), ("inputs", "y"), ("x_train", "y_train")])
def test_the_usual_names_of_arrays_are_understood(monkeypatch, tmp_path, inputs, labels):
    name_data(monkeypatch, npz(tmp_path / "mine.npz", **{inputs: IMAGES, labels: DIGITS[:, None]}))
    assert local_files.read("local:mine").labels.tolist() == DIGITS.tolist()


def test_labels_of_train_and_test_are_numbered_together_and_keep_their_names(monkeypatch, tmp_path):
    labels = np.array([7, -1, 30] * 10)
    name_data(monkeypatch, npz(tmp_path / "mine.npz", x_train=IMAGES, y_train=labels, x_test=IMAGES[:2],
                               y_test=np.array([30, 7], dtype=np.uint64)))
    raw = local_files.read("local:mine")
    assert raw.classes == ("-1", "7", "30")
    assert (raw.labels[:3].tolist(), raw.test_labels.tolist()) == ([1, 0, 2], [2, 1])


def test_numbers_and_names_as_labels_do_not_mix(monkeypatch, tmp_path):
    name_data(monkeypatch, npz(tmp_path / "mine.npz", x=IMAGES, y=DIGITS, x_test=IMAGES, y_test=DIGITS.astype(str)))
    with pytest.raises(ValueError, match="of one type, but got int64 and <U3"):
        local_files.read("local:mine")


def test_labels_may_be_names(monkeypatch, tmp_path):
    name_data(monkeypatch, npz(tmp_path / "mine.npz", x=IMAGES, y=np.array(["dog", "cat", "owl"] * 10)))
    assert local_files.read("local:mine").classes == ("cat", "dog", "owl")


def test_true_and_false_are_pixels_0_and_1(monkeypatch, tmp_path):
    name_data(monkeypatch, npz(tmp_path / "mine.npz", x=IMAGES > 99, y=DIGITS))
    raw = local_files.read("local:mine")
    assert raw.inputs.dtype == np.uint8 and raw.inputs.max() == 1


HOLED = np.where(IMAGES % 5 == 2, np.nan, IMAGES)


@pytest.mark.parametrize(("arrays", "message"), [
    ({"x": IMAGES}, "must hold labels as an array named y or labels or y_train, but holds x"),
    ({"y": DIGITS}, "must hold inputs as an array named"),
    ({"x": IMAGES, "X": IMAGES, "y": DIGITS}, "holds inputs more than once, as x and X"),
    ({"x": IMAGES, "y": DIGITS, "x_test": IMAGES}, "x_test alone"),
    ({"x": IMAGES, "y": DIGITS[:9]}, "one label for each of the 30 examples"),
    ({"x": IMAGES, "y": np.full(30, 0.5)}, "labels must be whole numbers or texts, but example 0 has 0.5"),
    ({"x": IMAGES, "y": DIGITS.astype(object)}, r"y holds Python objects.*y\.astype\(str\)"),
    ({"x": IMAGES, "y": np.eye(3)[DIGITS] / 2}, "turn other rows into numbers, for example with argmax"),
    ({"x": IMAGES, "y": DIGITS * 0}, "at least 2 classes"),
    ({"x": IMAGES[:0], "y": DIGITS[:0]}, r"labels must be whole numbers or texts with the shape \(n,\)"),
    ({"x": IMAGES[:, :0], "y": DIGITS}, "no empty axis"),
    ({"x": HOLED, "y": DIGITS}, "inputs must be finite, .* values are not; the first is nan in example 0, position"),
    ({"x": HOLED[:, 0], "y": DIGITS}, "inputs must be finite, .*; the first is nan in example ., column"),
    ({"x": IMAGES[:, 0] * 1e39, "y": DIGITS}, "inputs must be between .* range of float32.* in example 0, column"),
    ({"x": IMAGES * 1.0, "y": DIGITS, "x_test": IMAGES * 1e39, "y_test": DIGITS}, "test inputs must be between"),
    ({"x": IMAGES.astype(complex), "y": DIGITS}, "real numbers"),
    ({"x": IMAGES.astype(object), "y": DIGITS}, "not a valid .npz file of plain arrays"),
    ({"x": DIGITS, "y": DIGITS}, "2, 3 or 4 axes"),
    ({"x": IMAGES.reshape(30, 2, 5, 2), "y": DIGITS}, "1 or 3 channels"),
    ({"x": IMAGES, "y": DIGITS, "kind": np.array("tabular")}, "kind must be image or sequence"),
    ({"x": IMAGES, "y": DIGITS, "x_test": IMAGES / 255, "y_test": DIGITS}, "dtype and shape of the others"),
])
def test_a_wrong_npz_file_is_named_with_what_is_wrong(monkeypatch, tmp_path, arrays, message):
    path = npz(tmp_path / "mine.npz", **arrays)
    name_data(monkeypatch, path)
    with pytest.raises(ValueError, match=message) as caught:
        datasets.load("local:mine")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("cut", [0, 10, 200, -30])
def test_a_cut_npz_file_is_an_error_and_a_card_with_a_problem(monkeypatch, tmp_path, cut):
    path = npz(tmp_path / "mine.npz", x=IMAGES, y=DIGITS)
    path.write_bytes(path.read_bytes()[:cut])
    name_data(monkeypatch, path)
    with pytest.raises(ValueError, match=r"mine\.npz is not a valid"):
        local_files.read("local:mine")
    assert "mine.npz" in local_files.cards()[0].problem


@pytest.mark.parametrize("spoil", [lambda body: body[:40], lambda body: body + b"x", lambda body: body[:9],
                                   lambda body: b"", lambda body: b"\x00\x00\x0d\x03" + body[4:]])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_spoilt_idx_file_is_named(monkeypatch, tmp_path, spoil, ending):
    path = idx_folder(tmp_path / "mine", ending) / f"train-images-idx3-ubyte{ending}"
    path.write_bytes(gzip.compress(spoil(idx(IMAGES))) if ending else spoil(idx(IMAGES)))
    name_data(monkeypatch, tmp_path / "mine")
    with pytest.raises(ValueError, match=f"{path} (must|ends)"):
        local_files.read("local:mine")


@pytest.mark.parametrize("spoil", [lambda packed: packed[:-20], lambda packed: packed[:60], lambda packed: b"no gzip",
                                   lambda packed: packed[:40] + b"zzzz" + packed[44:]])
def test_a_spoilt_gz_file_is_named(monkeypatch, tmp_path, spoil):
    path = idx_folder(tmp_path / "mine", ".gz") / "train-images-idx3-ubyte.gz"
    path.write_bytes(spoil(path.read_bytes()))
    name_data(monkeypatch, tmp_path / "mine")
    with pytest.raises(ValueError, match=f"{path} cannot be read to its end"):
        local_files.read("local:mine")


def test_half_of_a_data_set_is_named(monkeypatch, tmp_path):
    folder = idx_folder(tmp_path / "mine", test=True)
    name_data(monkeypatch, folder)
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(ValueError, match="t10k-images-idx3-ubyte is alone"):
        local_files.read("local:mine")
    (folder / "train-labels-idx1-ubyte").unlink()
    (folder / "t10k-images-idx3-ubyte").unlink()
    with pytest.raises(ValueError, match="mine has no file train-labels-idx1-ubyte"):
        local_files.read("local:mine")


def test_a_card_agrees_with_the_loaded_data(monkeypatch, tmp_path):
    paths = [idx_folder(tmp_path / "folder", ".gz", test=True),
             npz(tmp_path / "colour.npz", x=np.repeat(IMAGES[..., None], 3, 3), y=DIGITS),
             npz(tmp_path / "series.npz", x=IMAGES / 255, y=DIGITS, kind=np.array("sequence"))]
    name_data(monkeypatch, *paths)
    cards = local_files.cards()
    assert [card.name for card in cards] == ["local:folder", "local:colour", "local:series"]
    for card in cards:
        raw = local_files.read(card.name)
        examples = len(raw.labels) + (0 if raw.test_labels is None else len(raw.test_labels))
        assert (card.kind, card.classes, card.examples) == (raw.kind, len(raw.classes), examples)
        assert card.shape == " x ".join(str(length) for length in raw.shape) and not card.problem
        assert card in datasets.available()


def test_a_card_does_not_read_the_inputs(monkeypatch, tmp_path):
    images = GENERATOR.integers(0, 256, (30, 20, 20)).astype(np.uint8)
    path = npz(tmp_path / "mine.npz", x=images, y=DIGITS)
    path.write_bytes(path.read_bytes().replace(images.tobytes(), bytes(images.nbytes)))
    name_data(monkeypatch, path)
    assert not local_files.cards()[0].problem
    with pytest.raises(ValueError, match="not a valid"):
        local_files.read("local:mine")


def test_missing_paths_and_equal_names_are_reported(monkeypatch, tmp_path):
    npz(tmp_path / "one.npz", x=IMAGES, y=DIGITS)
    (tmp_path / "notes.txt").write_text("no data")
    name_data(monkeypatch, tmp_path / "one.npz", idx_folder(tmp_path / "one"), tmp_path / "none",
              tmp_path / "notes.txt")
    problems = [card.problem for card in local_files.cards()]
    assert all("2 data sets are called 'local:one'" in problem for problem in problems[:2])
    assert "none is not there" in problems[2] and "notes.txt is neither" in problems[3]
    with pytest.raises(ValueError, match=r"2 data sets are called 'local:one'.*Rename"):
        datasets.load("local:one")
    with pytest.raises(ValueError, match="no data set 'local:two' of yours; there are local:one"):
        datasets.load("local:two")


def test_labels_keep_their_values(monkeypatch, tmp_path):
    first = 2 ** 63 + 5
    name_data(monkeypatch, npz(tmp_path / "mine.npz", x=IMAGES, y=DIGITS.astype(np.uint64) + np.uint64(first)))
    assert local_files.read("local:mine").classes == tuple(str(first + number) for number in range(3))
    assert local_files.cards()[0].classes == 3


def unusable(folder) -> dict[str, object]:
    """Paths that cannot be data, of every kind."""
    (folder / "empty.npz").touch()
    npz(folder / "objects.npz", x=IMAGES.astype(object), y=DIGITS)
    (folder / "zip.npz").write_bytes(b"PK\x05\x06" + bytes(18))
    (folder / "folder.npz").mkdir()
    (folder / "nothing").mkdir()
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "gone.npz").symlink_to(folder / "no such file")
    (folder / os.fsdecode(b"\xff\xfe.npz")).write_bytes(b"no zip")
    return {"not valid": folder / "empty.npz", "objects": folder / "objects.npz", "no array": folder / "zip.npz",
            "a folder": folder / "folder.npz", "no files": folder / "nothing", "a loop": folder / "loop",
            "a dead link": folder / "gone.npz", "no text": folder / os.fsdecode(b"\xff\xfe.npz"),
            "too long": folder / ("x" * 5000), "too long too": folder / ("x/" * 5000), "nobody": "~nobody_here/x",
            "nobody at all": "~nobody_here", "the root": "/", "a file in a file": folder / "empty.npz" / "x.npz",
            "a device": "/dev/null", "a number": "3", "a dash": "-"}


def test_a_path_that_cannot_be_used_is_a_card_and_hurts_no_other(monkeypatch, tmp_path):
    good = npz(tmp_path / "good.npz", x=IMAGES, y=DIGITS)
    for kind, path in unusable(tmp_path).items():
        name_data(monkeypatch, path, good)
        bad, sound = local_files.cards()
        assert bad.problem and not bad.examples, kind
        assert "Errno" not in bad.problem and bad.problem.encode() and bad.description.encode(), kind
        assert (sound.name, sound.examples, sound.problem) == ("local:good", 30, ""), kind
        assert sound in datasets.available()
        assert datasets.load("local:good").classes == ("0", "1", "2"), kind
        with pytest.raises(ValueError, match=re.escape(bad.problem[:20])) as caught:
            datasets.load(bad.name)
        assert str(caught.value).encode()


def test_a_folder_that_this_user_may_not_read_is_a_card(monkeypatch, tmp_path):
    """As root every folder can be read: the refusal of the system is played here."""
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    name_data(monkeypatch, idx_folder(tmp_path / "closed"))
    monkeypatch.setattr(local_files.Path, "is_file", refuse)
    assert "closed cannot be read (Permission denied). Give this user the right" in local_files.cards()[0].problem
    with pytest.raises(ValueError, match="Permission denied"):
        local_files.read("local:closed")


def test_an_error_that_nobody_thought_of_is_a_card(monkeypatch, tmp_path):
    def fail(path):
        raise RecursionError("too deep")

    name_data(monkeypatch, npz(tmp_path / "mine.npz", x=IMAGES, y=DIGITS))
    monkeypatch.setattr(local_files, "arranged_shape", fail)
    monkeypatch.setattr(local_files, "_outline", fail)
    assert "mine.npz cannot be read (RecursionError)" in local_files.cards()[0].problem


def test_a_path_that_is_given_twice_is_one_data_set(monkeypatch, tmp_path):
    path = npz(tmp_path / "mine.npz", x=IMAGES, y=DIGITS)
    name_data(monkeypatch, path, path)
    assert [(card.name, card.problem) for card in local_files.cards()] == [("local:mine", "")]


def test_cards_are_made_again_only_where_a_file_has_changed(monkeypatch, tmp_path):
    path = tmp_path / "mine.npz"
    path.write_bytes(b"damaged")
    name_data(monkeypatch, path)
    (first,) = local_files.cards()
    assert first.problem and local_files.cards()[0] is first
    npz(path, x=IMAGES, y=DIGITS)
    assert (local_files.cards()[0].problem, local_files.cards()[0].examples) == ("", 30)
    before = path.stat()
    contents = path.read_bytes()
    other = tmp_path / "other"
    other.write_bytes(contents.replace(DIGITS.tobytes(), bytes(30)))  # as long, with the same times
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert local_files.cards()[0].problem


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_size_that_an_idx_file_only_declares_takes_no_memory(monkeypatch, tmp_path, ending):
    folder = idx_folder(tmp_path / "mine", ending)
    path = folder / f"train-images-idx3-ubyte{ending}"
    for size in (2 ** 31, 2 ** 32 - 1):
        spoilt = struct.pack(">IIII", 0x0803, size, 28, 28) + bytes(1000)
        path.write_bytes(gzip.compress(spoilt) if ending else spoilt)
        name_data(monkeypatch, folder)
        tracemalloc.start()
        with pytest.raises(ValueError, match=rf"{path} (must hold|declares|has)"):
            local_files.read("local:mine")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 10_000_000


def test_a_gz_file_that_unpacks_to_much_more_than_data_do_is_refused(monkeypatch, tmp_path):
    folder = idx_folder(tmp_path / "mine")
    images = folder / "train-images-idx3-ubyte"
    images.unlink()
    with gzip.open(folder / "train-images-idx3-ubyte.gz", "wb", compresslevel=1) as stream:
        stream.write(struct.pack(">IIII", 0x0803, 400, 1000, 1000))
        for _ in range(40):
            stream.write(bytes(10_000_000))
    name_data(monkeypatch, folder)
    with pytest.raises(ValueError, match=r"declares 400 MB.*packed to 1/100 at most.*gunzip"):
        local_files.read("local:mine")


def test_without_the_variable_there_are_no_local_sets(monkeypatch):
    monkeypatch.delenv("COMPRESS_DATA", raising=False)
    assert local_files.cards() == ()
    with pytest.raises(ValueError, match="there are none"):
        datasets.load("local:mine")


def test_a_name_holds_nothing_that_a_recipe_or_a_link_would_misread(monkeypatch, tmp_path):
    name_data(monkeypatch, npz(tmp_path / "my data+(1).npz", x=IMAGES, y=DIGITS))
    assert local_files.cards()[0].name == "local:my_data_1_"


def test_a_file_that_was_replaced_is_read_again(monkeypatch, tmp_path):
    path = npz(tmp_path / "mine.npz", x=IMAGES, y=DIGITS)
    name_data(monkeypatch, path)
    first = datasets.load("local:mine")
    assert datasets.load("local:mine") is first
    npz(path, x=IMAGES[:, :4], y=DIGITS)
    assert datasets.load("local:mine").shape == (1, 4, 4)
