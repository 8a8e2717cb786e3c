"""Examples as pictures inside an HTML file: images as PNG, anything else as a line of its values. Imports numpy alone."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = ("#0072B2", "#D55E00", "#009E73")
WIDTH, HEIGHT = 100, 56  # of a drawn sequence, in its own units


def picture(levels: np.ndarray) -> str:
    """A data address of one example: (channels, height, width), (features, length) or (features,), 0..255."""
    return _png(levels.astype(np.uint8)) if levels.ndim == 3 else _svg(np.atleast_2d(levels))


def _png(channels: np.ndarray) -> str:
    """PNG (ISO/IEC 15948) of eight bits a sample, grey or with three colours, unfiltered."""
    planes = channels if len(channels) == 3 else channels[:1]
    _, height, width = planes.shape
    rows = np.ascontiguousarray(planes.transpose(1, 2, 0)).reshape(height, -1)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    kind = 2 if len(planes) == 3 else 0
    contents = SIGNATURE + b"".join((_chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, kind, 0, 0, 0)),
                                     _chunk(b"IDAT", zlib.compress(raw, 9)), _chunk(b"IEND", b"")))
    return "data:image/png;base64," + base64.b64encode(contents).decode()


def _chunk(name: bytes, contents: bytes) -> bytes:
    return struct.pack(">I", len(contents)) + name + contents + struct.pack(">I", zlib.crc32(name + contents))


def _svg(lines: np.ndarray) -> str:
    drawn = "".join(
        "<polyline fill='none' stroke='{}' stroke-width='1.6' points='{}'/>".format(COLOURS[number % 3], " ".join(
            f"{WIDTH * place / max(1, len(line) - 1):.1f},{HEIGHT - value * (HEIGHT - 4) / 255:.1f}"
            for place, value in enumerate(line.tolist()))) for number, line in enumerate(lines))
    text = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT + 2}'>{drawn}</svg>"
    return "data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode()
