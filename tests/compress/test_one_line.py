"""Text from outside in one line: nothing that moves a terminal's cursor, turns a line of writing round or breaks it."""

from __future__ import annotations

import pytest

from compress.one_line import one_line


@pytest.mark.parametrize(("text", "shown"), [
    ("two\nlines\r\nand\ta tab", "two lines and a tab"),
    ("\x1b[2J\x1b[31mred", "\ufffd[2J\ufffd[31mred"),
    ("a\x00b\x07", "a\ufffdb\ufffd"),
    ("abc\u202ecba\u2066", "abc\ufffdcba\ufffd"),
    ("caf\udce9", "caf\ufffd"),
    ("  much   room ", "much room"),
    ("\u0645\u06cc\u200c\u062e \U0001f469\u200d\U0001f52c", "\u0645\u06cc\u200c\u062e \U0001f469\u200d\U0001f52c"),
    (7, "7"),
])
def test_what_cannot_be_printed_does_not_stay(text, shown):
    assert one_line(text) == shown
    one_line(text).encode("utf-8")


def test_a_long_text_is_cut():
    assert one_line("x" * 61, 60) == "x" * 57 + "..."
    assert one_line("x" * 60, 60) == "x" * 60
    assert len(one_line("<b>" * 1_000_000, 60)) == 60
