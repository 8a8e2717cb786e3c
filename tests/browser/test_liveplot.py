"""The chart component in a real browser: zoom and nodes survive updates, the dial moves marks by itself."""

from __future__ import annotations

import statistics

import pytest

from tests.browser.liveplot_demo import DEMO
from tests.browser.serving import CHROMIUM, serve

expect = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed").expect

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")

GRAPH = "document.querySelector('[data-chart={}] .lp-graph')"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("liveplot")
    script = folder / "demo.py"
    script.write_text(DEMO)
    with serve(script, folder, {"server.baseUrlPath": "explorer"}) as root:
        yield f"{root}/explorer/Low_rank"


@pytest.fixture(scope="module")
def context(browser):
    """One context for all tests: its cache spares each page the five megabytes of the library."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    yield context
    context.close()


@pytest.fixture
def page(context, address):
    page = context.new_page()
    page.problems, page.sent = [], []
    page.on("console", lambda message: page.problems.extend(problem(message)))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("websocket", lambda ws: ws.on("framesent", lambda frame: page.sent.append(len(frame))))
    page.goto(address)
    page.wait_for_function(
        "document.querySelectorAll('.lp-frame:not(.lp-waiting) .main-svg').length >= 4", timeout=60_000
    )
    settle(page)
    yield page
    page.close()
    assert page.problems == []


def problem(message) -> list[str]:
    """A console error, unless it is Streamlit's own search for its root from a page below a base path."""
    if message.type != "error" or "/Low_rank/_stcore/" in message.location["url"]:
        return []
    return [f"{message.text} ({message.location['url']})"]


def settle(page) -> None:
    """Wait until nothing has been redrawn for a while: charts are redrawn one a frame."""
    page.evaluate(
        """() => new Promise((resume) => {
          let quiet = 0;
          const watcher = new MutationObserver(() => { quiet = 0; });
          watcher.observe(document.querySelector('.lp-grid'), { subtree: true, childList: true, attributes: true });
          const frame = () => {
            quiet += 1;
            if (quiet < 20) return requestAnimationFrame(frame);
            watcher.disconnect();
            resume();
          };
          requestAnimationFrame(frame);
        })"""
    )


def graph(page, chart: str, expression: str):
    return page.evaluate(f"{GRAPH.format(chart)}{expression}")


def x_range(page, chart: str) -> list[float]:
    return graph(page, chart, "._fullLayout.xaxis.range.slice()")


def pixel(page, chart: str, x: float, y: float) -> tuple[float, float]:
    """Where a data point stands on the page."""
    left, top = page.evaluate(
        f"""() => {{ const graph = {GRAPH.format(chart)}; graph.scrollIntoView({{block: 'center'}});
        const box = graph.getBoundingClientRect(); const {{xaxis, yaxis}} = graph._fullLayout;
        return [box.left + xaxis._offset + xaxis.d2p({x}), box.top + yaxis._offset + yaxis.d2p({y})]; }}"""
    )
    return left, top


def zoom(page, chart: str) -> list[float]:
    page.mouse.move(*pixel(page, chart, 0.25, -1.0))
    page.mouse.down()
    page.mouse.move(*pixel(page, chart, 0.75, 1.0), steps=6)
    page.mouse.up()
    settle(page)
    low, high = x_range(page, chart)
    assert low == pytest.approx(0.25, abs=0.02) and high == pytest.approx(0.75, abs=0.02)
    return [low, high]


def slider(page):
    return page.get_by_role("slider", name="Share kept")


def overlays(page, condition: str, before: list[float] | None = None) -> list[float]:
    """Waits until the x of the moving marker of each chart, its `places` on the page, fulfil a condition; returns them."""
    return page.wait_for_function(
        f"""before => {{ const places = [...document.querySelectorAll('.lp-overlay')].map(
            (overlay) => overlay.querySelector('path')?.getBoundingClientRect().x ?? null);
          return {condition} ? places : null; }}""", arg=before).json_value()


