// The model of a page in a file of its own: it answers by weighing the draws that the file holds (draws.py, share.py).
// Weights are new over old densities; where few samples are left it says so, and shows no picture.

import { amount, percent, words } from "./views.js";

const FEWEST = 200; // samples that the weighted ones must be worth
const HEAVIEST = 1 / 40; // a weight that makes them worth so few by itself: it would move an end of the 90 % intervals
const COVERED = 0.995; // share of a moved prior that must lie where samples are

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const whole = new Uint8Array(await new Response(stream).arrayBuffer());
  const length = new DataView(whole.buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(whole.subarray(4, 4 + length)));
  let place = 4 + length;
  const arrays = {};
  for (const [name, { rows, samples }] of Object.entries(head.parts)) {
    const size = rows * samples;
    const codes = new Int32Array(size);
    for (let i = 0; i < size; i += 1) {
      const told = whole[place + i] + 256 * whole[place + size + i] + 65536 * whole[place + 2 * size + i];
      codes[i] = (told % 2 ? -(told + 1) / 2 : told / 2) + (i >= samples ? codes[i - samples] : 0);
    }
    arrays[name] = codes;
    place += 3 * size;
  }
  return { head, arrays };
}

// A straight line between the points of a table; beyond its ends, their values.
function between(x, xs, ys) {
  const last = xs.length - 1;
  if (x <= xs[0]) return ys[0];
  if (x >= xs[last]) return ys[last];
  let [low, high] = [0, last];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle; else high = middle;
  }
  return ys[low] + ((x - xs[low]) / (xs[high] - xs[low])) * (ys[high] - ys[low]);
}

const density = (at, { at: xs, logs }) => (at < xs[0] || at > xs[xs.length - 1] ? -Infinity : between(at, xs, logs));

// Of what is up to each code, that up to a quantile; and the variance of the share there of squared weights up to it.
const read = (upTo, code) => upTo[code === Infinity ? upTo.length - 1 : Math.max(Math.round(code) + 1, 0)];
const variance = (level, inside, all) => (1 - level) ** 2 * inside + level ** 2 * (all - inside);

class Prior {
  constructor(data, scores) {
    Object.assign(this, data, { grid: scores });
    this.moved = data.moved ?? data.stands;
    const { shown, at } = data.axis;
    if (shown) this.table = shown[0] < shown.at(-1) ? [shown, at] : [[...shown].reverse(), [...at].reverse()];
  }

  // A number of the control on the scale on which the prior moves, and back.
  place(number) {
    const { log, sign, size } = this.axis;
    if (this.table) return between(number, ...this.table);
    return sign * (log ? Math.log(number * size) : number * size);
  }

  number(at) {
    const { log, sign, size, shown, at: places } = this.axis;
    if (shown) return between(at, places, shown);
    return (log ? Math.exp(sign * at) : sign * at) / size;
  }

  // The prior that is moved so: shifted and widened about its median, or, where its shape changes as it moves, between
  // those of a grid of medians and widths; beyond the grid there is none.
  after({ median = this.median, width = 1, weight = this.median }) {
    if (this.part) {
      const share = weight / (weight + this.beside);
      return { at: this.stands.at, logs: this.part.map((each, i) => Math.log(share * Math.exp(each) + (1 - share) * Math.exp(this.others[i]))) };
    }
    const factor = width * (this.ratios && !this.axis.log ? median / this.median : 1);
    const [from, to] = [this.place(this.median), this.place(median)];
    if (this.curves && median === this.median && width === 1) return this.stands;
    if (!this.curves) {
      const shift = Math.log(factor);
      return { at: this.moved.at.map((at) => to + (at - from) * factor), logs: this.moved.logs.map((each) => each - shift) };
    }
    const cell = (ends, value) => {
      const sign = ends[0] < ends.at(-1) ? 1 : -1;
      const first = Math.min(Math.max(ends.findLastIndex((end) => sign * end < sign * value), 0), ends.length - 2);
      const share = (value - ends[first]) / (ends[first + 1] - ends[first]);
      return share >= -1e-9 && share <= 1 + 1e-9 ? [first, share] : null;
    };
    const [row, column] = [cell(this.medians.map((each) => this.place(each)), to), cell(this.widths, width)];
    if (!row || !column) return null;
    const corners = [0, 1].flatMap((i) => [0, 1].map((j) => [this.curves[row[0] + i][column[0] + j],
      (i ? row[1] : 1 - row[1]) * (j ? column[1] : 1 - column[1])])).filter(([, part]) => part > 1e-9);
    if (corners.some(([curve]) => curve === null)) return null;
    const at = this.grid.map((_, i) => corners.reduce((sum, [curve, part]) => sum + part * curve[i], 0));
    const last = at.length - 1;
    const logs = this.grid.map((score, i) => {
      const [below, above] = [Math.max(i - 1, 0), Math.min(i + 1, last)];
      return (-score * score) / 2 - Math.log(Math.max((at[above] - at[below]) / (this.grid[above] - this.grid[below]), 1e-12));
    });
    return { at, logs };
  }

