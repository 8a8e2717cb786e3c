"""Chains: methods one after the other, what each takes in bytes and costs in accuracy, and whether their order matters."""

from functools import partial

from pages.ui.chains import cards, duel_fold, order_fold, presets, stage
from pages.ui.chains.state import look_up
from pages.ui.explore import folds
from pages.ui.explore.folds import Fold
from pages.ui.shell.frame import open_page, part

page = open_page("Chains", "Put methods one after the other. Each step compresses the result of the step before it; "
                 "the result of each step is measured.")
stage.begin(look_up(page.known), page)
state = look_up(page.known)  # one look for the whole page, which is drawn again when something has changed since
with part("presets"):
    presets.draw(state, page.known)
with part("settings"):
    cards.draw(state, page, lambda: stage.work(state, page))
stage.draw(state, page)
folds.draw([Fold(order_fold.TITLE, partial(order_fold.draw, page)),
            Fold(duel_fold.TITLE, partial(duel_fold.draw, state, page))], "chain")
