"""The browser tab's picture, drawn here: an icon named from a font would be fetched from the internet."""

from __future__ import annotations

import base64
import io
from functools import cache

from PIL import Image, ImageDraw


@cache
def icon() -> str:
    """A falling curve with a marked point on it, as a data address of a PNG: Streamlit would keep a picture for as long as a
    page's session lasts, and a browser that asks for it when another page has begun would find nothing."""
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    pen.line([(6, 56), (16, 30), (30, 17), (58, 11)], fill="#0072B2", width=8, joint="curve")
    pen.ellipse([20, 9, 42, 31], fill="#E69F00", outline="#ffffff", width=3)
    contents = io.BytesIO()
    picture.save(contents, "PNG")
    return "data:image/png;base64," + base64.b64encode(contents.getvalue()).decode()
