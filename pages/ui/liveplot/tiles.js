// The figures of the dial's stop, large, in the dial's head: they change with each move, and their places stay.

class Tiles {
  constructor(dial) {
    this.dial = dial;
    this.row = element("div", "lp-tiles", dial.box.firstElementChild);
    this.row.setAttribute("aria-hidden", "true"); // the readout says the same
  }

  show() {
    const tiles = this.dial.spec.tiles || [];
    this.row.hidden = tiles.length === 0;
    if (this.row.hidden) return;
    const at = nearestMeasured((place) => Boolean(tiles[place]), tiles.length, this.dial.index);
    const shown = at === null ? this.dial.spec.tileNames.map((name) => ["–", name]) : tiles[at];
    this.row.classList.toggle("lp-unmeasured", at !== this.dial.index);
    while (this.row.children.length > shown.length) this.row.lastElementChild.remove();
    shown.forEach(([figure, words], place) => this.write(place, figure, words));
  }

  write(place, figure, words) {
    const tile = this.row.children[place] || this.tile();
    tile.firstElementChild.textContent = figure;
    tile.lastElementChild.textContent = words;
  }

  tile() {
    const made = element("div", "lp-tile", this.row);
    element("b", "", made);
    element("span", "", made);
    return made;
  }
}
