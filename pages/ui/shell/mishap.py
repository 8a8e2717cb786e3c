"""An error that nobody expected while a page is drawn: a short sentence on the page; the whole report in the log.

Streamlit would show a stack trace, or a box without a word. Its own function for this is replaced, because it is called for
pages, callbacks and fragments alike; it still writes to the server's terminal.
"""

from __future__ import annotations

from streamlit import error_util
from streamlit.delta_generator_singletons import get_dg_singleton_instance

from compress import error_log
from compress.service.failures import is_expected, is_of_memory, sentence_of
from pages.ui.charts import outside

STREAMLITS_OWN = error_util.show_uncaught_app_exception


def catch() -> None:
    """From now on, for every page and session."""
    error_util.show_uncaught_app_exception = _show


def _show(error: BaseException) -> None:
    """Beside Streamlit's own line on the server's terminal."""
    said = sentence_of(error, "a page")
    if is_expected(error) or is_of_memory(error):
        said = f"{said} {_report(error)}"
    get_dg_singleton_instance().main_dg.error(
        outside.markdown(f"This page could not be drawn to its end. {said} Reload it, or choose another one on the left."),
        icon=":material/error:")


def _report(error: BaseException) -> str:
    try:
        return f"(The whole {error_log.record(error, 'a page')}.)"
    except OSError:  # no room for it: the server's terminal has it
        return ""
