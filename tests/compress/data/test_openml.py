"""Sets from openml.org: the real fetch over files laid where it looks for earlier downloads; never the network."""

import contextlib
import dataclasses
import gzip
import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from importlib import resources
from pathlib import Path
from unittest.mock import Mock
from urllib.error import URLError

import numpy as np
import pytest

from compress.atomic_file import sweep
from compress.data import datasets, download_child, openml, openml_download
from compress.progress import Cancelled, Progress, Reporter
from tests.imports import ROOT

CLOSED = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """An empty cache folder, and a network that refuses every connection at once."""
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    use_proxy(monkeypatch, CLOSED)
    return tmp_path


@pytest.fixture
def in_this_process(monkeypatch, capsys):
    """Runs the child's main function here, which spares its start of some seconds."""

    def run(module: str, arguments: list[str], seconds: float, report: Reporter) -> tuple[int, str]:
        code = openml_download.main(arguments)
        return code, capsys.readouterr().err.strip()

    monkeypatch.setattr(openml_download.signal, "signal", lambda *_: None)
    monkeypatch.setattr(download_child, "run", run)


def use_proxy(monkeypatch, address: str) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, address)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def lay(home, address: str, content: bytes) -> None:
    path = home / "openml" / "openml.org" / f"{address}.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content))


def lay_set(home, name: str, columns: dict[str, str], rows: list[list], target: str | None = "class",
            sparse: bool = False) -> None:
    """Lays openml:NAME:1 as if it had been downloaded. columns: name -> ARFF type; rows: '?' is missing."""
    head = [f"@relation {name}", *(f"@attribute {column} {kind}" for column, kind in columns.items()), "@data"]
    lines = [",".join(f"{place} {value}" for place, value in enumerate(row)) for row in rows]
    arff = "\n".join([*head, *(f"{{{line}}}" if sparse else ",".join(map(str, row))
                               for line, row in zip(lines, rows, strict=True))]) + "\n"
    features = [{"name": column, "index": str(place),
                 "data_type": "nominal" if kind.startswith("{") else kind.split()[0],
                 "is_target": str(column == target).lower(), "is_ignore": "false", "is_row_identifier": "false",
                 "number_of_missing_values": "0"} for place, (column, kind) in enumerate(columns.items())]
    about = {"id": "5", "name": name, "version": "1", "status": "active", "description": "made up",
             "format": "Sparse_ARFF" if sparse else "ARFF",
             "url": f"https://www.openml.org/data/v1/download/5/{name}.arff",
             "md5_checksum": hashlib.md5(arff.encode()).hexdigest()}
    answers = {f"list/data_name/{name}/limit/2/data_version/1": {"data": {"dataset": [{"did": 5}]}},
               "5": {"data_set_description": about}, "features/5": {"data_features": {"feature": features}},
               "qualities/5": {"data_qualities": {"quality": [{"name": "NumberOfInstances", "value": len(rows)}]}}}
    for address, answer in answers.items():
        lay(home, f"api/v1/json/data/{address}", json.dumps(answer).encode())
    lay(home, f"data/v1/download/5/{name}.arff", arff.encode())


def lay_iris(home) -> None:
    """The answers of openml.org that scikit-learn ships for its own tests."""
    files = resources.files("sklearn.datasets.tests.data.openml.id_61")
    shipped = {"api/v1/json/data/list/data_name/iris/limit/2/data_version/1": "api-v1-jdl-dn-iris-l-2-dv-1.json",
               "api/v1/json/data/61": "api-v1-jd-61.json",
               "api/v1/json/data/features/61": "api-v1-jdf-61.json",
               "api/v1/json/data/qualities/61": "api-v1-jdq-61.json",
               "data/v1/download/61/iris.arff": "data-v1-dl-61.arff"}
    for address, name in shipped.items():
        lay(home, address, gzip.decompress((files / f"{name}.gz").read_bytes()))


