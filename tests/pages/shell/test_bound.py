"""Widgets that show the choice: what a visitor changes is taken, what a browser sends too late is not."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def script() -> None:
    import streamlit as st

    from pages.ui.shell import widgets

    st.session_state.setdefault("taken", [])
    st.session_state.setdefault("chosen", 144)

    def take(value: int) -> None:
        st.session_state["taken"].append(value)
        st.session_state["chosen"] = value

    def preset() -> None:
        st.session_state["chosen"], st.session_state["hidden"] = 128, not st.session_state.get("hidden")

    st.button("Preset", on_click=preset)
    if not st.session_state.get("hidden") or st.session_state.get("stays"):
        st.number_input("Atoms", 1, 500, **widgets.bound("atoms", st.session_state["chosen"], take))


def opened(stays: bool) -> AppTest:
    shown = AppTest.from_function(script)
    shown.session_state["stays"] = stays
    return shown.run()


def test_a_visitors_change_is_taken_once():
    shown = opened(stays=True)
    shown.number_input[0].set_value(77).run()
    shown.run()
    assert shown.session_state["taken"] == [77] and shown.number_input[0].value == 77


def test_what_a_browser_sends_before_it_shows_a_preset_is_no_change():
    """Also of a widget that the preset has hidden."""
    for stays in (True, False):
        shown = opened(stays)
        late = shown._tree.get_widget_states()
        shown.button[0].click().run()
        shown._run(late)
        assert shown.session_state["taken"] == [] and shown.session_state["chosen"] == 128
        assert [field.value for field in shown.number_input] == ([128] if stays else [])


def test_after_a_preset_a_change_is_taken_again():
    shown = opened(stays=True)
    shown.button[0].click().run()
    shown.number_input[0].set_value(9).run()
    assert shown.session_state["taken"] == [9] and shown.number_input[0].value == 9


def test_every_run_tells_a_browser_what_a_widget_shows():
    """So a browser may miss any of them. By the default, which does not overwrite what a visitor types meanwhile."""
    shown = opened(stays=True)
    for value in (144, 128):
        for run in range(2):
            field = shown.run().number_input[0].proto
            assert (field.default, field.set_value) == (value, False), (value, run)
        shown.button[0].click().run()


def test_a_widget_that_a_run_left_out_is_a_new_one_with_the_choice():
    """A browser may still hold what it showed before."""
    shown = opened(stays=False)
    before = shown.number_input[0].proto.id
    for _ in range(2):
        shown.button[0].click().run()
    assert (shown.number_input[0].value, shown.session_state["taken"]) == (128, [])
    assert shown.number_input[0].proto.id != before
