// Marks that follow the dial. At rest they are part of the Plotly figure, so that hovering, the legend and a
// saved picture know them. While the dial moves, the figure's own marks are hidden and this layer draws them:
// placing a few shapes takes well under a millisecond, a Plotly redraw of a full chart tens of them.

function nearestMeasured(isMeasured, count, index) {
  for (let distance = 0; distance < count; distance += 1) {
    if (index - distance >= 0 && isMeasured(index - distance)) return index - distance;
    if (index + distance < count && isMeasured(index + distance)) return index + distance;
  }
  return null;
}

function pointsAt(item, index) {
  const filled = (list, at) => list[at] !== null && list[at] !== undefined;
  const measured = (at) => filled(item.x, at) && filled(item.y, at);
  const at = nearestMeasured(measured, item.x.length, index);
  if (at === null) return { x: [], y: [], text: item.text ? [] : undefined, z: item.z ? [] : undefined };
  const pick = (list) => (list ? list[at] || [] : undefined);
  return { x: item.x[at], y: item.y[at], text: pick(item.text), z: pick(item.z) };
}

function lineAt(item, index) {
  const at = nearestMeasured((one) => Number.isFinite(item.x[one]), item.x.length, index);
  return at === null ? null : item.x[at];
}

function lineShape(item, index, theme) {
  const x = lineAt(item, index);
  return {
    type: "line",
    xref: item.axis || "x",
    yref: "paper",
    x0: x ?? 0,
    x1: x ?? 0,
    y0: 0,
    y1: 1,
    visible: x !== null,
    line: { color: item.color || theme.accent, width: 2, dash: "dash" },
  };
}

const SYMBOLS = {
  circle: (r) => `M${r},0A${r},${r} 0 1,1 0,${-r}A${r},${r} 0 0,1 ${r},0Z`,
  square: (r) => `M${r},${r}H${-r}V${-r}H${r}Z`,
  diamond: (r) => `M${r * 1.3},0L0,${r * 1.3}L${-r * 1.3},0L0,${-r * 1.3}Z`,
};

const TEXT_PLACES = {
  left: { anchor: "end", x: -1 },
  center: { anchor: "middle", x: 0 },
  right: { anchor: "start", x: 1 },
  top: { y: -1, baseline: "auto" },
  middle: { y: 0, baseline: "central" },
  bottom: { y: 1, baseline: "hanging" },
};

