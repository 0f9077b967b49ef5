// The charts of the explorer: specifications of Vega, each one view without facets, and the rows that they are given.
// A move changes rows and signals alone. Colours are variables of the page's style, or those of paper for a file.

export const PAPER = {
  paper: "#FFFFFF", ink: "#222222", quiet: "#5F5F5F", axis: "#888888", hair: "#DDDDDD", blue: "#0072B2",
  deep: "#00395C", vermilion: "#D55E00", orange: "#B87900", green: "#007A59", purple: "#A8487F",
  band0: "#DCEBF5", band1: "#A5CCE5", band2: "#5FA3D0",
};
const SCREEN = Object.fromEntries(Object.keys(PAPER).map((name) => [name, `var(--${name})`]));
export const BESIDE = ["orange", "green", "purple"]; // of the scenarios beside, each with a dash of its own
export const DASHES = [[7, 3], [2, 2], [9, 3, 2, 3]];
const FONT = "Liberation Sans, Arial, Helvetica, sans-serif";

// Numbers, as they can be typed, and in words, as the project prints them; offline.js takes these too.

export function number(value, digits = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) {
    const [base, power] = value.toExponential(digits - 1).split("e");
    return `${Number(base)}e${Number(power)}`;
  }
  const rounded = Number(value.toPrecision(Math.max(digits, size >= 1000 ? 6 : digits)));
  return Math.abs(rounded) >= 10000 ? rounded.toLocaleString("en-US") : String(rounded);
}

const raised = (power) => [...String(power)].map((digit) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(digit)]).join("");

export function words(value, digits = 3) { // 1e6 as 10⁶
  return number(value, digits).replace(/^(-?[\d.]+)e(-?\d+)$/, (_, base, power) =>
    `${base === "1" ? "" : `${base} × `}10${raised(power)}`);
}

export function level(log) { // 34.71 as 5 × 10³⁴
  if (log < 6 && log > -3) return number(10 ** log, 2);
  const base = Math.round(10 ** (log - Math.floor(log)));
  const power = `10${raised(Math.floor(log) + (base >= 10))}`;
  return base === 1 || base >= 10 ? power : `${base} × ${power}`;
}

export function amount({ log, unit }, value) {
  if (value === null) return "beyond any number";
  return `${log ? level(value) : words(value)}${unit && unit !== "1" ? ` ${unit}` : ""}`;
}

export const small = (error) => (error < 0.005 ? "<0.01" : error.toFixed(2));

export function percent(share) {
  if (share > 0 && share < 0.005) return "< 1 %";
  if (share < 1 && share > 0.995) return "> 99 %";
  return `${Math.round(100 * share)} %`;
}

export function year(value, [first, last]) {
  if (value === null) return `> ${last}`;
  return value <= first ? `≤ ${first}` : value.toFixed(1);
}

// What the specifications share.

const field = (name, scale) => ({ field: name, ...(scale && { scale }) });
const pixel = (value) => ({ value });
const fixed = (signal) => ({ signal });

function rule(color, more) {
  return { type: "rule", aria: false, encode: { update: { stroke: pixel(color), ...more } } };
}

function text(data, color, more) {
  const update = { fill: pixel(color), baseline: pixel("middle"), fontSize: pixel(12), ...more };
  return { type: "text", from: { data }, aria: false, encode: { update } };
}

function framed(c, { height, wide, left, right, bottom = 30, top = 8, more }) {
  const { signals = [], data = [], scales = [], marks = [], axes = true } = more;
  const years = axes ? [{
    scale: "x", orient: "bottom", format: "d", tickCount: fixed("max(3, width / 80)"), grid: true, gridColor: c.hair,
    domainColor: c.axis, tickColor: c.axis, labelColor: c.ink, aria: false, zindex: 0, labelPadding: 5,
  }] : [];
  return {
    $schema: "https://vega.github.io/schema/vega/v6.json", background: null, width: 400, height, aria: false,
    // Where there is little room, levels stay beside the drawing, and words stand above their row.
    padding: { left: wide ? left : left > 52 ? 8 : 44, right: wide ? right : 14, top, bottom },
    autosize: "none",
    signals: [
      { name: "span", value: [2025, 2045] },
      { name: "at", value: null, on: [
        { events: "pointermove", update: "clamp(x(), 0, width)" }, { events: "view:pointerout", update: "null" }] },
      ...signals],
    data: [...data],
    scales: [{ name: "x", domain: fixed("span"), range: "width", zero: false, nice: false }, ...scales],
    axes: years,
    marks: [...marks, ...(axes ? [rule(c.axis, {
      x: fixed("at === null ? -9 : at"), y: pixel(0), y2: fixed("height"), opacity: fixed("at === null ? 0 : 0.8"),
    })] : [])],
    config: {
      text: { font: FONT }, axis: { labelFont: FONT, labelFontSize: 12 },
      title: { font: FONT, subtitleFont: FONT, fontSize: 18, subtitleFontSize: 12, anchor: "start", offset: 16 },
    },
  };
}

