"""Numbers in human units, the same on every page."""

from __future__ import annotations


def size(count: float) -> str:
    """Bytes: 812 B, 34.1 kB, 1.2 MB (thousands, as disks are sold)."""
    for unit, scale in (("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            number = count / scale
            return f"{number:.0f} {unit}" if number >= 100 else f"{number:.1f} {unit}"
    return f"{count:.0f} B"


def many(count: float) -> str:
    """Parameters or multiply-accumulates: 266,610 or 9.3 million."""
    if count >= 1e9:
        return f"{count / 1e9:.2f} billion"
    return f"{count / 1e6:.2f} million" if count >= 1e6 else f"{count:,.0f}"


def percent(share: float, digits: int = 1) -> str:
    """A share: 97.3 %."""
    return f"{100 * share:.{digits}f} %"


COVERS = "±: by chance of these validation examples; not data from elsewhere"
INTERVAL = ("An accuracy's 95 % interval (Wilson) says how far the accuracy could be off by the chance of which examples of "
            "this data set were held out for validation. It covers nothing else: not data from elsewhere, nor that settings "
            "were chosen on the same examples. On Fashion-MNIST the test accuracies of only 69 of 146 networks lay in "
            "their validation intervals.")


def accuracy(point: dict) -> str:
    """With half the width of its 95 % interval: 97.3 % ± 0.8."""
    return f"{percent(point['accuracy'])} ± {50 * (point['accuracy_high'] - point['accuracy_low']):.1f}"


def accuracy_range(point: dict) -> str:
    """With the ends of its 95 % interval: 97.3 % (96.1 to 98.2 %)."""
    return f"{percent(point['accuracy'])} ({100 * point['accuracy_low']:.1f} to {percent(point['accuracy_high'])})"


def times_smaller(own: float, reference: float) -> str:
    """12× smaller, 1.4× smaller, same size, 1.2× larger."""
    ratio = reference / own
    if abs(ratio - 1) < 0.005:
        return "same size"
    if ratio >= 1:
        return f"{_ratio(ratio)}× smaller"
    return f"{_ratio(1 / ratio)}× larger"


def smaller_than(own: float, reference: float, name: str) -> str:
    """As HTML: <b>12× smaller</b> than the teacher, <b>the same size</b> as the teacher."""
    text = times_smaller(own, reference)
    return f"<b>the same size</b> as {name}" if text == "same size" else f"<b>{text}</b> than {name}"


def speed(point: dict) -> str:
    """Against the teacher: 1.8× faster, 1.2× slower; "as fast, within noise" where the interval holds 1."""
    if point.get("latency") is None:
        return "not timed"
    if point["latency_high"] < 1:
        return f"{_ratio(1 / point['latency'])}× faster"
    if point["latency_low"] > 1:
        return f"{_ratio(point['latency'])}× slower"
    return "as fast, within noise"


def points_lost(difference: float) -> str:
    """A difference of accuracies in percentage points: 0.3 points less accurate, 0.04 points more accurate."""
    points = abs(100 * difference)
    if points < 1e-9:
        return "exactly as accurate"
    number = f"{points:.1f}" if points >= 0.095 else f"{points:.2f}" if points >= 0.005 else "less than 0.01"
    return f"{number} points {'less' if difference > 0 else 'more'} accurate"


def duration(seconds: float) -> str:
    """0.4 ms, 12 ms, 1.3 s."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{1000 * seconds:.0f} ms" if seconds >= 0.01 else f"{1000 * seconds:.1f} ms"


def test_uses(count: int) -> str:
    """How often a test split was opened: Test set used once."""
    return "Test set " + {0: "not used", 1: "used once"}.get(count, f"used {count:,} times")


def _ratio(value: float) -> str:
    """From 10 on without decimals; below 1.05 with two, where one would be 1.0."""
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1.05 else f"{value:.2f}"
