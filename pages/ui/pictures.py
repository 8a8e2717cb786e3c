"""Examples as pictures: images as they are, sequences as a line, anything else as bars of its values."""

from __future__ import annotations

import base64
import html
import io

from PIL import Image


def gallery(examples: list[tuple[list, str]], size: int = 84, widest: int = 10_000) -> str:
    """HTML: pictures in a row, each with its caption, which is its alternative text too.

    Args:
        examples: pairs of values (nested lists shaped like an example, 0..255) and a caption.
        size: height in pixels; a picture that would be wider than `widest` is lower.
    """
    figures = "".join(
        f"<figure><img src='{picture(values)}' {_extent(values, size, widest)} "
        f"alt='{html.escape(caption, quote=True)}'><figcaption>{html.escape(caption)}</figcaption></figure>"
        for values, caption in examples)
    return f"<div class='ce-pictures'>{figures}</div>"


def picture(values: list) -> str:
    """A data address of one example: (channels, height, width), (features, length) or (features,), 0..255."""
    if values and isinstance(values[0], list) and isinstance(values[0][0], list):
        return _png(values)
    lines = values if isinstance(values[0], list) else [values]
    return _svg(lines)


def _extent(values: list, size: int, widest: int) -> str:
    width = _width(values, size)
    return f"width='{min(width, widest)}' height='{max(1, round(size * min(1.0, widest / width)))}'"


def _width(values: list, size: int) -> int:
    deep = isinstance(values[0], list) and isinstance(values[0][0], list)
    return round(size * len(values[0][0]) / len(values[0])) if deep else round(size * 1.7)


def _png(channels: list[list[list[int]]]) -> str:
    height, width = len(channels[0]), len(channels[0][0])
    planes = [bytes(value for row in channel for value in row) for channel in channels]
    if len(planes) == 3:
        picture = Image.merge("RGB", [Image.frombytes("L", (width, height), plane) for plane in planes])
    else:
        picture = Image.frombytes("L", (width, height), planes[0])
    contents = io.BytesIO()
    picture.save(contents, "png")
    return "data:image/png;base64," + base64.b64encode(contents.getvalue()).decode()


def _svg(lines: list[list[int]]) -> str:
    colours = ("#0072B2", "#D55E00", "#009E73")
    paths = "".join(
        "<polyline fill='none' stroke='{}' stroke-width='1.6' points='{}'/>".format(
            colours[number % 3], " ".join(f"{100 * place / max(1, len(line) - 1):.1f},{58 - value * 56 / 255:.1f}"
                                          for place, value in enumerate(line)))
        for number, line in enumerate(lines))
    text = ("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 100 60' preserveAspectRatio='none'>"
            f"<rect width='100' height='60' fill='#f3f5f8'/>{paths}</svg>")
    return "data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode()
