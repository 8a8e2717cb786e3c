"""Tiles of examples."""

from __future__ import annotations

import pytest
import torch

from compress.tiling import Tiling

CASES = [((1, 8, 8), 0), ((1, 8, 8), 4), ((3, 6, 9), 3), ((2, 12), 4), ((2, 12), 0), ((5,), 0)]


@pytest.mark.parametrize(("shape", "side"), CASES)
def test_tiles_come_back_as_examples(shape: tuple[int, ...], side: int) -> None:
    tiling, examples = Tiling(shape, side), torch.randn(7, *shape)
    tiles = tiling.cut(examples)
    assert tiles.shape == (7 * tiling.count, tiling.features) and not tiling.misfit()
    assert torch.equal(tiling.joined(tiles), examples)


def test_tiles_are_squares_of_all_channels_row_by_row() -> None:
    image = torch.arange(2 * 4 * 6.0).view(1, 2, 4, 6)
    tiles = Tiling((2, 4, 6), 2).cut(image)
    assert torch.equal(tiles[1].view(2, 2, 2), image[0, :, :2, 2:4])
    assert torch.equal(tiles[3].view(2, 2, 2), image[0, :, 2:, :2])


def test_windows_of_a_sequence_hold_all_features() -> None:
    sequence = torch.arange(2 * 6.0).view(1, 2, 6)
    assert torch.equal(Tiling((2, 6), 3).cut(sequence)[1].view(2, 3), sequence[0, :, 3:])


@pytest.mark.parametrize(("shape", "side", "allowed"), [((1, 8, 8), 3, "2, 4, 8"), ((1, 28, 28), 5, "2, 4, 7, 14, 28"),
                                                        ((2, 9), 2, "3, 9")])
def test_a_side_that_does_not_divide_is_answered_with_those_that_do(shape: tuple[int, ...], side: int, allowed: str) -> None:
    assert f"0 (whole examples) or one of {allowed}" in Tiling(shape, side).misfit()


def test_tables_are_coded_whole() -> None:
    assert "tile must be 0 (whole examples) for examples of shape (5,), but got 2" in Tiling((5,), 2).misfit()