def grab_dial(page) -> tuple[float, float, float]:
    """Press the mouse on the dial; give the knob's middle at the first stop, the way to the last, and its height."""
    slider(page).scroll_into_view_if_needed()
    box, knob = slider(page).bounding_box(), 28
    left, width, middle = box["x"] + knob / 2, box["width"] - knob, box["y"] + box["height"] / 2
    page.mouse.move(left + width * 0.2, middle)
    page.mouse.down()
    return left, width, middle


def test_charts_appear_described_and_measured_indices_are_marked(page):
    frames = page.locator(".lp-frame[role=img]")
    for number in range(4):
        expect(frames.nth(number)).to_have_attribute("aria-label", "Ten curves, revision 0.")
    expect(page.locator(".lp-title")).to_have_text([f"Chart {number}" + number * ", ten curves over a share"
                                                    for number in range(4)])
    expect(page.locator(".lp-dial-dots i")).to_have_count(41)
    expect(page.locator(".lp-dial-dots i.lp-measured")).to_have_count(21)
    expect(slider(page)).to_have_attribute("aria-valuetext", "8 of 40, 8 kB")
    assert graph(page, "chart0", ".data[1].y[0]") is None
    page.get_by_text("runs=1 dial=8 selected=None").wait_for()


def test_an_update_keeps_zoom_and_node(page):
    zoomed = zoom(page, "chart1")
    page.evaluate(f"{GRAPH.format('chart1')}.remembered = 'same node'")
    page.get_by_role("button", name="more data").click()
    page.wait_for_function(
        "document.querySelector('[data-chart=chart1] .lp-frame').getAttribute('aria-label').endsWith('1.')"
    )
    settle(page)
    assert graph(page, "chart1", ".remembered") == "same node"
    assert x_range(page, "chart1") == pytest.approx(zoomed)
    assert graph(page, "chart1", ".data[3].y[0]") == pytest.approx(0.1 + 0.909297, abs=1e-5)


def test_dragging_moves_all_marks_without_the_server(page):
    left, width, middle = grab_dial(page)
    page.mouse.move(left + width * 0.3, middle, steps=3)
    before, frames = overlays(page, "places.length === 4 && !places.includes(null)"), len(page.sent)
    page.mouse.move(left + width * 0.8, middle, steps=10)
    overlays(page, "places.every((place, at) => place > before[at] + 50)", before)
    assert len(page.sent) == frames
    page.mouse.up()
    page.get_by_text("dial=32").wait_for()
    settle(page)
    overlays(page, "places.length === 4 && places.every((place) => place === null)")
    for number in range(4):
        assert graph(page, f"chart{number}", ".data[10].x[0]") == pytest.approx(0.8)
        assert graph(page, f"chart{number}", ".layout.shapes[0].x0") == pytest.approx(0.8)


def test_a_mark_outside_the_zoomed_range_is_not_seen(page):
    zoom(page, "chart0")
    left, width, middle = grab_dial(page)
    page.mouse.move(left + width * 0.1, middle, steps=3)
    overlays(page, "places[0] !== null")
    clipped = page.evaluate(
        """() => { const part = document.querySelector('[data-chart=chart0] .lp-overlay svg');
        const mark = part.querySelector('path').getBoundingClientRect();
        return [mark.right, part.parentNode.getBoundingClientRect().left + part.x.baseVal.value,
                getComputedStyle(part).overflow]; }"""
    )
    page.mouse.up()
    assert clipped[0] < clipped[1] and clipped[2].startswith("hidden")


def test_an_update_does_not_take_the_dial_from_the_hand(page):
    left, width, middle = grab_dial(page)
    page.mouse.move(left + width * 0.6, middle, steps=4)
    expect(slider(page)).to_have_value("24")
    # A click by script stands for data that arrive while the mouse button is down.
    page.get_by_role("button", name="set the dial to 30").evaluate("button => button.click()")
    page.get_by_role("button", name="more data").evaluate("button => button.click()")
    page.wait_for_function("document.querySelector('.lp-frame').getAttribute('aria-label').endsWith('1.')")
    settle(page)
    expect(slider(page)).to_have_value("24")
    page.mouse.move(left + width * 0.7, middle, steps=4)
    page.mouse.up()
    page.get_by_text("dial=28").wait_for()
    expect(slider(page)).to_have_value("28")


