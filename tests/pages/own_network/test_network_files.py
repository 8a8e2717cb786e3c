"""Uploaded networks go through the shell's command, and are listed, used and removed."""

from __future__ import annotations

import pytest

from compress.files import kept_networks
from pages.ui.own_data.files import File
from pages.ui.own_network import network_files, stage
from pages.ui.own_network.network_files import Asked
from tests.compress.networks.onnx.graphs import made, node, numbers

LINEAR = made([node("MatMul", "x w", "scores")], [numbers("w", 30, 2)], ("n", 30), ("n", 2))


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))


def test_a_network_is_looked_at_added_and_removed():
    file, asked = File("../--name=<b>.onnx", LINEAR), Asked("breast_cancer")
    about = network_files.look(file, asked)
    assert (about["shape"], about["classes"], about["parameters"], about["compressible"]) == ([30], 2, 60, 60)
    assert [row["methods"] for row in about["layers"]] == ["low_rank, prune, quantize, sparse_code"]
    assert len(about["tried"]) == 4 and about["notes"]
    assert any("accuracy" in name for _, name in stage.figures(about))
    name = network_files.add(file, asked, "cells")
    assert name in kept_networks.names()
    kept_networks.remove(name)
    assert not kept_networks.names()


def test_a_refusal_is_the_sentence_of_the_command():
    with pytest.raises(ValueError, match=r"^a\.onnx cannot be opened as a network: it holds no graph"):
        network_files.look(File("a.onnx", b""), Asked(""))


def test_files_and_questions_have_keys_of_their_own():
    keys = {network_files.key(File(name, contents), Asked(data)) for name in "ab" for contents in (b"1", b"2")
            for data in ("digits", "wine")}
    assert len(keys) == 8