  // The log of new over old density, and the new score, where it had a score; one that is infinite is "never".
  ratio(score, curve) {
    if (score === Infinity) return [0, score];
    const at = between(score, this.grid, this.stands.at);
    return [density(at, curve) - between(score, this.grid, this.stands.logs), between(at, curve.at, this.grid)];
  }

  // Of the moved prior: the share that lies where samples are, and by how much its weights cut what these are worth.
  reach(curve) {
    const { stands, grid, wide } = this;
    this.wider ??= wide.share ? this.after({ width: wide.width }) : null;
    const known = (at) => density(at, stands) === -Infinity ? 0 : (1 - wide.share) * Math.exp(density(at, stands)) + (this.wider ? wide.share * Math.exp(density(at, this.wider)) : 0);
    let [covered, cut, whole] = [0, 0, 0];
    grid.forEach((score, i) => {
      const mass = Math.exp((-score * score) / 2);
      const drawn = known(curve.at[i]);
      whole += mass;
      if (drawn === 0) return;
      covered += mass;
      cut += (mass * Math.exp(curve.logs[i])) / drawn;
    });
    return { covered: covered / whole, cut: cut / whole };
  }
}

// The log density of a Gaussian copula up to a constant, at scores by name; `factor` is the lower Cholesky factor.
function copula({ names, factor }, scores) {
  const free = [];
  let total = 0;
  names.forEach((name, row) => {
    const held = free.reduce((sum, value, column) => sum + factor[row][column] * value, 0);
    free.push((scores[name] - held) / factor[row][row]);
    total += free[row] ** 2 - scores[name] ** 2;
  });
  return -total / 2;
}

class Shared {
  constructor({ head, arrays }) {
    const { command, weights, ...rest } = head; // `weights` are those of the scenarios of a mixture
    this.shares = weights;
    Object.assign(this, rest, { arrays });
    this.grid = head.scores;
    this.opening = command; // how the command line opens the scenario; empty where it cannot
    this.known = Object.fromEntries(Object.entries(head.priors).map(([path, data]) => [path, new Prior(data, head.scores)]));
    this.controls = Object.fromEntries(this.state.controls.map((each) => [each.path, each]));
    const { samples } = head.parts.logs;
    this.size = samples;
    const { steps } = head.parts.scores;
    this.drawn = Object.fromEntries(head.names.map((name, row) => [name,
      Float64Array.from(arrays.scores.subarray(row * samples, (row + 1) * samples), (code) => (code === head.never ? Infinity : code * steps[row]))]));
    this.logs = Float64Array.from(arrays.logs, (code) => code * head.parts.logs.step);
  }

  // The priors as changes make them, by path; several weights of one mixture are those of the first.
  curves(changes) {
    const found = {};
    const mixed = new Set();
    for (const [path, change] of Object.entries(changes)) {
      const prior = this.known[path];
      if (!prior || mixed.has(prior.name)) continue;
      const parts = prior.part ? Object.entries(this.known).filter(([, each]) => each.name === prior.name && each.part) : [];
      if (parts.filter(([each]) => each in changes).length < 2) { found[path] = prior.after(change); continue; }
      mixed.add(prior.name);
      const weights = parts.map(([each, { median }]) => changes[each]?.weight ?? median);
      const sum = weights.reduce((a, b) => a + b, 0);
      found[path] = { at: prior.stands.at, logs: prior.stands.at.map((_, i) => Math.log(parts.reduce((total, [, { part }], k) => total + (weights[k] / sum) * Math.exp(part[i]), 0))) };
    }
    return found;
  }