// Each kind of chart: its specification, by colours and room, and its rows, by what is to be shown.

function powers(c) { // powers of ten at the left, the exponent small and raised
  return [
    rule(c.hair, { x: pixel(0), x2: fixed("width"), y: field("value", "y") }),
    text("ticks", c.ink, { text: field("base"), align: pixel("right"), x: field("shift"), y: field("value", "y") }),
    text("ticks", c.ink, {
      text: field("power"), align: pixel("right"), x: pixel(-7), y: field("value", "y"), dy: pixel(-5),
        fontSize: pixel(9),
    }),
  ].map((mark) => ({ ...mark, from: { data: "ticks" } }));
}

function area(data, low, high, color, more) {
  return { type: "area", from: { data }, aria: false, encode: { update: {
    x: field("year", "x"), y: field(low, "y"), y2: field(high, "y"), fill: pixel(color), ...more } } };
}

function line(data, name, color, width, more) {
  return { type: "line", from: { data }, aria: false, encode: { update: {
    x: field("year", "x"), y: field(name, "y"), stroke: pixel(color), strokeWidth: pixel(width), ...more } } };
}

function dots(data, x, y, fill, rim, size, more) {
  return { type: "symbol", from: { data }, aria: false, encode: { update: {
    x, y, fill: pixel(fill), stroke: pixel(rim), size: pixel(size), strokeWidth: pixel(1.6), ...more } } };
}

function fanSpec(c, wide, pairs, tall) {
  const bands = pairs === 1 ? ["band1"] : pairs === 2 ? ["band0", "band1"] : ["band0", "band1", "band2"];
  const dashed = { strokeDash: pixel([4, 3]) };
  const lines = { strokeDash: pixel([5, 3]), strokeWidth: pixel(1) };
  const labels = wide
    ? { x: fixed("width + 10"), y: field("place"), align: pixel("left"), limit: pixel(156) }
    : { x: pixel(4), y: field("level", "y"), dy: pixel(-8), align: pixel("left"), fontSize: pixel(11) };
  const halo = text("thresholds", c.paper, {
    ...labels, text: field("label"), stroke: pixel(c.paper), strokeWidth: pixel(wide ? 0 : 3) });
  return framed(c, { height: tall ? 340 : 230, wide, left: 52, right: 168, more: {
    signals: [{ name: "range", value: [0, 1] }],
    data: ["ticks", "fan", "saved", "history", "thresholds", "crossed", "beside0", "beside1", "beside2"].map(
      (name) => ({ name })),
    scales: [{ name: "y", domain: fixed("range"), range: "height", zero: false, nice: false }],
    marks: [
      ...powers(c),
      { type: "group", clip: true, aria: false, encode: { update: { width: fixed("width"), height: fixed("height") } },
        marks: [
          area("saved", "low", "high", c.axis, { fillOpacity: pixel(0.28) }),
          ...bands.map((band, i) => area("fan", `low${i}`, `high${i}`, c[band], { fillOpacity: pixel(0.92) })),
          line("saved", "low", c.quiet, 1, dashed), line("saved", "high", c.quiet, 1, dashed),
          line("saved", "median", c.quiet, 1.5, { strokeDash: pixel([5, 3]) }),
          line("fan", "median", c.deep, 2.6),
          ...BESIDE.map((color, i) => line(`beside${i}`, "median", c[color], 2.2, { strokeDash: pixel(DASHES[i]) })),
          { ...rule(c.ink, { ...lines, x: pixel(0), x2: fixed("width"), y: field("level", "y") }),
            from: { data: "thresholds" } },
          dots("history", field("year", "x"), field("level", "y"), c.ink, c.paper, 30, { strokeWidth: pixel(0.8) }),
          dots("crossed", field("year", "x"), field("level", "y"), c.paper, c.ink, 46),
        ] },
      { ...rule(c.quiet, { x: fixed("width"), x2: fixed("width + 7"), y: field("level", "y"), y2: field("place"),
        opacity: pixel(wide ? 1 : 0) }), from: { data: "thresholds" } },
      halo, text("thresholds", c.ink, { ...labels, text: field("label") }),
    ],
  } });
}

