"""What is said of one setting."""

from __future__ import annotations

import pytest

from pages.ui.explore.settings.help import meaning_of, of_setting

DOC = """Remove weights.

The **criterion** is one of:

- **magnitude**: $|w|$ (Han et al.
  2015).
- **random**: random numbers.

The **magnitude** of nothing."""
SHARE = {"name": "sparsity", "type": "float", "help": "Share that is removed.", "low": 0.0, "high": 0.999}
CRITERION = {"name": "criterion", "type": "str", "help": "What is removed."}


@pytest.mark.parametrize(("value", "text"), [("magnitude", "**magnitude**: $|w|$ (Han et al. 2015)."),
                                             ("random", "**random**: random numbers."), ("wanda", "")])
def test_what_a_choice_means_is_the_line_of_the_documentation(value, text):
    assert meaning_of(value, DOC) == text


def test_a_setting_of_a_method_leads_to_its_line_in_the_handbook():
    card = {"name": "prune", "doc": DOC}
    assert of_setting(CRITERION, "random", card).split("\n\n") == [
        "What is removed.", "**random**: random numbers.", "[In the Handbook](Handbook#prune.criterion)"]
    assert of_setting(SHARE, 0.5, card).startswith("Share that is removed. (0 to 0.999)\n\n[In the Handbook]")
    assert of_setting(SHARE, 0.5) == "Share that is removed. (0 to 0.999)"
