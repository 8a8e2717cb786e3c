"""Chains worth seeing, as buttons."""

from __future__ import annotations

from dataclasses import dataclass

from pages.ui.chains.chained import of_text
from pages.ui.chains.state import FIRST, ChainState
from pages.ui.explore.presets import strip
from pages.ui.shell import session
from pages.ui.shell.choice import Card


@dataclass(frozen=True)
class ChainPreset:
    """A chain with what it shows.

    Attributes:
        picture: in charts/chip_pictures.py; chain: its steps as recipes spell them; dial_step: number of the dial's step.
    """

    title: str
    picture: str
    text: str
    chain: str
    dial_step: int
    data: str | None = None
    teacher: str | None = None


LENET = "LeNet-300-100"
PRESETS = (
    ChainPreset("Prune, then 5 levels", "three steps", "Nothing is trained: second-order pruning, then GPTQ. Turn the share "
                "that is removed, and watch what the levels still save.",
                FIRST, 1),
    ChainPreset("Deep Compression", "learning", "Han et al. (2016): prune and train again, share a few values and train "
                "these, then code. Each step is a stair.",
                "prune(recovery_batch=16,recovery_epochs=6,sparsity=0.9)"
                "+quantize(levels=4,recovery_epochs=3,scheme=codebook)", 1),
    ChainPreset("Student, low rank, then 4 bits", "pair", "A narrow student, its weights as two thin matrices, "
                "their numbers in 16 levels: how much does each step save?",
                "distill(width=0.35)+low_rank(allocation=greedy,keep=0.6)+quantize(levels=16)", 1),
    ChainPreset("Low rank, then few bits", "product", "Two thin matrices for each layer, then few levels for their numbers. "
                "Turn the levels.", "low_rank(allocation=greedy,keep=0.3)+quantize(levels=8)", 2),
    ChainPreset("Few bits, then low rank", "levels", "The other way round: the factors of quantized weights are floats "
                "again.", "quantize(levels=8)+low_rank(allocation=greedy,keep=0.3)", 2),
)


def draw(state: ChainState, known: Card) -> None:
    """The chips, and one line about the active one."""
    by_title = {preset.title: preset for preset in PRESETS}
    active = next((preset.title for preset in PRESETS if is_active(preset, state, known)), None)
    strip({preset.title: preset.text for preset in PRESETS}, {preset.title: preset.picture for preset in PRESETS}, active,
          "chain.preset", lambda title: _take(by_title[title], known))


def is_active(preset: ChainPreset, state: ChainState, known: Card) -> bool:
    """Whether the chain is the preset's, wherever its dial stands."""
    wanted = of_text(preset.chain, known, preset.dial_step)
    dials = [card["dial"] if place == wanted.dial_place else "" for place, card in enumerate(state.cards)]
    return (wanted.dial_place == state.chained.dial_place and len(wanted.steps) == len(state.chained.steps)
            and all(one.without(dial) == other.without(dial)
                    for one, other, dial in zip(wanted.steps, state.chained.steps, dials, strict=True)))


def _take(preset: ChainPreset, known: Card) -> None:
    session.choose(session.choice().with_preset(preset.data, preset.teacher, known))
    session.remember("chained", of_text(preset.chain, known, preset.dial_step))
