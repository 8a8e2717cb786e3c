"""A file of the first version of the container, without a checksum, written by the program as it was then."""

from __future__ import annotations

import base64
import zlib

import torch

from compress.files import network_file
from compress.layers.base import compressed_layers
from compress.layers.factors import Factors

WRITTEN = (  # 744 bytes: a perceptron 4-3-2 for 1 x 2 x 2 examples, its first layer as two factors of rank 1
    "eNqFkrFP3DAUxlHF0ImhMwPy0sUccRLR0wnSAYmJqUil0uV6dZNnziKJI9snepxOqoCtYmA5sfQP6IBQtyK1adWpS5f7K7owQSVGbEeoaqG6ty"
    "Tvs7/f9/KUkwczroao281B05Rq2u2i1hDltOAMlEYtNIwRlUmPa0h0X0JsjmOUZFQpUKbxcYxSKUrR16bzGp7pGc15NjBtjPKsjJGRejxNoXBS"
    "4ATVo6WFtQn2sd8ZWZuQOdXuTiLyUoJSXBSL8KbMhAS5RJwxowOQqh6D1A/GpdL162tO7RmjmQKbwvfclO0Qk47p9cCFxmiDF0BljGzuDi9SJz"
    "KaaGHZ1gmJcPIfqJb9v5gEB/czTRkwIg2vsQt8u6ftSlN7z+xzPfARrj/fMcIORm7xgjEFWhnRw2S54wCkYbP/bw/umsky9pu37mnxgV3LvwS/"
    "iUPPEoIp6f5db+jhsFl7p2X7+J7pwyZ+Yv6G0YKtRxNYnT+EaP/6Z/X9xczXT8dX1bN3H6pfc5vV7MWrp6fvv1XleBw93v0drW1dfnkYnq0cnf"
    "OIvfwYTdiPip+/rQ4+P49uAPDC99k=")
EXAMPLES = [[1.0, -2.0, 3.0, 0.0], [-1.0, 1.0, 0.5, 2.0], [0.0, 3.0, -1.0, -1.0]]
ANSWERS = [[0.54115, -0.18681], [0.49279, -0.13354], [0.58800, -0.41987]]


def test_a_file_of_the_first_version_opens_and_predicts_as_it_did() -> None:
    contents = zlib.decompress(base64.b64decode(WRITTEN))
    assert b"compression-explorer/1" in contents and b"checksum" not in contents
    network = network_file.from_bytes(contents)
    assert [type(layer) for layer in compressed_layers(network).values()] == [Factors]
    with torch.inference_mode():
        answers = network(torch.tensor(EXAMPLES).view(3, 1, 2, 2))
    assert torch.allclose(answers, torch.tensor(ANSWERS), atol=1e-5)
    assert len(network_file.to_bytes(network)) > len(contents), "written anew, with a checksum"
