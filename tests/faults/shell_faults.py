"""Faults of the command line: signals, pipes, disks, memory, settings, and files that change under it."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.faults.play import CURVE, LONG, TEACHER, Play, Seen

STOPPED = "Stopped; finished points are kept."


def ctrl_c(play: Play) -> Seen:
    """Ctrl-C while a teacher is trained"""
    process = play.start(*LONG)
    play.until(process, "epoch 3")
    process.send_signal(signal.SIGINT)
    return play.end(process).seen(130, STOPPED)


def terminated(play: Play) -> Seen:
    """SIGTERM while a teacher is trained"""
    process = play.start(*LONG)
    play.until(process, "epoch 3")
    process.terminate()
    return play.end(process).seen(143, STOPPED)


def killed_in_a_curve(play: Play) -> Seen:
    """SIGKILL after the first point; the same command again"""
    process = play.start(*CURVE)
    assert process.stdout is not None and process.stdout.readline()
    process.kill()
    process.communicate()
    return play.run(*CURVE).seen(0, lines=0, rows=2)


def closed_pipe(play: Play) -> Seen:
    """Nobody reads the output"""
    reading, writing = os.pipe()
    os.close(reading)
    process = play.start("methods", stdout=writing)
    os.close(writing)
    return play.end(process).seen(141, lines=0)


def full_output(play: Play) -> Seen:
    """A full disk behind standard output; the same command again"""
    with open("/dev/full", "w") as full:
        first = play.end(play.start(*CURVE, stdout=full)).seen(1, "No space left on device")
    again = play.run(*CURVE).seen(0, lines=0, rows=2)
    return Seen(first.text, first.good and again.good)


def no_room_for_files(play: Play) -> Seen:
    """No file may grow beyond 20 kB, as on a full disk; the same command again with room"""
    first = play.run(*CURVE, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)))
    again = play.run(*CURVE).seen(0, lines=0, rows=2)
    return Seen(f"exit {first.code}: {first.said[-1:]}", first.code in (1, 2) and len(first.said) == 1 and again.good)


def no_memory(play: Play) -> Seen:
    """A network that would not fit into 1 GB"""
    ended = play.run("teacher", "--data", "digits", "--teacher", "mlp(hidden=8192-8192-8192)", COMPRESS_MEMORY="1")
    return ended.seen(2, "of memory")


def no_such_home(play: Play) -> Seen:
    """COMPRESS_HOME is the home of nobody"""
    return play.run(*CURVE, COMPRESS_HOME="~nobody_here/x").seen(2, "Set COMPRESS_HOME")


def home_is_a_file(play: Play) -> Seen:
    """COMPRESS_HOME is a file"""
    play.home.write_text("in the way")
    return play.run(*CURVE).seen(2, "Set COMPRESS_HOME")


def no_such_device(play: Play) -> Seen:
    """COMPRESS_DEVICE is no device that computes"""
    return play.run(*CURVE, COMPRESS_DEVICE="meta").seen(2, "COMPRESS_DEVICE must be cpu")


def no_such_data(play: Play) -> Seen:
    """A path of COMPRESS_DATA that is not there"""
    ended = play.run("teacher", "--data", "local:x", COMPRESS_DATA=str(play.folder / "x.npz"))
    return ended.seen(2, "is not there")


def data_without_numbers(play: Play) -> Seen:
    """NaN in the inputs"""
    inputs = np.random.default_rng(0).normal(size=(90, 6))
    inputs[7, 2] = np.nan
    np.savez(play.folder / "x.npz", x=inputs, y=np.arange(90) % 3)
    ended = play.run("teacher", "--data", "local:x", "--teacher", "logistic(epochs=1)",
                     COMPRESS_DATA=str(play.folder / "x.npz"))
    return Seen(f"exit {ended.code}: {ended.said[-1:]}", ended.code == 2 and len(ended.said) == 1)


def other_data_of_the_same_name(play: Play) -> Seen:
    """Other data under the same name: the second curve is the second data's"""
    accuracies = []
    for seed in (0, 1):
        random = np.random.default_rng(seed)
        np.savez(play.folder / "x.npz", x=random.normal(size=(300, 6)), y=random.integers(0, 3, 300))
        ended = play.run("curve", "--data", "local:x", "--teacher", "mlp(hidden=8,epochs=1)", "--method", "low_rank",
                         "--dial", "0.5", COMPRESS_DATA=str(play.folder / "x.npz"))
        accuracies.append([row["digest"] for row in ended.rows])
    return Seen(f"results of each: {[len(rows) for rows in accuracies]}", accuracies[0] != accuracies[1] and all(accuracies))


