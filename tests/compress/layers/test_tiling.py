"""Tiles of examples."""

from __future__ import annotations

import pytest
import torch

from compress.layers.tiling import Tiling

CASES = [((1, 8, 8), 0), ((1, 8, 8), 4), ((3, 6, 9), 3), ((2, 12), 4), ((2, 12), 0), ((5,), 0)]


@pytest.mark.parametrize(("shape", "side"), CASES)
def test_tiles_come_back_as_examples(shape: tuple[int, ...], side: int) -> None:
    tiling, examples = Tiling(shape, side), torch.randn(7, *shape)
    tiles = tiling.cut(examples)
    assert tiles.shape == (7 * tiling.count, tiling.features) and not tiling.invalid_reason()
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
    assert f"0 (whole examples) or one of {allowed}" in Tiling(shape, side).invalid_reason()


@pytest.mark.parametrize(("shape", "side", "step", "count"), [((1, 28, 28), 10, 2, 100), ((3, 6, 9), 3, 1, 28),
                                                             ((2, 12), 4, 2, 5)])
def test_overlapping_tiles_come_back_as_the_mean_of_all(shape: tuple[int, ...], side: int, step: int, count: int) -> None:
    tiling, examples = Tiling(shape, side, step), torch.randn(3, *shape, dtype=torch.float64)
    tiles = tiling.cut(examples)
    assert not tiling.invalid_reason() and tiling.overlaps and tiling.count == count
    assert tiles.shape == (3 * count, tiling.features)
    torch.testing.assert_close(tiling.joined(tiles), examples)
    moved = tiles.clone()
    moved[0] += 1  # only the first tile of the first example, whose first sample is in no other
    gap = (tiling.joined(moved) - examples)[0].flatten()
    assert float(gap[0]) == pytest.approx(1) and float(gap.sum()) < tiling.features and not gap[-1]
    first = tuple([0, slice(None), *[slice(0, side)] * (len(shape) - 1)])
    second = tuple([0, slice(None), *[slice(0, side)] * (len(shape) - 2), slice(step, step + side)])
    assert torch.equal(tiles[0], examples[first].flatten()) and torch.equal(tiles[1], examples[second].flatten())


def test_steps_that_leave_gaps_or_do_not_end_at_the_border_are_answered() -> None:
    assert "stride must be between 0 and 4 (the side of a tile; 0 for tiles side by side), but got 6" in Tiling(
        (1, 8, 8), 4, 6).invalid_reason()
    assert "0 (whole examples) or one of 3, 5, 7, 9 for examples of shape (2, 9) and steps of 2, but got 4" in Tiling(
        (2, 9), 4, 2).invalid_reason()


def test_tables_are_coded_whole() -> None:
    assert "tile must be 0 (whole examples) for examples of shape (5,), but got 2" in Tiling((5,), 2).invalid_reason()
