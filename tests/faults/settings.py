"""Wrong settings of the environment, in the shell."""

from __future__ import annotations

from tests.faults.place import OWN, Place, Seen

SMALL = ("teacher", "--data", "digits", "--teacher", "logistic(epochs=1)")


def wrong_device(place: Place) -> Seen:
    """COMPRESS_DEVICE=meta"""
    seen = place.shell(*SMALL, COMPRESS_DEVICE="meta")
    return Seen(seen.text, seen.is_one_sentence(2, "COMPRESS_DEVICE must be cpu"))


def missing_gpu(place: Place) -> Seen:
    """COMPRESS_DEVICE=cuda:7"""
    seen = place.shell(*SMALL, COMPRESS_DEVICE="cuda:7")
    return Seen(seen.text, seen.is_one_sentence(2, "COMPRESS_DEVICE"))


def home_of_nobody(place: Place) -> Seen:
    """COMPRESS_HOME=~nobody_here/x"""
    seen = place.shell(*SMALL, COMPRESS_HOME="~nobody_here/x")
    return Seen(seen.text, seen.is_one_sentence(2, "Set COMPRESS_HOME"))


def home_is_a_file(place: Place) -> Seen:
    """COMPRESS_HOME is a file"""
    (place.folder / "file").write_text("in the way")
    seen = place.shell(*SMALL, COMPRESS_HOME=str(place.folder / "file"))
    return Seen(seen.text, seen.is_one_sentence(2, "Set COMPRESS_HOME"))


def missing_data_path(place: Place) -> Seen:
    """A path of COMPRESS_DATA that is not there"""
    seen = place.shell(*OWN, COMPRESS_DATA=str(place.folder / "d.npz"))
    return Seen(seen.text, seen.is_one_sentence(2, "d.npz", "is not there"))


def relative_data_path(place: Place) -> Seen:
    """COMPRESS_DATA=d.npz in the folder of the file, beside a path of nobody's"""
    place.data()
    seen = place.shell(*OWN, COMPRESS_DATA="d.npz:~nobody_here/x")
    return Seen(seen.text, seen.is_whole(1))


def wrong_number_of_cores(place: Place) -> Seen:
    """COMPRESS_CORES=many"""
    seen = place.shell(*SMALL, COMPRESS_CORES="many")
    return Seen(seen.text, seen.is_one_sentence(2, "COMPRESS_CORES"))


ROWS = (wrong_device, missing_gpu, home_of_nobody, home_is_a_file, missing_data_path, relative_data_path,
        wrong_number_of_cores)