def test_a_set_is_fetched_once_and_then_needs_no_network(home):
    lay_iris(home)
    dataset = datasets.load("openml:iris:1")
    assert (dataset.kind, dataset.shape) == ("tabular", (4,))
    assert dataset.classes == ("Iris-setosa", "Iris-versicolor", "Iris-virginica")
    assert len(dataset.train) + len(dataset.validation) + len(dataset.open_test()) == 147  # three are twins
    (home / "openml").rename(home / "gone")
    assert openml.read("openml:Iris:1").inputs.shape == (150, 4)
    assert [path.name for path in home.iterdir() if path.name != "gone"] == ["openml-iris-1.npz"]


def test_categories_become_columns_and_missing_values_stay_missing(home, in_this_process):
    lay_set(home, "mixed", {"size": "numeric", "colour": "{red,green,blue}", "class": "{10,9}"},
            [[1.5, "green", 9], ["?", "?", 10], [2, "red", 9]])
    raw = openml.read("openml:mixed:1")
    assert np.array_equal(raw.inputs, [[1.5, 0, 1, 0], [np.nan, 0, 0, 0], [2, 1, 0, 0]], equal_nan=True)
    assert (raw.labels.tolist(), raw.classes) == ([0, 1, 0], ("9", "10"))


def pixel_columns(count: int) -> dict[str, str]:
    return {**{f"pixel{place}": "numeric" for place in range(count)}, "class": "{no,yes}"}


@pytest.mark.parametrize(("columns", "highest", "shape"), [(64, 255, (1, 8, 8)), (64, 256, (64,)), (63, 255, (63,)),
                                                           (49, 255, (49,)), (64, 0.5, (64,))])
def test_a_square_of_at_least_64_bytes_is_an_image_else_a_table(home, in_this_process, columns, highest, shape):
    rows = [[*range(columns - 1), highest, answer] for answer in ("no", "yes")]
    lay_set(home, "maybe", pixel_columns(columns), rows)
    raw = openml.read("openml:maybe:1")
    assert (raw.shape, raw.kind) == (shape, "image" if len(shape) == 3 else "tabular")
    assert raw.inputs.reshape(2, -1)[1].tolist() == [*range(columns - 1), highest]


def test_one_hot_columns_are_no_pixels(home, in_this_process):
    values = ",".join(f"v{place}" for place in range(64))
    lay_set(home, "words", {"word": f"{{{values}}}", "class": "{no,yes}"}, [["v1", "no"], ["v2", "yes"]])
    assert openml.read("openml:words:1").shape == (64,)


def test_a_known_set_has_its_images_its_names_and_its_official_test_part(home, monkeypatch):
    cifar = openml._KNOWN[-1]
    card = dataclasses.replace(cifar.card, examples=30)
    small = dataclasses.replace(cifar, card=card, shape=(3, 2, 2), test_examples=10)
    monkeypatch.setattr(openml, "_KNOWN", (small,))
    table = np.arange(30 * 12).reshape(30, 12).astype(np.uint8)
    np.savez(home / "openml-cifar_10-1.npz", table=table, labels=np.arange(30) % 10, pixels=np.array(True),
             classes=np.array([str(place) for place in range(10)]))
    raw = openml.read("openml:CIFAR_10:1")
    assert (len(raw.inputs), len(raw.test_inputs)) == (20, 10)
    assert raw.inputs[0].tolist() == [[[0, 1], [2, 3]], [[4, 5], [6, 7]], [[8, 9], [10, 11]]]
    assert raw.test_inputs[0, 0, 0, 0] == 240 and raw.test_labels[0] == 0
    assert raw.classes[0] == "airplane"


def test_a_known_set_of_another_size_is_refused(home):
    np.savez(home / "openml-mnist_784-1.npz", table=np.zeros((3, 784), np.uint8), labels=np.arange(3), pixels=True,
             classes=np.array(["0", "1", "2"]))
    with pytest.raises(ValueError, match="must be a table of 70000 x 784 pixels"):
        openml.read("openml:mnist_784:1")


