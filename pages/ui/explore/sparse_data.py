"""What the Sparse code page shows of coded data: charts, sentences, pictures, and a pursuit that plays."""

from __future__ import annotations

import streamlit as st

from pages.ui.charts import charts, sparse_charts, words
from pages.ui.explore import pictures, results
from pages.ui.explore.shown import Shown
from pages.ui.liveplot import liveplot
from pages.ui.shell import session


def inside(now: Shown) -> list[charts.Chart]:
    """Errors beside those of other dictionaries, use of the atoms, and learning."""
    if not now.points:
        return []
    return [sparse_charts.data_errors(now.points, now.values), *learning_and_use(now, "learning_rounds")]


def learning_and_use(now: Shown, rounds: str) -> list[charts.Chart]:
    """How the dictionary at the dial was learned, in as many iterations as the setting `rounds` has, and how it is used."""
    shown = []
    if now.point and now.point["inside"].get("errors"):
        shown += learned(now.point["inside"], now.dial, now.recipe.methods[-1].values[rounds])
    if any("usage" in point["inside"] for point in now.points):
        shown.append({**sparse_charts.usage(now.points, now.values), "span": "wide", "height": 240})
    return shown


def learned(found: dict, nonzeros: int, total: int) -> list[charts.Chart]:
    """Error and mean non-zeros of each iteration; planted atoms that were found, where there are any."""
    shown = [sparse_charts.iterations(found["errors"], nonzeros, total)]
    if "found" in found:
        shown.append(sparse_charts.recovered(found["found"], nonzeros, total))
    else:
        shown.append(sparse_charts.mean_nonzeros(found["used"], nonzeros, total))
    return shown


def notice(now: Shown) -> list[str]:
    """The results in sentences, what the dictionary is worth, and what its coherence guarantees."""
    if not now.point:
        return []
    known = now.point["inside"]
    sentences = [*results.sentences(now), f"Validation examples keep {words.percent(1 - known['error'])} of their energy "
            f"(PSNR {known['psnr']:.1f} dB)."]
    if "components" in known:
        fewer = ", were no error allowed" if now.recipe.methods[-1].values["allowed"] else ""
        return [*sentences, f"These are {known['components']} principal components for every tile: as many as "
                f"take the bytes of {label(now.dial)} from a dictionary{fewer}."]
    others = known["others"]
    sentences.append(f"With as many bytes principal components lose {words.percent(others['components'])} instead of "
                     f"{words.percent(known['error'])}; cosines lose {words.percent(others['dct'])}.")
    if known.get("found"):
        sentences.append(f"<b>{words.percent(known['found'][-1])} of the planted atoms were found.</b> Signals have 3 "
                         "each: turn the dial away from 3 and fewer are found.")
    guarantee = ("so high that theory (Tropp 2004) guarantees nothing for sums of two atoms or more; a pursuit often finds "
                 "the right atoms all the same" if known["bound"] <= 2 else
                 f"theory (Tropp 2004) guarantees the right atoms for sums of fewer than {known['bound']:.1f}; beyond that "
                 "a pursuit may find the right atoms, and often does")
    sentences.append(f"A tile has {known['mean_nonzeros']:.1f} atoms on average. The atoms' coherence is "
                     f"{known['coherence']:.2f}, {guarantee}.")
    return sentences


def below(now: Shown) -> None:
    """The dictionary as it is learned, the scene, the atoms, examples rebuilt, and one pursuit step by step."""
    if "tile" in now.view:
        learning(now, "learning_rounds", now.view["tile"])
    if not now.point or "tile" not in now.view:
        return
    known, shape = now.point["inside"], now.view["tile"]
    if "scene" in known and "scene" in now.view:
        scene(now)
    named = "The principal components" if "components" in known else "The atoms, most used first"
    st.subheader(named)
    st.html(pictures.gallery([(one, str(number)) for number, one in
                              enumerate(pictures.unpacked(known["atoms"], shape), start=1)], size=56))
    st.subheader(f"Examples rebuilt from {label(now.dial)}" + (" a tile" if now.recipe.methods[-1].values["tile"] else ""))
    originals = now.view["original"]
    st.html(pictures.gallery(list(zip(originals, now.view["labels"], strict=True))))
    st.html(pictures.gallery([(values, "rebuilt") for values in known["rebuilt"]]))
    st.html(pictures.gallery([(pictures.difference(one, other), "difference")
                              for one, other in zip(originals, known["rebuilt"], strict=True)]))
    if known.get("paths"):
        stepping(now)


