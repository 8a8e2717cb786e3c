"""Small pictures for the chips of presets, drawn as shapes in one colour: name -> SVG of WIDTH by HEIGHT.

A page uses a picture as a mask (see `rule`), so that it has the colour of the chip's words in every theme; what is half
transparent here is paler there. Never imports streamlit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from math import cos, pi, sin
from urllib.parse import quote

WIDTH, HEIGHT = 28, 18
PALE = 0.35
Points = Iterable[tuple[float, float]]


def box(x: float, y: float, width: float, height: float, shade: float = 1.0, hollow: bool = False) -> str:
    """A rectangle by its upper left corner; hollow: its edge alone, dashed."""
    if hollow:
        return (f'<rect x="{x + 0.6:g}" y="{y + 0.6:g}" width="{width - 1.2:g}" height="{height - 1.2:g}" fill="none" '
                f'stroke="#000" stroke-width="1.2" stroke-dasharray="2 1.4" opacity="{shade:g}"/>')
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx=".6" opacity="{shade:g}"/>'


def disc(x: float, y: float, radius: float, shade: float = 1.0, hollow: bool = False) -> str:
    """A circle by its middle; hollow: its edge alone."""
    look = f'opacity="{shade:g}"' if not hollow else 'fill="none" stroke="#000" stroke-width="1.3"'
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" {look}/>'


def line(points: Points, width: float = 2.0, shade: float = 1.0) -> str:
    """A line with round ends through points."""
    through = " ".join(f"{x:g},{y:g}" for x, y in points)
    return (f'<polyline points="{through}" fill="none" stroke="#000" stroke-width="{width:g}" stroke-linecap="round" '
            f'stroke-linejoin="round" opacity="{shade:g}"/>')


def curved(path: str) -> str:
    """A thick line along an SVG path."""
    return f'<path d="{path}" fill="none" stroke="#000" stroke-width="2.1" stroke-linecap="round"/>'


def cells(rows: str, size: float, x: float = 0.0, y: float = 0.0, gap: float = 0.5) -> str:
    """Squares: '#' dark, '+' pale, '.' none; rows are divided by spaces."""
    shades = {"#": 1.0, "+": PALE}
    return "".join(box(x + column * size, y + row * size, size - gap, size - gap, shades[sign])
                   for row, signs in enumerate(rows.split()) for column, sign in enumerate(signs) if sign in shades)


def bars(heights: Iterable[float], width: float = 3.4, shades: Iterable[float] = ()) -> str:
    """Bars side by side from the foot."""
    tall, pale = list(heights), list(shades)
    left = (WIDTH - len(tall) * width) / 2
    return "".join(box(left + place * width, 17 - height, width - 0.9, height, pale[place] if pale else 1.0)
                   for place, height in enumerate(tall))


def nodes(columns: Iterable[str], radius: float = 1.7) -> str:
    """A network: columns of units, 'o' there and 'x' removed, joined by pale lines."""
    placed = [[(4 + 10 * number, 9 + 4.6 * (row - (len(units) - 1) / 2), unit) for row, unit in enumerate(units)]
              for number, units in enumerate(columns)]
    joined = [line([(x, y), (to, down)], 0.7, PALE) for left, right in pairwise(placed)
              for x, y, one in left for to, down, other in right if one == other == "o"]
    return "".join(joined) + "".join(disc(x, y, radius, hollow=unit == "x") for column in placed for x, y, unit in column)


def arrow(shift: float = 0.0) -> str:
    """From left to right."""
    return (line([(13 + shift, 9), (17 + shift, 9)], 1.7)
            + line([(15.4 + shift, 7), (17.4 + shift, 9), (15.4 + shift, 11)], 1.7))


def clock() -> str:
    """A dial with two hands."""
    ticks = [line([(14 + 6.2 * cos(angle), 9 + 6.2 * sin(angle)), (14 + 7 * cos(angle), 9 + 7 * sin(angle))], 1)
             for angle in (pi / 2 * quarter for quarter in range(4))]
    return disc(14, 9, 8, hollow=True) + "".join(ticks) + line([(14, 4.6), (14, 9), (17.4, 11)], 1.6)


def ticket() -> str:
    """A ticket with notches, torn in two."""
    return ('<path d="M3 3h22v4a2 2 0 0 0 0 4v4H3v-4a2 2 0 0 0 0-4z" fill="none" stroke="#000" stroke-width="1.6"/>'
            + line([(17.5, 4.5), (17.5, 13.5)], 1.2, 0.6) + line([(7, 7.5), (13, 7.5)], 1.6)
            + line([(7, 10.8), (11, 10.8)], 1.6))


def staircase() -> str:
    """A curve, and the levels that it is rounded to."""
    return (line([(2, 16), (9, 14.5), (13, 10), (16, 6.5), (20, 3), (26, 2)], 1.1, PALE)
            + line([(2, 16), (8, 16), (8, 11.5), (14, 11.5), (14, 6.8), (20, 6.8), (20, 2.2), (26, 2.2)], 2))


def numbers(signs: str) -> str:
    """0, 1, + and - as large signs side by side."""
    step = WIDTH / len(signs)
    drawn = {"0": lambda x: f'<ellipse cx="{x:g}" cy="9" rx="2.6" ry="5" fill="none" stroke="#000" stroke-width="1.9"/>',
             "1": lambda x: line([(x - 1.8, 6), (x + 0.6, 4), (x + 0.6, 14)], 1.9),
             "-": lambda x: line([(x - 2.6, 9), (x + 2.6, 9)], 1.9),
             "+": lambda x: line([(x - 2.6, 9), (x + 2.6, 9)], 1.9) + line([(x, 6.4), (x, 11.6)], 1.9)}
    return "".join(drawn[sign](step * (place + 0.5)) for place, sign in enumerate(signs))


def photograph() -> str:
    """A frame with mountains and the sun."""
    return ('<path d="M2 1.5h24v15H2z" fill="none" stroke="#000" stroke-width="1.4"/>'
            '<path d="M3 15.5l6.5-8 5 6 3.5-4 6.5 6z"/>' + disc(19.5, 5.6, 1.9))


def loop() -> str:
    """A cell whose output is an input of the next step."""
    return (box(9, 7, 10, 8) + line([(19, 9), (24, 9), (24, 3), (4, 3), (4, 11), (8, 11)], 1.5)
            + line([(6, 9), (8.4, 11), (6, 13)], 1.5))


def skip() -> str:
    """Blocks with a connection around them."""
    return (box(8, 8, 5, 8) + box(16, 8, 5, 8) + line([(2, 12), (26, 12)], 1.3)
            + line([(4, 12), (4, 3), (24, 3), (24, 12)], 1.4))


def planes(shades: Iterable[float]) -> str:
    """Channels of a convolution, one behind the other; 0: removed."""
    return "".join(box(1.5 + 6.3 * place, 1.5 + 1.2 * (place % 2), 5.4, 13.5, shade or 1.0, hollow=not shade)
                   for place, shade in enumerate(shades))


def splitting() -> str:
    """Two classes and the straight line between them."""
    return (line([(4, 16), (24, 2)], 1.8) + disc(7, 5, 1.8) + disc(12, 3.6, 1.8) + disc(17, 14, 1.8, PALE)
            + disc(22.5, 11, 1.8, PALE))


DRAWN: dict[str, Callable[[], str]] = {
    "digit": lambda: cells("####. ...## ..##. ...## ####.", 3.4, 5.6, 0.6),
    "text": lambda: "".join(box(*place, 2.0, shade) for place, shade in zip(
        ((2, 2.5, 9), (12.5, 2.5, 5), (19, 2.5, 7), (2, 8, 4), (7.5, 8, 11), (20, 8, 6), (2, 13.5, 7), (10.5, 13.5, 6)),
        (1, PALE, 1, PALE, 1, 1, 1, PALE), strict=True)),
    "fewer words": lambda: "".join(
        line([(x + 0.4, y + 1), (x + width - 0.4, y + 1)], 0.7, PALE) if gone else box(x, y, width, 2.0)
        for x, y, width, gone in ((2, 2.5, 9, False), (12.5, 2.5, 5, True), (19, 2.5, 7, False), (2, 8, 4, True),
                                  (7.5, 8, 11, True), (20, 8, 6, False), (2, 13.5, 7, False), (10.5, 13.5, 6, True))),
    "codebook": lambda: (cells("#+ +# ##", 4.2, 1, 2.5) + arrow(-1) + cells("##", 4.2, 18.6, 2.5)
                         + cells("#+", 4.2, 18.6, 10)),
    "bag": lambda: bars([5, 15, 3, 9, 2, 12, 4], 2.6),
    "genes": lambda: cells("##++.+ ##+.+. .+##++ +.##+. +++.## .++.##", 3, 5, 0.2, 0.5),
    "few labels": lambda: cells("+#++++ ++++++ ++++#+ ++++++", 4.4, 1, 0.5, 0.9),
    "some labels": lambda: cells("+#++#+ #+++++ ++#+#+ +++++#", 4.4, 1, 0.5, 0.9),
    "pair": lambda: disc(8, 9, 7.4) + disc(22.5, 9, 3.7) + line([(16.2, 9), (18, 9)], 1.6, 0.6),
    "narrow": lambda: nodes(["oooo", "oo", "ooo"]),
    "missing class": lambda: bars([15, 11, 13, 0, 14, 9]) + box(14, 2, 2.5, 15, hollow=True),
    "gap": lambda: disc(7.5, 9, 7) + disc(18.5, 9, 3.4, hollow=True) + disc(25.4, 9, 1.9),
    "falling": lambda: bars([16, 11, 8, 5.5, 4, 3, 2.2], 3.6, [1, 1, 1, PALE, PALE, PALE, PALE]),
    "product": lambda: box(3, 1, 4.4, 16) + box(11, 1, 15, 4.4) + box(11, 7, 15, 10, 0.15),
    "unequal": lambda: bars([15, 5, 11], 8),
    "components": lambda: box(1, 1, 9, 16, PALE) + arrow() + box(21, 1, 3.4, 16),
    "mask": lambda: cells("#.##.#.# .#..#.#. #.#.##.. ..#.#..#", 3.5, 0.2, 1.8, 0.8),
    "refitted": lambda: "".join(disc(x, y, radius, 1 if radius > 1 else PALE) for x, y, radius in (
        (4, 4, 2.8), (11, 4, 1), (18, 4, 2.2), (25, 4, 1), (4, 14, 1), (11, 14, 3.1), (18, 14, 1), (25, 14, 2.5))),
    "one by one": lambda: "".join(disc(4 + 6.7 * place, 9, 2.5, 1 if place else PALE, not place) for place in range(4)),
    "layer by layer": lambda: (box(1.5, 2, 3, 14) + arrow(-5.5) + box(14, 4.5, 3, 9) + line([(19.5, 9), (22, 9)], 1.4)
                               + box(24, 6, 2.6, 6, PALE)),
    "learning": lambda: (line([(3, 2), (3, 16), (26, 16)], 1.3, 0.6)
                         + line([(6, 3), (8, 8.5), (12, 11.6), (18, 13), (25, 13.6)])),
    "neurons": lambda: nodes(["oxoo", "oox", "oo"]),
    "channels removed": lambda: planes((1, 0, 1, 0)),
    "two of four": lambda: cells("##++ ++##", 6.2, 1.8, 3, 1.2),
    "ticket": ticket,
    "atoms": lambda: cells("#+ +#", 4.6, 0.6, 4.6) + cells("## ++", 4.6, 9.6, 4.6) + cells("+# +#", 4.6, 18.6, 4.6),
    "first layer": lambda: box(2, 1, 11, 16) + box(15.5, 5, 5, 8, PALE) + box(23, 7, 3, 4, PALE),
    "hidden layer": lambda: box(2, 1, 6, 16, PALE) + box(11, 3, 6, 12) + box(20, 6, 6, 6, PALE),
    "noise": lambda: cells("#.+#.#+. .#+.#.+# +.#.+#.# #+.#..#+", 3.5, 0.2, 1.8, 0.3),
    "photograph": photograph,
    "strokes": lambda: "".join(map(curved, ("M3 6q4 -6 6 0t-5 9", "M14 3q-3 6 0 12", "M19 5q9 -2 7 4t-7 6"))),
    "parts": lambda: (line([(3, 14), (3, 5), (8, 4)], 2.2) + line([(11.6, 9), (16.4, 9)], 1.8)
                      + line([(14, 6.6), (14, 11.4)], 1.8) + line([(20, 14), (25, 13), (25, 4)], 2.2)),
    "overlapping": lambda: "".join(box(2 + 4.5 * place, 1 + 2 * place, 10, 10, 0.45) for place in range(4)),
    "target": lambda: (disc(14, 9, 7.6, hollow=True) + disc(14, 9, 2.6) + line([(3, 9), (8, 9)], 1.4)
                       + line([(20, 9), (25, 9)], 1.4)),
    "as needed": lambda: bars([4, 15, 4, 8, 4, 12], 4.2),
    "codes": lambda: cells("+ # + + #", 3.5, 4, 0.4) + arrow(-2) + disc(21.5, 9, 3.6),
    "batches": lambda: box(2, 3, 5.6, 12, PALE) + box(9, 3, 5.6, 12, 0.6) + box(16, 3, 9, 12),
    "one atom": lambda: cells(".+. +#+ .+.", 5.4, 6, 1),
    "maps": lambda: planes((1, 0.75, 0.55, PALE)),
    "levels": staircase,
    "three steps": lambda: box(1, 1, 10, 16, PALE) + box(13, 4, 6.4, 10, 0.6) + box(21.6, 6.5, 4.6, 5),
    "bits": lambda: numbers("101"),
    "ternary": lambda: numbers("-0+"),
    "correction": lambda: (box(1, 2, 9, 14, PALE) + line([(12, 9), (16, 9)], 1.5) + line([(14, 7), (14, 11)], 1.5)
                           + box(18, 2, 2.4, 14) + box(21.6, 2, 5.4, 2.4)),
    "clock": clock,
    "layers": lambda: nodes(["ooo", "oooo", "oo"]),
    "loop": loop,
    "skip": skip,
    "splitting": splitting,
}
OF_FAMILY = {"mlp": "layers", "cnn": "maps", "gru": "loop", "embedding_bag": "text", "token_gru": "loop",
             "token_cnn": "maps", "resnet": "skip", "logistic": "splitting"}


def drawing(name: str) -> str:
    """The picture as an SVG document. Raises KeyError for a name that is not in DRAWN."""
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
            f'{DRAWN[name]()}</svg>')


def rule(key: str, name: str) -> str:
    """A rule of CSS that puts a picture before the words of the button with this key, in the colour of these words.

    Args:
        key: of the button. Streamlit makes a class of it: every sign but letters, digits, _ and - becomes -.
    """
    place = re.sub(r"[^a-zA-Z0-9_-]", "-", key.strip())
    picture = f"url(\"data:image/svg+xml,{quote(drawing(name))}\")"
    return (f".st-key-{place} button::before {{ content: ''; flex: none; width: {WIDTH}px; height: {HEIGHT}px; "
            f"margin-right: 0.45rem; background: currentColor; mask: {picture} center / contain no-repeat; }}")
