"""The command line: python -m compress data | networks | methods | teacher | curve | race | order | duel | solve | evaluate
| export | report | points.

Results are written to standard output, one JSON object a line, and progress to standard error. A wrong name or value ends
with exit code 2 and one line that says what is allowed; shell/outcome.py has the other exit codes.
"""

from __future__ import annotations

from compress.shell import stopping

if __name__ == "__main__":
    stopping.listen()  # before the other imports, which can be stopped too

import argparse
import sys
from typing import Any, NoReturn

from compress.settings import MOST_SEED
from compress.shell import of_archives, of_chains, of_curves, of_reports, of_searches, outcome, streams
from compress.shell.home_store import opened
from compress.shell.printed import say


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    return outcome.outcome(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int:
    chosen = _parser().parse_args(arguments)
    chosen.run(chosen)
    return outcome.DONE


def methods_command(chosen: argparse.Namespace) -> None:
    """Prints one JSON object for each method, or for those named: settings, ranges, dial."""
    from compress.methods import methods, named

    for kind in [named(name) for name in chosen.names] or methods().values():
        say(kind.card())


def evaluate_command(chosen: argparse.Namespace) -> None:
    """Reads a network file and prints its accuracy and each class's recall on a split, size and operations."""
    from compress.shell.of_files import evaluated

    say(evaluated(chosen.file, chosen.data, chosen.split, chosen.teacher, opened()))


def export_command(chosen: argparse.Namespace) -> None:
    """Writes a network file as ONNX or as a program of torch.export, with its normaliser inside, and prints how far that
    agrees on validation."""
    from compress.shell.of_files import exported

    say(exported(chosen.file, chosen.to, chosen.out, chosen.data))


def data_command(chosen: argparse.Namespace) -> None:
    """Prints the data sets; adds one from your own files (a table, arrays, a zip of pictures), or removes one."""
    from compress.shell import of_data

    for line in of_data.run(chosen):
        say(line)


def networks_command(chosen: argparse.Namespace) -> None:
    """Prints the networks of your own that are teachers; adds one from an ONNX file, or removes one."""
    from compress.shell import of_networks

    for line in of_networks.run(chosen):
        say(line)


class _Parser(argparse.ArgumentParser):
    """Options are written in full, and a mistake is answered in one line."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings, allow_abbrev=False)

    def print_help(self, file: Any = None) -> None:
        streams.say(self.format_help().rstrip())

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message[:1].upper()}{message[1:]}. See {self.prog} --help.")


def _parser() -> argparse.ArgumentParser:
    from compress.shell import of_data, of_networks

    parser = _Parser(prog="python -m compress", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    listed = commands.add_parser("methods", help=methods_command.__doc__)
    listed.add_argument("names", nargs="*", metavar="NAME", help="only these methods, for example low_rank")
    listed.set_defaults(run=methods_command)
    data = commands.add_parser("data", help=data_command.__doc__)
    of_data.add_actions(data)
    data.set_defaults(run=data_command)
    networks = commands.add_parser("networks", help=networks_command.__doc__)
    of_networks.add_actions(networks)
    networks.set_defaults(run=networks_command)
    shared = _Parser(add_help=False)
    shared.add_argument("--data", required=True, help="data set, for example digits, mnist5k, mnist1d")
    shared.add_argument("--teacher", default="mlp", help="for example mlp or 'mlp(hidden=300-100,epochs=20)'")
    shared.add_argument("--seed", default="0", help=f"a whole number from 0 to {MOST_SEED}")
    of_curves.add_to(commands, shared)
    of_chains.add_to(commands, shared)
    of_searches.add_to(commands, shared)
    _add_files(commands)
    of_reports.add_to(commands)
    of_archives.add_to(commands)
    return parser


def _add_files(commands: Any) -> None:
    """What is done with a network's file."""
    evaluated = commands.add_parser("evaluate", help=evaluate_command.__doc__)
    evaluated.add_argument("file")
    evaluated.add_argument("--data", required=True)
    evaluated.add_argument("--split", choices=("train", "calibration", "validation", "test"), default="validation")
    evaluated.add_argument("--teacher", metavar="FILE", help="a file to agree with")
    evaluated.set_defaults(run=evaluate_command)
    exported = commands.add_parser("export", help=export_command.__doc__)
    exported.add_argument("file")
    exported.add_argument("--to", choices=("onnx", "torch"), required=True)
    exported.add_argument("--out", metavar="FILE", help="the new file; by default the same name with .onnx or .pt2")
    exported.add_argument("--data", help="validation examples to agree on; by default those it was made for")
    exported.set_defaults(run=export_command)


if __name__ == "__main__":
    sys.exit(outcome.program(lambda: _run(None)))
