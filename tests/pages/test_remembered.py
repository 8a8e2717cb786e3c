"""What a visitor chose for one data set or teacher never breaks a page of another."""

from __future__ import annotations

import pytest

from tests.pages.samples import measure
from tests.pages.test_pages import LINK, LOW_RANK, PAGES, component, engine, labels, named, show  # noqa: F401  (fixtures)


@pytest.fixture(scope="module")
def curves(engine, prepared):  # noqa: F811
    for method in ("low_rank", "prune"):
        measure(engine.store, method, (0.1, 0.5))


@pytest.mark.parametrize("kept", ["layer 3: 784 to 300", 99, -1, None, 1.0])
@pytest.mark.parametrize(("page", "name"), [(LOW_RANK, "layer"), ("pages/4_Prune.py", "prune.layer")])
def test_a_remembered_layer_of_another_network_is_the_first_layer_here(page, name, kept, show, curves):  # noqa: F811
    shown = show(page, LINK)
    expected = component(shown)
    shown.session_state[f"kept.{name}"] = kept
    shown.run()
    assert not shown.exception and component(shown) == expected


@pytest.mark.parametrize("page", PAGES)
def test_data_sets_and_families_change_under_every_page(page, show, curves):  # noqa: F811
    shown = show(page, LINK if page != "app.py" else {})
    for layer in shown.main.selectbox:
        if layer.label.startswith("Layer in the"):
            layer.select(1).run()
    for data in ("mnist5k", "mnist1d", "digits"):
        named(shown.sidebar.selectbox, "Data set").select(data).run()
        assert not shown.exception, data
    presets = [title for title in named(shown.sidebar.selectbox, "Teacher").options if not title.startswith("own settings")]
    for teacher in presets:
        named(shown.sidebar.selectbox, "Teacher").select(teacher).run()
        assert not shown.exception, teacher
    assert labels(shown.sidebar.selectbox) == ["Data set", "Teacher"]
