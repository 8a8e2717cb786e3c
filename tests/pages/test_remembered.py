"""What a visitor chose for one data set or teacher never breaks a page of another."""

from __future__ import annotations

import pytest

from tests.pages.samples import measure
from tests.pages.test_pages import LINK, LOW_RANK, PAGES, component, engine, labels, named, show  # noqa: F401  (fixtures)

METHODS = {"pages/2_Distill.py": {"distill": "epochs=1,seeds=1,temperatures=none"},
           LOW_RANK: {"low_rank": "", "data_svd": "epochs=1"},
           "pages/4_Prune.py": {"prune": ""}, "pages/5_Sparse_code.py": {
               "sparse_code": "atoms=8,block=8,iterations=1", "data_codes": "atoms=16,epochs=1,iterations=1",
               "activation_codes": "atoms=8,iterations=1"}, "pages/6_Quantize.py": {"quantize": ""}}


@pytest.fixture(scope="module")
def curves(engine, prepared):  # noqa: F811
    """Two points of every method on two data sets of different shapes, whose layers have different names."""
    for data in ("digits", "mnist1d"):
        for method, settings in ((name, one) for methods in METHODS.values() for name, one in methods.items()):
            values = (0.1, 0.5) if method in ("low_rank", "prune", "distill") else (2, 4)
            measure(engine.store, f"{method}({settings})", values, data)


@pytest.mark.parametrize("kept", ["layer 3: 784 to 300", 99, -1, None, 1.0])
@pytest.mark.parametrize(("page", "name"), [(LOW_RANK, "layer"), ("pages/4_Prune.py", "prune.layer"),
                                         ("pages/6_Quantize.py", "quantize.layer")])
def test_a_remembered_layer_of_another_network_is_the_first_layer_here(page, name, kept, show, curves):  # noqa: F811
    shown = show(page, LINK)
    expected = component(shown)
    shown.session_state[f"kept.{name}"] = kept
    shown.run()
    assert not shown.exception and component(shown) == expected


def link_of(page, method):
    settings = METHODS.get(page, {}).get(method, "")
    turned = {f"{method}.{name}": value for name, _, value in (one.partition("=") for one in settings.split(",") if one)}
    return {**(LINK if page != "app.py" else {}), **({"method": method} if method else {}), **turned}


@pytest.mark.parametrize(("page", "method"), [(page, method) for page in PAGES for method in METHODS.get(page, {"": ""})])
def test_data_sets_and_families_change_under_every_page(page, method, show, curves, known):  # noqa: F811
    shown = show(page, link_of(page, method))
    assert not shown.warning
    for card in ("digits", "mnist1d", "mnist5k", "photographs", "planted", "mnist1d", "digits"):
        for layer in [box for box in shown.main.selectbox if box.label.startswith("Layer ") and len(box.options) > 1]:
            layer.select(1).run()
            assert not shown.exception, card
        named(shown.sidebar.selectbox, "Data set").select(card).run()
        assert not shown.exception, card
    kind = next(card["kind"] for card in known["datasets"] if card["name"] == "digits")
    for teacher in [preset["title"] for preset in known["presets"] if kind in preset["kinds"]]:
        named(shown.sidebar.selectbox, "Teacher").select(teacher).run()
        assert not shown.exception, teacher
    assert labels(shown.sidebar.selectbox) == ["Data set", "Teacher"]
