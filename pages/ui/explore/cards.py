"""A few large figures in a row."""

from __future__ import annotations

from pages.ui.charts import outside, words


def row(figures: list[tuple[str, str]]) -> str:
    """HTML: pairs of (figure, what it is)."""
    cells = "".join(f"<div class='ce-card'><b>{outside.html(figure)}</b><span>{outside.html(name)}</span></div>"
                    for figure, name in figures)
    return f"<div class='ce-cards'>{cells}</div>"


def of_teacher(card: dict) -> list[tuple[str, str]]:
    """A teacher's card in figures."""
    return [(words.accuracy(card), f"accuracy, {card['correct']} of {card['examples']} validation examples (95 % "
             "interval)"),
            (words.size(card["bytes"]), "size of its file; all other files are compared with it"),
            (words.many(card["parameters"]), "parameters"), (words.many(card["macs"]), "multiply-adds per example"),
            (f"{card['latency_ms']:.2f} ms", "for one example, on this machine"),
            (f"{card['expected_calibration_error']:.3f}", "calibration error (0 = confidence matches accuracy)")]