def test_python_can_set_the_dial(page):
    page.get_by_role("button", name="set the dial to 30").click()
    page.wait_for_function("document.querySelector('.lp-dial-input').value === '30'")
    settle(page)
    assert graph(page, "chart2", ".data[10].x[0]") == pytest.approx(0.75)
    expect(slider(page)).to_have_attribute("aria-valuetext", "30 of 40, 30 kB")


def test_keyboard_and_unmeasured_index(page):
    frames = len(page.sent)
    slider(page).focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.get_by_text("dial=11").wait_for()
    assert len(page.sent) == frames + 1
    settle(page)
    expect(page.locator(".lp-dial-readout")).to_have_text("not measured; nearest 10 of 40: 10 kB")
    # The marker has no measurement here and stays at the nearest; the line has one.
    assert graph(page, "chart3", ".data[10].x[0]") == pytest.approx(0.25)
    assert graph(page, "chart3", ".layout.shapes[0].x0") == pytest.approx(11 / 40)


def test_a_click_reports_customdata(page):
    page.mouse.move(*pixel(page, "chart2", 0.5, 1.5))
    page.mouse.click(*pixel(page, "chart2", 0.5, 1.5))
    page.get_by_text("selected=point 2").wait_for()


def test_the_theme_is_followed(page):
    def text_colour():
        return page.evaluate("getComputedStyle(document.querySelector('.lp-frame .xtick text')).fill")

    light, accent = text_colour(), graph(page, "chart0", ".data[10].marker.color")
    assert "var(" not in accent
    zoomed = zoom(page, "chart0")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"getComputedStyle(document.querySelector('.lp-frame .xtick text')).fill !== '{light}'")
    settle(page)
    assert x_range(page, "chart0") == pytest.approx(zoomed)


def test_a_chart_leaves_and_returns(page):
    page.evaluate(f"{GRAPH.format('chart0')}.remembered = 'same node'")
    box = page.get_by_text("without the last chart")
    box.click()
    page.locator("[data-chart=chart3]").wait_for(state="detached")
    box.click()
    page.locator("[data-chart=chart3] .lp-frame:not(.lp-waiting) .main-svg").first.wait_for()
    assert graph(page, "chart0", ".remembered") == "same node"


def test_bars_follow_the_dial_and_a_chart_without_a_dial_stays(page):
    page.get_by_text("with bars").click()
    for chart in ("bars", "plain"):
        page.locator(f"[data-chart={chart}] .lp-frame:not(.lp-waiting) .main-svg").first.wait_for()
    settle(page)
    left, width, middle = grab_dial(page)
    page.mouse.move(left + width * 0.5, middle, steps=5)
    page.wait_for_function(f"{GRAPH.format('bars')}.data[0].y.join() === '20,2,3'")
    page.mouse.up()
    page.get_by_text("dial=20").wait_for()
    assert graph(page, "plain", ".data[0].y") == [1, 1, 1]


def test_the_narrow_page_has_one_column(page):
    page.set_viewport_size({"width": 560, "height": 900})
    settle(page)
    boxes = [page.locator(f"[data-chart=chart{number}]").bounding_box() for number in range(4)]
    assert len({round(box["x"]) for box in boxes}) == 1
    graph_width = graph(page, "chart2", "._fullLayout.width")
    assert graph_width == pytest.approx(boxes[2]["width"], abs=1)


def test_a_picture_can_be_saved(page):
    page.mouse.move(*pixel(page, "chart1", 0.1, 0.1))
    with page.expect_download() as download:
        page.locator("[data-chart=chart1] .modebar-btn").first.click()
    assert download.value.suggested_filename == "chart1.png"


