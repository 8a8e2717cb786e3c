"""A damaged file is refused in one sentence, before memory is taken for what it declares, and gives no wrong number."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from compress.data.datasets import Dataset
from compress.files import container, network_file
from compress.files.contents import contents_of
from compress.files.made_for import MadeFor
from compress.layers.base import with_layers
from compress.layers.coded import Coded
from compress.layers.factors import Factors
from compress.layers.fronts import PCABottleneck, Projection, Scale
from compress.layers.sparse import Sparse
from compress.layers.tiling import Tiling
from compress.networks.composite import Composite
from compress.networks.families import MLP, Architecture, Network, ResNet, build

Parts = tuple[dict[str, Any], dict[str, Tensor]]
ARCHITECTURE = Architecture(MLP((6,)), (8,), 3)


def codes() -> Network:
    """8-6-3 whose first layer is 4 of 5 atoms for each block; "ragged" and in one byte."""
    chosen, values = torch.tensor([[0, 4]] * 16), torch.tensor([[1.0, 2.0], [3.0, 0.0]] * 8)
    layer = Coded.of(nn.Linear(8, 6), 3, torch.randn(5, 3), chosen, values, "int8", ragged=True)
    return with_layers(build(ARCHITECTURE), {"1": layer})


def sparse(form: str) -> Network:
    network = build(ARCHITECTURE)
    weight = torch.ones(6, 8)
    weight[:, ::2] = 0
    network[1].weight = nn.Parameter(weight)
    return with_layers(network, {"1": Sparse.of(network[1], form)})


def factors() -> Network:
    return with_layers(build(ARCHITECTURE), {"1": Factors(nn.Linear(8, 2, bias=False), nn.Linear(2, 6))})


def composite() -> Network:
    front = Projection(Tiling((2, 6), 3), torch.zeros(6), torch.randn(6, 4))
    bottleneck = PCABottleneck(torch.zeros(8), torch.randn(2, 8), torch.ones(2))
    return Composite(front, Scale(torch.ones(())), bottleneck, build(ARCHITECTURE))


def residual() -> Network:
    return build(Architecture(ResNet((2,)), (1, 4, 4), 3))


EVERY: dict[str, Callable[[], Network]] = {
    "dense": lambda: build(ARCHITECTURE), "codes": codes, "bitmask": lambda: sparse("bitmask"), "csr": lambda: sparse("csr"),
    "columns": lambda: sparse("columns"),
    "factors": factors, "composite": composite, "residual": residual}


def parts(network: Network) -> Parts:
    return container.unpack(network_file.to_bytes(network))


def refusal(manifest: dict[str, Any], tensors: dict[str, Tensor]) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(ValueError, match=r"^net ") as caught:
        network_file.from_bytes(container.pack(manifest, tensors), "net")
    return str(caught.value)


@pytest.mark.parametrize("name", EVERY)
def test_what_is_not_damaged_is_read(name: str) -> None:
    network = EVERY[name]().eval()
    again = network_file.from_bytes(network_file.to_bytes(network))
    inputs = torch.randn(5, *network.architecture.shape)
    with torch.inference_mode():
        assert torch.equal(network(inputs), again(inputs))
    assert not any(bool(module.num_batches_tracked) for module in again.modules() if isinstance(module, nn.BatchNorm2d))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_no_tensor_may_hold_what_is_no_number(name: str, value: float) -> None:
    manifest, tensors = parts(EVERY[name]())
    floating = [path for path, tensor in tensors.items() if tensor.is_floating_point()]
    assert floating
    for path in floating:
        spoilt = tensors[path].clone()
        spoilt.view(-1)[-1] = value
        assert f"holds weights that are no numbers ({path})" in refusal(manifest, {**tensors, path: spoilt})


@pytest.mark.parametrize("name", EVERY)
def test_tensors_have_the_shape_and_type_of_the_manifest(name: str) -> None:
    manifest, tensors = parts(EVERY[name]())
    for path, tensor in tensors.items():
        assert path in refusal(manifest, {**tensors, path: tensor.double() if tensor.is_floating_point() else tensor.int()})
        assert path in refusal(manifest, {**tensors, path: tensor[None]})
        assert path in refusal(manifest, {other: one for other, one in tensors.items() if other != path})
    assert "unexpected 'more'" in refusal(manifest, {**tensors, "more": torch.zeros(1)})


def changed(tensors: dict[str, Tensor], path: str, **values: int) -> dict[str, Tensor]:
    """The same with some entries of a tensor set: first, last."""
    flat = tensors[path].clone()
    for place, value in values.items():
        flat.view(-1)[{"first": 0, "last": -1}[place]] = value
    return {**tensors, path: flat}


@pytest.mark.parametrize(("name", "path", "values", "answer"), [
    ("bitmask", "1.mask", {"first": 255}, "the mask has another number of weights"),
    ("columns", "1.mask", {"first": 0}, "the mask has another number of weights"),
    ("csr", "1.columns", {"last": 8}, "a weight's column is not between 0 and 7"),
    ("csr", "1.columns", {"first": 3}, "two weights in one column"),
    ("csr", "1.counts", {"first": 200}, "the rows have another number of weights"),
    ("csr", "1.counts", {"first": 3}, "the rows have another number of weights"),
    ("codes", "1.indices", {"first": 255}, "an index of an atom is not between 0 and 4"),
    ("codes", "1.counts", {"first": 255}, "the blocks have another number of coefficients"),
    ("codes", "1.scale", {"first": 0}, "scale of the coefficients is not positive"),
    ("composite", "1.scale", {"first": 0}, "a scale is not positive"),
    ("composite", "2.scale", {"last": -1}, "a scale is not positive"),
    ("residual", "1.running_var", {"last": -1}, "a variance of batch-norm is negative")])
def test_numbers_that_contradict_each_other_are_refused(name: str, path: str, values: dict[str, int], answer: str) -> None:
    manifest, tensors = parts(EVERY[name]())
    assert answer in refusal(manifest, changed(tensors, path, **values))


SIZES = [-1, 0, 10**6, 10**9, 10**18, 10**300, 2.5, 8.0, True, None, "8", "x" * 10**6, [], {}, [8, 8]]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each number, word and list of plain data."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, part in inside for place in places(part, (*path, name)))]


def having(plain: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    made = copy.copy(plain)
    made[path[0]] = having(plain[path[0]], path[1:], value)
    return made


@pytest.mark.parametrize("name", EVERY)
def test_any_value_in_the_place_of_any_other_is_refused_or_changes_nothing_that_is_measured(name: str) -> None:
    """A size that the file does not hold is refused before memory is taken for it: 10^18 would be more than there is."""
    network = EVERY[name]().eval()
    manifest, tensors = parts(network)
    refused = 0
    for path in places({key: manifest[key] for key in ("architecture", "layers")})[1:]:
        for value in SIZES:
            contents = container.pack(having(manifest, path, value), tensors)
            try:
                again = network_file.from_bytes(contents, "net")
            except ValueError as error:
                refused += 1
                assert str(error).startswith("net does not fit its own manifest: ") and len(str(error)) < 600
            else:
                assert all(torch.equal(tensor, tensors[key]) for key, tensor in again.state_dict().items() if key in tensors)
    assert refused > 40


@pytest.mark.parametrize("plain", [
    {"kind": "factors", "first": {}, "second": {}}, {"kind": "factors"}, {"kind": "sparse", "form": "csr", "nonzeros": 3},
    {"kind": ["sparse"]}, {"type": "Conv3d"}, {"type": "Linear", "sizes": [8, 6], "bias": True, "stride": [1]}, 3, None, []])
def test_a_layer_without_sense_is_refused(plain: Any) -> None:
    manifest, tensors = parts(build(ARCHITECTURE))
    refusal({**manifest, "layers": {"1": plain}}, tensors)


def test_a_compressed_layer_must_fit_its_place() -> None:
    manifest, tensors = parts(factors())
    layer = manifest["layers"]["1"]
    assert "does not fit its place" in refusal({**manifest, "layers": {"3": layer}}, tensors)
    refusal({**manifest, "layers": {"9.1": layer}}, tensors)
    refusal({**manifest, "layers": {"2": layer}}, tensors)
    refusal({**manifest, "layers": [layer]}, tensors)
    refusal({name: value for name, value in manifest.items() if name != "layers"}, tensors)


def test_nesting_and_numbers_of_layers_and_stages_have_an_end() -> None:
    manifest, tensors = parts(build(ARCHITECTURE))
    nested: Any = {"type": "Linear", "sizes": [8, 6], "bias": True}
    piece: Any = manifest["architecture"]
    for _ in range(3000):
        nested, piece = {"kind": "factors", "first": nested, "second": nested}, {"kind": "piece", "of": piece, "shape": [8],
                                                                                "first": 0, "last": 4}
    with pytest.raises(RecursionError):
        json.dumps(nested)
    text = '{"a":' * 90_000 + "1" + "}" * 90_000
    header = json.dumps({"__metadata__": {"manifest": text}}).encode()
    with pytest.raises(ValueError, match="nested too deeply"):
        network_file.from_bytes(len(header).to_bytes(8, "little") + header, "net")
    for hidden in ("-".join(["1"] * 20_000), [1] * 20_000):
        refusal({**manifest, "architecture": {**manifest["architecture"], "hidden": hidden}}, tensors)
    stages = [{"front": "scale"}] * 1000 + [manifest["architecture"]]
    assert "1 to 64 stages" in refusal({**manifest, "architecture": {"kind": "composite", "stages": stages}}, tensors)


def raw(header: bytes, rest: bytes = b"", length: int | None = None) -> bytes:
    return (len(header) if length is None else length).to_bytes(8, "little") + header + rest


def entry(**changes: Any) -> bytes:
    manifest = json.dumps({"format": container.FORMAT, "architecture": ARCHITECTURE.plain(), "layers": {}})
    tensor = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}
    return json.dumps({"__metadata__": {"manifest": manifest}, "1.weight": tensor}).encode()


@pytest.mark.parametrize("contents", [
    b"", b"1234567", raw(b"{}", length=2**63), raw(b"{}", length=10**9), raw(b"[1]"), raw(b"\xff\xfe{}"), raw(b"{"),
    raw(b'{"a":NaN}'), raw(b'{"a":1,"a":2}'), raw(b'{"__metadata__":7}'), raw(b'{"__metadata__":{"manifest":7}}'),
    raw(b'{"__metadata__":{"manifest":"{\\"a\\":1,\\"a\\":2}"}}'),
    raw(b'{"__metadata__":{"manifest":"' + b"9" * 9000 + b'"}}'),
    raw(entry(), b"\0" * 8 + b"more"), raw(entry(), b"\0" * 7), raw(entry(shape=[10**18]), b"\0" * 8),
    raw(entry(shape=[-2]), b"\0" * 8), raw(entry(data_offsets=[0, 10**18]), b"\0" * 8), raw(entry(dtype="F7"), b"\0" * 8),
    raw(entry(dtype="F4"), b"\0" * 8), raw(entry(data_offsets=[8, 0]), b"\0" * 8), raw(entry(shape="2"), b"\0" * 8),
    raw(entry(shape=[2, 0, 10**18]), b"\0" * 8),
    raw(entry(shape=[2] + [1] * 70), b"\0" * 8), raw(b" " * (container.MOST_HEADER + 1))], ids=lambda text: str(text[:40]))
def test_a_header_without_sense_is_refused_in_words_of_our_own(contents: bytes) -> None:
    with pytest.raises(ValueError, match=r"^net ") as caught:
        network_file.from_bytes(contents, "net")
    assert "Error while deserializing" not in str(caught.value) and len(str(caught.value)) < 400


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "secret").write_bytes(b"1")
    for path in (tmp_path, tmp_path / "pipe", "/dev/zero", "/dev/null"):
        with pytest.raises(ValueError, match="is no regular file but a folder, a pipe or a device"):
            contents_of(path)
    for path in (tmp_path / "gone", tmp_path / ("x" * 5000), tmp_path / "secret" / "below", "a\0b", "a\udc80"):
        with pytest.raises(ValueError, match=r"Give (the|a) path"):
            contents_of(path)
    assert contents_of(tmp_path / "secret") == b"1"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret").touch(mode=0)
    with pytest.raises(ValueError, match=r"secret cannot be read \(Permission denied\)"):
        contents_of(tmp_path / "secret")


def test_a_description_of_other_data_or_of_no_numbers_is_refused(mlp: Network, digits: Dataset) -> None:
    manifest, tensors = container.unpack(network_file.to_bytes(mlp, MadeFor.of(digits)))
    described = manifest["made_for"]
    for changes in ({"classes": 10**12}, {"classes": 9}, {"classes": -1}, {"classes": True}, {"classes": [1] * 10},
                    {"shape": [1, 8, 9]}, {"shape": [3, 8, 8]}, {"data": 7}, {"digest": None},
                    {"normaliser": "AAAAAAAA+H8="},
                    {"normaliser": "AAAAAAAA8D8AAAAAAAAAAA=="}, {"normaliser": "AAAAAAAA8D8AAAAAAADwvw=="},
                    {"normaliser": 7}, {"normaliser": "AAAAAAAA+H8AAAAAAADwPw=="}, {"normaliser": "é"}):
        assert "description of data" in refusal({**manifest, "made_for": {**described, **changes}}, tensors)
