// The component: what Streamlit calls at each run of the script, and the state that outlives those calls.

const components = new Set(); // all that are on the page: some follow the dial of another one
let lastFrame = null; // in which a chart was drawn
let pause = 0; // frames left to what is in the window, before a chart outside it is drawn
const PAUSE = 3;

class LivePlotComponent {
  constructor(parent) {
    this.root = element("div", "lp-root", parent);
    this.charts = new Map();
    this.queue = new Set();
    components.add(this);
    this.looks = new ResizeObserver(() => this.readLooks());
    this.looks.observe(this.root);
  }

  readLooks() {
    // A lecture makes type larger by a rule for the whole page; Streamlit has no reason to call us then.
    if (!this.theme || readTheme(this.root).key === this.theme.key) return;
    this.theme = readTheme(this.root);
    for (const chart of this.charts.values()) if (chart.receive(chart.text, this.theme)) this.queue.add(chart);
    this.drawSoon();
  }

  receive({ data, setStateValue, setTriggerValue }) {
    this.setStateValue = setStateValue;
    this.setTriggerValue = setTriggerValue;
    this.theme = readTheme(this.root);
    this.key = data.key;
    this.follows = data.follows;
    this.reportsTo = data.reportsTo;
    this.lettering = data.letters;
    this.receiveDial(data.dial);
    this.receiveCharts(data.charts);
    for (const one of components) if (one.key === data.letters?.of) one.showLetters();
    loadLibrary(data.library, data.basePath).then(
      (library) => {
        this.library = library;
        this.drawSoon();
      },
      (error) => this.complain(error),
    );
  }

  // The letters beside some points of these charts, which another component has.
  get letters() {
    return [...components].find((one) => one.lettering?.of === this.key)?.lettering.marks || [];
  }

  showLetters() {
    for (const chart of this.charts.values()) chart.showLetters(this.letters);
  }

  select(customdata) {
    const other = this.reportsTo && [...components].find((one) => one.key === this.reportsTo);
    (other || this).setTriggerValue("selected", customdata);
  }

  receiveDial(text) {
    if (text === null) {
      this.dial?.remove();
      this.dial = this.tiles = null;
      return;
    }
    const before = this.dial?.index;
    this.dial ||= new Dial(this.dialPlace(), {
      onMove: () => this.moved(),
      onRest: () => this.rested(),
      onReport: (index) => this.setStateValue("dial", index),
    });
    this.dial.receive(text);
    this.tiles ||= new Tiles(this.dial);
    this.tiles.show();
    if (before !== this.dial.index) this.rested();
  }

  // The dial that moves these charts: their own, or that of the component which they follow.
  get turner() {
    if (this.dial || !this.follows) return this.dial;
    return [...components].find((one) => one.key === this.follows && one.dial)?.dial;
  }

  get moving() {
    return [this, ...[...components].filter((one) => one.follows === this.key && !one.dial)];
  }

  moved() {
    this.tiles?.show();
    for (const one of this.moving) one.moveSoon();
  }

  rested() {
    this.tiles?.show();
    for (const one of this.moving) one.queueAll();
  }

  dialPlace() {
    const place = element("div", "lp-dial-place");
    this.root.prepend(place);
    return place;
  }

  receiveCharts(texts) {
    const wanted = new Map(texts);
    for (const [id, chart] of this.charts) {
      if (!wanted.has(id)) this.forget(id, chart);
    }
    this.grid ||= element("div", "lp-grid", this.root);
    let place = 0;
    for (const [id, text] of wanted) {
      const chart = this.charts.get(id) || this.addChart(id);
      if (chart.receive(text, this.theme)) this.queue.add(chart);
      // Moved only if it stands elsewhere: a node that is inserted again loses hover and focus.
      const there = this.grid.children[place] || null;
      if (there !== chart.card) this.grid.insertBefore(chart.card, there);
      place += 1;
    }
  }

  addChart(id) {
    const chart = new Chart(id, (customdata) => this.select(customdata));
    this.charts.set(id, chart);
    return chart;
  }

  forget(id, chart) {
    this.charts.delete(id);
    this.queue.delete(chart);
    chart.remove();
  }

  queueAll() {
    for (const chart of this.charts.values()) this.queue.add(chart);
    this.drawSoon();
  }

  drawSoon() {
    if (!this.library || this.drawing || this.queue.size === 0) return;
    this.drawing = requestAnimationFrame((frame) => this.drawOne(frame));
  }

  drawOne(frame) {
    // One chart a frame on the whole page: a full redraw takes tens of milliseconds, and the dial must stay free between two.
    this.drawing = 0;
    const chart = this.next;
    if (chart && frame !== lastFrame && (chart.inWindow || !this.mustWait())) {
      lastFrame = frame;
      if (chart.inWindow) pause = PAUSE;
      this.queue.delete(chart);
      try {
        chart.letters = this.letters;
        chart.draw(this.library, this.turner ? this.turner.index : null, Boolean(this.turner?.active));
      } catch (error) {
        chart.complain(error); // one bad figure must not stop the others
      }
    }
    this.drawSoon();
  }

  get next() {
    const queue = [...this.queue];
    return queue.find((chart) => chart.inWindow) || queue[0];
  }

  mustWait() {
    // A chart outside the window waits for those in it, and until the browser has shown them.
    if ([...components].some((one) => one.next?.inWindow)) return true;
    pause = Math.max(0, pause - 1);
    return pause > 0;
  }

  moveSoon() {
    this.stepping ||= requestAnimationFrame(() => {
      this.stepping = 0;
      const { turner } = this;
      if (turner) for (const chart of this.charts.values()) chart.move(turner.index);
    });
  }

  complain(error) {
    for (const chart of this.charts.values()) chart.complain(error);
  }

  remove() {
    cancelAnimationFrame(this.drawing);
    cancelAnimationFrame(this.stepping);
    for (const [id, chart] of [...this.charts]) this.forget(id, chart);
    this.looks.disconnect();
    this.dial?.remove();
    components.delete(this);
    this.root.remove();
  }
}

// An instance made by an older text of this module (the file was edited while the page is open) is replaced.
const instances = new WeakMap();

export default function (component) {
  const { parentElement } = component;
  if (!instances.has(parentElement)) {
    for (const old of parentElement.querySelectorAll(":scope > .lp-root")) old.liveplotRemove();
    const made = new LivePlotComponent(parentElement);
    made.root.liveplotRemove = () => made.remove();
    instances.set(parentElement, made);
  }
  const instance = instances.get(parentElement);
  instance.receive(component);
  return () => {
    // Streamlit also calls this for a run that a newer one overtook; only a page that let go of us is final.
    setTimeout(() => {
      if (parentElement.isConnected) return;
      instance.remove();
      instances.delete(parentElement);
    });
  };
}