@pytest.mark.parametrize(("columns", "rows", "target", "message"), [
    ({"a": "numeric", "class": "numeric"}, [[1, 2.5], [2, 3.5]], "class", "regression"),
    ({"a": "numeric", "b": "numeric"}, [[1, 2], [2, 3]], None, "no target column"),
    ({"text": "string", "class": "{no,yes}"}, [["'a b'", "no"], ["'c'", "yes"]], "class",
     "no columns beside the target that are numbers, categories or texts"),
    ({"a": "numeric", "class": "string"}, [[1, "no"], [2, "yes"]], "class", "target 'class' is free text"),
    ({"a": "numeric", "b": "relational", "class": "{no,yes}"}, [[1, 1, "no"]], "class", "column b is a table of its own"),
    ({"a": "numeric", "class": "{no,yes}"}, [[1, "no"], [2, "?"]], "class", "its example 1 has no class"),
    ({"a": "numeric", "class": "{no,yes}"}, [], "class", "no examples|damaged"),
    ({"a": "numeric", "class": "{no,yes}"}, [[1, "perhaps"]], "class", "arrived, but its file is damaged"),
    ({"a": "numeric", "class": "{no,yes}"}, [[1, "no"], [1, 2, 3, "no"]], "class", "arrived, but its file is damaged"),
    ({"a": "numeric", "class": "{no,yes}"}, [["what", "no"], [1, "no"]], "class", "arrived, but its file is damaged"),
    ({"name": "{" + ",".join(f"n{place}" for place in range(257)) + "}", "class": "{no,yes}"},
     [["n1", "no"], ["n2", "yes"]], "class", "'name' has 257 categories"),
    ({"class": "{no,yes}"}, [["no"], ["yes"]], "class", "no columns beside the target"),
])
def test_a_set_of_no_use_here_is_refused_with_the_reason(home, in_this_process, columns, rows, target, message):
    lay_set(home, "useless", columns, rows, target)
    with pytest.raises(ValueError, match=f"openml:useless:1 cannot be used: .*({message})") as caught:
        openml.read("openml:useless:1")
    assert not [word for word in ("as_frame", "internet", "sklearn", "pandas") if word in str(caught.value)]
    assert not list(home.glob("*.npz")) and not list(home.glob("*.part"))


@pytest.mark.parametrize("sparse", [False, True])
def test_dates_and_keys_are_left_out_by_name_and_sentences_counted(home, in_this_process, sparse):
    columns = {"a": "numeric", "key": "string", "day": 'date "yyyy-MM-dd"', "letter": "string", "b": "{red,blue}",
               "class": "{no,yes}"}
    rows = [[number / 2, f"N-{number}", "'2020-01-02'", "'see you soon'" if number % 2 else "'a great prize'",
             "red" if number % 3 else "blue", "no" if number % 2 else "yes"] for number in range(30)]
    title = "sparse_passengers" if sparse else "passengers"  # load() keeps what it read under a name
    lay_set(home, title, columns, rows, sparse=sparse)
    data, raw = datasets.load(f"openml:{title}:1"), openml.read(f"openml:{title}:1")
    assert data.classes == ("no", "yes") and np.array_equal(raw.inputs[:2, :3], [[0, 0, 1], [0.5, 1, 0]])
    left_out = "key, day, letter" if sparse else "key, day"
    assert data.notes[0] == f"Left out of {title} (dates, keys, or texts in a sparse file): {left_out}."
    assert raw.names[:3] == ("a", "b: red", "b: blue") and data.shape == (len(raw.names),)
    if sparse:
        assert data.shape == (3,)
        return
    counts = raw.inputs[:, 3:]
    assert counts.shape == (30, 512) and raw.names[3] == "letter: words 1" and np.allclose((counts ** 2).sum(1), 1)
    assert np.array_equal(counts[0], counts[2]) and not np.array_equal(counts[0], counts[1])


