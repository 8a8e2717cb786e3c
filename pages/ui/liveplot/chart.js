// One chart: a card with a title and a Plotly graph that is redrawn in place, never mounted anew.

function element(kind, className, parent) {
  const made = document.createElement(kind);
  made.className = className;
  if (parent) parent.append(made);
  return made;
}

function shownAsText(title) {
  // A title is plain text on the page; Plotly, which draws it in a saved picture, reads tags and entities.
  return title.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function inLines(title, font, width) {
  // Plotly breaks no line of a title: what is wider than a saved picture would be cut.
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = font;
  const lines = [];
  for (const word of title.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && pen.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

const PICTURE_FONT = "Arial, Helvetica, sans-serif";
const LEGEND_ROOM = 90; // pixels that a legend below a saved picture takes
const NARROW = 460; // pixels: a chart beside the hero, whose words would leave it no room

function inSmallType(layout, size) {
  layout.font.size = size;
  for (const [name, axis] of Object.entries(layout)) {
    if (/^[xy]axis\d*$/.test(name) && axis.title?.font) axis.title.font.size = size;
  }
}

function thinned(layout, width) {
  // Words under a logarithmic axis are turned where they meet: every second or third of them stays upright.
  if (width === 0) return; // not in the page yet
  for (const [name, axis] of Object.entries(layout)) {
    if (!/^xaxis\d*$/.test(name) || axis.type !== "log" || !axis.ticktext || !axis.range) continue;
    const shown = axis.tickvals.map((value, at) => at).filter((at) => Math.log10(axis.tickvals[at]) <= axis.range[1]);
    const longest = Math.max(0, ...axis.ticktext.map((text) => text.length));
    const room = (longest * 0.5 + 0.6) * layout.font.size;
    const step = Math.ceil((shown.length * room) / width);
    const kept = shown.filter((at, place) => (shown.length - 1 - place) % step === 0);
    for (const list of ["tickvals", "ticktext"]) axis[list] = kept.map((at) => axis[list][at]);
    axis.tickangle = 0;
  }
}

function filling({ least, most, beside }) {
  // As high as the window leaves room for beside the rest, in pixels.
  return `clamp(calc(${least}px - var(--ce-less, 0px)), calc(100vh - ${beside}px - var(--ce-more, 0px)), ${most}px)`;
}

class Chart {
  constructor(id, onSelect) {
    this.id = id;
    this.onSelect = onSelect;
    this.moving = false;
    this.hidden = [];
    this.letters = [];
    this.drawn = {};
    this.card = element("section", "lp-card");
    this.card.dataset.chart = id;
    this.title = element("div", "lp-title", this.card);
    this.title.setAttribute("role", "heading");
    this.title.setAttribute("aria-level", "3");
    this.frame = element("div", "lp-frame lp-waiting", this.card);
    this.frame.setAttribute("role", "img");
    this.graph = element("div", "lp-graph", this.frame);
    this.overlay = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.overlay.setAttribute("class", "lp-overlay");
    this.lettering = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.lettering.setAttribute("class", "lp-letters");
    this.frame.append(this.overlay, this.lettering);
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.frame);
    this.inWindow = true; // until the browser has said where it is
    this.places = new IntersectionObserver(([place]) => {
      this.inWindow = place.isIntersecting;
    });
    this.places.observe(this.frame);
    this.paper = window.matchMedia("print");
    this.printing = ({ matches }) => this.fitPaper(matches);
    this.paper.addEventListener("change", this.printing);
  }

  receive(text, theme) {
    if (text === this.text && theme.key === this.theme.key) return false;
    this.text = text;
    this.theme = theme;
    this.spec = withTheme(text, theme);
    this.follow = this.spec.follow || [];
    this.title.textContent = this.spec.title || "";
    this.title.hidden = !this.spec.title;
    this.frame.setAttribute("aria-label", this.spec.alt || this.spec.title || this.id);
    this.height = Math.round(this.spec.height * theme.scale);
    this.frame.style.height = this.spec.fill ? filling(this.spec.fill) : `${this.height}px`;
    this.card.classList.toggle("lp-stage", Boolean(this.spec.fill));
    this.card.classList.toggle("lp-wide", this.spec.span === "wide");
    return true;
  }

  draw(library, index, inMotion) {
    const stale = this.text !== this.drawn.text || this.theme.key !== this.drawn.theme;
    const moved = this.follow.length > 0 && index !== this.drawn.index;
    if (stale || (moved && !inMotion)) {
      this.library = library;
      this.drawn = { text: this.text, theme: this.theme.key, index };
      const { data, layout } = this.figure(index);
      library.react(this.graph, data, layout, this.settings());
      this.listen();
      this.showLetters(this.letters);
      this.frame.classList.remove("lp-waiting");
    }
    if (!inMotion) this.rest();
    else if (this.moving) this.move(index);
  }

  get isNarrow() {
    return this.frame.clientWidth < NARROW;
  }

  figure(index) {
    const figure = themedFigure(structuredClone(this.spec.figure), this.theme);
    if (index !== null) {
      for (const item of this.follow) this.settle(figure, item, index);
    }
    if (this.isNarrow) {
      if (this.spec.narrow) figure.layout = merge(figure.layout, this.spec.narrow);
      if (this.spec.fill) inSmallType(figure.layout, Math.round(SMALL_SIZE * this.theme.scale));
    }
    thinned(figure.layout, 0.8 * this.frame.clientWidth);
    figure.layout.height = this.spec.fill ? this.frame.clientHeight || this.height : this.height;
    return figure;
  }

  showLetters(letters) {
    // Beside the graph: for Plotly, an annotation more is a redraw of every point.
    this.letters = letters;
    const full = this.graph._fullLayout;
    const found = full?.xaxis ? lettered(letters, this.graph.data) : [];
    this.lettering.innerHTML = found.length > 0 ? lettersMarkup(full, found, this.theme) : "";
  }

  settle(figure, item, index) {
    if (item.line) {
      figure.layout.shapes = [...(figure.layout.shapes || []), lineShape(item, index, this.theme)];
    } else {
      const points = pointsAt(item, index);
      for (const name of ["text", "z"]) if (points[name] === undefined) delete points[name];
      // The uid becomes part of the drawn group's class name, by which it is hidden while the dial moves.
      Object.assign(figure.data[item.trace], { uid: `lp${item.trace}`, ...points });
    }
  }

  settings() {
    // The same object each time: Plotly rebuilds a chart whose settings changed.
    this.config ||= {
      displaylogo: false,
      displayModeBar: "hover",
      scrollZoom: false,
      showTips: false,
      typesetMath: false, // $x$ in a name is no formula
      modeBarButtons: [[this.pictureButton(), "resetScale2d"]],
    };
    return this.config;
  }

  pictureButton() {
    const { camera } = this.library.Icons;
    return { name: "toImage", title: "Save as a picture (PNG)", icon: camera, click: () => this.savePicture() };
  }

  savePicture() {
    // The title stands outside the graph and the graph is transparent: a saved picture needs both.
    const named = this.spec.legend_in_picture;
    const { width, height } = this.graph._fullLayout;
    const size = this.theme.size + 6;
    const lines = inLines(this.spec.title || "", `${size}px ${PICTURE_FONT}`, 0.96 * width);
    const room = (this.spec.title ? 56 + 1.3 * size * (lines.length - 1) : 0) + (named ? LEGEND_ROOM : 0);
    const layout = structuredClone(this.graph.layout);
    layout.paper_bgcolor = this.theme.background;
    const letters = letterAnnotations(this.graph._fullLayout, lettered(this.letters, this.graph.data), this.theme);
    layout.annotations = [...(layout.annotations || []), ...letters];
    // The picture is drawn without the page's web fonts: in a font that both have, a legend is as wide as it was measured.
    layout.font = { ...layout.font, family: PICTURE_FONT };
    layout.title = {
      text: lines.map(shownAsText).join("<br>"),
      font: { size },
      x: 0.02,
      xanchor: "left",
      y: 1,
      yanchor: "top",
      pad: { t: 16 },
      automargin: true,
      yref: "container",
    };
    if (named) {
      layout.showlegend = true;
      layout.legend = { orientation: "h", x: 0, y: -0.2, yanchor: "top", traceorder: "normal" };
    }
    const picture = { format: "png", scale: 2, width, height: height + room, filename: this.id };
    this.library.downloadImage({ data: this.graph.data, layout }, picture);
  }

  listen() {
    if (this.listening) return;
    this.listening = true;
    this.graph.on("plotly_click", (event) => {
      const point = event.points.find((one) => one.customdata !== undefined && one.customdata !== null);
      if (point) this.onSelect(point.customdata);
    });
    // A zoom or a data update in the middle of a drag redraws the chart below the moving marks.
    this.graph.on("plotly_afterplot", () => {
      if (this.moving) this.showMoving();
      this.showLetters(this.letters);
    });
  }

  move(index) {
    if (!this.graph._fullLayout || this.follow.length === 0) return;
    this.moving = true;
    this.movingIndex = index;
    this.redrawSlow(index);
    this.showMoving();
  }

  redrawSlow(index) {
    // Marks that are not plain points or lines (bars, fills, maps) are few; Plotly itself moves them.
    const slow = this.follow.filter((item) => !item.line && !canOverlay(this.graph._fullData[item.trace]));
    if (slow.length === 0) return;
    const points = slow.map((item) => pointsAt(item, index));
    const changes = { x: points.map((one) => one.x), y: points.map((one) => one.y) };
    for (const name of ["text", "z"]) {
      if (slow.every((item) => item[name])) changes[name] = points.map((one) => one[name]);
    }
    this.library.restyle(this.graph, changes, slow.map((item) => item.trace));
  }

  showMoving() {
    const { _fullLayout: full, _fullData: traces } = this.graph;
    this.hideOriginals();
    this.overlay.innerHTML = this.follow
      .map((item) => {
        if (item.line) return verticalMarkup(full, item, this.movingIndex, this.theme);
        return canOverlay(traces[item.trace]) ? traceMarkup(full, traces[item.trace], item, this.movingIndex) : "";
      })
      .join("");
  }

  hideOriginals() {
    if (this.hidden.length > 0 && this.hidden.every((node) => node.isConnected)) return;
    const drawnShapes = (this.spec.figure.layout?.shapes || []).length;
    let lines = 0;
    const selectors = this.follow.map((item) =>
      item.line
        ? `.shapelayer [data-index="${drawnShapes + lines++}"]`
        : `.scatterlayer .tracelp${item.trace}`,
    );
    this.hidden = selectors.flatMap((selector) => [...this.graph.querySelectorAll(selector)]);
    for (const node of this.hidden) node.style.visibility = "hidden";
  }

  rest() {
    this.moving = false;
    for (const node of this.hidden) node.style.visibility = "";
    this.hidden = [];
    this.overlay.replaceChildren();
  }

  resize() {
    const full = this.graph._fullLayout;
    const width = this.frame.clientWidth;
    const height = this.spec?.fill ? this.frame.clientHeight : full?.height;
    if (!full || width === 0) return;
    if (Math.abs(full.height - height) >= 1) this.library.relayout(this.graph, { height });
    if (Math.abs(full.width - width) >= 1) this.library.Plots.resize(this.graph).then(() => this.placeLegend());
  }

  placeLegend() {
    // In another width a legend may need fewer rows. The margin above shrinks, but Plotly leaves the legend in its old place,
    // over the curves: it is drawn once more.
    if (this.graph._fullLayout?.showlegend) this.library.redraw(this.graph);
  }

  fitPaper(printing) {
    // Paper has another size than the window. resize() would come too late: it waits a moment for the last of many sizes.
    if (!this.graph._fullLayout || this.frame.clientWidth === 0) return;
    const width = printing ? { width: this.frame.clientWidth } : { width: null, autosize: true };
    const changes = this.spec?.fill ? { ...width, height: this.frame.clientHeight } : width;
    this.library.relayout(this.graph, changes).then(() => this.placeLegend());
  }

  complain(error) {
    console.error(`liveplot: chart ${this.id}`, error);
    this.frame.dataset.problem = `This chart cannot be drawn: ${error.message}`;
    this.frame.classList.add("lp-waiting");
  }

  remove() {
    this.sizes.disconnect();
    this.places.disconnect();
    this.paper.removeEventListener("change", this.printing);
    if (this.graph._fullLayout) this.library.purge(this.graph);
    this.card.remove();
  }
}
