"""The modules of which a graph's network is made, each described by plain data with the name of its `part`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from compress.networks.dense import dense_plain, dense_rebuild, is_dense
from compress.networks.embedding import AsChannels, LargestOverTime, LastState
from compress.networks.graph.reading import OneScore, Order, Reading
from compress.networks.graph.recurrent import CELLS, DIRECTIONS, Recurrence
from compress.networks.graph.region import Region
from compress.networks.gru import GRU
from compress.networks.modules import AsSequence, Residual
from compress.networks.plain_values import flag, mapping, whole, wholes
from compress.settings import shown

PLAIN: dict[str, type[nn.Module]] = {"ReLU": nn.ReLU, "Flatten": nn.Flatten, "Tanh": nn.Tanh, "Sigmoid": nn.Sigmoid,
                                     "Identity": nn.Identity, "AsSequence": AsSequence, "LastState": LastState,
                                     "AsChannels": AsChannels, "LargestOverTime": LargestOverTime}
POOLS: dict[str, type[nn.Module]] = {"MaxPool1d": nn.MaxPool1d, "MaxPool2d": nn.MaxPool2d}
MEANS: dict[str, type[nn.Module]] = {"AdaptiveAvgPool1d": nn.AdaptiveAvgPool1d, "AdaptiveAvgPool2d": nn.AdaptiveAvgPool2d}
NORMS: dict[str, type[nn.BatchNorm1d] | type[nn.BatchNorm2d]] = {"BatchNorm1d": nn.BatchNorm1d,
                                                                  "BatchNorm2d": nn.BatchNorm2d}
OWN: dict[str, Any] = {"reading": Reading, "order": Order, "one_score": OneScore}
POOL_SIZES = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
MOST_EPSILON = 1.0


def plain_of(module: nn.Module) -> dict[str, Any]:
    """A module as plain data; the opposite of part_of()."""
    name = type(module).__name__
    if is_dense(module):
        return {"part": "dense", **dense_plain(module)}
    if name in NORMS:
        return {"part": name, "features": module.num_features, "epsilon": module.eps}
    if name in POOLS:
        return {"part": name, **{size: list(_tuple(getattr(module, size), int(name[-2]))) for size in POOL_SIZES}}
    if isinstance(module, Recurrence):
        return {"part": "recurrence", "cell": module.kind, "direction": module.direction, "features": module.features,
                "units": module.units}
    if isinstance(module, Region):
        return {"part": "region", **module.plain(plain_of)}
    if isinstance(module, Residual):
        first, second = (dense_plain(layer) for layer in module.body if is_dense(layer))
        return {"part": "residual", "axes": len(first["kernel_size"]), "before": first["sizes"][0],
                "inner": first["sizes"][1], "after": second["sizes"][1], "stride": first["stride"][0]}
    if isinstance(module, GRU):
        own = module.forwards
        return {"part": "gru", "features": own.input_map.in_features, "units": own.units,
                "both_ways": module.backwards is not None}
    for word, kind in OWN.items():
        if isinstance(module, kind):
            return {"part": word, **module.plain()}
    if name not in (*PLAIN, *MEANS):
        raise TypeError(f"a module of type {name} has no place in a graph")
    return {"part": name}


def part_of(plain: Any) -> nn.Module:
    """The module that plain data describe, with initial weights. Raises ValueError for data that describe none."""
    name = mapping(plain, "a part of a graph").get("part")
    made = _MAKERS.get(name) if isinstance(name, str) else None
    if made is None:
        raise ValueError(f"The file holds a part {shown(name)}; known are {', '.join(_MAKERS)}. Read it with the version "
                         "that wrote it, or a newer one.")
    return made({key: value for key, value in plain.items() if key != "part"})


def fitted(plain: dict[str, Any], path: str, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """A part with the sizes of its tensors, whose names begin with `path`; the part itself where it has none."""
    weight = tensors.get(f"{path}weight")
    if plain["part"] == "residual":
        first, second = (tensors[f"{path}body.{place}.weight"] for place in (0, 3))
        return {**plain, "before": first.shape[1], "inner": first.shape[0], "after": second.shape[0]}
    if plain["part"] == "gru":
        inputs, states = (tensors[f"{path}forwards.{name}.weight"] for name in ("input_map", "state_map"))
        return {**plain, "features": inputs.shape[1], "units": states.shape[1]}
    if weight is not None and plain["part"] == "dense":
        return {**plain, "sizes": [weight.shape[1], weight.shape[0]]}
    return {**plain, "features": len(weight)} if weight is not None and "features" in plain else plain


def _plain(kind: Callable[..., nn.Module], *sizes: int) -> Callable[[dict[str, Any]], nn.Module]:
    return lambda plain: kind(*sizes)


def _norm(kind: type[nn.BatchNorm1d] | type[nn.BatchNorm2d]) -> Callable[[dict[str, Any]], nn.Module]:
    def made(plain: dict[str, Any]) -> nn.Module:
        epsilon = plain.get("epsilon")
        if not isinstance(epsilon, float) or not 0 < epsilon <= MOST_EPSILON:
            raise ValueError(f"epsilon must be above 0 and at most {MOST_EPSILON}, but got {shown(epsilon)}")
        return kind(whole(plain, "features", 1), eps=epsilon)

    return made


def _pool(name: str) -> Callable[[dict[str, Any]], nn.Module]:
    axes = int(name[-2])

    def made(plain: dict[str, Any]) -> nn.Module:
        sizes = {size: wholes(plain, size, low, (axes,)) for size, low in POOL_SIZES.items()}
        if any(2 * padding > kernel for padding, kernel in zip(sizes["padding"], sizes["kernel_size"], strict=True)):
            raise ValueError("the padding of a pool must be at most half of its kernel")
        return POOLS[name](**{size: value if axes > 1 else value[0] for size, value in sizes.items()})

    return made


def _recurrence(plain: dict[str, Any]) -> nn.Module:
    cell, direction = plain.get("cell"), plain.get("direction")
    if cell not in list(CELLS) or direction not in list(DIRECTIONS):
        raise ValueError(f"a recurrent layer is one of {', '.join(CELLS)} and one of {', '.join(DIRECTIONS)}, but got "
                         f"{shown(cell)} and {shown(direction)}")
    return Recurrence(str(cell), str(direction), whole(plain, "features", 1), whole(plain, "units", 1))


def _residual(plain: dict[str, Any]) -> nn.Module:
    axes = whole(plain, "axes", 1, 2)
    convolution, norm = ((nn.Conv1d, nn.BatchNorm1d), (nn.Conv2d, nn.BatchNorm2d))[axes - 1]
    return Residual(convolution, norm, *(whole(plain, name, 1) for name in ("before", "inner", "after", "stride")))


def _gru(plain: dict[str, Any]) -> nn.Module:
    return GRU(whole(plain, "features", 1), whole(plain, "units", 1), flag(plain, "both_ways"))


def _tuple(value: int | tuple[int, ...], axes: int) -> tuple[int, ...]:
    return (value,) * axes if isinstance(value, int) else value


_MAKERS: dict[str, Callable[[dict[str, Any]], nn.Module]] = {
    "dense": dense_rebuild, "recurrence": _recurrence, "residual": _residual, "gru": _gru,
    "region": lambda plain: Region.rebuild(plain, part_of),
    **{name: _plain(kind) for name, kind in PLAIN.items()}, **{name: _plain(kind, 1) for name, kind in MEANS.items()},
    **{name: _norm(kind) for name, kind in NORMS.items()}, **{name: _pool(name) for name in POOLS},
    **{word: kind.rebuild for word, kind in OWN.items()}}