def scene(now: Shown) -> None:
    """The pictures that examples were cut from, rebuilt from what is stored at this stop."""
    known = now.point["inside"]
    originals = pictures.unpacked(now.view["scene"], now.view["scene_shape"])
    rebuilt = pictures.unpacked(known["scene"], known["scene_shape"])
    st.subheader(f"A part of the photographs, rebuilt from these codes: PSNR {known['scene_psnr']:.1f} dB")
    for original, coded in zip(originals, rebuilt, strict=True):
        st.html(pictures.gallery([(original, "as it is"), (coded, "rebuilt"),
                                  (pictures.difference(original, coded), "difference")], row=True))


def learning(now: Shown, rounds: str, tile: list[int] | None = None) -> None:
    """The dictionary of the point that is being made, if there is one: its atoms, of a tile's shape, while it is learned."""
    if not (now.running and now.job["live"] and "standing" in now.job["live"][-1]):
        return
    standing, total = now.job["live"][-1]["standing"], now.recipe.methods[-1].values[rounds]
    st.subheader(f"Learning now: {standing['nonzeros']} non-zeros, iteration {len(standing['errors'])} of {total}")
    if tile:
        st.html(pictures.gallery([(one, "") for one in pictures.unpacked(standing["atoms"], tile)], size=44))
    liveplot([*learned(standing, standing["nonzeros"], total), sparse_charts.usage_now(standing["usage"])],
             key="code.learning")


def stepping(now: Shown) -> None:
    """Orthogonal matching pursuit of one tile, an atom at a time."""
    st.subheader("Orthogonal matching pursuit, step by step")
    paths, shape = now.point["inside"]["paths"], now.view["tile"]
    number = session.remembered("code.example", 0) % len(paths)
    path = paths[number]
    steps = len(path["atoms"])
    step = min(session.remembered("code.step", 0), steps)
    if session.remembered("code.playing", False):
        step = (step + 1) % (steps + 1)
        session.remember("code.step", step)
        session.remember("code.playing", step < steps)
    left, right = st.columns([1, 5], gap="medium")
    with left:
        _buttons(step, steps, number)
    with right:
        rebuilt, rest = pictures.unpacked(path["rebuilt"], shape), pictures.unpacked(path["left"], shape)
        whole = "one of its tiles" if now.recipe.methods[-1].values["tile"] else "the example"
        shown = [(pictures.unpacked(path["tile"], shape)[0], whole),
                 (rebuilt[step], f"rebuilt from {step} atom{'s' if step != 1 else ''}"),
                 (rest[step], f"left: {words.percent(path['errors'][step])}")]
        if step:
            shown.append((pictures.unpacked(path["chosen"], shape)[step - 1],
                          f"atom {path['atoms'][step - 1] + 1}, chosen now"))
        st.html(pictures.gallery(shown, size=140))
        if step:
            liveplot([sparse_charts.pursuit(path, step)], key="code.pursuit")
    st.caption("Each step takes the atom that looks most like what is left, then finds the best coefficients of all atoms "
               "chosen so far: what is left is at right angles to each of them, so no atom is taken twice.")


def _buttons(step: int, steps: int, number: int) -> None:
    st.button("Next atom", key="code.next", width="stretch", disabled=step == steps,
              on_click=lambda: session.remember("code.step", step + 1))
    st.button("Back to the start", key="code.start", width="stretch", disabled=step == 0,
              on_click=lambda: session.remember("code.step", 0))
    if st.button("Pause" if session.remembered("code.playing", False) else "Play", key="code.play", width="stretch"):
        session.remember("code.playing", not session.remembered("code.playing", False))
        st.rerun()  # the whole page, which then moves by itself
    st.button("Another example", key="code.other", width="stretch", on_click=_another, args=[number + 1])


def _another(number: int) -> None:
    """Begins the pursuit of another example."""
    session.remember("code.example", number)
    session.remember("code.step", 0)


def label(value: int) -> str:
    """A number of non-zeros in words."""
    return f"{value} atom{'s' if value > 1 else ''}"


def busy(now: Shown) -> bool:
    """Whether a pursuit plays; none does where none is shown."""
    return bool(now.point and now.point["inside"].get("paths") and session.remembered("code.playing", False))
