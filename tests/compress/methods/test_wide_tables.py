"""Tables of many more numbers than examples: what needs inputs x inputs numbers is avoided, or refused with its size."""

from __future__ import annotations

import pytest
import torch

from compress import memory
from compress.data.datasets import Dataset
from compress.layers import input_moments
from compress.methods.data_codes import DataCodes
from compress.methods.data_svd import DataSVD
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.methods.quantize import Quantize
from compress.methods.sparse_code import SparseCode
from compress.networks.families import MLP, Architecture, Network, build
from tests.compress.helpers import python, toy_data

COLUMNS = 20_000  # columns x columns numbers would take 3.2 GB


@pytest.fixture(scope="module")
def wide() -> tuple[Network, Dataset]:
    data = toy_data((COLUMNS,), examples=60)
    return build(Architecture(MLP((4,)), (COLUMNS,), 3)).eval(), data


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gigabyte: a moment of all inputs does not fit."""
    monkeypatch.setattr(memory, "spare", lambda: memory.GB)


@pytest.mark.parametrize("method", [LowRank(keep=0.5, scheme=scheme) for scheme in ("plain", "whitened", "centred",
                                                                                    "randomized")]
                         + [Prune(criterion="wanda"), Prune(criterion="second_order", pattern="units", sparsity=0.5),
                            Prune(criterion="wanda", pattern="inputs"),
                            Quantize(scheme="codebook", levels=4, compared=False),
                            Quantize(scheme="nearest", levels=4, clipping="least_error", correction=1, compared=False),
                            SparseCode(nonzeros=1, iterations=1), DataSVD(components=2, epochs=1)], ids=repr)
def test_what_needs_no_moment_of_all_inputs_works(method: LowRank, wide: tuple[Network, Dataset]) -> None:
    network, data = wide
    candidate = next(method.curve(network, data, [method.value]))
    with torch.inference_mode():
        assert candidate.network(torch.tensor(data.validation.inputs)).isfinite().all()
    assert method.inside(network, data, [method.value]) is not None


@pytest.mark.parametrize(("method", "answer"), [
    (Quantize(levels=4), "20,000 x 20,000 numbers, and its factor needs about 22.4 GB"),
    (Prune(criterion="second_order"), "20,000 x 20,000 numbers, and its inverse needs about 12.8 GB"),
    (DataCodes(classify="projections", nonzeros=2), "a matrix of 20,000 x 20,000 numbers, needs about 4.8 GB")])
def test_what_needs_one_is_refused_with_its_size_before_it_starts(method: Prune, answer: str,
                                                                  wide: tuple[Network, Dataset]) -> None:
    reason = method.invalid_reason(*wide)
    assert answer in reason and "may use 1.0 GB more" in reason and "Choose" in reason


def test_the_root_of_a_moment_gives_the_errors_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    data = toy_data((300,), examples=60)
    network = build(Architecture(MLP((4,)), (300,), 3)).eval()
    method = Quantize(scheme="nearest", levels=4, clipping="least_error", correction=1, compared=False)
    whole = next(method.curve(network, data, [4]))
    monkeypatch.setattr(input_moments, "WIDE", 200)
    thin = next(method.curve(build(Architecture(MLP((4,)), (300,), 3)).eval(), data, [4]))
    for one, other in zip(whole.inside["layers"], thin.inside["layers"], strict=True):
        for name in ("error", "error_nearest", "distortion"):
            assert other[name] == pytest.approx(one[name], rel=1e-4)
    inputs = torch.tensor(data.validation.inputs)
    torch.testing.assert_close(thin.network(inputs), whole.network(inputs), atol=1e-4, rtol=1e-4)


def test_ten_rows_of_a_hundred_thousand_numbers_fit_into_two_gigabytes(tmp_path) -> None:  # type: ignore[no-untyped-def]
    script = (f"import numpy as np; np.savez({str(tmp_path / 'w.npz')!r}, x=np.random.default_rng(0).normal("
              "size=(10, 100000)).astype(np.float32), y=np.arange(10) % 2)")
    python("-c", script, check=True)
    done = python("-m", "compress", "curve", "--data", "local:w", "--teacher", "mlp(hidden=4,epochs=1)", "--method",
                  "low_rank", "--set", "scheme=plain", "--dial", "0.5", COMPRESS_DATA=str(tmp_path / "w.npz"),
                  COMPRESS_MEMORY="2", COMPRESS_HOME=str(tmp_path / "home"))
    assert done.returncode == 0, done.stderr
