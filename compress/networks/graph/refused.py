"""The error of a graph that this program cannot use, in words for the user."""

from __future__ import annotations


class Refused(ValueError):
    """A graph, file or operator that is not supported. The message is this program's own, never another library's."""
