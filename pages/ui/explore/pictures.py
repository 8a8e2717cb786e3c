"""Examples as pictures: images as they are, a sequence as a line or, of several features, as a map with a row for each;
texts as texts, and rows of a table as bars of their values."""

from __future__ import annotations

import base64
import io
import zlib
from typing import Any

import numpy as np
from PIL import Image

from compress.data import pictures as stored
from compress.data.pictures import thinned
from pages.ui.charts import outside
from pages.ui.shell import session

Values = list | np.ndarray | str
BLUE, GREY = "#3B8FCC", "#808C96"  # seen on a light and on a dark page


def of_examples(view: dict[str, Any], rows: list[int]) -> list[Any]:
    """Validation examples of a curve's view, 0..255 or texts; [] where their file is gone or damaged."""
    files, digest = session.store().artefacts, view.get("pictures", "")
    return stored.pictures(files.path(digest, stored.PICTURES), rows) if files.has(digest, stored.PICTURES) else []


def unpacked(text: str, shape: list[int]) -> list[np.ndarray]:
    """Pictures of this shape that were packed for transport as 'n,features,base64': uint8 arrays of what is shown of it (see
    thinned())."""
    if not text:
        return []
    count, size, contents = text.split(",", 2)
    levels = np.frombuffer(zlib.decompress(base64.b64decode(contents)), np.uint8)
    return list(thinned(levels.reshape(int(count), int(size)), shape))


def difference(one: list | np.ndarray, other: list | np.ndarray) -> np.ndarray:
    """What other lacks of one, around ground grey."""
    return (127.5 + (np.asarray(one, float) - np.asarray(other, float)) / 2).round().clip(0, 255).astype(np.uint8)


def gallery(examples: list[tuple[Values, str]], size: int = 84, widest: int = 10_000, row: bool = False) -> str:
    """HTML: pictures in a row, each with its caption, which is its alternative text too.

    Args:
        examples: pairs of values (nested lists or an array shaped like an example, 0..255; or a text) and a caption.
        size: height in pixels; a picture that would be wider than `widest` is lower.
        row: they share the width of the page instead, whatever their size.
    """
    figures = "".join(f"<figure>{_shown(values, caption, size, widest)}<figcaption>{outside.html(caption)}</figcaption>"
                      "</figure>" for values, caption in examples)
    return f"<div class='ce-pictures{' row' if row else ''}'>{figures}</div>"


def _shown(values: Values, caption: str, size: int, widest: int) -> str:
    if isinstance(values, str):
        return f"<blockquote>{outside.html(values)}</blockquote>"
    return f"<img src='{picture(values)}' {_extent(values, size, widest)} alt='{outside.html(caption)}'>"


def picture(values: list | np.ndarray) -> str:
    """A data address of one example: (channels, height, width), (features, length) or (features,), 0..255."""
    levels = np.asarray(values)
    if levels.ndim == 2 and len(levels) > 1:  # as in charts/rebuilt.py: lines over each other could not be told apart
        return _png(255 - levels[None])
    if levels.ndim == 3:
        return _png(levels)
    return _svg(_line(levels[0].tolist()) if levels.ndim == 2 else _bars(levels.tolist()))


def _extent(values: list | np.ndarray, size: int, widest: int) -> str:
    width = _width(np.shape(values), size)
    return f"width='{min(width, widest)}' height='{max(1, round(size * min(1.0, widest / width)))}'"


def _width(shape: tuple[int, ...], size: int) -> int:
    return round(size * shape[2] / shape[1]) if len(shape) == 3 else round(size * 1.7)


def _png(channels: np.ndarray) -> str:
    planes = channels.astype(np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(planes.transpose(1, 2, 0)) if len(planes) == 3 else planes[0])
    contents = io.BytesIO()
    picture.save(contents, "png")
    return "data:image/png;base64," + base64.b64encode(contents.getvalue()).decode()


def _line(values: list[int]) -> str:
    step = 100 / max(1, len(values) - 1)
    points = " ".join(f"{step * place:.1f},{_height(value):.1f}" for place, value in enumerate(values))
    return f"<polyline fill='none' stroke='{BLUE}' stroke-width='1.6' points='{points}'/>"


def _bars(values: list[int]) -> str:
    """Columns of a table have no order, so that no line joins them."""
    width, ground = 100 / max(1, len(values)), _height(0)
    bars = "".join(f"<rect x='{width * place:.2f}' y='{min(ground, _height(value)):.1f}' width='{0.8 * width:.2f}' "
                   f"height='{abs(ground - _height(value)):.1f}'/>" for place, value in enumerate(values))
    return f"<g fill='{BLUE}'>{bars}</g><path stroke='{GREY}' stroke-width='0.5' d='M0 {ground:.1f}H100'/>"


def _height(value: float) -> float:
    return 58 - value * 56 / 255


def _svg(drawn: str) -> str:
    """Its ground lets the page's colour through, light or dark."""
    text = ("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 100 60' preserveAspectRatio='none'>"
            f"<rect width='100' height='60' fill='{GREY}' fill-opacity='0.12'/>{drawn}</svg>")
    return "data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode()
