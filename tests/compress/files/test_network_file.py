"""One file a network: its length is its size, reading it gives the same network, and no damage goes unnoticed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from compress.data.datasets import Dataset
from compress.files import container, network_file
from compress.layers.base import with_layers
from compress.layers.factors import Factors
from compress.methods.low_rank import LowRank
from compress.networks.families import Network
from tests.compress.helpers import identical, state

TEACHERS = ["logistic(epochs=1)", "mlp(hidden=48-32,epochs=6)", "cnn(epochs=1)", "resnet(channels=8-16,epochs=2)",
            "gru(hidden=24,epochs=2)"]


def parameters_of(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("text", TEACHERS)
@pytest.mark.parametrize("keep", [None, 0.2])
def test_a_network_comes_back_bit_for_bit(text: str, keep: float | None, trained: Callable[[str], Network],
                                          digits: Dataset, tmp_path: Path) -> None:
    network = trained(text)
    if keep:
        network = LowRank(keep=keep).compress(network, digits)
    length = network_file.write(network, tmp_path / "net")
    again = network_file.read(tmp_path / "net")
    inputs = torch.tensor(digits.validation.inputs)
    assert length == (tmp_path / "net").stat().st_size == len(network_file.to_bytes(network))
    counters = [name for name in state(network) if name.endswith("num_batches_tracked")]
    assert identical(*({name: tensor for name, tensor in state(one).items() if name not in counters}
                       for one in (network, again)))
    assert not again.training and again.architecture == network.architecture
    with torch.inference_mode():
        assert torch.equal(again(inputs), network(inputs))


@pytest.mark.parametrize("scheme", ["plain", "centred", "randomized"])
def test_spatial_and_centred_pairs_come_back_too(scheme: str, trained: Callable[[str], Network], digits: Dataset,
                                                 tmp_path: Path) -> None:
    convolution = "channel" if scheme == "centred" else "spatial"
    small = LowRank(keep=0.3, scheme=scheme, convolution=convolution).compress(trained("cnn(epochs=1)"), digits)
    network_file.write(small, tmp_path / "net")
    inputs = torch.tensor(digits.validation.inputs)
    with torch.inference_mode():
        assert torch.equal(network_file.read(tmp_path / "net")(inputs), small(inputs))


def test_the_size_is_four_bytes_a_parameter_and_a_short_manifest(mlp: Network) -> None:
    assert 0 <= len(network_file.to_bytes(mlp)) - 4 * parameters_of(mlp) < 1500


def test_a_masked_but_dense_network_is_no_smaller(mlp: Network) -> None:
    """Zeros are stored like any number: only fewer numbers make a smaller file."""
    masked = copy.deepcopy(mlp)
    with torch.no_grad():
        for parameter in masked.parameters():
            parameter[torch.rand_like(parameter) < 0.95] = 0.0
    assert network_file.nonzeros(masked) < 0.1 * parameters_of(mlp)
    assert len(network_file.to_bytes(masked)) == len(network_file.to_bytes(mlp))


def test_the_same_network_gives_the_same_bytes(mlp: Network) -> None:
    assert network_file.to_bytes(mlp) == network_file.to_bytes(copy.deepcopy(mlp))


def test_a_shared_or_transposed_weight_is_stored_whole(mlp: Network, tmp_path: Path) -> None:
    network = copy.deepcopy(mlp)
    network[1].weight = nn.Parameter(network[1].weight.detach().mT.contiguous().mT)
    assert not network[1].weight.is_contiguous()
    network_file.write(network, tmp_path / "net")
    assert torch.equal(network_file.read(tmp_path / "net")[1].weight, mlp[1].weight)


def test_the_file_is_safetensors_with_nothing_pickled_in_it(mlp: Network, tmp_path: Path) -> None:
    network_file.write(mlp, tmp_path / "net")
    with safe_open(str(tmp_path / "net"), framework="pt") as file:
        assert set(file.metadata()) == {"manifest"} and len(list(file.keys())) == 6
    contents = (tmp_path / "net").read_bytes()
    assert contents[:1] != b"\x80" and contents[8:9] == b"{" and contents[:2] != b"PK"


def test_no_pickle_is_ever_loaded() -> None:
    for path in Path(network_file.__file__).parent.rglob("*.py"):
        source = path.read_text()
        for word in ("import pickle", "torch.load(", "torch.save(", "allow_pickle=True", "joblib"):
            assert word not in source, f"{path} has {word}"


def test_a_missing_file_is_named_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"There is no file .*gone.*Give the path of a file"):
        network_file.read(tmp_path / "gone")


@pytest.mark.parametrize("keep", [0, 5, 8, 100, 1000, -1])
def test_a_file_cut_short_is_refused_with_a_remedy(keep: int, mlp: Network, tmp_path: Path) -> None:
    (tmp_path / "net").write_bytes(network_file.to_bytes(mlp)[:keep])
    with pytest.raises(ValueError, match=r"net is not a readable network file .*make it again"):
        network_file.read(tmp_path / "net")


def test_a_header_that_was_overwritten_is_refused(mlp: Network, tmp_path: Path) -> None:
    contents = bytearray(network_file.to_bytes(mlp))
    contents[8:40] = b"x" * 32
    (tmp_path / "net").write_bytes(contents)
    with pytest.raises(ValueError, match="is not a readable network file"):
        network_file.read(tmp_path / "net")


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello " * 100)
    with pytest.raises(ValueError, match="is not a readable network file"):
        network_file.read(tmp_path / "text")
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"was not written by this program"):
        network_file.read(tmp_path / "other.safetensors")
    save_file({"weight": torch.zeros(3)}, tmp_path / "newer.safetensors",
              {"manifest": '{"format": "compression-explorer/9"}'})
    with pytest.raises(ValueError, match=r"was not written by this program \(format 'compression-explorer/9'"):
        network_file.read(tmp_path / "newer.safetensors")


def test_compressed_data_are_not_read_as_a_network(tmp_path: Path) -> None:
    network_file.write_bytes(container.pack({"compressed_data": "digits"}, {"codes": torch.zeros(3)}), tmp_path / "codes")
    with pytest.raises(ValueError, match="holds compressed data, not a network"):
        network_file.read(tmp_path / "codes")


def test_tensors_that_do_not_fit_the_manifest_are_refused(mlp: Network, tmp_path: Path) -> None:
    manifest = {"architecture": mlp.architecture.plain(), "layers": {}}
    tensors = mlp.state_dict()
    damaged = {"fewer": {name: tensor for name, tensor in tensors.items() if name != "3.bias"},
               "more": {**tensors, "7.weight": torch.zeros(2)},
               "reshaped": {**tensors, "3.weight": torch.zeros(5, 5)}}
    for name, contents in damaged.items():
        network_file.write_bytes(container.pack(manifest, contents), tmp_path / name)
        with pytest.raises(ValueError, match=r"does not fit its own manifest"):
            network_file.read(tmp_path / name)


@pytest.mark.parametrize("manifest", ["[1]", "{}", '{"format": "compression-explorer/1", "architecture": {}}',
                                      '{"format": "compression-explorer/1", "architecture": {"family": "mlp"}}',
                                      '{"format": "compression-explorer/1", "architecture": 3, "layers": {}}'])
def test_a_manifest_without_sense_is_refused(manifest: str, tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, tmp_path / "net", {"manifest": manifest})
    with pytest.raises(ValueError, match="net"):
        network_file.read(tmp_path / "net")


def test_writing_replaces_the_file_whole_and_leaves_nothing_beside_it(mlp: Network, tmp_path: Path) -> None:
    small = with_layers(mlp, {"3": Factors(nn.Linear(48, 4, bias=False), nn.Linear(4, 32))})
    network_file.write(mlp, tmp_path / "new" / "net")
    length = network_file.write(small, tmp_path / "new" / "net")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["net"]
    assert (tmp_path / "new" / "net").stat().st_size == length < len(network_file.to_bytes(mlp))


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    network_file.write_bytes(b"old", tmp_path / "net")
    with pytest.raises(TypeError):
        network_file.write_bytes("not bytes", tmp_path / "net")
    assert (tmp_path / "net").read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1