// Labels that would overlap are moved apart, from the top down, and pushed back from the bottom.
function apart(rows, step, bottom) {
  rows.sort((a, b) => a.place - b.place);
  rows.forEach((row, i) => { if (i) row.place = Math.max(row.place, rows[i - 1].place + step); });
  for (let i = rows.length - 1; i >= 0; i -= 1) {
    const row = rows[i];
    row.place = Math.min(row.place, i === rows.length - 1 ? bottom : rows[i + 1].place - step);
  }
  return rows;
}

// Ticks of the levels: powers of ten with their exponents, or plain values.
function powersIn([low, high], most) {
  const step = [1, 2, 3, 5, 10, 20, 50, 100].find((size) => (high - low) / size <= most) ?? 200;
  const ticks = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) {
    const power = String(at).replace("-", "−");
    ticks.push({ value: at, base: "10", power, shift: -8 - 5.2 * power.length });
  }
  return high - low < 1.5 ? valuesIn([low, high], most).map((each) => ({ ...each, base: level(each.value) })) : ticks;
}

function valuesIn([low, high], most) {
  const rough = (high - low) / most;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * size).find((each) => each >= rough) ?? 10 * size;
  const ticks = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) {
    ticks.push({ value: at, base: number(Number(at.toPrecision(6))), power: "", shift: -7 });
  }
  return ticks;
}

const BEYOND = 1e6; // out of the drawing, which is clipped

const medianOf = (picture, variable) => picture.fans.find((each) => each.variable === variable)
  ?.quantiles[picture.levels.indexOf(0.5)] ?? [];

function fanRows({ picture, saved, beside, history, variable, height, held }) {
  const fan = picture.fans.find((each) => each.variable === variable) ?? picture.fans[0];
  const old = saved?.fans.find((each) => each.variable === fan.variable);
  const middle = picture.levels.indexOf(0.5);
  const pairs = pairsOf(picture);
  const outer = (each, levels) => [each.quantiles[0], each.quantiles.at(-1), each.quantiles[levels.indexOf(0.5)]];
  const beyond = (value) => value ?? BEYOND;
  const rows = picture.years.map((at, i) => {
    const row = { year: at, median: beyond(fan.quantiles[middle][i]) };
    pairs.forEach(([low, high], k) => {
      row[`low${k}`] = beyond(fan.quantiles[low][i]);
      row[`high${k}`] = beyond(fan.quantiles[high][i]);
    });
    return row;
  });
  const savedRows = old ? saved.years.map((at, i) => {
    const [low, high, median] = outer(old, saved.levels);
    return { year: at, low: beyond(low[i]), high: beyond(high[i]), median: beyond(median[i]) };
  }) : [];
  const [first, last] = [picture.years[0], picture.years.at(-1)];
  const seen = (history[fan.variable] ?? []).filter((point) => point.year > first - 8 && point.year <= last);
  const start = Math.min(first, ...seen.map((point) => Math.floor(point.year)));
  const others = beside.map((other) => medianOf(other, fan.variable)
    .map((median, i) => ({ year: other.years[i], median: median ?? BEYOND }))
    .filter((each) => each.year >= start && each.year <= last));
  const lines = picture.thresholds.filter((each) => each.variable === fan.variable && each.level !== null);
  const known = [fan, old].flatMap((each) => (each ? [each.quantiles[0], each.quantiles.at(-1)] : [])).flat()
    .concat(seen.map((point) => point.level), others.flat().map((each) => each.median))
    .filter((value) => value !== null && value !== BEYOND);
  let [low, high] = [Math.min(...known), Math.max(...known)];
  for (const { level: at } of lines) {
    if (at < high + 2 && at > low - 3) [low, high] = [Math.min(low, at), Math.max(high, at)];
  }
  const margin = Math.max(0.04 * (high - low), 0.05, fan.log ? 0 : 0.02 * Math.abs(high));
  let range = [low - margin, high + margin];
  // While a handle moves the scale only grows: what moves is the forecast.
  if (held) range = [Math.min(range[0], held[0]), Math.max(range[1], held[1])];
  const ticks = fan.log ? powersIn(range, height / 42) : valuesIn(range, height / 42);
  const place = (at) => height * (1 - (at - range[0]) / (range[1] - range[0]));
  const shown = lines.filter((each) => each.level >= range[0] && each.level <= range[1]);
  const data = {
    ticks, fan: rows, saved: savedRows, history: seen,
    thresholds: apart(shown.map((each) => ({ ...each, place: place(each.level) })), 15, height),
    crossed: shown.flatMap((each) => {
      const at = picture.crossings.find((one) => one.name === each.name)?.quantiles[middle];
      return at > picture.years[0] ? [{ year: at, level: each.level }] : [];
    }),
  };
  BESIDE.forEach((_, i) => { data[`beside${i}`] = others[i] ?? []; });
  return { data, signals: { range, span: [start, last] } };
}

