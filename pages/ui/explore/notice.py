"""What to notice: sentences about these very results, with paired tests instead of guesses by eye."""

from __future__ import annotations

from array import array

from compress.points.statistics import mcnemar
from pages.ui.charts import words


def paired(first: bytes, second: bytes, labels: list[int]) -> tuple[int, int, float]:
    """Of two networks on the same examples: how many only the first has right, only the second, and McNemar's p.

    Args:
        first, second: predicted classes as stored (uint16, little-endian).
    """
    ours, theirs = array("H", first), array("H", second)
    first_only = sum(a == label != b for a, b, label in zip(ours, theirs, labels, strict=True))
    second_only = sum(b == label != a for a, b, label in zip(ours, theirs, labels, strict=True))
    return first_only, second_only, mcnemar(first_only, second_only)


def of_point(point: dict, reference: dict, name: str, p_value: float | None) -> str:
    """The point at the dial against the reference, and whether the difference is significant."""
    lost = reference["accuracy"] - point["accuracy"]
    text = (f"At this stop: {words.smaller_than(point['bytes'], reference['bytes'], f'the {name}')}, "
            f"<b>{words.points_lost(lost)}</b>")
    if p_value is None or lost == 0:
        return text + f" on {reference['examples']:,} examples."
    if p_value < 0.05:
        return text + f": a significant difference (paired test, p = {_p(p_value)})."
    return text + f": not significant on {reference['examples']:,} examples (paired test, p = {_p(p_value)})."


def smallest_within_a_point(points: list[dict], reference: dict) -> dict | None:
    """The point with the smallest file that costs at most one point of accuracy; None if no smaller file does."""
    good = [point for point in points if point["accuracy"] >= reference["accuracy"] - 0.01
            and point["bytes"] < 0.99 * reference["bytes"]]
    return min(good, key=lambda point: point["bytes"], default=None)


def of_curve(points: list[dict], reference: dict) -> str:
    """The smallest file that costs at most one point of accuracy."""
    best = smallest_within_a_point(points, reference)
    if not best:
        return "No smaller file measured so far stays within one point of the reference's accuracy."
    return (f"The smallest file within one point of the reference: <b>{words.size(best['bytes'])}</b> "
            f"({words.times_smaller(best['bytes'], reference['bytes'])}), {words.accuracy(best)}.")


def _p(value: float) -> str:
    return "0.001 or less" if value <= 0.001 else f"{value:.2g}"