def test_a_set_of_nothing_but_sentences_is_read_as_tokens(home, in_this_process):
    columns = {"subject": "string", "day": 'date "yyyy-MM-dd"', "body": "string", "class": "{ham,spam}"}
    rows = [[f"'re: note {number}'", "'2020-01-02'", "'win a prize now'" if number % 2 else "'see you at the meeting'",
             "spam" if number % 2 else "ham"] for number in range(30)]
    lay_set(home, "letters_to_us", columns, rows)
    data = datasets.load("openml:letters_to_us:1")
    assert (data.kind, data.shape, data.classes) == ("text", (8,), ("ham", "spam"))
    assert {"prize", "meeting", "re"} <= set(data.words) and "2020" not in data.words
    assert data.notes == ("Left out of letters_to_us (dates, keys, or texts in a sparse file): day.",)
    again = datasets.load("openml:letters_to_us:1")
    assert np.array_equal(again.train.inputs, data.train.inputs)


@pytest.mark.parametrize("sparse", [False, True])
def test_dna_and_sparse_counts_are_read_by_name(home, in_this_process, sparse):
    """Splice has sixty columns of letters; 20 newsgroups a sparse file of counts, whose absent values are zeros."""
    if sparse:
        columns = {**{f"word{place}": "numeric" for place in range(40)}, "class": "{atheism,space}"}
        rows = [[number if place == number % 40 else 0 for place in range(40)] + [("atheism", "space")[number % 2]]
                for number in range(1, 31)]
    else:
        columns = {**{f"base{place}": "{A,C,G,T,N}" for place in range(6)}, "class": "{EI,IE,N}"}
        rows = [["ACGTN"[(number * (place + 1) + place) % 5] for place in range(6)] + [("EI", "IE", "N")[number % 3]]
                for number in range(45)]
    lay_set(home, "by_name", columns, rows, sparse=sparse)
    raw = openml.read("openml:by_name:1")
    assert raw.kind == "tabular" and raw.inputs.shape == ((30, 40) if sparse else (45, 30))
    assert raw.classes == (("atheism", "space") if sparse else ("EI", "IE", "N"))
    assert raw.inputs[3].sum() == (4 if sparse else 6)


def test_an_older_download_without_the_names_is_read(home):
    np.savez(home / "openml-old-1.npz", table=np.arange(6.0).reshape(3, 2), labels=np.arange(3) % 2, pixels=False,
             classes=np.array(["0", "1"]))
    assert openml.read("openml:old:1").notes == ()


def test_scikit_learns_own_reader_is_as_before_afterwards(home, in_this_process):
    from sklearn.datasets import _arff_parser, _openml

    before = _openml._get_data_features, _arff_parser._arff.load
    lay_set(home, "useless", {"a": "numeric", "class": "string"}, [[1, "no"]])
    with pytest.raises(ValueError, match="free text"):
        openml.read("openml:useless:1")
    assert (_openml._get_data_features, _arff_parser._arff.load) == before


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda body: gzip.compress(b"x")[:8], "damaged or cut short. Try again"),
    (lambda body: b"no gzip at all", "damaged or cut short. Try again"),
    (lambda body: gzip.compress(gzip.decompress(body).replace(b"red", b"rot")), "arrived, but its file is damaged"),
    (lambda body: gzip.compress(bytes(range(256))), "arrived, but its file is damaged")])
def test_a_set_that_arrived_and_is_bad_sends_nobody_to_the_internet(home, in_this_process, spoil, message):
    lay_set(home, "bad", {"a": "{red,blue}", "class": "{no,yes}"}, [["red", "no"], ["blue", "yes"]])
    path = home / "openml" / "openml.org" / "data" / "v1" / "download" / "5" / "bad.arff.gz"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match=f"openml:bad:1 cannot be used: .*{message}"):
        openml.read("openml:bad:1")


