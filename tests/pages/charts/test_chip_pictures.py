"""Small pictures of presets: drawn within their frame, one of its own for each chip of a strip."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from compress.training.teachers import PRESETS
from pages.ui.charts import chip_pictures
from tests.compress.helpers import ROOT

STRIPS = [(path.relative_to(ROOT), node.value.elts) for path in sorted((ROOT / "pages").rglob("*.py"))
          for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
          and node.value.elts and all(isinstance(one, ast.Call) and getattr(one.func, "id", "") == "Preset"
                                      for one in node.value.elts)]


@pytest.mark.parametrize("name", chip_pictures.DRAWN)
def test_a_picture_has_shapes_within_its_frame(name):
    picture = ElementTree.fromstring(chip_pictures.drawing(name))
    assert len(picture) >= 1
    for shape in picture:
        for across, size, most in (("x", "width", chip_pictures.WIDTH), ("y", "height", chip_pictures.HEIGHT)):
            if across in shape.attrib:
                assert 0 <= float(shape.attrib[across]) <= most - float(shape.attrib[size])
        for x, y in re.findall(r"([\d.]+),([\d.]+)", shape.attrib.get("points", "")):
            assert float(x) <= chip_pictures.WIDTH and float(y) <= chip_pictures.HEIGHT
        assert 0 < float(shape.attrib.get("opacity", 1)) <= 1


def test_pictures_differ():
    assert len({chip_pictures.drawing(name) for name in chip_pictures.DRAWN}) == len(chip_pictures.DRAWN)


@pytest.mark.parametrize(("path", "strip"), STRIPS)
def test_every_preset_has_a_picture_that_no_other_chip_beside_it_has(path: Path, strip: list[ast.Call]):
    names = [ast.literal_eval(preset.args[1]) for preset in strip]
    assert set(names) <= set(chip_pictures.DRAWN), path
    assert len(set(names)) == len(names), path


def test_every_strip_of_presets_was_looked_at():
    assert len(STRIPS) >= 7


def test_every_family_of_teachers_has_a_picture():
    assert {preset.step.name for preset in PRESETS} <= set(chip_pictures.OF_FAMILY)
    assert set(chip_pictures.OF_FAMILY.values()) <= set(chip_pictures.DRAWN)


def test_a_rule_is_for_the_class_that_streamlit_gives_the_button_and_holds_the_whole_picture():
    rule = chip_pictures.rule("preset.prune.2:4, the pattern of GPUs", "two of four")
    assert rule.startswith(".st-key-preset-prune-2-4--the-pattern-of-GPUs button::before {")
    (address,) = re.findall(r'url\("data:image/svg\+xml,([^"]*)"\)', rule)
    assert unquote(address) == chip_pictures.drawing("two of four") and "<" not in rule


def test_an_unknown_picture_is_an_error():
    with pytest.raises(KeyError):
        chip_pictures.drawing("unheard of")
