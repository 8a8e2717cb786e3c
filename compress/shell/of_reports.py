"""The command that writes the final report as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.atomic_file import write_whole
from compress.recipe import Recipe
from compress.shell import streams
from compress.shell.home_store import opened
from compress.shell.printed import say

if TYPE_CHECKING:
    from compress.curves.store import Store


def add_to(commands: Any) -> None:
    """Adds the command to those of a parser."""
    text = "Tests networks once on the test split, and writes the final report as one HTML file."
    report = commands.add_parser("report", help=text)
    report.add_argument("--data", required=True)
    report.add_argument("--recipe", action="append", default=[], help="a measured network; by default all that are pinned")
    report.add_argument("--out", metavar="FILE", help="the new file; by default report_DATA.html")
    report.set_defaults(run=lambda chosen: say(reported(chosen.data, chosen.recipe, chosen.out, opened())))


def reported(data_name: str, recipes: list[str], out: str | None, store: Store) -> dict[str, Any]:
    """Tests networks on the test split, unless just these were tested together before, and writes the report.

    Args:
        recipes: of measured networks; none for those that are pinned.
        out: the new file; None for report_DATA.html.

    Raises:
        ValueError: nothing is pinned, or a recipe has no point.
    """
    from compress.curves.sink import report_key
    from compress.data import datasets
    from compress.methods import methods
    from compress.networks import device
    from compress.progress import no_report
    from compress.report import gathering, page
    from compress.service.job_kinds import do
    from compress.service.requests import FinalRequest

    where, data = device.prepare(), datasets.load(data_name)
    digests = _chosen(store, data_name, data.digest, recipes)
    key = report_key(data_name, data.digest, digests)
    if store.view(key, gathering.VIEW) is None:
        do(FinalRequest(data_name, tuple(digests), key), store, no_report, where)
    cards = {name: kind.card() for name, kind in methods().items()}
    found = gathering.gather(store, data_name, data.digest, digests, cards, data.title)
    if found is None:
        raise RuntimeError(f"The networks of {data_name} were tested, but their report is not in the store.")
    times = "once" if found.opened == 1 else f"{found.opened:,} times"
    streams.note(f"The test split of {data_name} has been used {times}.")
    file, contents = Path(out or f"report_{data_name.replace(':', '-')}.html"), page.page(found, store.artefacts)
    write_whole(contents, file)
    return {"report": str(file), "bytes": len(contents), "networks": len(found.networks), "opened": found.opened}


def _chosen(store: Store, data: str, digest: str, recipes: list[str]) -> list[str]:
    """The digests of the files, each once."""
    from compress.curves.sweep import complete

    points = [one for one in store.all_points() if one["data"] == data and one["data_digest"] == digest]
    if not recipes:
        found = [one["digest"] for one in points if one["pinned"]]
        if not found:
            raise ValueError(f"No network of {data} is pinned. Pin some on the Compare page, or name measured ones by "
                             "--recipe, as the command curve prints them.")
        return list(dict.fromkeys(found))
    by_key = {one["key"]: one["digest"] for one in points}
    keys = {text: complete(Recipe.parse(text)).key() for text in recipes}
    for text, key in keys.items():
        if key not in by_key:
            raise ValueError(f"The recipe {text[:200]} has no point on {data}. Measure it first, by the command curve.")
    return list(dict.fromkeys(by_key[key] for key in keys.values()))
