// Buttons beside the dial that go through the measured stops one by one, or by themselves for a lecture; and the keys of
// the page that do the same.

const STOP_TIME = 1000; // milliseconds that a played stop stays
const USES_KEYS =
  "input, textarea, select, canvas, [role=dialog], [role=listbox], [role=grid], [role=slider], [role=tab], [role=radio]";

class Player {
  constructor(dial, parent) {
    this.dial = dial;
    this.timer = null;
    const row = element("div", "lp-dial-player", parent);
    this.button("back", row, () => this.step(-1), "One measured stop back");
    this.toggler = this.button("play", row, () => this.toggle(), "");
    this.button("on", row, () => this.step(1), "One measured stop on");
    this.show();
    this.onKey = (event) => this.key(event);
    window.addEventListener("keydown", this.onKey);
  }

  button(kind, row, act, does) {
    const made = element("button", `lp-dial-button lp-${kind}`, row);
    made.type = "button";
    made.title = does;
    made.setAttribute("aria-label", does);
    made.addEventListener("click", act);
    return made;
  }

  get playing() {
    return this.timer !== null;
  }

  step(direction) {
    this.pause();
    const next = this.dial.measuredStop(direction);
    if (next === undefined) return;
    this.dial.turn(next);
    this.dial.finishLater(KEYBOARD_PAUSE);
  }

  toggle() {
    if (this.playing) {
      this.pause();
    } else if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.step(1); // nothing moves by itself for who asked for that
    } else {
      this.play();
    }
  }

  play() {
    this.dial.postpone();
    this.timer = setInterval(() => this.tick(), STOP_TIME);
    this.show();
    if (this.dial.measuredStop(1) === undefined) this.dial.index = -1; // from the last stop it begins again
    this.tick();
  }

  tick() {
    const next = this.dial.measuredStop(1);
    if (next !== undefined) this.dial.turn(next);
    if (this.dial.measuredStop(1) === undefined) this.pause();
  }

  pause() {
    if (!this.playing) return;
    clearInterval(this.timer);
    this.timer = null;
    this.show();
    this.dial.finishLater(0);
  }

  show() {
    const does = this.playing ? "Pause (space)" : "Play the measured stops (space)";
    this.toggler.classList.toggle("lp-playing", this.playing);
    this.toggler.title = does;
    this.toggler.setAttribute("aria-label", does);
  }

  key(event) {
    if (!this.answers(event)) return;
    event.preventDefault(); // the page does not scroll
    if (event.key === " ") this.toggle();
    else this.dial.nudge(event.key === "ArrowRight" ? 1 : -1);
  }

  // Keys belong to the first dial in sight, and only where they mean nothing else: no field, list or button has them.
  answers(event) {
    const turns = event.key === "ArrowLeft" || event.key === "ArrowRight";
    if (!turns && (event.key !== " " || event.repeat)) return false;
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return false;
    const { target } = event;
    if (target === this.dial.input) return !turns; // arrows turn a range input already
    const taken = turns ? USES_KEYS : `${USES_KEYS}, button, a, summary`;
    if (target.isContentEditable || target.closest?.(taken)) return false;
    return this.dial.box === [...document.querySelectorAll(".lp-dial")].find((box) => box.getClientRects().length > 0);
  }

  remove() {
    clearInterval(this.timer);
    window.removeEventListener("keydown", this.onKey);
  }
}