export function pairsOf(picture) {
  const count = picture.levels.length;
  const all = Array.from({ length: Math.floor(count / 2) }, (_, i) => [i, count - 1 - i]);
  return all.length > 3 ? all.slice(0, 3) : all;
}

const STEP = { true: 30, false: 44 }; // height of a row of a strip, by room

function crossingsSpec(c, wide, rows) {
  const y = (shift) => fixed(`datum.row * ${STEP[wide]} + ${wide ? 15 : 30} + ${shift}`);
  const span = (from, to, high, color, more) => ({ type: "rect", from: { data: "rows" }, aria: false,
    encode: { update: {
    x: fixed(`scale('x', datum.${from})`), x2: fixed(`max(scale('x', datum.${from}) + 1.5, scale('x', datum.${to}))`),
    yc: y(more?.shift ?? 0), height: pixel(high), fill: pixel(color), opacity: fixed(more?.opacity ?? "1") } } });
  const grey = { shift: 8, opacity: "datum.savedLow === null ? 0 : 1" };
  return framed(c, { height: rows * STEP[wide], wide, left: 160, right: 150, more: {
    data: [{ name: "rows" }],
    marks: [
      { ...rule(c.hair, { x: fixed(wide ? "-160" : "0"), x2: fixed(wide ? "width + 150" : "width"),
        y: fixed(`(datum.row + 1) * ${STEP[wide]}`) }), from: { data: "rows" } },
      span("savedLow", "savedHigh", 2.5, c.axis, grey),
      span("low", "high", 2.5, c.vermilion), span("inner", "outer", 9, c.vermilion),
      dots("rows", field("beyond", "x"), y(0), c.vermilion, c.vermilion, 60, {
        shape: pixel("triangle-right"), opacity: fixed("datum.beyond === null ? 0 : 1"), x: fixed("width + 4") }),
      dots("rows", field("savedMedian", "x"), y(8), c.axis, c.paper, 34, {
        opacity: fixed("datum.savedMedian === null ? 0 : 1"), strokeWidth: pixel(0.8) }),
      dots("rows", field("median", "x"), y(0), c.paper, c.ink, 46, { opacity: fixed("datum.median === null ? 0 : 1") }),
      text("rows", c.ink, { text: field("label"), x: pixel(wide ? -160 : 0), y: y(wide ? 0 : -17),
        limit: pixel(wide ? 152 : 210) }),
      text("rows", c.ink, { text: field("when"), fontWeight: pixel("bold"),
        x: fixed(wide ? "width + 16" : "width - 82"),
        align: pixel(wide ? "left" : "right"), y: y(wide ? 0 : -17) }),
      text("rows", c.quiet, { text: field("never"), x: fixed(wide ? "width + 150" : "width"), align: pixel("right"),
        y: y(wide ? 0 : -17) }),
    ],
  } });
}

function crossingsRows({ picture, saved, span }) {
  const last = picture.years.at(-1);
  const [low, high] = [0, picture.levels.length - 1];
  const at = (name) => picture.levels.indexOf(name);
  const rows = picture.crossings.map((each, row) => {
    const old = saved?.crossings.find((one) => one.name === each.name);
    const q = each.quantiles;
    const end = (value) => Math.min(value ?? last, last);
    return {
      row, label: each.label, low: end(q[low]), high: end(q[high]), inner: end(q[at(0.25)]), outer: end(q[at(0.75)]),
      median: q[at(0.5)], beyond: q[high] === null ? last : null,
      savedLow: old ? end(old.quantiles[low]) : null, savedHigh: old ? end(old.quantiles[high]) : null,
      savedMedian: old ? old.quantiles[at(0.5)] : null, never: each.never ? `never: ${percent(each.never)}` : "",
      when: year(q[at(0.5)], [picture.years[0], last]),
    };
  });
  return { data: { rows }, signals: { span: [picture.years[0], last] } };
}

