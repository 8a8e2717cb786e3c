"""Uploaded networks go through the shell's command, and are listed, used and removed."""

from __future__ import annotations

import time

import pytest
import torch

from compress.curves.store import Store
from compress.files import kept_networks
from compress.progress import Cancelled, Reporter, no_report
from compress.service.job_kinds import do
from compress.service.requests import OPENED
from pages.ui.own_data.files import File
from pages.ui.own_network import network_files, stage
from pages.ui.own_network.network_files import Asked, Upload
from tests.compress.networks.onnx.graphs import made, node, numbers

LINEAR = made([node("MatMul", "x w", "scores")], [numbers("w", 30, 2)], ("n", 30), ("n", 2))
CPU = torch.device("cpu")


@pytest.fixture
def store(tmp_path, monkeypatch) -> Store:
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    return Store()


def test_a_network_is_opened_once_then_added_and_removed(store):
    upload, said = Upload.of(File("../--name=<b>.onnx", LINEAR)), []
    request = network_files.request(upload, Asked("breast_cancer"))
    do(request, store, Reporter(lambda progress: said.append(progress.share)), CPU)
    about = store.view(request.key, OPENED)
    assert (about["shape"], about["classes"], about["parameters"], about["compressible"]) == ([30], 2, 60, 60)
    assert [row["methods"] for row in about["layers"]] == ["low_rank, prune, quantize, sparse_code"]
    assert len(about["tried"]) == 4 and about["notes"]
    assert any("accuracy" in name for _, name in stage.figures(about))
    assert said == sorted(said) and said[0] >= 0 and said[-1] <= 1
    assert network_files.is_there(about)
    names = [network_files.add(about, name) for name in ("cells", "others", "cells")]
    assert sorted(set(names)) == kept_networks.names() and len(set(names)) == 2
    assert [path.name for path in kept_networks.waiting().iterdir()] == [about["opened"].rpartition("/")[2]]
    kept_networks.remove(names[0])
    assert kept_networks.names() == [names[1]]
    network_files.Path(about["opened"]).unlink()
    with pytest.raises(ValueError, match="Read the file again"):
        network_files.add(about, "cells")


def test_a_refusal_is_the_sentence_of_the_command(store):
    request = network_files.request(Upload.of(File("a.onnx", b"")), Asked(""))
    with pytest.raises(ValueError, match=r"^a\.onnx cannot be opened as a network: it holds no graph"):
        do(request, store, no_report, CPU)
    assert not list(kept_networks.waiting().iterdir())


def test_a_cancelled_job_ends_its_process_at_once_and_leaves_nothing(store):
    request = network_files.request(Upload.of(File("a.onnx", LINEAR)), Asked("digits"))
    began = time.monotonic()
    with pytest.raises(Cancelled):
        do(request, store, Reporter(is_cancelled=lambda: time.monotonic() - began > 0.5), CPU)
    assert not list(kept_networks.waiting().iterdir()) and store.view(request.key, OPENED) is None


def test_a_job_removes_no_folder_but_those_of_uploads(store, tmp_path):
    other = tmp_path / "mine" / "a.onnx"
    other.parent.mkdir()
    other.write_bytes(LINEAR)
    with pytest.raises(ValueError, match="no file that the app keeps"):
        do(network_files.NetworkRequest("opened a", str(other), "", ""), store, no_report, CPU)
    assert other.is_file()


def test_files_and_questions_have_keys_of_their_own():
    keys = {network_files.key(Upload.of(File(name, contents)), Asked(data)) for name in "ab" for contents in (b"1", b"2")
            for data in ("digits", "wine")}
    assert len(keys) == 8