def test_latency_of_the_dial_is_printed(page):
    """No limit is set here, because a shared machine is no stopwatch; read the printed number."""
    times = page.evaluate(
        """async () => {
          const input = document.querySelector('.lp-dial-input');
          const frame = () => new Promise(requestAnimationFrame);
          input.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }));
          const times = [];
          for (let step = 0; step < 40; step += 1) {
            await new Promise((resume) => setTimeout(resume, 25 + 7 * (step % 5)));
            input.value = step;
            const start = performance.now();
            input.dispatchEvent(new Event('input', { bubbles: true }));
            await frame();
            await frame();
            times.push(performance.now() - start);
          }
          window.dispatchEvent(new PointerEvent('pointerup'));
          return times;
        }"""
    )
    settle(page)
    print(f"\ndial: median {statistics.median(times):.1f} ms, worst {max(times):.1f} ms from input to paint")


def test_a_long_title_is_whole_in_a_saved_picture(page):
    page.evaluate("""() => { window.Plotly.downloadImage = (figure, picture) => {
      window.saved = { title: figure.layout.title, ...picture }; }; }""")
    for number in (0, 3):
        page.locator(f"[data-chart=chart{number}]").hover()
        page.locator(f"[data-chart=chart{number}] .modebar-btn").first.click()
        saved = page.evaluate("""() => {
          const pen = document.createElement("canvas").getContext("2d"), { title, width } = window.saved;
          pen.font = `${title.font.size}px Arial, Helvetica, sans-serif`;
          const lines = title.text.split("<br>");
          return { lines, fits: lines.every((line) => pen.measureText(line).width < width) };
        }""")
        assert saved["fits"] and " ".join(saved["lines"]) == f"Chart {number}" + number * ", ten curves over a share"
    assert len(saved["lines"]) > 1


def test_charts_are_printed_as_wide_as_the_paper_lets_them_and_come_back(page):
    page.evaluate(f"""() => {{
      const graph = {GRAPH.format('chart0')}, frame = graph.closest(".lp-frame");
      window.printed = [];
      graph.on("plotly_relayout", ({{ width }}) => {{ if (width) window.printed.push([width, frame.clientWidth]); }});
    }}""")
    before = graph(page, "chart0", "._fullLayout.width")
    page.pdf(width="500px", height="800px")
    (drawn, room), *others = page.evaluate("window.printed")
    assert others == [] and drawn == room < before
    page.wait_for_function(f"{GRAPH.format('chart0')}._fullLayout.width === {before}")


def test_a_legend_of_fewer_rows_in_a_wider_chart_stays_above_the_curves(page):
    page.evaluate(f"window.Plotly.relayout({GRAPH.format('chart1')}, {{showlegend: true}})")
    rows = f"{GRAPH.format('chart1')}.querySelector('.legend .bg').getBoundingClientRect()"
    plot = f"{GRAPH.format('chart1')}.querySelector('.nsewdrag').getBoundingClientRect()"
    before = page.wait_for_function(f"{rows}.height").json_value()
    page.set_viewport_size({"width": 1900, "height": 900})
    page.wait_for_function(f"{rows}.height < {before} - 10 && {rows}.bottom <= {plot}.top + 1")


def test_charts_in_the_window_are_drawn_before_those_outside_and_all_are(page):
    page.set_viewport_size({"width": 1280, "height": 420})
    page.locator("[data-chart=chart3]").scroll_into_view_if_needed()
    settle(page)
    order = page.evaluate("""async () => {
        const drawn = [], charts = [...document.querySelectorAll('[data-chart]')];
        const whole = ({bottom, top}) => top < window.innerHeight && bottom > 0;
        const inside = charts.filter((one) => whole(one.getBoundingClientRect())).map((one) => one.dataset.chart);
        const all = charts.map((one) => new Promise((done) => one.querySelector('.lp-graph').on('plotly_afterplot', () => {
          drawn.push(one.dataset.chart);
          done();
        })));
        [...document.querySelectorAll('button')].find((one) => one.textContent.includes('more data')).click();
        await Promise.all(all);
        return {drawn, inside};
      }""")
    assert 0 < len(order["inside"]) < 4 and "chart0" not in order["inside"]
    assert set(order["drawn"][:len(order["inside"])]) == set(order["inside"])
    assert set(order["drawn"]) == {f"chart{number}" for number in range(4)}