function bySpec(c, wide) {
  return framed(c, { height: 210, wide, left: 52, right: 168, more: {
    data: ["all", "chosen", "saved", "grid", "end"].map((name) => ({ name })),
    scales: [{ name: "y", domain: [0, 1], range: "height" }],
    marks: [
      { ...rule(c.hair, { x: pixel(0), x2: fixed("width"), y: field("value", "y") }), from: { data: "grid" } },
      text("grid", c.ink, { text: fixed("datum.value * 100 + ' %'"), align: pixel("right"), x: pixel(-8),
        y: field("value", "y") }),
      { type: "rule", from: { data: "all" }, aria: false, encode: { update: { x: field("year", "x"), y: field("p", "y"),
        x2: field("to", "x"), y2: field("q", "y"), stroke: pixel(c.axis), strokeWidth: pixel(1),
          opacity: pixel(0.6) } } },
      line("saved", "p", c.quiet, 1.5, { strokeDash: pixel([5, 3]) }),
      line("chosen", "p", c.blue, 2.8),
      ...(wide ? [text("end", c.ink, { text: field("label"), x: fixed("width + 10"), y: field("p", "y"),
        limit: pixel(160),
        fontWeight: pixel("bold") })] : []),
    ],
  } });
}

function byRows({ picture, saved, threshold }) {
  const rows = (each, years) => years.map((at, i) => ({ year: at, p: each.by[i] }));
  const chosen = picture.crossings.find((each) => each.name === threshold) ?? picture.crossings[0];
  const old = saved?.crossings.find((each) => each.name === chosen?.name);
  const years = picture.years;
  return { data: {
    all: picture.crossings.flatMap((each) => years.slice(1).map(
      (to, i) => ({ year: years[i], to, p: each.by[i], q: each.by[i + 1] }))),
    chosen: chosen ? rows(chosen, years) : [], saved: old ? rows(old, saved.years) : [],
    grid: [0, 0.25, 0.5, 0.75, 1].map((value) => ({ value })),
    end: chosen ? [{ label: chosen.label, p: chosen.by.at(-1) }] : [],
  }, signals: { span: [years[0], years.at(-1)] } };
}

function limitsSpec(c, wide, rows) {
  const step = wide ? 34 : 50;
  const foot = `(datum.row + 1) * ${step} - 3`;
  return framed(c, { height: rows * step, wide, left: 268, right: 60, more: {
    data: [{ name: "bars" }, { name: "rows" }],
    marks: [
      { type: "rect", from: { data: "bars" }, aria: false, encode: { update: { x: field("from", "x"),
        x2: fixed("scale('x', datum.to) - 1"),
        y: fixed(`${foot} - 27 * datum.share`), y2: fixed(foot), fill: pixel(c.blue) } } },
      { ...rule(c.ink, { x: field("from", "x"), x2: fixed("scale('x', datum.to) - 1"),
        y: fixed(`${foot} - 27 * datum.saved`),
        opacity: fixed("datum.saved === null ? 0 : 0.75"), strokeWidth: pixel(1.5) }), from: { data: "bars" } },
      { ...rule(c.hair, { x: fixed(wide ? "-268" : "0"), x2: fixed(wide ? "width + 60" : "width"), y: fixed(foot) }),
        from: { data: "rows" } },
      text("rows", c.ink, { text: field("label"), x: pixel(wide ? -268 : 0), y: fixed(`${foot} - ${wide ? 12 : 38}`),
        limit: pixel(wide ? 260 : 280) }),
      text("rows", c.ink, { text: field("last"), x: fixed(wide ? "width + 60" : "width"), align: pixel("right"),
        fontWeight: pixel("bold"),
        y: fixed(`${foot} - ${wide ? 12 : 38}`) }),
    ],
  } });
}

