"""Text from outside as one line of printable signs: names of classes and files, errors of other libraries, links."""

from __future__ import annotations

JOINERS = "\u200c\u200d"  # of Persian and Indic words and of composed pictures: invisible, and they reorder nothing
UNPRINTABLE = "\ufffd"


def one_line(text: object, most: int | None = None) -> str:
    """The text without line breaks, control characters, escape sequences of terminals, marks that turn the direction of
    writing, or half characters (such as a file name has that is not UTF-8).

    Args:
        text: anything; what it says of itself is taken.
        most: signs that are kept; a longer text ends with "...".
    """
    cut = str(text) if most is None else str(text)[:8 * most]  # no more work for a text of a million signs
    if not cut.isprintable():  # nearly every text is, and signs one by one take long
        cut = "".join(sign if sign.isprintable() or sign in JOINERS else " " if sign.isspace() else UNPRINTABLE
                      for sign in cut)
    line = " ".join(cut.split())
    return line if most is None or len(line) <= most else f"{line[:most - 3]}..."