  // By how much each scenario of a mixture counts more, in the log; null where no weight of one is changed.
  mixing(changes) {
    if (!Object.keys(changes).some((path) => path in this.mixed)) return null;
    const now = [...this.shares];
    for (const [path, at] of Object.entries(this.mixed)) now[at] = changes[path]?.weight ?? now[at];
    const [old, sum] = [this.shares, now].map((each) => each.reduce((a, b) => a + b, 0));
    return now.map((each, at) => Math.log(each / sum) - Math.log(this.shares[at] / old));
  }

  // The weights of priors that are moved, of sum 1, and what so many samples are worth.
  weights(curves, mixing = null) {
    const paths = Object.keys(curves);
    const named = Object.fromEntries(paths.map((path) => [this.known[path].name, path]));
    const joined = this.groups.filter(({ names }) => names.some((name) => name in named));
    const logs = new Float64Array(this.size);
    let top = -Infinity;
    for (let i = 0; i < this.size; i += 1) {
      let total = -this.logs[i] + (mixing ? mixing[this.arrays.component[i]] : 0);
      const after = {};
      for (const path of paths) {
        const prior = this.known[path];
        const [ratio, score] = prior.ratio(this.drawn[prior.name][i], curves[path]);
        total += ratio;
        after[prior.name] = score;
      }
      for (const group of joined) {
        const before = Object.fromEntries(group.names.map((name) => [name, this.drawn[name][i]]));
        total += copula(group, { ...before, ...after }) - copula(group, before);
      }
      logs[i] = total;
      if (total > top) top = total;
    }
    const weights = logs.map((each) => Math.exp(each - top));
    const sum = weights.reduce((a, b) => a + b, 0);
    let squares = 0;
    weights.forEach((each, i) => { weights[i] = each / sum; squares += weights[i] ** 2; });
    return { weights, worth: Math.min(1 / squares, FEWEST * HEAVIEST * sum) }; // the heaviest is 1 before they are divided
  }

  // The sum of weights at each code of a row: -inf first, +inf last.
  sums(codes, row, most, weights) {
    const found = new Float64Array(most + 3);
    const start = row * this.size;
    for (let i = 0; i < this.size; i += 1) found[codes[start + i] + 1] += weights[i];
    return found;
  }

  // The same up to each code.
  upTo(...asked) {
    let total = 0;
    return this.sums(...asked).map((sum) => (total += sum));
  }

