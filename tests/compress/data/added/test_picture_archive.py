"""A zip of class folders becomes images; damaged pictures are left out and counted."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from compress.data.added.examples import Choices
from compress.data.added.picture_archive import picture_examples


def picture(values: np.ndarray, form: str = "png") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, form)
    return stream.getvalue()


@pytest.fixture
def archive(tmp_path):
    def made(files: dict[str, bytes]):
        path = tmp_path / "birds.zip"
        with zipfile.ZipFile(path, "w") as contents:
            for name, data in files.items():
                contents.writestr(name, data)
        return path

    return made


def grey(seed: int, height: int = 8, width: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def test_pictures_of_one_size_are_kept_to_the_pixel_under_the_names_of_their_folders(archive):
    found = picture_examples(archive({f"birds/{name}/{seed}.png": picture(grey(seed)) for seed in range(3)
                                      for name in ("owl", "wren")}), Choices())
    assert (found.kind, found.inputs.shape, found.inputs.dtype) == ("image", (6, 1, 8, 8), np.uint8)
    assert found.labels.tolist() == ["owl", "wren"] * 3 and found.notes == ()
    assert all((found.inputs[2 * seed, 0] == grey(seed)).all() for seed in range(3))


def test_colour_is_kept_where_any_picture_has_it(archive):
    colour = np.stack([grey(0), grey(1), grey(2)], axis=2)
    found = picture_examples(archive({"owl/a.png": picture(colour), "wren/b.png": picture(grey(3))}), Choices())
    assert (found.inputs[0] == np.moveaxis(colour, 2, 0)).all()
    assert (found.inputs[1] == grey(3)).all() and found.inputs.shape == (2, 3, 8, 8)


@pytest.mark.parametrize(("side", "shape"), [(0, (32, 32)), (16, (16, 16))])
def test_other_sizes_are_cropped_and_resized(archive, side, shape):
    path = archive({"owl/a.png": picture(grey(0, 40, 50)), "wren/b.jpg": picture(grey(1, 90, 70), "jpeg")})
    found = picture_examples(path, Choices(side=side))
    assert found.inputs.shape == (2, 1, *shape)
    assert found.notes == (f"Pictures of 2 sizes were cropped to their middle and resized to {shape[0]} x {shape[1]}.",)


def test_what_is_no_picture_is_left_out_and_said(archive):
    whole = picture(grey(0))
    found = picture_examples(archive({
        "owl/a.png": whole, "owl/cut.png": whole[:60], "wren/b.png": whole, "wren/no.png": b"no picture",
        "notes.txt": b"hello", "__MACOSX/owl/._a.png": b"x", "owl/.hidden.png": b"x"}), Choices())
    assert found.labels.tolist() == ["owl", "wren"]
    assert found.notes == ("2 pictures are left out as damaged: wren/no.png, owl/cut.png.",
                           "1 other file in the archive is left out.")


@pytest.mark.parametrize(("files", "reason"), [
    ({}, "holds no pictures in folders"), ({"a.png": b"x"}, "holds no pictures in folders"),
    ({"owl/a.png": b"x"}, "holds 1 pictures, but none can be read")])
def test_an_archive_without_pictures_is_refused(archive, files, reason):
    with pytest.raises(ValueError, match=reason):
        picture_examples(archive(files), Choices())


def test_a_picture_that_declares_too_much_is_never_unpacked(archive, monkeypatch):
    monkeypatch.setattr("compress.data.added.picture_archive.MOST_BYTES", 50)
    with pytest.raises(ValueError, match=r"owl/a.png has \d+ bytes, but a picture may have 50 bytes"):
        picture_examples(archive({"owl/a.png": picture(grey(0))}), Choices())


def test_an_entry_that_declares_more_than_there_is_takes_no_memory_for_it(archive, monkeypatch):
    path, asked, read = archive({"owl/a.png": picture(grey(0)), "owl/b.png": picture(grey(1))}), [], zipfile._SharedFile.read
    contents = path.read_bytes()
    place = contents.index(b"PK\1\2") + 20  # the bytes that the first entry takes, packed
    path.write_bytes(contents[:place] + b"\xff\xff\xff\x7f" + contents[place + 4:])
    monkeypatch.setattr(zipfile._SharedFile, "read", lambda own, count=-1: asked.append(count) or read(own, count))
    found = picture_examples(path, Choices())
    assert len(found.inputs) >= 1 and 0 < max(asked) < 10_000


def test_a_giant_picture_is_left_out_as_damaged(archive, monkeypatch):
    monkeypatch.setattr("compress.data.added.picture_archive.MOST_PIXELS", 100)
    found = picture_examples(archive({"owl/a.png": picture(grey(0)), "owl/b.png": picture(grey(0, 20, 20)),
                                      "wren/c.png": picture(grey(1))}), Choices(side=8))
    assert len(found.inputs) == 2 and any("owl/b.png" in note for note in found.notes)


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "birds.zip").write_bytes(b"PK\3\4 and nothing more")
    with pytest.raises(ValueError, match=r"birds\.zip is no zip archive, or it is damaged"):
        picture_examples(tmp_path / "birds.zip", Choices())


def test_an_archive_of_a_later_version_is_refused(archive):
    path = archive({"owl/a.png": picture(grey(0))})
    contents = path.read_bytes()
    place = contents.index(b"PK\1\2") + 6  # the version that is needed to read it
    path.write_bytes(contents[:place] + b"\xff" + contents[place + 1:])
    with pytest.raises(ValueError, match=r"birds\.zip is no zip archive, or it is damaged"):
        picture_examples(path, Choices())