function limitsRows({ picture, saved }) {
  const years = picture.years;
  const bars = picture.limits.flatMap((each, row) => {
    const old = saved?.limits.find((one) => one.name === each.name);
    return years.slice(1).map((to, i) => ({
      row, from: years[i], to, share: each.share[i + 1], saved: old && saved.years.length === years.length
        ? old.share[i + 1] : null }));
  });
  const rows = picture.limits.map((each, row) => ({ row, label: `${each.on}: ${each.label}`,
    last: percent(each.share.at(-1)) }));
  return { data: { bars, rows }, signals: { span: [years[0], years.at(-1)] } };
}

function movedSpec(c, wide, rows) {
  const step = wide ? 28 : 44;
  const y = (shift) => fixed(`datum.row * ${step} + ${wide ? 14 : 30} + ${shift}`);
  const spec = framed(c, { height: rows * step, wide, left: 250, right: 120, bottom: 8, more: {
    axes: false,
    data: [{ name: "rows" }],
    marks: [
      { ...rule(c.hair, { x: fixed(wide ? "-250" : "0"), x2: fixed(wide ? "width + 120" : "width"),
        y: fixed(`(datum.row + 1) * ${step}`) }), from: { data: "rows" } },
      { type: "rect", from: { data: "rows" }, aria: false, encode: { update: {
        x: fixed("scale('x', min(datum.from, datum.to))"),
          x2: fixed("max(scale('x', max(datum.from, datum.to)), scale('x', min(datum.from, datum.to)) + 2)"),
        yc: y(0), height: pixel(13), opacity: fixed("datum.faint ? 0.3 : 1"),
        fill: [{ test: "datum.total", value: c.quiet }, { test: "datum.to >= datum.from", value: c.blue },
          { value: c.vermilion }] } } },
      text("rows", c.ink, { text: field("label"), x: pixel(wide ? -250 : 0), y: y(wide ? 0 : -17),
        limit: pixel(wide ? 240 : 220),
        fontWeight: fixed("datum.total ? 'bold' : 'normal'") }),
      text("rows", c.ink, { text: field("says"), x: fixed(wide ? "width + 120" : "width"), align: pixel("right"),
        y: y(wide ? 0 : -17),
        fontWeight: fixed("datum.total ? 'bold' : 'normal'") }),
    ],
  } });
  return spec;
}

// The inputs of a walk: the greatest, and the rest as one.
export function inputsOf(moved, most = 14) {
  if (moved.inputs.length <= most) return moved.inputs;
  const size = [...moved.inputs].sort((a, b) => Math.abs(b[1]) - Math.abs(a[1])).slice(0, most - 1);
  const rest = moved.inputs.filter((each) => !size.includes(each));
  const error = Math.hypot(...rest.map((each) => each[2]));
  return [...moved.inputs.filter((each) => size.includes(each)), [`${rest.length} others`,
    rest.reduce((sum, each) => sum + each[1], 0), error]];
}

export const totalOf = (moved, value) => (moved.unit === "OOM" ? level(value) : value.toFixed(1));

function movedRows({ moved, since, upTo = Infinity }) {
  let at = moved.before;
  const total = (value) => totalOf(moved, value);
  const rows = [{ label: since, from: at, to: at, total: true, says: total(at) }];
  inputsOf(moved).forEach(([label, by, error], i) => {
    const sign = by <= -0.005 ? "−" : by >= 0.005 ? "+" : "";
    const give = error === null ? "" : ` ± ${small(error)}`;
    rows.push({ label, from: at, to: at + by, faint: i >= upTo, says: `${sign}${Math.abs(by).toFixed(2)}${give}` });
    at += by;
  });
  rows.push({ label: "now", from: moved.after, to: moved.after, total: true, says: total(moved.after) });
  const ends = rows.flatMap((each) => [each.from, each.to]);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const margin = Math.max(0.06 * (high - low), 0.01);
  rows.forEach((each, row) => { each.row = row; });
  return { data: { rows }, signals: { span: [low - margin, high + margin] } };
}

export const KINDS = {
  fan: { spec: fanSpec, rows: fanRows, count: ({ picture }) => pairsOf(picture).length },
  crossings: { spec: crossingsSpec, rows: crossingsRows, count: ({ picture }) => picture.crossings.length },
  by: { spec: bySpec, rows: byRows, count: () => 1 },
  limits: { spec: limitsSpec, rows: limitsRows, count: ({ picture }) => picture.limits.length },
  moved: { spec: movedSpec, rows: movedRows, count: ({ moved }) => inputsOf(moved).length + 2 },
};

