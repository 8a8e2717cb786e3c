"""The code that a page prints runs, and makes the same point again."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

import pytest

from compress.methods import methods
from compress.recipe import Recipe, Step
from compress.service.snippet import loading, snippet
from tests.compress.helpers import ROOT


def test_the_code_of_a_point_is_a_program_that_makes_it_again(measured, known, elsewhere):
    """The codes of all methods and of chains are run in one process by test_reproduction.py."""
    stored = measured("data_svd(epochs=2,storage=int8)", (4, 16)).points[0]
    program = elsewhere / "point.py"
    program.write_text(snippet(Recipe.parse(stored["recipe"]), known["methods"]))
    ran = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=300,
                         env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == f"{stored['accuracy']:.4f} {stored['bytes']} bytes\n"


READ = [("low_rank(output_layer=true,scheme=centred)", (0.1, 0.3)), ("prune(sparsity=0.9)", (0.9,)),
        ("sparse_code(nonzeros=2)", (2,)), ("distill(epochs=2,seeds=1,temperatures=none)", (0.2,)),
        ("quantize(compared=false)", (5,)), ("prune(sparsity=0.8)+quantize(compared=false)", (5,)),
        ("distill(width=0.4,epochs=2,alpha=0)+low_rank(keep=0.5)+sparse_code", (3,))]


def test_the_code_that_reads_a_file_prints_the_accuracy_of_the_chart(measured, elsewhere, digits):
    """A point of every method whose file is a network, and of chains; one fresh process runs the codes of all."""
    assert {name.partition("(")[0] for name, _ in READ} == {name for name, kind in methods().items()
                                                           if kind.applies_to == "network"}
    accuracies, codes = [], []
    for number, (method, values) in enumerate(READ):
        curve = measured(method, values)
        stored, name = curve.points[0], f"file {number}.safetensors"
        (elsewhere / name).write_bytes(curve.store.artefacts.contents(stored["digest"]))
        accuracies.append(f"{stored['accuracy']:.4f}")
        codes.append(loading(name, "digits"))
    program = f"for code in {codes!r}: exec(code, {{'__name__': '__main__'}})"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300,
                         env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert ran.stdout.splitlines()[::2] == accuracies, ran.stderr
    for predicted in map(ast.literal_eval, ran.stdout.splitlines()[1::2]):
        assert len(predicted) == 5 and set(predicted) <= set(digits.classes)


def test_the_code_of_a_chain_compiles_and_names_every_method(known):
    recipe = Recipe.parse("digits/mlp(epochs=2)/low_rank(keep=0.3)+low_rank(keep=0.1)/3")
    code = snippet(recipe, known["methods"])
    compile(code, "snippet", "exec")
    assert code.index("LowRank(keep=0.3)") < code.index("LowRank(keep=0.1)")
    assert "network = LowRank(keep=0.3).compress(teacher, data, seed=3)" in code
    assert "Reference.of(baseline.network if baseline else teacher, data)" in code


@pytest.mark.parametrize("name", ["local:it's", 'local:"""', "local:a\nimport os", "local:\\",
                                  "local:')\nimport os\n#", "local:{x}\u202e"])
def test_a_name_is_one_text_in_the_code_whatever_is_in_it(name, known):
    method = Step.of("low_rank", {"keep": 0.5, "scheme": name})
    teacher = Step.of("mlp", {"hidden": name})
    tree = ast.parse(snippet(Recipe(name, teacher, (method,)), known["methods"]))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert texts[:1] == [name] and name in texts[1:] and teacher.text() in texts
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
