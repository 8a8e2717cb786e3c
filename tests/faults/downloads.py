"""Downloads from openml.org through a proxy that refuses, that never answers, or that is stopped in between."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.place import Place, Seen, eventually

COMMAND = ("teacher", "--data", "openml:iris:1", "--teacher", "logistic(epochs=1)")


def no_connection(place: Place) -> Seen:
    """No connection to openml.org"""
    closed = "http://127.0.0.1:9"
    seen = place.shell(*COMMAND, https_proxy=closed, http_proxy=closed, no_proxy="")
    return Seen(seen.text, seen.is_one_sentence(2, "no connection to openml.org") and "Errno" not in seen.text)


def no_answer(place: Place) -> Seen:
    """openml.org does not answer within COMPRESS_DOWNLOAD_SECONDS"""
    with _silent_proxy() as (proxy, _):
        seen = place.shell(*COMMAND, https_proxy=proxy, http_proxy=proxy, no_proxy="", COMPRESS_DOWNLOAD_SECONDS="4")
    return Seen(seen.text, seen.is_one_sentence(2, "openml:iris:1", "4 s") and not _left(place))


def stopped_download(place: Place) -> Seen:
    """Ctrl-C during a download"""
    return _stopped(place, signal.SIGINT, 130)


def killed_download(place: Place) -> Seen:
    """SIGKILL during a download, and the next command"""
    return _stopped(place, signal.SIGKILL, -9)


@contextmanager
def _silent_proxy() -> Iterator[tuple[str, socket.socket]]:
    """The address of a proxy that takes connections and says nothing, and its socket."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        yield f"http://127.0.0.1:{server.getsockname()[1]}", server


def _stopped(place: Place, number: int, code: int) -> Seen:
    with _silent_proxy() as (proxy, server):
        process = place.start(*COMMAND, https_proxy=proxy, http_proxy=proxy, no_proxy="")
        connection, _ = server.accept()
        children = _children(process.pid)
        process.send_signal(number)
        seen = place.end(process)
        ended = eventually(lambda: not any(runs(child) for child in children), 20)
        connection.close()
    again = place.shell("methods")
    told = seen.is_one_sentence(130, "Stopped") if code == 130 else not seen.said
    return Seen(f"{seen.text}; the downloading process has {'ended' if ended else 'NOT ENDED'}, files left: {_left(place)}",
                seen.code == code and told and len(children) == 1 and ended and again.code == 0
                and (code != 130 or not _left(place)))


def _children(process: int) -> list[int]:
    return [int(child) for thread in Path(f"/proc/{process}/task").iterdir()
            for child in (thread / "children").read_text().split()]


def runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _left(place: Place) -> list[str]:
    """What an unfinished download left in the home."""
    return [path.name for path in place.home.iterdir() if path.name.startswith("tmp") or path.suffix == ".part"]


ROWS = (no_connection, no_answer, stopped_download, killed_download)