def _spoilt_store(play: Play, spoil: Callable[[Path], object]) -> Seen:
    first = play.run(*CURVE).seen(0, lines=0, rows=2)
    for file in play.home.glob("store.sqlite-*"):
        file.unlink()
    spoil(play.home / "store.sqlite")
    told, again = play.run(*CURVE), play.run(*CURVE)
    kept = [file.name for file in play.home.glob("store.sqlite.damaged-*")]
    good = (again.code, len(again.rows)) == (0, 2) and len(told.said) == 1 and "store.sqlite" in told.said[0]
    return Seen(f"exit {told.code}: {told.said[-1:]}; again: exit {again.code}", first.good and good and len(kept) == 1)


def store_of_junk(play: Play) -> Seen:
    """The store is random bytes"""
    return _spoilt_store(play, lambda file: file.write_bytes(os.urandom(5000)))


def store_cut(play: Play) -> Seen:
    """The store is cut in the middle"""
    return _spoilt_store(play, lambda file: file.write_bytes(file.read_bytes()[:file.stat().st_size // 2]))


def store_of_others(play: Play) -> Seen:
    """The store is another program's database"""
    play.home.mkdir()
    connection = sqlite3.connect(play.home / "store.sqlite")
    connection.execute("CREATE TABLE theirs (x)")
    connection.commit()
    connection.close()
    ended = play.run(*CURVE)
    sentence = ended.said[-1:] or [""]
    return Seen(f"exit {ended.code}: {sentence[0]}", len(ended.said) == 1 and "store.sqlite" in sentence[0])


def _spoilt_network(play: Play, spoil: Callable[[Path], object]) -> Seen:
    play.run(*CURVE)
    for file in (play.home / "networks").iterdir():
        spoil(file)
    return play.run(*CURVE).seen(0, lines=0, rows=2)


def files_cut(play: Play) -> Seen:
    """Every kept file is cut"""
    return _spoilt_network(play, lambda file: file.write_bytes(file.read_bytes()[:-9]))


def files_changed(play: Play) -> Seen:
    """One bit of every kept file is another"""
    def flip(file: Path) -> None:
        contents = file.read_bytes()
        file.write_bytes(contents[:-1] + bytes([contents[-1] ^ 1]))

    return _spoilt_network(play, flip)


def files_removed(play: Play) -> Seen:
    """Every kept file is gone"""
    return _spoilt_network(play, Path.unlink)


def home_removed(play: Play) -> Seen:
    """The home is removed while a teacher is trained; the curve afterwards"""
    process = play.start(*LONG[:-1], "mlp(hidden=16,epochs=40)")
    play.until(process, "epoch 3")
    shutil.rmtree(play.home)
    ended, again = play.end(process), play.run(*CURVE).seen(0, lines=0, rows=2)
    return Seen(f"exit {ended.code}: {ended.said[-1:]}", len(ended.said) <= 1 and ended.code in (0, 1, 2) and again.good)


def two_on_a_fresh_home(play: Play) -> Seen:
    """Two processes on a fresh home: each prints the whole curve"""
    ended = [play.end(process) for process in [play.start(*CURVE), play.start(*CURVE)]]
    return Seen(f"exits {[each.code for each in ended]}, results {[len(each.rows) for each in ended]}",
                all((each.code, len(each.rows)) == (0, 2) for each in ended))


def locked_store(play: Play) -> Seen:
    """Another process holds the store until the command gives up; the same command again"""
    play.run("teacher", *TEACHER)
    connection = sqlite3.connect(play.home / "store.sqlite", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    ended = play.run(*CURVE)
    connection.rollback()
    again = play.run(*CURVE).seen(0, lines=0, rows=2)
    return Seen(f"exit {ended.code}: {ended.said[-1:]}", ended.code in (1, 2) and len(ended.said) == 1 and again.good)


def no_connection(play: Play) -> Seen:
    """No connection to openml.org"""
    closed = "http://127.0.0.1:9"
    ended = play.run("teacher", "--data", "openml:iris:1", https_proxy=closed, http_proxy=closed)
    return ended.seen(2, "no connection to openml.org")


QUICK = (closed_pipe, no_such_home, home_is_a_file, no_such_device)
ROWS = (*QUICK, ctrl_c, terminated, killed_in_a_curve, full_output, no_room_for_files, no_memory, no_such_data,
        data_without_numbers, other_data_of_the_same_name, store_of_junk, store_cut, store_of_others, files_cut,
        files_changed, files_removed, home_removed, two_on_a_fresh_home, locked_store, no_connection)
