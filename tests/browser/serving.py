"""Start an application's server for a browser test, and end it afterwards."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHROMIUM = Path("/usr/bin/chromium")
ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError(f"the demo server ended with {server.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the demo server did not start in time")


@dataclass(frozen=True)
class App:
    """The whole program as a visitor meets it: its address, its process, and the folder it keeps everything in."""

    address: str
    process: subprocess.Popen[bytes]
    home: Path

    def worker(self) -> int:
        """The number of the process that computes for this app."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it ended while we looked
            if parent == self.process.pid and b"compress.service.worker" in words:
                return int(folder.name)
        raise LookupError(f"the app {self.process.pid} has no worker")


@contextmanager
def serve_app(home: Path, **environment: str) -> Iterator[App]:
    """Run app.py with COMPRESS_HOME at `home`, and its log there."""
    port = free_port()
    with open(home / "server.log", "a") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.headless", "true"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COMPRESS_HOME": str(home), **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for_port(port, server)
            yield App(f"http://127.0.0.1:{port}", server, home)
        finally:
            server.terminate()
            server.wait(timeout=20)


@contextmanager
def serve(script: Path, folder: Path, options: dict[str, str] | None = None) -> Iterator[str]:
    """Run `script` on a free port, with its log in `folder`; give the server's address."""
    port = free_port()
    settings = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        **(options or {}),
    }
    arguments = [part for name, value in settings.items() for part in (f"--{name}", str(value))]
    with open(folder / "server.log", "w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(script), *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for_port(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=20)
