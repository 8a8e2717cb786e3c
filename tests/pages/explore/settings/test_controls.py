"""Which settings a form shows."""

from __future__ import annotations

import pytest

from pages.ui.explore.settings import controls


def shown(known, method: str, family: str = "mlp", **values) -> set[str]:
    entries = known["methods"][method]["settings"]
    chosen = {**{entry["name"]: entry["default"] for entry in entries}, **values}
    return {entry["name"] for entry in controls.with_effect(entries, chosen, family, "image")}


@pytest.mark.parametrize(("family", "is_shown"), [("mlp", False), ("cnn", True), ("resnet", True), ("", True)])
def test_how_convolutions_are_factorised_is_asked_where_there_may_be_some(known, family, is_shown):
    assert ("convolution" in shown(known, "low_rank", family)) is is_shown


def test_what_trains_afterwards_is_set_where_something_is_trained(known):
    training = {"recovery_rate", "recovery_batch", "recovery_loss"}
    assert not training & shown(known, "prune") and training <= shown(known, "prune", recovery_epochs=2)


def test_a_setting_that_was_changed_is_shown_in_any_case(known):
    assert "convolution" in shown(known, "low_rank", "mlp", convolution="spatial")


def test_what_has_an_effect_always_is_always_shown(known):
    assert {"keep", "scheme", "allocation", "output_layer"} <= shown(known, "low_rank", "mlp")
