"""The report as one HTML file that needs nothing else: charts that can be zoomed, settings, seeds, versions, pictures.

plotly.js, which draws the charts, is copied into it from the installed package. The file asks no other host for anything,
and forbids a browser to do so.
"""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from compress.files.artefacts import Artefacts
from compress.report import charts
from compress.report.escaping import script, text
from compress.report.gathering import Network, Report
from compress.report.pictures import picture

PICTURES = ".npy"
LONGEST = 400  # signs of an example that is a text
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1c2530; background: white; max-width: 1080px; margin: 2rem auto;
  padding: 0 1.2rem; }
h1 { line-height: 1.2; } h2 { margin-top: 2.2rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.93rem; }
th, td { text-align: left; padding: 0.3rem 0.7rem 0.3rem 0; border-bottom: 1px solid #dde2e8; vertical-align: top; }
td:first-child { overflow-wrap: anywhere; }
figure { display: inline-block; margin: 0 0.5rem 0.5rem 0; text-align: center; }
figure img { height: 64px; max-width: 110px; image-rendering: pixelated; border: 1px solid #dde2e8; border-radius: 4px; }
blockquote { margin: 0; padding: 0.3rem 0.6rem; width: 17rem; max-width: 100%; text-align: left; font-size: 0.9rem;
  border-left: 3px solid #0072B2; background: #f3f5f8; overflow-wrap: anywhere; }
figcaption { font-size: 0.8rem; max-width: 110px; overflow-wrap: anywhere; }
ul { columns: 3; list-style: none; padding: 0; font-size: 0.88rem; overflow-wrap: anywhere; }
code { font-size: 0.85rem; overflow-wrap: anywhere; }
small { color: #5a6672; }
@media print { body { margin: 0; max-width: none; font-size: 12px; } section, figure, .chart, tr { break-inside: avoid; } }
"""
DRAW = """
for (const [name, figure] of Object.entries(figures)) {
  Plotly.newPlot(name, figure.data, figure.layout, {responsive: true, displaylogo: false});
}
"""


def page(report: Report, files: Artefacts) -> bytes:
    """The contents of the HTML file. files: where the pictures of the examples are kept.

    Raises:
        ModuleNotFoundError: plotly is not installed.
    """
    figures = {"plane": charts.plane(report), "recalls": charts.recalls(report)}
    body = "".join((_head(report), _table(report), "<div class='chart' id='plane'></div><h2>Each class on test</h2>"
                    "<div class='chart' id='recalls'></div>", *(_network(one, report, files) for one in report.networks),
                    _versions(report)))
    return (f"<!doctype html><html lang='en'><head><meta charset='utf-8'><meta http-equiv='Content-Security-Policy' "
            f"content=\"{POLICY}\"><title>Report on {text(report.title)}</title><style>{STYLE}</style>"
            f"<script>{_library()}</script></head><body>{body}<script>const figures = {script(figures)};{DRAW}</script>"
            "</body></html>").encode()


def _library() -> str:
    """plotly.js. Nothing in it ends a script element."""
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("A report needs the package plotly. Install it with: pip install plotly")
    source = Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
    return source.read_text(encoding="utf-8").replace("</script", "<\\/script")


def _head(report: Report) -> str:
    times = "once" if report.opened == 1 else f"{report.opened:,} times"
    return (f"<h1>{len(report.networks)} networks on {text(report.title)}</h1>"
            f"<p>Measured on {report.examples:,} examples of the test split, by which nothing was chosen. The test split "
            f"has been used <b>{times}</b>; this report was use {report.use:,}. Every choice was made on validation. "
            "Accuracies have 95 % intervals (Wilson): how far they could be off by the chance of which examples were held "
            "out.</p>")


def _table(report: Report) -> str:
    names = ("network", "test accuracy, 95 %", "validation accuracy, 95 %", "bytes", "smaller", "p against the teacher")
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in _cells(one))}</tr>" for one in report.networks)
    return f"<table><thead><tr>{''.join(f'<th>{name}</th>' for name in names)}</tr></thead><tbody>{rows}</tbody></table>"


def _cells(network: Network) -> list[str]:
    size = network.teacher.get("bytes")
    return [f"<b>{text(network.name)}</b>", _accuracy(network.tested), _accuracy(network.point),
            f"{network.point['bytes']:,}", f"{size / network.point['bytes']:.1f}×" if size else "",
            "" if network.p is None else f"{network.p:.2g} (validation)"]


def _accuracy(measured: dict[str, float]) -> str:
    low, high = 100 * measured["accuracy_low"], 100 * measured["accuracy_high"]
    return f"{100 * measured['accuracy']:.1f} % ({low:.1f} to {high:.1f})"


def _network(network: Network, report: Report, files: Artefacts) -> str:
    settings = "".join(f"<li>{text(name)} <b>{text(value)}</b></li>" for name, value in network.settings)
    note = f"<p>{text(network.point['note'])}</p>" if network.point.get("note") else ""
    shown = "".join(_gallery(title, rows, report.pictures, files) for title, rows in
                    (("Right with the teacher, wrong here", network.lost), ("Wrong with the teacher, right here",
                                                                           network.gained)))
    return (f"<section><h2>{text(network.name)}</h2>{note}<p><code>{text(network.point['recipe'], 4000)}</code><br>"
            f"<small>file {text(network.point['digest'])}</small></p></section>{shown}"
            f"<details open><summary>All settings</summary><ul>{settings}</ul></details>")


def _gallery(title: str, rows: list[tuple[int, str]], pictures: str, files: Artefacts) -> str:
    if not rows:
        return ""
    captions = [text(caption, 60) for _, caption in rows]
    if not (pictures and files.has(pictures, PICTURES)):
        return f"<h3>{title}</h3><p>{', '.join(captions)}</p>"
    levels = np.load(files.path(pictures, PICTURES), mmap_mode="r", allow_pickle=False)
    figures = "".join(f"<figure>{_shown(levels[row], caption)}<figcaption>{caption}</figcaption></figure>"
                      for (row, _), caption in zip(rows, captions, strict=True))
    return f"<h3>{title} (validation)</h3>{figures}"


def _shown(example: np.ndarray | np.str_, caption: str) -> str:
    """A picture, or the words of a text. caption: as HTML."""
    if isinstance(example, str):
        return f"<blockquote>{text(example, LONGEST)}</blockquote>"
    return f"<img src='{picture(example)}' alt='{caption}'>"


def _versions(report: Report) -> str:
    listed = ", ".join(f"{text(name)} {text(value)}" for name, value in report.versions.items())
    return f"<h2>Made with</h2><p><small>Compression Explorer, {time.strftime('%Y-%m-%d')}. {listed}.</small></p>"
