// The page's colours and fonts, and the look that every chart starts from.

const SMALL_SIZE = 14;
const FONT_SIZE = 17; // read from the back row of a lecture hall; --ce-scale makes it larger still
// Okabe-Ito, the blues late: the accent is often a blue, and a curve must not look like the dial's mark.
const PALETTE = ["#D55E00", "#009E73", "#CC79A7", "#E69F00", "#0072B2", "#56B4E9", "#F0E442"];
const COLOUR_NAME = /"var\(--(accent|text|muted|grid|background)\)"/g; // whole values: a title may speak of var(--text)

const paint = document.createElement("canvas").getContext("2d");

function channels(colour) {
  // The canvas turns every CSS colour into "#rrggbb" or "rgba(r, g, b, a)".
  paint.fillStyle = "#000000";
  paint.fillStyle = colour;
  const plain = paint.fillStyle;
  if (plain.startsWith("#")) return [1, 3, 5].map((at) => parseInt(plain.slice(at, at + 2), 16));
  return plain.match(/[\d.]+/g).slice(0, 3).map(Number);
}

function mix(first, second, share) {
  const other = channels(second);
  const mixed = channels(first).map((value, at) => Math.round(value * share + other[at] * (1 - share)));
  return `rgb(${mixed.join(", ")})`;
}

function readTheme(element) {
  const style = getComputedStyle(element);
  const read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  const text = read("--st-text-color", "#31333f");
  const background = read("--st-background-color", "#ffffff");
  const scale = Number(read("--ce-scale", "1"));
  const theme = {
    text,
    scale,
    size: Math.round(FONT_SIZE * scale),
    background,
    accent: read("--st-primary-color", "#d55e00"),
    panel: read("--st-secondary-background-color", "#f0f2f6"),
    font: read("--st-font", "sans-serif"),
    // Mixed, not transparent: a picture saved from the chart then looks the same anywhere.
    muted: mix(text, background, 0.75),
    grid: mix(text, background, 0.13),
    axis: mix(text, background, 0.45),
  };
  return { ...theme, key: JSON.stringify(theme) };
}

function axisDefaults(theme) {
  return {
    automargin: true,
    gridcolor: theme.grid,
    zeroline: false,
    showline: true,
    linecolor: theme.axis,
    ticks: "outside",
    tickcolor: theme.axis,
    ticklen: 6,
    title: { font: { size: theme.size + 1 }, standoff: 10 },
  };
}

function layoutDefaults(theme, layout) {
  const defaults = {
    autosize: true,
    uirevision: "liveplot",
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: theme.background, // Plotly derives the hover label's second box and the zoom box from it
    colorway: PALETTE,
    font: { family: theme.font, size: theme.size, color: theme.text },
    margin: { l: 56, r: 20, t: 12, b: 48 },
    hovermode: "closest",
    hoverlabel: {
      bgcolor: theme.panel,
      bordercolor: theme.axis,
      font: { family: theme.font, size: theme.size, color: theme.text },
    },
    legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: theme.muted, activecolor: theme.accent },
    xaxis: {},
    yaxis: {},
  };
  for (const name of new Set([...Object.keys(layout), "xaxis", "yaxis"])) {
    if (/^[xy]axis\d*$/.test(name)) defaults[name] = axisDefaults(theme);
  }
  return defaults;
}

function isPlainObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function merge(defaults, own) {
  const merged = { ...defaults };
  for (const [name, value] of Object.entries(own || {})) {
    merged[name] = isPlainObject(value) && isPlainObject(defaults[name]) ? merge(defaults[name], value) : value;
  }
  return merged;
}

function titleAsObject(layout) {
  // Plotly accepts a bare string as a title; the defaults need the long form to merge with.
  for (const [name, axis] of Object.entries(layout)) {
    if (/^[xy]axis\d*$/.test(name) && typeof axis.title === "string") axis.title = { text: axis.title };
  }
  return layout;
}

function withTheme(text, theme) {
  return JSON.parse(text.replace(COLOUR_NAME, (whole, name) => `"${theme[name]}"`));
}

function themedFigure(figure, theme) {
  const layout = titleAsObject(figure.layout || {});
  return { data: figure.data || [], layout: merge(layoutDefaults(theme, layout), layout) };
}
