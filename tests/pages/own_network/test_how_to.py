"""The commands that the empty page shows are commands of the program."""

from __future__ import annotations

import shlex

from compress import __main__ as program
from pages.ui.own_network import stage


def test_the_commands_for_packages_are_understood():
    for line, package in zip(stage.FROM_PACKAGES.splitlines(), ("transformers", "timm"), strict=True):
        chosen = program._parser().parse_args(shlex.split(line)[3:])
        assert (chosen.action, chosen.package) == ("add", package)