def test_a_value_beyond_float32_is_refused_by_its_place(home, in_this_process):
    lay_set(home, "huge", {"a": "numeric", "b": "numeric", "class": "{no,yes}"}, [[1, 2, "no"], [1, "1e39", "yes"]])
    with pytest.raises(ValueError, match=r"huge: examples must be between .* the first is 1e\+39 in example 1, column 1"):
        openml.read("openml:huge:1")


def test_the_reason_comes_through_from_the_child(home):
    lay_set(home, "useless", {"a": "numeric", "class": "numeric"}, [[1, 2.5], [2, 3.5]])
    with pytest.raises(ValueError, match="openml:useless:1 cannot be used: its target is a number"):
        openml.read("openml:useless:1")


@pytest.mark.parametrize("name", ["openml:mnist_784", "openml:mnist_784:one", "openml:", "openml:../up:1",
                                  "openml:a/b:1", "openml:mnist_784:0", "openml:mnist_784:1:2"])
def test_a_name_without_a_version_is_refused(name):
    with pytest.raises(ValueError, match="named with its version, as openml:NAME:VERSION"):
        datasets.load(name)


@pytest.mark.parametrize(("reason", "words"), [
    (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
    (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
    (ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] (_ssl.c:1006)"), "is not trusted here"),
    (TimeoutError("timed out"), "timed out"), ("no host given", "no host given")])
def test_why_there_is_no_connection_is_said_in_words(reason, words, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(openml_download, "_fetch", Mock(side_effect=URLError(reason)))
    assert openml_download.main(["x", "1", str(tmp_path / "x.npz"), str(tmp_path)]) == openml_download.NO_CONNECTION
    said = capsys.readouterr().err
    assert said.strip().startswith("no connection to openml.org: ") and said.strip().endswith(words)
    assert "[" not in said and "_ssl" not in said


def test_without_a_network_the_answer_is_one_clear_sentence(home):
    started = time.monotonic()
    with pytest.raises(openml.DownloadError, match=r"openml:mnist_784:1 could not be downloaded \(no connection to "
                                                   r"openml\.org: .*\)\. .*digits, mnist5k or mnist1d"):
        datasets.load("openml:mnist_784:1")
    assert time.monotonic() - started < 30
    assert not list(home.glob("*.npz")) and not list(home.glob("*.part"))


class Recorded(subprocess.Popen):
    """Remembers every process that was started."""

    started: list[int] = []  # noqa: RUF012

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.started.append(self.pid)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")  # ended but not yet collected by its parent counts as gone
    return not (state.exists() and ") Z " in state.read_text())


def test_a_server_that_never_answers_is_given_up_and_its_process_is_gone(home, monkeypatch):
    monkeypatch.setattr(download_child.subprocess, "Popen", Recorded)
    monkeypatch.setenv("COMPRESS_DOWNLOAD_SECONDS", "4")
    with socket.create_server(("127.0.0.1", 0)) as server:
        use_proxy(monkeypatch, f"http://127.0.0.1:{server.getsockname()[1]}")
        started = time.monotonic()
        with pytest.raises(openml.DownloadError, match=r"within 4 s; .*raise COMPRESS_DOWNLOAD_SECONDS"):
            openml.read("openml:mnist_784:1")
        assert 4 <= time.monotonic() - started < 10
    assert not is_alive(Recorded.started[-1])
    assert not [path for path in home.rglob("*") if path.is_file() or path.name.startswith("tmp")]


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are a thing of POSIX")
def test_a_child_that_will_not_leave_is_killed_with_its_own_children(monkeypatch, tmp_path):
    stubborn = tmp_path / "stubborn"
    stubborn.write_text(f"#!/bin/sh\ntrap '' TERM\nsleep 60 &\necho $! > {tmp_path}/grandchild\nwait\nsleep 60\n")
    stubborn.chmod(0o755)
    monkeypatch.setattr(download_child.subprocess, "Popen", Recorded)
    monkeypatch.setattr(sys, "executable", str(stubborn))
    monkeypatch.setenv("COMPRESS_DOWNLOAD_SECONDS", "0.5")
    started = time.monotonic()
    with pytest.raises(openml.DownloadError, match=r"within 0\.5 s"):
        openml.read("openml:mnist_784:1")
    assert time.monotonic() - started < 10
    assert not is_alive(Recorded.started[-1])
    grandchild = int((tmp_path / "grandchild").read_text())
    deadline = time.monotonic() + 5
    while is_alive(grandchild) and time.monotonic() < deadline:  # its new parent has to collect it
        time.sleep(0.02)
    assert not is_alive(grandchild)


@contextlib.contextmanager
def silent_server(monkeypatch):
    """Takes every connection and never answers; gives a function that waits for the first one."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        use_proxy(monkeypatch, f"http://127.0.0.1:{server.getsockname()[1]}")
        with contextlib.ExitStack() as connections:
            yield lambda: connections.enter_context(server.accept()[0])


def gone_within(process: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(process) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(process)


def test_a_cancelled_download_ends_at_once(home, monkeypatch):
    monkeypatch.setattr(download_child.subprocess, "Popen", Recorded)
    said: list[Progress] = []
    cancelled = threading.Event()
    with silent_server(monkeypatch) as connected:
        asked: list[float] = []

        def cancel() -> None:
            connected()
            asked.append(time.monotonic())
            cancelled.set()

        thread = threading.Thread(target=cancel)
        thread.start()
        with pytest.raises(Cancelled):
            datasets.load("openml:mnist_784:1", report=Reporter(said.append, cancelled.is_set))
        assert time.monotonic() - asked[0] < 10  # the machine may be busy; it is a fraction of a second otherwise
        thread.join()
    assert not is_alive(Recorded.started[-1])
    assert not [path for path in home.rglob("*") if path.is_file() or path.name.startswith("tmp")]


LOADING = "from compress.data import datasets; datasets.load('openml:mnist_784:1')"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_download_ends_with_the_process_that_started_it(number, home, monkeypatch):
    with silent_server(monkeypatch) as connected:
        parent = subprocess.Popen([sys.executable, "-c", LOADING], cwd=ROOT)
        connected()
        child = int(Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text())
        assert is_alive(child)
        parent.send_signal(number)
        parent.wait()
        assert gone_within(child, 20)
    assert not [path for path in home.rglob("*") if path.name.startswith("tmp")]  # it had the time to put in order
    left = list(home.glob("*.part"))
    for path in left:
        os.utime(path, (time.time() - 100, time.time() - 100))
    assert len(left) == 1 and sweep(home) == left


def test_modules_in_the_users_folder_are_not_taken_for_the_programs(home, monkeypatch, tmp_path):
    (tmp_path / "numpy.py").write_text("raise SystemExit(77)")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(openml.DownloadError, match="no connection to openml"):
        openml.read("openml:mnist_784:1")


@pytest.mark.parametrize("text", ["0", "-3", "soon", "inf", "nan"])
def test_a_limit_that_is_no_number_of_seconds_is_refused(monkeypatch, text):
    monkeypatch.setenv("COMPRESS_DOWNLOAD_SECONDS", text)
    with pytest.raises(ValueError, match="COMPRESS_DOWNLOAD_SECONDS must be a number of seconds above 0"):
        openml.read("openml:mnist_784:1")


def test_a_crash_of_the_child_is_reported_with_its_last_words(monkeypatch, tmp_path):
    crashing = tmp_path / "crashing"
    crashing.write_text("#!/bin/sh\necho 'out of luck' >&2\nexit 9\n")
    crashing.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(crashing))
    with pytest.raises(openml.DownloadError, match="ended with code 9: out of luck"):
        openml.read("openml:mnist_784:1")
