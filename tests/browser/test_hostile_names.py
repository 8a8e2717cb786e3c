"""Every page over data whose names are attacks: nothing is fetched from elsewhere, hidden, run or turned into markup."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from compress.curves.store import Store
from compress.recipe import Step
from pages.ui.charts import outside
from tests import hostile
from tests.browser.serving import CHROMIUM, App, serve_app
from tests.browser.visitor import OFFLINE, PAGES, arrive, playwright, settled, unfold, watched
from tests.pages.samples import TEACHER

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")

TICKS = sorted(html.unescape(label) for label in outside.names(hostile.CLASSES))
BAITS = {"x", "y.png", "z.png", "z.css"}
# What an attack would leave behind: an effect of a script, a page that is not seen, an element that text became.
TRACES = """() => [
  ...(window.hit === undefined ? [] : [`a script ran: ${window.hit}`]),
  ...(getComputedStyle(document.body).display === 'none' ? ['the page is hidden'] : []),
  ...[...document.querySelectorAll('img')].map((one) => one.getAttribute('src') || '').filter(
    (one) => !/^(data:|blob:|http:..127[.]0[.]0[.]1)/.test(one)).map((one) => `a picture: ${one}`),
  ...[...document.querySelectorAll('a')].map((one) => one.getAttribute('href') || one.getAttribute('xlink:href') || '')
    .filter((one) => one.includes('evil.example')).map((one) => `a link: ${one}`)]"""


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory, prepared: None) -> Iterator[App]:
    """An app over a store in which every method was measured on the hostile data."""
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPRESS_HOME", str(folder))
        patch.setenv("COMPRESS_DATA", hostile.write(folder))
        hostile.fill(Store(folder / "store.sqlite"), hostile.name())
        with serve_app(folder, COMPRESS_AT_ONCE="no", **OFFLINE) as app:
            yield app


@pytest.fixture
def visitor(browser: Any) -> Iterator[Any]:
    """A new browser; whatever it asks for is noted, and what is not of this app gets no answer."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light", accept_downloads=True)
    page = watched(context.new_page())
    page.asked = []

    def answer(route: Any) -> None:
        page.asked.append(route.request.url)
        route.continue_() if urlsplit(route.request.url).hostname == "127.0.0.1" else route.abort()

    context.route("**/*", answer)
    yield page
    context.close()


LESSON = {"distill.width": "0.6", **{f"distill.{name}": str(value) for name, value in hostile.LESSON.settings}}


def link(**settings: str) -> dict[str, str]:
    teacher = {f"t.{name}": str(value) for name, value in Step.parse(TEACHER).settings}
    return {"data": hostile.name(), "teacher": "mlp", **teacher, **settings}


def unharmed(page: Any) -> None:
    settled(page)
    assert page.problems == [] and page.evaluate(TRACES) == []
    assert not [address for address in page.asked if urlsplit(address).path.rpartition("/")[2] in BAITS]
    playwright.expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_no_uploaded_table_does_what_its_names_say(attacked, visitor):
    names = [name.replace('"', '""').replace("\0", "") for name in (*hostile.CLASSES, *hostile.CLASSES)]
    rows = [f'{row / 3},"{names[row % len(hostile.CLASSES)]}"' for row in range(40 * len(hostile.CLASSES))]
    table = "\n".join([f'"{names[0]}","{names[1]} class"', *rows]).encode()
    arrive(visitor, attacked.address, "Your_data")
    visitor.locator("input[type=file]").set_input_files(
        {"name": "<img src=x onerror=window.hit=9>.csv", "mimeType": "text/csv", "buffer": table})
    visitor.get_by_text(f"{len(rows):,}", exact=True).wait_for()
    unharmed(visitor)
    visitor.get_by_role("button", name="Add and use it").click()
    visitor.get_by_text("is added and chosen").wait_for()
    unharmed(visitor)


def text(page: Any) -> str:
    """All that is to be read, joints taken out."""
    return page.evaluate("document.body.textContent").replace(outside.GAP, "")


def says(page: Any, words: str) -> None:
    """Waits until a text is to be read."""
    page.wait_for_function("([words, gap]) => document.body.textContent.replaceAll(gap, '').includes(words)",
                           arg=[words, outside.GAP])


@pytest.mark.parametrize(("path", "settings"), [
    *((path, {}) for path in PAGES), ("Distill", LESSON),
    ("Low_rank", {"method": "data_svd", "data_svd.epochs": "1", "data_svd.components": "4"}),
    ("Sparse_code", {"sparse_code.atoms": "32", "sparse_code.block": "8", "sparse_code.nonzeros": "2"}),
    ("Sparse_code", {"method": "data_codes", "data_codes.atoms": "16", "data_codes.epochs": "1",
                     "data_codes.iterations": "2", "data_codes.nonzeros": "2"}),
    ("Sparse_code", {"method": "activation_codes", "activation_codes.atoms": "16", "activation_codes.iterations": "2",
                     "activation_codes.nonzeros": "2"})])
def test_no_page_does_what_a_name_says(attacked, visitor, path, settings):
    arrive(visitor, attacked.address, path, **link(**settings))
    closed = visitor.locator("[data-testid=stExpander]:has(summary):not(:has(details[open])) summary:visible")
    for title in closed.all_inner_texts():
        unfold(visitor, title.split("\n")[-1])
    unharmed(visitor)
    for frame in visitor.locator(".js-plotly-plot").all():
        frame.scroll_into_view_if_needed()
        frame.hover()
        frame.hover(position={"x": 120, "y": 60})
    unharmed(visitor)


def test_a_teachers_classes_and_mistakes_are_shown_as_they_are_called(attacked, visitor):
    arrive(visitor, attacked.address, "Teacher", **link())
    settled(visitor, 2)
    unharmed(visitor)
    playwright.expect(visitor.locator("[data-chart=confusion] .ytick text")).to_have_count(len(TICKS))
    ticks = [one.text_content() for one in visitor.locator("[data-chart=confusion] .ytick text").all()]
    assert sorted(ticks) == TICKS
    says(visitor, hostile.FOLDER)  # where the data are
    assert text(visitor).count("long" * 20) == 0


def test_the_error_of_a_job_and_a_name_that_is_no_data_set_are_text(attacked, visitor):
    arrive(visitor, attacked.address, "Low_rank", **link())
    says(visitor, f"{hostile.MARKUP} {hostile.PICTURE}")
    arrive(visitor, attacked.address, "Low_rank", **{**link(), "data": hostile.PICTURE, "seed": hostile.CLASSES[1]})
    unharmed(visitor)
    for words in (hostile.PICTURE, hostile.CLASSES[1]):
        says(visitor, words)


def test_a_pin_with_its_note_and_the_final_report_are_text(attacked, visitor):
    arrive(visitor, attacked.address, "Compare", **link())
    notes = visitor.get_by_placeholder("a note")
    playwright.expect(notes).to_have_count(2)
    for note in notes.all():
        playwright.expect(note).to_have_value(hostile.MARKUP)
    says(visitor, "Final report on")
    unharmed(visitor)


def test_a_saved_picture_of_a_chart_with_a_name_in_its_title_fetches_nothing(attacked, visitor):
    arrive(visitor, attacked.address, "Distill", **link(**LESSON))
    unfold(visitor, "Dark knowledge")
    card = visitor.locator("[data-chart=outputs]")
    card.scroll_into_view_if_needed()
    card.hover()
    with visitor.expect_download() as saved:
        card.locator("[data-title^='Save as a picture']").click()
    assert saved.value.suggested_filename == "outputs.png"
    unharmed(visitor)