  // Quantiles of weights up to each code: within a step as if its samples were spread evenly over it, which for a year
  // of crossing (`ends`) is the step that ends there.
  quantiles(upTo, most, levels, ends) {
    const reaches = (enough) => { // the first code with so much
      let [low, high] = [0, most + 2];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (upTo[middle] >= enough) high = middle; else low = middle + 1;
      }
      return low;
    };
    const plain = (bin) => (bin === 0 ? -Infinity : bin > most + 1 ? Infinity : bin - 1);
    const [first, last] = [reaches(Number.MIN_VALUE), reaches(upTo[most + 2])];
    return levels.map((level) => {
      const bin = Math.min(Math.max(reaches(level - 1e-12), first), last);
      const code = plain(bin);
      if (first === last || !Number.isFinite(code) || (ends && code === 0)) return code;
      const below = bin ? upTo[bin - 1] : 0;
      return code + Math.min(Math.max((level - below) / (upTo[bin] - below), 0), 1) - (ends ? 1 : 0.5);
    });
  }

  // Weights as they are used: with those of no change, by which the exact picture of no change lends its precision.
  // A number is estimated as that of the weighted samples, plus `beta` times by how much the samples without change
  // miss what the run has (a regression estimator; the variance is least at beta = covariance / variance). The run has
  // some of these samples too, and `rest` that are not here: `apart` is by how much each counts more than in the run.
  weighed(weights) {
    const { samples } = this.state.picture;
    this.none ??= this.weights({}).weights;
    this.apart ??= this.none.map((each, i) => each - (i < this.own ? 1 / samples : 0));
    const squares = (each) => each.map((value) => value * value);
    const sum = (each) => each.reduce((a, b) => a + b, 0);
    this.aparts ??= squares(this.apart);
    this.rest = Math.max(samples - this.own, 0) / samples ** 2;
    const found = { weights, products: weights.map((each, i) => each * this.apart[i]), squares: squares(weights) };
    return { ...found, product: sum(found.products), square: sum(found.squares), aparts: sum(this.aparts) };
  }

  // Quantiles of a row and how far each lies from its neighbours, by so much of the samples (`halves`).
  spread(upTo, most, levels, found, halves, ends) {
    const [low, high] = [-1, 1].map((sign) => this.quantiles(upTo, most, levels.map((level, i) => level + sign * halves[i]), ends));
    return levels.map((_, i) => Math.max(high[i] - found[i], found[i] - low[i]));
  }

  // Without change, of a row: its quantiles at `levels`, their slopes, and the variance of what they miss of the run.
  unchanged(part, row, most, levels, aparts, ends) {
    const key = `${part} ${row}`;
    this.bases ??= {};
    return (this.bases[key] ??= (() => {
      const codes = this.arrays[part];
      const [upTo, apart] = [this.none, this.aparts].map((each) => this.upTo(codes, row, most, each));
      const found = this.quantiles(upTo, most, levels, ends);
      const halves = levels.map((level) => Math.sqrt((level * (1 - level)) / this.size));
      const slopes = this.spread(upTo, most, levels, found, halves, ends).map((each, i) => each / halves[i]);
      const variances = levels.map((level, i) => variance(level, read(apart, found[i]), aparts) + level * (1 - level) * this.rest);
      return { found, slopes, variances };
    })());
  }

  // Quantiles of a row and the error of each, in steps; `exact` are those of the run. An end is `lost` where two
  // standard errors leave nothing beyond it.
  column(part, row, levels, w, exact, ends = false) {
    const { most } = this.parts[part];
    const [upTo, squares, products] = [w.weights, w.squares, w.products].map((each) => this.upTo(this.arrays[part], row, most, each));
    const found = this.quantiles(upTo, most, levels, ends);
    const halves = levels.map((level, i) => Math.sqrt(variance(level, read(squares, found[i]), w.square)));
    const errors = this.spread(upTo, most, levels, found, halves, ends);
    const none = this.unchanged(part, row, most, levels, w.aparts, ends);
    const better = levels.map((level, i) => {
      const [here, there] = [found[i], none.found[i]];
      const own = none.variances[i] * none.slopes[i] ** 2;
      if (![errors[i], own, here, there, exact[i]].every(Number.isFinite) || own === 0 || halves[i] === 0) return { at: here, error: errors[i] };
      const both = read(products, Math.min(here, there)) - level * (read(products, here) + read(products, there)) + level ** 2 * w.product;
      const shared = both * none.slopes[i] * (errors[i] / halves[i]);
      const beta = Math.min(Math.max(shared / own, 0), 1);
      return { at: here + beta * (exact[i] - there), error: Math.sqrt(Math.max(errors[i] ** 2 - 2 * beta * shared + beta ** 2 * own, 0)) };
    });
    return { quantiles: better.map(({ at }) => at).sort((x, y) => x - y), errors: better.map(({ error }) => error),
      lost: levels.some((level, i) => 2 * halves[i] >= Math.min(level, 1 - level)) };
  }

  // A share of the samples, from the sums of weights, products and squares, and weights without change and their
  // squares apart from the run, of those in it.
  chance([inside, product, square, none, apart], w, exact) {
    const spread = variance(inside, square, w.square);
    const shared = (1 - inside) * (1 - none) * product + inside * none * (w.product - product);
    const own = variance(none, apart, w.aparts) + none * (1 - none) * this.rest;
    const beta = own > 0 ? Math.min(Math.max(shared / own, 0), 1) : 0;
    return [Math.min(Math.max(inside + beta * (exact - none), 0), 1), Math.sqrt(Math.max(spread - 2 * beta * shared + beta ** 2 * own, 0))];
  }

  picture(changes) {
    const [curves, mixing] = [this.curves(changes), this.mixing(changes)];
    const reach = Object.entries(curves).map(([path, curve]) => (curve ? this.known[path].reach(curve) : { covered: 0, cut: Infinity }));
    const faults = Object.keys(curves).filter((_, i) => !(reach[i].covered >= COVERED))
      .map((path) => ({ path, text: `This lies beyond what this file holds samples of. ${this.live(changes)}` }));
    if (faults.length) return { faults };
    const weighed = this.weights(curves, mixing);
    const worth = Math.min(weighed.worth, reach.reduce((left, { cut }) => left / Math.max(cut, 1), this.size));
    if (!(worth >= FEWEST)) {
      const told = worth >= 1 ? Math.floor(worth) : "less than 1";
      faults.push({ path: "", text: `This is beyond what this file can show: its ${this.size.toLocaleString("en-US")} samples would be worth ` +
        `${told}, and ${FEWEST} are needed. ${this.live(changes)}` });
    }
    if (faults.length) return { faults };
    const picture = this.seen(changes, weighed.weights, worth);
    if (!picture) {
      const told = `This is beyond what this file can show: too few of its samples are left at the ends of the 90 % intervals. ${this.live(changes)}`;
      return { faults: [{ path: "", text: told }] };
    }
    return { picture, controls: Object.keys(changes).map((path) => this.control(path, changes[path], curves[path])) };
  }

  seen(changes, weights, worth) {
    const { state: { picture: saved } } = this;
    const { levels, years } = saved;
    const w = this.weighed(weights);
    const middle = levels.indexOf(0.5);
    let lost = false;
    const fans = saved.fans.map((fan) => {
      const part = `fan:${fan.variable}`;
      const { step, low } = this.parts[part];
      const code = (value) => (value === null ? NaN : (value - low) / step);
      const found = years.map((_, row) => this.column(part, row, levels, w, fan.quantiles.map((each) => code(each[row]))));
      const plain = (value) => (Number.isFinite(value) ? low + step * value : null);
      const quantiles = levels.map((_, i) => found.map((each) => plain(each.quantiles[i])));
      const errors = levels.map((_, i) => found.map((each) => (Number.isFinite(each.errors[i]) ? step * each.errors[i] : null)));
      lost ||= found.some((each) => each.lost);
      return { ...fan, quantiles, error: errors[middle], errors, alt: this.fanAlt(fan, years, quantiles, levels) };
    });
    if (lost) return null;
    const crossings = saved.crossings.map((each, row) => this.crossing(each, row, w, levels, years));
    const limits = this.limited(saved, w);
    const thresholds = saved.thresholds.map((each, row) => this.threshold(each, row, w));
    const last = years.length - 1;
    const [main] = fans;
    const inYear = (i) => amount(main, main.quantiles[i][last]);
    const ahead = crossings.filter((each) => each.already < 0.5 && each.quantiles[middle] !== null);
    const latest = ahead.find((each) => saved.headline.includes(each.label)) ?? ahead[0];
    const headline = `The median forecast of ${main.title} is ${inYear(middle)} in ${years[last]} (90 % interval ${inYear(0).replace(` ${main.unit}`, "")} to ${inYear(levels.length - 1).replace(` ${main.unit}`, "")}).` +
      (latest ? ` ${this.crossed(latest, levels, years)}` : "");
    const alts = { ...saved.alts, fan: main.alt,
      ...(crossings.length && { crossings: `Median years of crossing. ${crossings.map((each) => `${each.label}: ${each.quantiles[middle]?.toFixed(1) ?? `after ${years[last]}`}`).join("; ")}.`,
        by: `Probability of having crossed by ${years[last]}. ${crossings.map((each) => `${each.label}: ${percent(each.by[last])}`).join("; ")}.` }),
      ...(limits.length && { limits: `Share of the samples that each limit holds back in ${years[last]}. ${limits.map((each) => `${each.label}: ${percent(each.share[last])}`).join("; ")}.` }) };
    const note = `Weighed from the samples of this file, which are worth ${Math.floor(worth).toLocaleString("en-US")} for what you changed; ` +
      `every number has the error of so many.${this.ends(fans, years)} ${this.live(changes)}`;
    return { ...saved, run: "", samples: Math.floor(worth), fans, thresholds, crossings, limits, headline, alts, warnings: [note], command: this.command(changes) };
  }

  // By how much the ends of the intervals err, which have fewer samples than the median: of the main variable in the
  // last year, and wherever it is most.
  ends(fans, years) {
    const give = (errors, unit) => `± ${errors.map((each) => (each === null ? "?" : words(each, 2))).join(" and ")} ${unit}`.trim();
    const unit = (fan) => (fan.log ? "OOM" : fan.unit);
    const found = fans.filter(({ log }) => log).flatMap((fan) => [fan.errors[0], fan.errors.at(-1)].flatMap((errors) =>
      errors.map((error, i) => ({ fan, error, year: years[i] })))).filter(({ error }) => error > 0);
    const [main] = fans;
    const most = found.reduce((a, b) => (b.error > a.error ? b : a), { error: 0 });
    return ` The ends of the 90 % interval of ${main.title} in ${years.at(-1)} have errors of ${give([main.errors[0].at(-1), main.errors.at(-1).at(-1)], unit(main))}` +
      (most.fan ? `; the greatest of all ends is ${give([most.error], "OOM")}, of ${most.fan.title} in ${most.year}.` : ".");
  }

  crossing(saved, row, w, levels, years) {
    const { step, most } = this.parts.crossings;
    const code = (year) => (year === null ? NaN : (year - years[0]) / step);
    const { quantiles, errors } = this.column("crossings", row, levels, w, saved.quantiles.map(code), true);
    const middle = levels.indexOf(0.5);
    const plain = (each) => (Number.isFinite(each) ? years[0] + step * each : null);
    const upTo = [w.weights, w.products, w.squares, this.none, this.aparts].map((each) => this.upTo(this.arrays.crossings, row, most, each));
    let reached = 0;
    const found = years.map((year, i) => {
      const bin = Math.min(Math.round((year - years[0]) / step), most) + 1;
      const [share, spread] = this.chance(upTo.map((each) => each[bin]), w, saved.by[i]);
      reached = Math.max(reached, share); // what is crossed by a year is so by the next
      return [reached, spread];
    });
    return { ...saved, quantiles: quantiles.map(plain), error: Number.isFinite(errors[middle]) && quantiles[middle] > 0 ? step * errors[middle] : null,
      never: 1 - reached, already: upTo[0][1], by: found.map((each) => each[0]), by_error: found.map((each) => each[1]) };
  }

  limited(saved, w) {
    const counted = {};
    for (const { part } of Object.values(this.limits)) {
      const most = 127;
      counted[part] ??= saved.years.map((_, row) => [w.weights, w.products, w.squares, this.none, this.aparts].map((each) => this.sums(this.arrays[part], row, most, each)));
    }
    return saved.limits.map((each) => {
      const { part, number } = this.limits[each.name];
      const share = counted[part].map((sums, row) => this.chance(sums.map((found) => found[number + 1]), w, each.share[row])[0]);
      return { ...each, share };
    });
  }

  threshold(saved, row, w) {
    const { step, low, most } = this.parts.levels;
    if (saved.level === null) return saved;
    const [middle] = this.quantiles(this.upTo(this.arrays.levels, row, most, w.weights), most, [0.5], false);
    const level = low + step * middle;
    return Number.isFinite(level) && Math.abs(level - saved.level) > 2 * step ? { ...saved, level } : saved;
  }

  crossed({ label, quantiles, never }, levels, years) {
    const when = (year) => (year === null ? `after ${years.at(-1)}` : year <= years[0] ? `${years[0]} or before` : year.toFixed(1));
    const [low, middle, high] = [quantiles[0], quantiles[levels.indexOf(0.5)], quantiles.at(-1)].map(when);
    return `${label} is crossed in ${middle} (90 % interval ${low} to ${high})${never > 0.0005 ? `; not by ${years.at(-1)} in ${words(100 * never, 2)} % of cases` : ""}.`;
  }

  // A control as it is understood once it is moved.
  control(path, change, curve) {
    const [prior, control] = [this.known[path], this.controls[path]];
    if ("weight" in change) return { ...control, weight: change.weight, understood: words(change.weight, 3) };
    const median = change.median ?? control.median;
    const told = (low, high, density) => {
      const shown = [median, low, high].map((each) => words(each));
      return { ...control, median, low, high, density, understood: `median ${shown[0]} (90 % ${shown[1]} to ${shown[2]}) ${control.unit}`.trim() };
    };
    if (!prior.whole) { // of a part only its own numbers are known
      const { width = 1 } = change;
      const to = (x) => (control.scale === "log" ? median * (x / control.median) ** width : median + width * (x - control.median));
      return told(to(control.low), to(control.high), { x: control.density.x.map(to), y: control.density.y.map((y) => y / width) });
    }
    const [low, high] = [-1.6448536, 1.6448536].map((score) => prior.number(between(score, this.grid, curve.at))).sort((a, b) => a - b);
    const numbers = curve.at.map((at) => prior.number(at));
    const scaled = control.scale === "log" ? numbers.map(Math.log) : numbers; // the density is that on the scale of the control
    const points = this.grid.flatMap((score, i) => {
      const slope = Math.abs(scaled[i + 1] - scaled[i - 1]);
      return Math.abs(score) < 2.6 && slope > 1e-9 * Math.abs(scaled[i]) ? [[numbers[i], Math.exp((-score * score) / 2) / slope]] : [];
    }).sort((a, b) => a[0] - b[0]);
    return told(low, high, { x: points.map((each) => each[0]), y: points.map((each) => each[1]) });
  }

  // How the same is opened live.
  command(changes) {
    const settings = this.settings(changes);
    return this.opening && settings ? [this.opening, ...settings.map((each) => `--set '${each.replaceAll("'", "'\\''")}'`)].join(" ") : "";
  }

  live(changes) {
    const command = this.command(changes);
    return `To see it from the simulator itself: ${command || "open the scenario with simulate explore, and change the same there."}`;
  }

  settings(changes) {
    const texts = Object.entries(changes).map(([path, { median, width = 1 }]) => {
      const { setting, axis, ...prior } = this.known[path] ?? {};
      if (!setting) return null;
      const [old, now] = [prior.median * axis.size, (median ?? prior.median) * axis.size];
      const factor = width * (prior.ratios ? now / old : 1);
      const moved = { at: (x) => (axis.log ? now * (x / old) ** width : now + factor * (x - old)), by: (x) => factor * x };
      return setting.text.replace(/\u2402(\d+)\u2402/g, (_, i) => String(Number(moved[setting.numbers[i][1]](setting.numbers[i][0]).toPrecision(8))));
    });
    return texts.includes(null) ? null : texts;
  }

  fanAlt(fan, years, quantiles, levels) {
    const middle = quantiles[levels.indexOf(0.5)];
    return `Fan chart of ${fan.title} by year, ${years[0]} to ${years.at(-1)}. The median goes from ${amount(fan, middle[0])} to ${amount(fan, middle.at(-1))}; ` +
      `90 % of the samples end between ${amount(fan, quantiles[0].at(-1))} and ${amount(fan, quantiles.at(-1).at(-1))}.`;
  }

  // What moved, and why: each change put in turn, forwards and backwards, and the mean of the two (Shapley's where two
  // are changed).
  moved(changes) {
    const paths = Object.keys(changes);
    const pictures = {};
    const after = (some) => {
      const key = [...some].sort().join(" ");
      pictures[key] ??= some.length ? this.picture(Object.fromEntries(some.map((path) => [path, changes[path]]))).picture ?? null : this.state.picture;
      return pictures[key];
    };
    if (!after(paths)) return [];
    const orders = [paths, [...paths].reverse()];
    if (orders.some((order) => order.some((_, i) => !after(order.slice(0, i + 1))))) return [];
    const middle = this.state.picture.levels.indexOf(0.5);
    const [main] = this.state.picture.fans;
    const last = this.state.picture.years.at(-1);
    const read = [[`median ${main.title} in ${last}`, main.log ? "OOM" : main.unit, (p) => p.fans[0].quantiles[middle].at(-1), (p) => p.fans[0].error.at(-1)],
      ...this.state.picture.crossings.map((each, i) => [`median year of ${each.label}`, "years", (p) => p.crossings[i].quantiles[middle], (p) => p.crossings[i].error])];
    const told = [];
    for (const [title, unit, of, errorOf] of read) {
      const [before, end] = [of(after([])), of(after(paths))];
      if (before === null || end === null || Math.abs(end - before) < 1e-9) continue;
      const inputs = paths.map((path) => {
        const steps = orders.map((order) => of(after(order.slice(0, order.indexOf(path) + 1))) - of(after(order.slice(0, order.indexOf(path)))));
        return [this.controls[path].label, (steps[0] + steps[1]) / 2, errorOf(after(paths)) ?? 0];
      });
      const show = (x) => (unit === "years" ? x.toFixed(1) : x.toFixed(2));
      const lines = [`${title}: ${show(before)} to ${show(end)} (${unit === "OOM" ? "log10" : unit})`,
        ...inputs.map(([label, by, error]) => `${label}: ${by < 0 ? "−" : "+"}${show(Math.abs(by))} ${unit} ± ${show(error)}`)];
      told.push({ title, unit, before, after: end, inputs, lines });
    }
    return told;
  }

  answer({ kind, changes = {}, scenario, text }) {
    if (scenario || text) return { faults: [{ path: "", text: "This file holds one scenario. Open another with simulate explore." }] };
    if (kind === "state") return { state: this.state };
    const held = Object.entries(changes).flatMap(([path, change]) => {
      const prior = this.known[path];
      if (!prior && !(path in this.mixed)) return [{ path, text: this.held[path] ?? "There is no such assumption in this file." }];
      const other = Object.keys(change).find((name) => !(!prior || prior.part ? ["weight"] : ["median", "width"]).includes(name));
      if (other) return [{ path, text: `In this file its ${other} cannot be changed: only samples of the scenario as it is are at hand.` }];
      const twin = prior && Object.keys(changes).find((each) => each !== path && this.known[each]?.name === prior.name && !(prior.part && this.known[each].part));
      if (twin) return [{ path, text: `In this file it cannot be changed together with ${this.controls[twin].label}, which is of the same prior.` }];
      const wrong = ["width", "weight"].some((name) => name in change && !(change[name] > 0 && change[name] < Infinity)) || ("median" in change && !Number.isFinite(this.known[path].place(change.median)));
      return wrong ? [{ path, text: "Must be above 0." }] : [];
    });
    if (held.length) return { faults: held };
    if (!Object.keys(changes).length) return kind === "moved" ? { moved: [] } : { picture: this.state.picture, controls: [] };
    if (kind === "picture") return this.picture(changes);
    if (kind === "moved") return { moved: this.moved(changes) };
    return { faults: [{ path: "", text: `A file on its own writes nothing. ${this.live(changes)}` }] };
  }
}

// Makes the model of a text that share.py packed. The drawing library is in it too: its script runs as the policy
// of the page names its hash.
async function sharedModel(text) {
  const content = await unpacked(text);
  if (content.head.vega && globalThis.document) {
    const script = document.createElement("script");
    script.textContent = content.head.vega;
    document.head.append(script);
    delete content.head.vega;
  }
  const shared = new Shared(content);
  const heard = new Set();
  return {
    address: true, shared, get: (name) => (name === "state" ? shared.state : undefined), set: () => {}, save_changes: () => {},
    on: (_, hear) => heard.add(hear), off: (_, hear) => heard.delete(hear),
    send: (asked) => setTimeout(() => {
      const answer = { ...shared.answer(asked), serial: asked.serial };
      heard.forEach((hear) => hear(answer));
    }),
  };
}
