"""Settings, methods and teachers in words."""

from __future__ import annotations

import pytest

from compress.recipe import Recipe, Step
from pages.ui.charts import setting_words

SHARE = {"name": "sparsity", "label": "Share removed", "type": "float", "default": 0.9, "share": True, "choices": None}
CRITERION = {"name": "criterion", "label": "Criterion", "type": "str", "default": "magnitude", "share": False,
             "choices": ["magnitude", "second_order"]}
PATTERN = {**CRITERION, "name": "pattern", "label": "Pattern", "default": "unstructured", "choices": ["unstructured", "n:4"]}
OUTPUT = {"name": "output", "label": "Output layer", "type": "bool", "default": True, "share": False, "choices": None}
PCA = {**OUTPUT, "name": "pca", "label": "PCA baseline", "default": False}
METHODS = {"prune": {"title": "Pruning", "dial": "sparsity", "settings": [SHARE, CRITERION, PATTERN, OUTPUT, PCA]}}


@pytest.mark.parametrize(("entry", "value", "text"), [
    (SHARE, 0.75, "75 %"), (SHARE, 0.125, "12.5 %"), ({"name": "rate"}, 0.0002, "0.0002"), ({"name": "epochs"}, 10, "10"),
    (CRITERION, "second_order", "second order"), ({"choices": ["gptq"]}, "gptq", "GPTQ"), ({"name": "hidden"}, "a_b", "a_b"),
    (OUTPUT, True, "yes"), (OUTPUT, False, "no")])
def test_a_value_is_said_in_the_terms_of_the_field(entry, value, text):
    assert setting_words.value(entry, value) == text


@pytest.mark.parametrize(("step", "text"), [
    ("prune(sparsity=0.75)", "Pruning (share removed 75 %)"),
    ("prune(criterion=second_order,output=false,pattern=n:4,pca=true,sparsity=0.9)",
     "Pruning (share removed 90 %, second order, output layer: no, pattern n:4, PCA baseline)"),
    ("prune", "Pruning"), ("gone(a=1,b_c=two)", "gone (a 1, b c two)"), ("gone(some=none)", "gone (no some)")])
def test_a_network_is_named_by_its_methods_each_with_its_dial_and_what_is_not_at_its_default(step, text):
    assert setting_words.methods_in_words((Step.parse(step),), METHODS) == text


def test_a_chain_is_named_step_by_step():
    recipe = Recipe.parse("digits/mlp/prune(sparsity=0.75)+prune(sparsity=0.8)/0")
    text = setting_words.methods_in_words(recipe.methods, METHODS)
    assert text == "Pruning (share removed 75 %) + Pruning (share removed 80 %)"
    assert setting_words.in_a_sentence(text) == "pruning (share removed 75 %) + pruning (share removed 80 %)"
    assert setting_words.in_a_sentence("SVD of the data") == "SVD of the data"
    assert setting_words.settings_in_words(recipe, METHODS) == "share removed 75 % + share removed 80 %"


@pytest.mark.parametrize(("settings", "text"), [
    ({"hidden": "400-400", "dropout": 0.2, "shift": 2}, "MLP 400-400, dropout 0.2, shift 2"),
    ({"hidden": "300-100", "dropout": 0.0, "shift": 0}, "MLP 300-100"),
    ({"hidden": "none", "dropout": 0.0, "shift": 1}, "MLP, shift 1")])
def test_a_teacher_is_named_by_its_layers_and_what_is_not_at_its_default(settings, text):
    entries = [{"name": "hidden", "label": "Hidden", "type": "sizes", "default": "300-100"},
               {"name": "dropout", "label": "Dropout", "type": "float", "default": 0.0},
               {"name": "shift", "label": "Shift", "type": "int", "default": 0}]
    assert setting_words.teacher_in_words(Step.of("mlp", settings), "MLP", entries) == text