const [TALL, WIDE] = [480, 620]; // pixels from which a fan is tall, and from which labels stand beside the drawing

const UNDRAWN = "The library that draws the charts did not load; all numbers stand in the table by year. " +
  "Load the page again to see them drawn.";

// A page that is served may still be reading the drawing library when it stands otherwise; once all of it is read, the
// library is there or does not come.
const library = () => new Promise((resolve, reject) => {
  const look = () => {
    if (globalThis.simulatorVega) resolve();
    else if (document.readyState === "complete") reject(new Error(UNDRAWN));
  };
  document.querySelector('script[src="vega.js"]')?.addEventListener("load", look);
  addEventListener("load", look);
  look();
});

async function embed(el, spec, renderer) {
  await library();
  return globalThis.simulatorVega.vegaEmbed(el, spec, { mode: "vega", ast: true, renderer, actions: false,
    tooltip: false, defaultStyle: false, hover: false });
}

function give(view, { data, signals }) {
  for (const [name, value] of Object.entries(signals)) view.signal(name, value);
  for (const [name, rows] of Object.entries(data)) view.data(name, rows);
}

// One chart of the page: made anew where its room or the number of its rows changes, else given new rows.
export class Chart {
  constructor(kind, el, onYear) {
    Object.assign(this, { kind, el, onYear, shape: "", held: null, busy: null, next: null });
  }

  async show(asked) {
    this.next = asked;
    this.busy ??= this.work().catch(({ message }) => { this.el.textContent = message; })
      .finally(() => { this.busy = null; });
    return this.busy;
  }

  async work() {
    while (this.next) {
      const asked = this.next;
      this.next = null;
      const room = this.el.clientWidth;
      if (!room) return undefined;
      const { spec, rows, count } = KINDS[this.kind];
      const wide = room >= WIDE;
      const tall = room >= TALL;
      const shape = `${wide} ${tall} ${count(asked)}`;
      if (shape !== this.shape) {
        this.result?.finalize();
        this.result = await embed(this.el, spec(SCREEN, wide, count(asked), tall), "svg");
        if (this.closed) return this.close();
        this.shape = shape;
        const view = this.result.view;
        view.addSignalListener("at", (_, at) => this.onYear?.(at === null ? null : view.scale("x").invert(at)));
      }
      const view = this.result.view;
      const padding = view.padding();
      view.width(room - padding.left - padding.right);
      const given = rows({ ...asked, height: view.height(), held: asked.moving ? this.held : null });
      this.held = given.signals.range ?? null;
      give(view, given);
      await view.runAsync();
    }
    return undefined;
  }

  close() {
    this.closed = true;
    this.result?.finalize();
  }
}

function wrapped(text, most) { // at spaces, into lines of so many letters
  const lines = [""];
  for (const word of text.split(" ")) {
    if (lines.at(-1).length + word.length >= most) lines.push("");
    lines.push(`${lines.pop()} ${word}`.trim());
  }
  return lines;
}

// The same chart as a file, on paper, with its title and what it is of: text of SVG, or a canvas for PNG.
export async function file(kind, asked, { title, under, foot }, form) {
  const { spec, rows, count } = KINDS[kind];
  const whole = spec(PAPER, true, count(asked), true);
  whole.background = PAPER.paper;
  const { left } = whole.padding;
  const lines = under.flatMap((text) => wrapped(text, 150));
  whole.title = { text: title, subtitle: lines, color: PAPER.ink, subtitleColor: PAPER.quiet, frame: "group", dx: -left,
    offset: 18, subtitlePadding: 6, subtitleLineHeight: 15 };
  whole.padding = { left: left + 20, right: whole.padding.right + 20, top: 66 + 15 * lines.length,
    bottom: 50 + 15 * foot.length };
  whole.marks.push({ type: "text", encode: { enter: {
    text: { value: foot }, x: { value: -left }, y: { signal: "height + 46" }, fill: { value: PAPER.quiet },
      fontSize: { value: 11 },
    lineHeight: { value: 15 } } } });
  const result = await embed(document.createElement("div"), whole, "none");
  const view = result.view.width(960 - left - whole.padding.right);
  give(view, rows({ ...asked, height: view.height(), held: null }));
  await view.runAsync();
  const made = form === "svg" ? await view.toSVG() : await view.toCanvas(2);
  result.finalize();
  return made;
}
