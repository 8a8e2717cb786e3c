"""How commands end, seen from outside: signals, closed pipes, full disks, terminals that know few letters."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compress.shell.stopping import SENTENCE
from tests.imports import ROOT

LONG = ("teacher", "--data", "digits", "--teacher", "mlp(hidden=16,epochs=2000)")
CURVE = ("curve", "--data", "digits", "--teacher", "mlp(hidden=8,epochs=1)", "--method", "low_rank")


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """start("methods"): the command in a process of its own, with a home of its own."""

    def begin(*arguments: str, **settings: Any) -> subprocess.Popen[str]:
        environment = {**os.environ, "COMPRESS_HOME": str(tmp_path / "home"), **settings.pop("env", {})}
        settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings}
        return subprocess.Popen([sys.executable, "-m", "compress", *arguments], cwd=ROOT, env=environment, text=True,
                                errors="replace", **settings)

    return begin


def read_until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    assert any(words in line for line in process.stderr), "it ended before"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_during_training_is_one_line(start: Any, tmp_path: Path, number: int, code: int) -> None:
    process = start(*LONG)
    read_until(process, "epoch 3")
    process.send_signal(number)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    assert [line for line in errors.splitlines() if "% " not in line] == [SENTENCE]
    assert not list((tmp_path / "home").rglob("*.part"))


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_signal_while_modules_are_loaded_is_one_line(start: Any, share: float) -> None:
    began = time.monotonic()
    start("methods").communicate()
    whole = time.monotonic() - began
    process = start("methods")
    time.sleep(share * whole)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) in ((130, f"{SENTENCE}\n"), (0, ""))  # (0: it was done before)


def test_a_signal_that_a_library_swallows_ends_the_command_all_the_same() -> None:
    script = ("import time\nfrom compress.shell import stopping\nstopping.listen()\nprint('ready', flush=True)\n"
              "while True:\n    try:\n        time.sleep(0.1)\n    except BaseException:\n        pass")
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, f"{SENTENCE}\n")


def test_an_ignored_signal_stays_ignored(start: Any) -> None:
    process = start(*LONG, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    read_until(process, "epoch 3")
    process.send_signal(signal.SIGINT)
    read_until(process, "epoch 4")
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143


@pytest.mark.parametrize("arguments", [("methods",), (*CURVE, "--dial", "0.5"), ("--help",)])
def test_a_closed_pipe_is_no_mistake_of_the_user(start: Any, arguments: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = start(*arguments, stdout=writing)
    os.close(writing)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 141
    assert not [line for line in errors.splitlines() if "% " not in line]


def test_a_closed_pipe_of_the_progress_ends_the_command_too(start: Any) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = start(*LONG, stderr=writing)
    os.close(writing)
    out, _ = process.communicate(timeout=120)
    assert (process.returncode, out) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [("methods",), (*CURVE, "--dial", "0.5")])
def test_a_full_disk_behind_standard_output_is_a_sentence(start: Any, arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        process = start(*arguments, stdout=full)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    told = [line for line in errors.splitlines() if "% " not in line]
    assert len(told) == 1 and "Standard output cannot be written (No space left on device)" in told[0]


def test_progress_that_cannot_be_written_costs_no_result(start: Any) -> None:
    with open("/dev/full", "w") as full:
        process = start(*CURVE, "--dial", "0.5", stderr=full)
    out, _ = process.communicate(timeout=120)
    assert (process.returncode, len(out.splitlines())) == (0, 1)


@pytest.mark.parametrize(("closed", "code"), [(1, 1), (2, 0)])
def test_a_closed_stream_is_never_a_file_of_the_store(start: Any, tmp_path: Path, closed: int, code: int) -> None:
    other = tmp_path / "other"
    with other.open("w") as written:
        process = start(*CURVE, "--dial", "0.5", **{"stdout" if closed == 2 else "stderr": written},
                        preexec_fn=lambda: os.close(closed))
        process.communicate(timeout=120)
    assert process.returncode == code
    (line,) = other.read_text().splitlines()
    assert line.startswith('{"recipe"' if closed == 2 else "Standard output is closed")


@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"},
                                         {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}])
def test_a_terminal_with_few_letters_shows_the_rest_as_numbers(start: Any, environment: dict[str, str]) -> None:
    for arguments in (("teacher", "--data", "Zürich-数"), ("curve", "--data", "digits", "--method", "数"), ("--help",)):
        process = start(*arguments, env=environment)
        out, errors = process.communicate(timeout=120)
        assert process.returncode == (0 if arguments == ("--help",) else 2), errors
        assert "Traceback" not in out + errors and len(errors.splitlines()) == (arguments != ("--help",))


def test_an_option_is_never_guessed_and_a_mistake_of_an_option_is_one_line(start: Any) -> None:
    for arguments, words in ((("teacher", "--da", "digits"), "--data"), (("teach",), "teach"), ((), "command"),
                             (("methods", "\x1b[2J"), "There is no method"),
                             (("points", "\x1b[2J"), "Unrecognized arguments"), (("curve", "--data"), "--data")):
        process = start(*arguments)
        out, errors = process.communicate(timeout=60)
        assert (process.returncode, out, len(errors.splitlines())) == (2, "", 1)
        assert words in errors and errors[:-1].isprintable()


def test_a_signal_in_the_middle_of_a_module_ends_the_process_at_once(tmp_path: Path) -> None:
    """An exception would come out of the import, where a library in C++ takes it for the end of the world."""
    (tmp_path / "slow.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"
                                      "print('goes on', flush=True)\n")
    script = (f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nfrom compress.shell import stopping\nstopping.listen()\n"
              "try:\n    import slow\nexcept BaseException:\n    print('an exception', flush=True)\n")
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", f"{SENTENCE}\n")
