// The dial: a real range input, so that a keyboard and a screen reader work as everywhere else.

const KEYBOARD_PAUSE = 200; // a held arrow key is one move, not thirty reports

class Dial {
  constructor(parent, { onMove, onRest, onReport }) {
    Object.assign(this, { onMove, onRest, onReport });
    this.held = false;
    this.pending = null;
    this.echoes = [];
    this.build(parent);
    this.input.addEventListener("input", () => this.move());
    this.input.addEventListener("pointerdown", () => this.hold());
    for (const name of ["change", "blur"]) this.input.addEventListener(name, () => this.release());
  }

  build(parent) {
    this.box = element("div", "lp-dial", parent);
    const head = element("div", "lp-dial-head", this.box);
    const now = element("div", "lp-dial-now", head);
    this.label = element("div", "lp-dial-label", now);
    this.value = element("div", "lp-dial-value", now);
    this.readout = element("span", "lp-dial-readout", head);
    this.readout.setAttribute("aria-live", "polite");
    this.player = new Player(this, this.box);
    this.input = element("input", "lp-dial-input", this.box);
    this.input.type = "range";
    this.input.min = 0;
    this.input.step = 1;
    this.dots = element("div", "lp-dial-dots", this.box);
    this.dots.setAttribute("aria-hidden", "true");
    const below = element("div", "lp-dial-below", this.box);
    this.first = element("span", "", below);
    this.help = element("span", "", below);
    this.last = element("span", "", below);
    for (const end of [this.first, this.last]) end.setAttribute("aria-hidden", "true");
  }

  get active() {
    return this.held || this.pending !== null || this.player.playing;
  }

  receive(text) {
    this.receiveText(text);
    if (!this.active && this.index === this.reported) this.marksWords(false);
  }

  // Sentences about the dial's stop come from the server, which is told of a move when the move has ended: until then they are pale.
  marksWords(pale) {
    document.documentElement.classList.toggle("lp-turning", pale);
  }

  receiveText(text) {
    if (text === this.text) return;
    this.text = text;
    const previous = this.spec;
    this.spec = JSON.parse(text);
    const renewed = !previous || String(previous.values) !== String(this.spec.values);
    this.input.max = this.spec.values.length - 1;
    this.input.setAttribute("aria-label", this.spec.label);
    this.input.name = this.spec.name || "dial";
    this.help.textContent = this.spec.help || "";
    // As wide as the longest label, so that the readout beside it stays where it is.
    const widest = Math.max(...this.spec.values.map((value, at) => this.labelOf(at).length));
    this.value.style.minWidth = `${widest}ch`;
    this.label.style.minWidth = `${0.9 * Math.max(0, ...(this.spec.captions || []).map((one) => one.length))}ch`;
    this.adopt(this.spec.index ?? 0, renewed);
    this.showDots();
    this.show();
  }

  adopt(index, renewed) {
    // Python often sends back what the user chose a moment ago, perhaps twice over and late: an echo is no
    // wish of Python's, and nothing moves the dial out of the user's hand.
    const echo = this.echoes.indexOf(index);
    const repeated = index === this.received && !renewed;
    this.received = index;
    if (echo >= 0) this.echoes.splice(0, echo + 1);
    if (!this.active && !repeated && (echo < 0 || renewed)) this.reported = this.index = index;
    this.index = Math.min(this.index ?? index, this.spec.values.length - 1);
  }

  hold() {
    this.player.pause();
    this.held = true;
    this.readout.setAttribute("aria-busy", "true"); // a screen reader waits until the move is over
    // The pointer may be let go anywhere, and no "change" follows when the value is the old one again.
    for (const name of ["pointerup", "pointercancel"]) {
      window.addEventListener(name, () => this.release(), { once: true });
    }
  }

  move() {
    this.player.pause();
    this.turn(Number(this.input.value));
    if (!this.held) this.finishLater(KEYBOARD_PAUSE);
  }

  turn(index) {
    this.index = index;
    this.show();
    this.marksWords(true);
    this.onMove();
  }

  nudge(direction) {
    this.player.pause();
    const next = this.index + direction;
    if (next < 0 || next >= this.spec.values.length) return;
    this.turn(next);
    this.finishLater(KEYBOARD_PAUSE);
  }

  // The next measured stop in a direction, or undefined at the end; where none is measured, every stop counts.
  measuredStop(direction) {
    const readout = this.spec.readout || [];
    const known = (at) => readout[at] !== null && readout[at] !== undefined;
    const all = this.spec.values.map((value, at) => at);
    const stops = all.some(known) ? all.filter(known) : all;
    return direction > 0 ? stops.find((at) => at > this.index) : stops.findLast((at) => at < this.index);
  }

  release() {
    const wasHeld = this.held;
    this.held = false;
    if (wasHeld) this.finishLater(0);
  }

  finishLater(pause) {
    this.postpone();
    this.pending = setTimeout(() => this.finish(), pause);
  }

  postpone() {
    this.readout.setAttribute("aria-busy", "true");
    clearTimeout(this.pending);
    this.pending = null;
  }

  finish() {
    this.pending = null;
    if (this.held || this.player.playing) return;
    this.readout.setAttribute("aria-busy", "false");
    if (this.index === this.reported) {
      this.marksWords(false);
    } else {
      this.reported = this.index;
      this.echoes = [...this.echoes.slice(-9), this.index];
      this.onReport(this.index);
    }
    this.onRest();
  }

  remove() {
    clearTimeout(this.pending);
    this.marksWords(false);
    this.player.remove();
    this.box.parentElement.remove();
  }

  labelOf(index) {
    return this.spec.labels?.[index] ?? String(this.spec.values[index]);
  }

  readoutAt(index) {
    const readout = this.spec.readout || [];
    const measured = (at) => readout[at] !== null && readout[at] !== undefined;
    const at = nearestMeasured(measured, readout.length, index);
    if (at === index) return { text: readout[at], measured: true };
    if (at === null) return { text: readout.length ? "not measured yet" : "", measured: false };
    // The marks stand at the nearest measurement as well, and the line says so.
    return { text: `not measured; nearest ${this.labelOf(at)}: ${readout[at]}`, measured: false };
  }

  show() {
    const { text, measured } = this.readoutAt(this.index);
    const label = this.labelOf(this.index);
    if (Number(this.input.value) !== this.index) this.input.value = this.index;
    this.value.textContent = label;
    this.label.textContent = this.spec.captions?.[this.index] || this.spec.label;
    this.readout.textContent = text;
    this.readout.classList.toggle("lp-unmeasured", !measured);
    this.input.setAttribute("aria-valuetext", text ? `${label}, ${text}` : label);
    const share = this.spec.values.length > 1 ? this.index / (this.spec.values.length - 1) : 0;
    this.input.style.setProperty("--lp-share", share);
  }

  showDots() {
    const last = this.spec.values.length - 1;
    const readout = this.spec.readout || [];
    this.first.textContent = this.labelOf(0);
    this.last.textContent = last > 0 ? this.labelOf(last) : "";
    this.dots.replaceChildren(
      ...this.spec.values.map((value, at) => {
        const dot = element("i", readout[at] === null || readout[at] === undefined ? "" : "lp-measured");
        dot.style.setProperty("--lp-share", last > 0 ? at / last : 0);
        return dot;
      }),
    );
  }
}
