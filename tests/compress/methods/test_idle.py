"""Settings without effect, as their declarations say: the conditions name what there is."""

from __future__ import annotations

import pytest

from compress.data.raw_data import EXAMPLE_AXES
from compress.methods import methods
from compress.networks.families import FAMILIES
from compress.settings import checked


@pytest.mark.parametrize("name", methods())
def test_the_conditions_name_settings_families_and_kinds_of_data_with_values_that_they_have(name):
    entries = {entry["name"]: entry for entry in methods()[name].describe()}
    for entry in entries.values():
        for what, values in entry["idle"].items():
            known = {"family": list(FAMILIES), "kind": list(EXAMPLE_AXES)}.get(what)
            assert all(value in known if known else checked(entries[what], value) == value for value in values)


def test_some_settings_have_conditions():
    assert {name for name, kind in methods().items() if any(entry["idle"] for entry in kind.describe())} >= {
        "low_rank", "prune", "distill", "sparse_code", "data_codes"}