function escaped(value) {
  const stripped = String(value ?? "").replace(/<[^>]*>/g, "");
  return stripped.replace(/&(?!#?\w+;)/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");
}

function single(value, otherwise) {
  return Array.isArray(value) || value === undefined || value === null ? otherwise : value;
}

function markerMarkup(trace, points) {
  const marker = trace.marker || {};
  const [shape, ...variants] = String(single(marker.symbol, "circle")).split("-");
  const outline = (SYMBOLS[shape] || SYMBOLS.circle)(single(marker.size, 6) / 2);
  const open = variants.includes("open");
  const width = single(marker.line?.width, 0) || (open ? 1 : 0);
  const opacity = `opacity="${single(marker.opacity, 1)}"`;
  const drawn = ([x, y], at) => {
    const colour = [].concat(marker.color ?? "currentColor").at(Array.isArray(marker.color) ? at : 0);
    const edge = open ? colour : single(marker.line?.color, "none");
    const style = `fill="${open ? "none" : colour}" stroke="${edge}" stroke-width="${width}"`;
    return `<path d="${outline}" transform="translate(${x},${y})" ${style} ${opacity}/>`;
  };
  return points.map(drawn).join("");
}

function lineMarkup(trace, points) {
  const dashes = { dot: 1, dash: 3, longdash: 5 }[trace.line.dash];
  const length = dashes * Math.max(trace.line.width, 3); // Plotly's own rule
  const dash = dashes ? `stroke-dasharray="${length},${length}"` : "";
  const path = points.map(([x, y], at) => `${at ? "L" : "M"}${x},${y}`).join("");
  return `<path d="${path}" fill="none" stroke="${trace.line.color}" stroke-width="${trace.line.width}" ${dash}/>`;
}

function textMarkup(trace, points, texts) {
  const [upright, sideways] = single(trace.textposition, "middle center").split(" ");
  const place = { ...TEXT_PLACES[upright], ...TEXT_PLACES[sideways] };
  const gap = (trace.mode.includes("markers") ? single(trace.marker?.size, 6) / 2 : 0) + 4;
  const style = `text-anchor="${place.anchor}" dominant-baseline="${place.baseline}"`;
  const { color, size, family } = trace.textfont;
  const font = `fill="${color}" font-size="${size}" font-family="${escaped(family)}"`;
  const written = ([x, y], at) => {
    const where = `x="${x + place.x * gap}" y="${y + place.y * gap}"`;
    return `<text ${where} ${style} ${font}>${escaped(texts[at])}</text>`;
  };
  return points.map(written).join("");
}

function traceMarkup(full, trace, item, index) {
  if (trace.visible !== true) return ""; // switched off in the legend
  const across = full[axisName(trace.xaxis)];
  const up = full[axisName(trace.yaxis)];
  const { x, y, text } = pointsAt(item, index);
  const placed = x.map((value, at) => [across.d2p(value), up.d2p(y[at])]);
  const points = placed.filter(([left, top]) => Number.isFinite(left) && Number.isFinite(top));
  const parts = [];
  if (trace.mode.includes("lines")) parts.push(lineMarkup(trace, points));
  if (trace.mode.includes("markers")) parts.push(markerMarkup(trace, points));
  if (trace.mode.includes("text")) parts.push(textMarkup(trace, points, text || [].concat(trace.text || [])));
  // A nested svg clips at its edges, so that a mark beyond a zoomed range stays out of sight.
  const box = `x="${across._offset}" y="${up._offset}" width="${across._length}" height="${up._length}"`;
  return `<svg ${box} overflow="hidden">${parts.join("")}</svg>`;
}

function verticalMarkup(full, item, index, theme) {
  const x = lineAt(item, index);
  const axis = full[axisName(item.axis || "x")];
  if (x === null || !axis) return "";
  const { t: top, h: height } = full._size;
  const box = `x="${axis._offset}" y="${top}" width="${axis._length}" height="${height}"`;
  const at = axis.d2p(x);
  const style = `stroke="${item.color || theme.accent}" stroke-width="2" stroke-dasharray="9,9"`;
  return `<svg ${box} overflow="hidden"><line x1="${at}" x2="${at}" y1="${height}" y2="0" ${style}/></svg>`;
}

function axisName(reference) {
  return `${reference[0]}axis${reference.slice(1)}`; // "x2" is described by layout.xaxis2
}

function canOverlay(trace) {
  return trace.type === "scatter" && trace.fill === "none";
}

function lettered(letters, traces) {
  // The places, in units of the axes, of the points with these customdata: [x, y, letter].
  return letters.flatMap(([identity, letter]) => {
    for (const { customdata, x, y } of traces) {
      const at = (customdata || []).indexOf(identity);
      if (at >= 0) return [[x[at], y[at], letter]];
    }
    return [];
  });
}

const LETTER_ABOVE = 12; // pixels above the middle of a mark

function lettersMarkup(full, found, theme) {
  const { xaxis: across, yaxis: up } = full;
  const style = `text-anchor="middle" font-size="${theme.size + 5}" font-weight="700" fill="${theme.text}"`;
  const halo = `stroke="${theme.background}" stroke-width="4" paint-order="stroke"`;
  const written = found.map(([x, y, letter]) => {
    const where = `x="${across.d2p(x)}" y="${up.d2p(y) - LETTER_ABOVE}"`;
    return `<text ${where} ${style} ${halo}>${escaped(letter)}</text>`;
  });
  const box = `x="${across._offset}" y="${up._offset}" width="${across._length}" height="${up._length}"`;
  return `<svg ${box} overflow="hidden">${written.join("")}</svg>`;
}

function letterAnnotations(full, found, theme) {
  // For a saved picture, which has nothing of the overlay.
  const along = (axis, value) => (axis.type === "log" ? Math.log10(value) : value);
  const font = { size: theme.size + 5, color: theme.text };
  return found.map(([x, y, letter]) => ({
    x: along(full.xaxis, x),
    y: along(full.yaxis, y),
    text: `<b>${letter}</b>`,
    showarrow: false,
    yshift: LETTER_ABOVE + 6,
    font,
  }));
}
