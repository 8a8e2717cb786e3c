"""Too large a download is refused: as soon as its length is declared, and while it is written."""

from __future__ import annotations

import socket
import sys
import threading

import pytest

from compress.data import download_child
from tests.compress.helpers import python

PREPARED = "from compress.data import download_child as limits; limits.MOST_BYTES = 1_000_000; limits.limit_sizes(); "


def answered(declared: int) -> str:
    """The address of a server that declares this many bytes, and sends two."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with server, server.accept()[0] as connection:
            connection.recv(10_000)
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {declared}\r\n\r\nab".encode())

    threading.Thread(target=answer, daemon=True).start()
    return f"http://127.0.0.1:{server.getsockname()[1]}/"


@pytest.mark.parametrize(("declared", "said"), [
    (2, "b'ab'"), (1_000_001, "its file is longer than 0.001 GB (0.0 GB), the most that is downloaded here"),
    (10**20, "its file is longer than 0.001 GB")])
def test_a_declared_length_is_looked_at_before_anything_is_read(declared: int, said: str) -> None:
    script = f"from urllib.request import urlopen; print(urlopen({answered(declared)!r}).read())"
    done = python("-c", PREPARED + script, http_proxy="", HTTP_PROXY="", no_proxy="*")
    assert said in done.stdout + done.stderr
    assert ("TooLarge" in done.stderr) == (declared > 2)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_file_that_grows_too_long_ends_the_writing(tmp_path: object) -> None:
    script = f"open({str(tmp_path) + '/file'!r}, 'wb').write(bytes(2_000_000))"
    done = python("-c", PREPARED + script)
    assert "[Errno 27] File too large" in done.stderr


def test_the_sentence_has_the_limit_and_a_remedy() -> None:
    assert download_child.too_large(" (3.1 GB)") == (
        "its file is longer than 2 GB (3.1 GB), the most that is downloaded here. Choose a smaller set.")
