"""Where a network is shown in detail: the page of its method, with its settings in the link."""

from __future__ import annotations

from dataclasses import replace

from compress.recipe import Recipe
from pages.ui.shell.choice import Card, Choice
from pages.ui.shell.links import to_link

PAGE_OF = {"distill": "pages/2_Distill.py", "low_rank": "pages/3_Low_rank.py", "data_svd": "pages/3_Low_rank.py",
           "prune": "pages/4_Prune.py", "sparse_code": "pages/5_Sparse_code.py", "data_codes": "pages/5_Sparse_code.py",
           "activation_codes": "pages/5_Sparse_code.py", "quantize": "pages/6_Quantize.py"}
COMPARE = "pages/8_Compare.py"  # shows every network, also those of methods without a page


def page_of(recipe: Recipe, choice: Choice, known: Card) -> tuple[str, dict[str, str]]:
    """The page that shows a network, and its query parameters.

    Args:
        recipe: of the network, or of its curve as it is asked for; with all settings of its last method.
        choice: what is chosen now, whose other settings stay.
    """
    last = recipe.methods[-1]
    chosen = replace(choice, data=recipe.data, teacher=recipe.teacher, seed=recipe.seed, start=recipe.methods[:-1])
    if last.name not in PAGE_OF:
        return COMPARE, to_link(chosen, known, (), None)
    link = to_link(chosen.with_method(last.name, **last.values), known, (last.name,), last.name)
    return PAGE_OF[last.name], {**link, "method": last.name}
