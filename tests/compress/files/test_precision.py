"""Weights in 16 or 8 bits are near the trained ones, and everything else is as it was."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from safetensors.torch import load
from torch import Tensor

from compress.files import container, network_file, precision
from compress.networks.families import MLP, Architecture, Network, ResNet, build
from compress.stored import CODINGS, PRECISIONS, Stored

ARCHITECTURE = Architecture(MLP((16, 12)), (30,), 4)


def network() -> Network:
    return build(ARCHITECTURE)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("kept", PRECISIONS)
def test_weights_are_near_and_biases_exact(kept: str, coding: str) -> None:
    wanted, found = network().state_dict(), network_file.from_bytes(
        network_file.to_bytes(network(), stored=Stored(kept, coding))).state_dict()
    for name, tensor in wanted.items():
        largest = tensor.abs().amax(-1, keepdim=True)
        is_exact = kept == "float32" or name.endswith("bias") or tensor.numel() < precision.LEAST
        step = 0 * largest if is_exact else largest / {"float16": 2000, "int8": 253.9}[kept]
        assert found[name].dtype == torch.float32 and bool(((found[name] - tensor).abs() <= step).all())
        assert torch.equal(found[name], tensor) == is_exact


def test_less_precision_makes_a_shorter_file_and_coding_a_shorter_one_still() -> None:
    wide = build(Architecture(MLP((100, 50)), (60,), 4))
    lengths = {(kept, coding): len(network_file.to_bytes(wide, stored=Stored(kept, coding)))
               for kept in PRECISIONS for coding in CODINGS}
    assert lengths["float32", "none"] > 1.8 * lengths["float16", "none"] > 3 * lengths["int8", "none"]
    assert all(lengths[kept, "entropy"] < lengths[kept, "none"] for kept in PRECISIONS)


def test_each_row_has_a_scale_and_its_largest_weight_the_last_level() -> None:
    stored = load(network_file.to_bytes(network(), stored=Stored("int8")))
    weight = network()[1].weight.detach()
    assert stored["1.weight"].dtype == torch.int8 and stored["1.weight:scale"].shape == (16,)
    assert torch.equal(stored["1.weight"].abs().amax(1), torch.full((16,), 127, dtype=torch.int8))
    assert torch.allclose(stored["1.weight:scale"] * 127, weight.abs().amax(1))


@pytest.mark.parametrize("kept", PRECISIONS)
def test_a_row_of_zeros_a_large_weight_and_batch_norm_survive(kept: str) -> None:
    made = build(Architecture(ResNet((4,)), (1, 8, 8), 3))
    with torch.no_grad():
        made[0].weight[0] = 0
        made[3].body[0].weight[0, 0, 0, 0] = 1e5
    found = network_file.from_bytes(network_file.to_bytes(made, stored=Stored(kept, "entropy")))
    assert not bool(found[0].weight[0].any()) and float(found[3].body[0].weight[0, 0, 0, 0]) == pytest.approx(1e5)
    assert torch.equal(found[1].weight, made[1].weight) and torch.equal(found[1].running_var, made[1].running_var)


def test_a_tensor_with_short_rows_has_one_scale() -> None:
    lowered = precision.lowered({"values": torch.randn(100), "1.values": torch.randn(100, 3)}, "int8")
    assert lowered["values:scale"].shape == lowered["1.values:scale"].shape == (1,)


def refusal(manifest: dict[str, Any], tensors: dict[str, Tensor]) -> str:
    with pytest.raises(ValueError, match=r"^net ") as caught:
        network_file.from_bytes(container.pack(manifest, tensors), "net")
    return str(caught.value)


def test_scales_that_do_not_fit_are_refused() -> None:
    manifest, tensors = container.unpack(network_file.to_bytes(network(), stored=Stored("int8")))
    scale = tensors["1.weight:scale"]
    for wrong in (scale[:7], scale[:0], scale.double(), scale[None], -scale):
        assert "scales of '1.weight' do not fit" in refusal(manifest, {**tensors, "1.weight:scale": wrong.clone()})
    assert "do not fit" in refusal(manifest, {**tensors, "9.weight:scale": scale.clone()})
    assert "do not fit" in refusal(manifest, {**tensors, "1.bias:scale": scale.clone()})
    assert "precision must be one of" in refusal({**manifest, "precision": "float8"}, tensors)
    assert "precision must be one of" in refusal({**manifest, "precision": ["int8"]}, tensors)
    for other in ("float32", "float16"):
        refusal({**manifest, "precision": other}, {name: one for name, one in tensors.items() if not name.endswith("scale")})
    assert "unexpected '1.weight:scale'" in refusal({**manifest, "precision": "float32"}, tensors)
