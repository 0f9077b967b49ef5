// The explorer in a browser, a notebook or a file of its own. It computes no forecast: it sends what is asked to
// `model` and shows what comes back (protocol.py). `model` has the methods of anywidget: get, set, on, send,
// save_changes.

import { BESIDE, Chart, amount, file, inputsOf, number, percent, small, totalOf, words, year } from "./views.js";

const UNREAD = "What stands behind ? in the address of a file is not read, and the scenario is as stated. For settings " +
  "of the command line: simulate explore SCENARIO --set path=value.";
const GONE = "The program that computes this page does not answer. Nothing is lost: what you changed stands in the " +
  "address of this page. Start the explorer again, and the page goes on.";
const SILENT = "The kernel has not answered yet. It is still at work, or was begun anew: in that case run the cell " +
  "of this page again.";
const FIELDS = { median: "m", width: "w", family: "f", value: "v", on: "o", weight: "p" }; // in the address
const MARKS = { // words for marks where there is no key
  median: " (line)", band0: " (pale band)", band1: " (dark band)", saved: " (grey)", seen: " (dots)",
  orange: " (dashed)", green: " (dotted)", purple: " (dash and dot)",
};
const MEANT = { // what a newcomer must know of a variable
  effective_compute: "How much arithmetic (FLOP) the same training would take with the algorithms of a fixed year: more " +
    "money, better chips and better algorithms all raise it.",
  physical_compute: "How much arithmetic (FLOP) is done in training.",
};
const TOP = 6; // assumptions that stand above the groups
const PAUSE = 700; // milliseconds until what learns is asked again
const LATE = 6000; // milliseconds without an answer, after which that is said
const REST = 350; // milliseconds without a move, after which the scenario's own samples run

// Small helpers for elements.

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (typeof value === "boolean") element[name] = value;
    else if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const put = (element, text) => { if (element.textContent !== text) element.textContent = text; };

function svg(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function download(name, content, type) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = make("a", { href: address, download: name, hidden: true });
  document.body.append(link); // where VS Code sees it and asks for a place
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

// The address: which scenario, with settings as `--set` has them, and what a reader changed and looks at.
// ?extends=no-caps&set=samples=4000#v=1&show=spending&.drivers.spending.start=m7.5e8~w1.3

function written({ source, shown, since, beside, changes }) {
  const [query, parts] = [new URLSearchParams(), new URLSearchParams({ v: "1" })];
  if (source.scenario) query.set("extends", source.scenario);
  for (const each of source.set ?? []) query.append("set", each);
  if (source.text) parts.set("text", source.text);
  if (shown) parts.set("show", shown);
  if (since || source.set) parts.set("since", since);
  if (beside.length) parts.set("beside", beside.join(","));
  for (const [path, change] of Object.entries(changes)) {
    const said = Object.entries(change).map(([name, value]) => FIELDS[name] + (name === "on" ? Number(value) : value));
    if (said.length) parts.set(`.${path}`, said.join("~"));
  }
  return `${query.size ? "?" : ""}${query}#${parts}`;
}

function understood(address) {
  const [, search, hash] = address.match(/^([^#]*)#?(.*)$/s);
  const [query, parts] = [new URLSearchParams(search), new URLSearchParams(hash)];
  const changes = {};
  const source = {};
  if (query.get("extends")) source.scenario = query.get("extends");
  if (query.has("set")) source.set = query.getAll("set");
  if (parts.get("text")) source.text = parts.get("text");
  const unread = [...query.keys()].filter((key) => !["extends", "set"].includes(key));
  if (parts.has("v") && parts.get("v") !== "1") {
    return { strange: true, source, shown: "", since: "", beside: [], changes, unread };
  }
  for (const [key, text] of parts) {
    if (!key.startsWith(".")) continue;
    const change = {};
    for (const part of text.split("~")) {
      const name = Object.keys(FIELDS).find((each) => FIELDS[each] === part[0]);
      const value = part.slice(1);
      if (name === "family") change.family = value;
      else if (name === "on") change.on = value === "1";
      else if (name && value !== "" && Number.isFinite(Number(value))) change[name] = Number(value);
    }
    if (Object.keys(change).length) changes[key.slice(1)] = change;
  }
  return { source, shown: parts.get("show") ?? "", changes, unread, // what was set moved the forecast, unless it says else
    since: parts.get("since") ?? (source.set ? source.scenario ?? "" : ""),
    beside: [...new Set((parts.get("beside") ?? "").split(",").filter(Boolean))].slice(0, BESIDE.length) };
}

// Steps back and forth: those of the browser where the address is ours, else a list.

function steps(ours, onMove) {
  const list = [""];
  let [at, last] = [0, 0];
  const here = () => location.search + location.hash;
  const arrived = (event) => { at = event.state?.step ?? 0; last = Math.max(last, at); onMove(here()); };
  if (ours) {
    at = last = history.state?.step ?? 0;
    history.replaceState({ step: at }, "");
    addEventListener("popstate", arrived);
  }
  return {
    push(address) {
      if (address === (ours ? here() : list[at])) return;
      at += 1;
      last = at;
      if (ours) history.pushState({ step: at }, "", location.pathname + address);
      else list.splice(at, Infinity, address);
    },
    go(by) {
      if (ours) history.go(by);
      else onMove(list[(at += by)]);
    },
    can: (by) => (by < 0 ? at > 0 : at < last),
    get address() { return ours ? here() : list[at]; },
    close: () => removeEventListener("popstate", arrived),
  };
}

// The scale of a handle: from 0 to 1,000 over its span, in the log where the assumption is positive.

function scaleOf({ scale, span: [low, high] }) {
  const log = scale === "log" && low > 0;
  const [to, from] = log ? [Math.log, Math.exp] : [(x) => x, (x) => x];
  const [a, b] = [to(low), to(high)];
  return {
    at: (value) => (1000 * (to(value) - a)) / (b - a),
    value: (at) => from(a + (at / 1000) * (b - a)),
  };
}

// A number as typed, without the commas between its thousands; "" where it is none: a comma for a point is not guessed.
function plainNumber(typed) {
  const text = typed.trim().replace("−", "-");
  const bare = /^[-+]?\d{1,3}(,\d{3})+(\.\d*)?(\s*%)?$/.test(text) ? text.replaceAll(",", "") : text;
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?(\s*%)?$/i.test(bare) ? bare : "";
}

const rounded = (value) => Number(value.toPrecision(value > 1000 && value < 3000 ? 6 : 4));
const unitOf = (unit) => (!unit || unit === "1" ? "" : unit);

const told = ({ kind, weight, understood }) => (kind === "weight" ? `${number(100 * weight)} %` : understood);

// One assumption: what it is, its density, its handles, where it comes from.

class Card {
  constructor(control, page) {
    Object.assign(this, { control, page, now: control, inputs: {} });
    const id = `c${page.count++}`;
    const { path, label, kind, about, source, url, confidence, as_of: dated } = control;
    const bar = make("i", { class: "bar" });
    bar.style.setProperty("--part", control.share ?? 0);
    const share = control.share >= 0.005 ? make("p", { class: "share" }, bar,
      `explains ${percent(control.share)} of the uncertainty`) : null;
    this.reset = make("button", { type: "button", class: "reset", "aria-label": `Reset ${label}`, onclick: () => {
      page.change(path, null, true);
      this.focus();
    } }, "Reset");
    this.says = make("p", { class: "says" });
    this.was = make("p", { class: "says", hidden: true }, `was ${told(control)}`);
    this.fault = make("p", { class: "fault", id: `${id}f`, hidden: true });
    this.id = id;
    const rows = control.held ? [make("p", { class: "held" }, `As it is in this file. ${control.held}`)]
      : { prior: () => this.prior(), number: () => this.one("value"), weight: () => this.one("weight"),
      switch: () => this.toggle() }[kind]();
    const origin = make("p", { class: "origin" }, "Source: ",
      /^https?:/.test(url) ? make("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, source || url)
        : source || "not stated",
      [confidence && `. Confidence: ${confidence}`, dated && `. As of ${dated}`].filter(Boolean).join("") + ".");
    const parts = page.opened.controls.filter((each) => each.kind === "prior"
      && each.path.startsWith(`${path}.mixture[`));
    const mixed = parts.length ? make("p", { class: "says" }, `Its median is that of ${parts.length} parts together. `,
      make("button", { type: "button", class: "plain", "aria-label": `Show the parts of ${label}`,
        onclick: () => page.look(path) }, "Show the parts")) : null;
    this.more = make("details", { class: "more" }, make("summary", { title: "Source and more" },
      `${source || "no source stated"}${confidence ? ` · ${confidence} confidence` : ""}`, make("span",
        { class: "unseen" }, `: more on ${label}`)),
      about ? make("p", {}, about) : null, origin, kind === "prior" ? this.families() : null,
      make("p", { class: "origin" }, "In a scenario file: ", make("code", {}, path)));
    this.element = make("section", { class: `card ${kind}`, "aria-labelledby": `${id}l`, "data-path": path },
      make("div", { class: "head" }, make("h4", { id: `${id}l` }, capital(label)), this.reset), share, this.says,
        this.was, mixed, ...rows, this.fault, this.more);
    this.words = [label, about, source, path, control.group, page.titles[control.group]].join(" ").toLowerCase();
    this.update(control, {});
  }

  focus() { this.element.querySelector("input").focus(); }

  // A handle and a box for one number of the change.
  handles(name, label, { at, value, show, says, box, unit }) {
    const { path } = this.control;
    const slider = make("input", { type: "range", min: 0, max: 1000, step: 5,
      "aria-label": `${label} of ${this.control.label}`,
      "aria-describedby": `${this.id}f` });
    const typed = make("input", { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false",
      "aria-label": `${label} of ${this.control.label}, ${unit || "a number"}`, "aria-describedby": `${this.id}f` });
    slider.addEventListener("input", () => this.page.change(path, { [name]: rounded(value(Number(slider.value))) },
      false));
    slider.addEventListener("change", () => this.page.rest());
    typed.addEventListener("change", () => {
      const text = plainNumber(typed.value);
      const parsed = box(text);
      if (text === "" || !Number.isFinite(parsed)) {
        return this.failed(`“${typed.value}” is not a number. Type one such as 2.4, 1e9 or 2030.5.`, typed);
      }
      return this.page.change(path, { [name]: parsed }, true);
    });
    this.inputs[name] = (current, lively) => {
      slider.value = String(Math.max(0, Math.min(1000, at(current))));
      slider.setAttribute("aria-valuetext", says(current));
      if (document.activeElement !== typed || !lively) typed.value = show(current);
    };
    return { slider, typed };
  }

  prior() {
    const { control } = this;
    if (!control.span) return [];
    const scale = scaleOf(control);
    const unit = unitOf(control.unit);
    const median = this.handles("median", "Median", { ...scale, show: (x) => number(x, 4), box: Number, unit,
      says: (x) => `${words(x, 4)} ${unit}; 90 % between ${words(this.now.low)} and ${words(this.now.high)}` });
    const width = this.handles("width", "Width", { // from a quarter to four times as wide
      at: (x) => 500 + (500 * Math.log(x)) / Math.log(4), value: (at) => (Math.abs(at - 500) < 12 ? 1
        : 4 ** ((at - 500) / 500)),
      show: (x) => number(x, 3), box: Number, says: (x) => (x === 1 ? "as stated"
        : `${number(x)} times as wide as stated`) });
    this.drawing = svg("svg", { class: "density", viewBox: "0 0 1000 100", preserveAspectRatio: "none",
      "aria-hidden": "true" });
    this.shapes = ["old", "new", "tick", "tick"].map((name) => this.drawing.appendChild(svg("path", { class: name })));
    this.drawing.addEventListener("pointerdown", (event) => this.drag(event, scale));
    return [
      make("div", { class: "plot" }, this.drawing, median.slider),
      make("div", { class: "row" }, make("span", {}, "Median"), median.typed, make("span", { class: "unit" }, unit)),
      make("div", { class: "row" }, make("span", {}, "Width"), width.typed, make("span", {}, "×"), width.slider),
    ];
  }

  // The drawing is a handle too: near an end of the interval it widens, elsewhere it moves.
  drag(event, scale) {
    const box = this.drawing.getBoundingClientRect();
    const at = (e) => (1000 * (e.clientX - box.left)) / box.width;
    const { median, low, high } = this.now;
    const [m, l, h] = [median, low, high].map(scale.at);
    const [start, end] = [at(event), this.changeOf().width ?? 1];
    const near = Math.min(Math.abs(start - l), Math.abs(start - h));
    const side = near < 22 && near < Math.abs(start - m) ? (Math.abs(start - l) < Math.abs(start - h) ? l : h) : null;
    const move = (e) => {
      const change = side === null ? { median: rounded(scale.value(m + at(e) - start)) }
        : { width: rounded(Math.max(0.05, (end * (at(e) - m)) / (side - m))) };
      this.page.change(this.control.path, change, false);
    };
    const stop = () => {
      this.drawing.removeEventListener("pointermove", move);
      this.page.rest();
    };
    event.preventDefault();
    this.drawing.setPointerCapture(event.pointerId);
    this.drawing.addEventListener("pointermove", move);
    this.drawing.addEventListener("lostpointercapture", stop, { once: true });
  }

  families() {
    const { families = [], path, family, held } = this.control;
    if (families.length < 2 || held || this.page.opened.alone) return null;
    const select = make("select", { onchange: () => this.page.change(path, { family: select.value }, true) },
      ...families.map((name) => make("option", { value: name }, name)));
    this.inputs.family = (current) => { select.value = current ?? family; };
    return make("label", { class: "family" }, "Family ", select);
  }

  one(name) {
    const { control } = this;
    const weight = name === "weight";
    const span = control.span ?? [0, 1];
    const scale = scaleOf({ scale: span[0] > 0 && span[1] / span[0] > 10 ? "log" : "linear", span });
    const unit = weight ? "%" : unitOf(control.unit);
    const handles = this.handles(name, weight ? "Weight" : "Value", { ...scale, unit,
      show: (x) => number(weight ? 100 * x : x, 6),
      box: (typed) => (weight ? Number(typed.replace("%", "")) / 100 : Number(typed)),
        says: (x) => (weight ? percent(x) : `${words(x, 6)} ${unit}`) });
    return [make("div", { class: "row single" }, make("span", { class: "unit" }, unit), handles.typed, control.span
      || weight ? handles.slider : null)];
  }

  toggle() {
    const { path, label } = this.control;
    const box = make("input", { type: "checkbox", role: "switch", "aria-label": label,
      "aria-describedby": `${this.id}f`,
      onchange: () => this.page.change(path, { on: box.checked }, true) });
    const word = make("span", {});
    this.inputs.on = (current) => {
      box.checked = current;
      put(word, current ? "on" : "off");
    };
    return [make("label", { class: "switch" }, box, word)];
  }

  changeOf() { return this.page.state.changes[this.control.path] ?? {}; }

  // Shows what was changed, and how the program now understands it.
  update(now, change, lively = false) {
    this.now = now;
    const changed = Object.keys(change).length > 0;
    this.element.classList.toggle("changed", changed);
    this.reset.hidden = !changed;
    put(this.says, told(now));
    const group = this.element.closest("details.group");
    if (changed && group) group.open = true;
    this.was.hidden = told(now) === told(this.control);
    for (const [name, show] of Object.entries(this.inputs)) {
      show(change[name] ?? (name === "width" ? 1 : this.control[name]), lively);
    }
    if (this.shapes) this.draw(now, changed);
  }

  draw(now, changed) {
    const scale = scaleOf(this.control);
    const { density } = this.control;
    if (!density) return;
    const log = this.control.scale === "log";
    const heightOf = ({ x, y }) => { // comparable: per unit of the handle's scale
      const top = Math.max(...y);
      let mass = 0;
      for (let i = 1; i < x.length; i += 1) {
        const step = log ? Math.log(x[i] / x[i - 1]) : x[i] - x[i - 1];
        mass += ((y[i] + y[i - 1]) / 2) * Math.abs(step || 0);
      }
      return { top, mass: mass || 1 };
    };
    const base = heightOf(density);
    const shape = (each) => {
      const { mass } = heightOf(each);
      const height = (y) => 100 - 74 * (y / mass) / (base.top / base.mass);
      const points = each.x.map((x, i) => `${scale.at(x).toFixed(1)},${height(each.y[i]).toFixed(1)}`);
      return `M${scale.at(each.x[0]).toFixed(1)},100L${points.join("L")}L${scale.at(each.x.at(-1)).toFixed(1)},100Z`;
    };
    const tick = (x) => `M${scale.at(x).toFixed(1)},72V100`;
    this.shapes[0].setAttribute("d", changed ? shape(density) : "");
    this.shapes[1].setAttribute("d", shape(now.density ?? density));
    this.shapes[2].setAttribute("d", tick(now.low));
    this.shapes[3].setAttribute("d", tick(now.high));
  }

  failed(text, input) {
    this.own = Boolean(input); // a fault of the box alone, which no answer lifts
    if (!text && this.fault.hidden) return;
    put(this.fault, capital(text));
    this.fault.hidden = !text;
    this.element.classList.toggle("failing", Boolean(text));
    for (const each of this.element.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
    if (text) (input ?? this.element.querySelector("input[type=text]")
      ?? this.element.querySelector("input")).setAttribute("aria-invalid", "true");
    if (text && input) this.page.trouble(`${this.control.label}: ${text}`);
  }
}

// The page.

class Page {
  constructor(model, el) {
    Object.assign(this, { model, el, count: 0, waiting: new Map(), cards: new Map(), charts: {}, cache: {}, others: [],
      serial: Math.floor(Math.random() * 2 ** 48) }); // two views of one widget hear the answers to both
    this.ours = model.address === true;
    this.steps = steps(this.ours, (address) => this.read(address));
    this.state = { source: model.source ?? {}, shown: "", since: "", beside: [], changes: {} };
    this.source = this.state.source; // of the scenario that is open
    this.heard = (answer) => this.answered(answer);
    model.on("msg:custom", this.heard);
    this.open(model.get("state"));
    if (this.ours && this.steps.address.length > 1) this.read(this.steps.address);
  }

  close() {
    this.model.off?.("msg:custom", this.heard);
    this.reasons = -1;
    this.steps.close();
    this.sized?.disconnect();
    this.sighted?.disconnect();
    clearTimeout(this.timer);
    Object.values(this.charts).forEach((chart) => chart.close());
    this.el.replaceChildren();
  }

  // Asking and hearing.

  asks(asked) {
    const serial = (this.serial += 1);
    return new Promise((resolve) => { // a server that is gone says so at once, a kernel not at all
      const late = this.ours || this.opened.alone ? 0 : setTimeout(() => this.trouble(SILENT), LATE);
      this.waiting.set(serial, (answer) => {
        clearTimeout(late);
        if (this.said.trouble.textContent === SILENT) this.trouble(this.lost ?? "");
        resolve(answer);
      });
      this.model.send({ ...asked, serial });
    });
  }

  async ask(asked) { // again and again while what is asked about learns from history, unless the reader stops it
    const [stops, main] = [this.stops, this.el.querySelector("main")];
    for (let told = false; ; told = true) {
      const answer = await this.asks(asked);
      if (stops !== this.stops) return { faults: [{ path: "", text: "It was stopped before it had learned." }] };
      if (!answer.learning) {
        if (told) this.say("");
        return answer;
      }
      if (main) main.inert = false; // what stands goes on meanwhile
      this.say(answer.learning, make("button", { type: "button", class: "plain", onclick: () => {
        this.stops = (this.stops ?? 0) + 1;
        this.say("");
        this.asks({ kind: "stop" });
      } }, "Stop learning"));
      await new Promise((passed) => { setTimeout(passed, PAUSE); });
    }
  }

  answered(answer) {
    this.waiting.get(answer.serial)?.(answer);
    this.waiting.delete(answer.serial);
  }

  get asked() { return { ...this.state.source, changes: this.state.changes }; }

  // Opening a scenario: everything is built anew.

  open(opened) {
    this.opened = opened;
    this.saved = opened.picture;
    this.picture = opened.picture;
    this.moved = [];
    this.titles = Object.fromEntries(opened.groups.map((group) => [group.name, group.title]));
    this.build();
    this.draw(false);
  }

  async read(address) { // what the address says: by a link, a reload, a step back
    const said = understood(address);
    const { alone } = this.opened;
    if (alone) said.source = {};
    if (said.strange) return this.trouble("Another version of this page wrote the address: the scenario is as stated.");
    const moved = JSON.stringify(said.source) !== JSON.stringify(this.source);
    if (moved && !(await this.opens(said))) return undefined;
    this.state = said;
    if (![...this.since.options].some((each) => each.value === said.since)) said.since = "";
    this.since.value = said.since;
    const lost = Object.keys(said.changes).filter((path) => !this.cards.has(path));
    for (const path of lost) delete said.changes[path];
    this.lost = [lost.length && `The address also changes what this scenario does not have: ${lost.join(", ")}. ` +
      "That is left out.", said.unread.length && (alone ? UNREAD : "Behind ? in the address, only extends and set are " +
      `read: ${said.unread.join(", ")} is left out.`)].filter(Boolean).join(" ");
    for (const [path, card] of this.cards) {
      card.failed("");
      card.update(card.control, said.changes[path] ?? {});
    }
    this.fresh(false);
    return this.beside();
  }

  // Opens the scenario of a state; of two that are asked for, the later. Until then nothing of the one that stands can
  // be changed, but where the new one has to learn first.
  async opens(said) {
    const slow = setTimeout(() => this.say("Opening."), 800);
    const main = this.el.querySelector("main");
    const turn = (this.opening = (this.opening ?? 0) + 1);
    main.inert = true;
    const { state, faults, gone } = await this.ask({ kind: "state", ...said.source });
    clearTimeout(slow);
    if (turn !== this.opening) return false;
    if (this.done.textContent === "Opening.") this.say("");
    main.inert = false;
    if (!state) {
      this.failed(faults, gone);
      return false;
    }
    this.state = said;
    this.source = said.source;
    this.others = [];
    this.open(state);
    return true;
  }

  async load(source) {
    if (!(await this.opens({ source, shown: "", since: "", beside: [], changes: {} }))) return;
    this.lost = "";
    this.steps.push(written(this.state));
    this.tools();
    this.el.querySelector("h1").focus();
  }

  // Changing.

  change(path, change, settled) {
    const { changes } = this.state;
    const card = this.cards.get(path);
    const merged = change === null ? {} : { ...changes[path], ...change };
    if (merged.width === 1) delete merged.width;
    for (const name of ["median", "value", "on", "family", "weight"]) {
      if (merged[name] === card.control[name]) delete merged[name];
    }
    this.state.changes = { ...changes, [path]: merged };
    if (!Object.keys(merged).length) delete this.state.changes[path];
    card.failed("");
    const now = Object.keys(merged).length ? { ...card.now, ...("median" in merged && { median: merged.median }) }
      : card.control;
    card.update(now, merged, true);
    if (settled) this.settle();
    else this.fresh(true);
  }

  rest(after = REST) { // the hand rests: a step that can be undone, and the scenario's own samples
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settle(), after);
  }

  settle() {
    this.steps.push(written(this.state));
    this.tools();
    this.fresh(false);
  }

  get changed() { return Object.keys(this.state.changes).length > 0; }

  // One picture at a time while a handle moves: the newest wish is asked for when the last is shown. A move does not
  // wait for the picture at rest.
  async fresh(moving) {
    clearTimeout(this.timer);
    if (moving) this.rest(2 * REST);
    this.wish = { moving };
    if (this.running === "moving") return;
    const turn = (this.turn = (this.turn ?? 0) + 1);
    while (this.wish && turn === this.turn) {
      const wish = this.wish;
      this.wish = null;
      this.running = wish.moving ? "moving" : "resting";
      try {
        await this.show(wish.moving, turn);
      } finally {
        if (turn === this.turn) this.running = "";
      }
    }
  }

  async show(moving, turn) {
    this.el.classList.toggle("resting", !moving && this.changed);
    const answer = this.changed
      ? await this.ask({ kind: "picture", ...this.asked, ...(moving && { samples: this.opened.samples[0] }) })
      : { picture: this.saved, controls: [] };
    if (turn !== this.turn || answer.overtaken) return;
    if (!moving) this.el.classList.remove("resting");
    if (!answer.picture) return this.failed(answer.faults, answer.gone);
    this.trouble(this.lost ?? "");
    for (const card of this.cards.values()) if (!card.own) card.failed("");
    for (const control of answer.controls ?? []) {
      const change = this.state.changes[control.path]; // which may have been taken back meanwhile
      if (change) this.cards.get(control.path)?.update(control, change, true);
    }
    this.picture = answer.picture;
    const drawn = this.draw(moving); // meanwhile the next can be asked for
    if (!moving) await drawn;
    if (!moving && !this.wish && turn === this.turn) this.why();
    return undefined;
  }

  async why() { // what moved it, since it was opened or since the preset that is chosen
    const { changes } = this.state;
    const { since } = this.state;
    const [begun, turn] = [Date.now(), (this.reasons = (this.reasons ?? 0) + 1)];
    const told = setInterval(() => { // what stands there is of before
      if (turn !== this.reasons) return clearInterval(told);
      this.still.hidden = false;
      return put(this.still, `What moved it is being worked out: ${Math.round((Date.now() - begun) / 1000)} s.`);
    }, 1000);
    const answer = this.changed || since ? await this.ask({ kind: "moved", ...this.asked, ...(since && { since }) })
      : { moved: [] };
    clearInterval(told);
    if (turn === this.reasons) this.still.hidden = this.moved.length > 0;
    if (answer.overtaken || changes !== this.state.changes || since !== this.state.since) return;
    if (!answer.moved) return this.failed(answer.faults, answer.gone);
    this.moved = answer.moved;
    this.drawMoved();
    return undefined;
  }

  failed(faults = [], gone = false) {
    const rest = [];
    for (const { path, text } of faults) {
      const [card] = [...this.cards.values()].filter((each) => path.startsWith(each.control.path))
        .sort((a, b) => b.control.path.length - a.control.path.length);
      if (card) card.failed(text);
      rest.push(card ? `${card.control.label}: ${text}` : text);
    }
    this.trouble(gone ? GONE : rest.length ? `Not shown yet: ${rest.join(" ")}` : "This cannot be computed.", gone);
  }

  trouble(text, gone = false) {
    put(this.said.trouble, text);
    this.said.trouble.hidden = !text;
    this.said.again.hidden = !gone;
  }

  // Building the page of the scenario that is open.

  build() {
    const { opened } = this;
    Object.values(this.charts).forEach((chart) => chart.close());
    this.sized?.disconnect();
    this.sighted?.disconnect();
    this.charts = {};
    this.cards = new Map(opened.controls.map((control) => [control.path, new Card(control, this)]));
    this.said = {
      headline: make("p", { class: "headline" }), trouble: make("p", { class: "trouble", hidden: true }),
      again: make("button", { type: "button", hidden: true, onclick: () => this.read(this.steps.address) },
        "Try again"),
      precision: make("p", { class: "precision" }), warnings: make("ul", { class: "warnings" }),
    };
    const { said } = this;
    const main = make("main", {},
      make("section", { class: "forecast", "aria-label": "Forecast" },
        make("div", { "aria-live": "polite", class: "said" }, said.headline, said.trouble), said.again, said.precision,
          this.fanFigure()),
      make("section", { class: "controls", "aria-labelledby": "assumptions" }, ...this.assumptions()),
      make("section", { class: "rest", "aria-label": "More of the forecast" }, ...this.below()));
    this.el.replaceChildren(this.head(), main,
      make("footer", {}, make("p", {},
        `${opened.alone ?? "Every number is computed by the simulator with the samples of its command line."} `,
        `Effective compute simulator ${opened.version}.`)));
    this.sized = new ResizeObserver(() => this.draw(false, true));
    this.sighted = new IntersectionObserver((seen) => {
      for (const { target, isIntersecting } of seen) target.far = !isIntersecting;
    });
    for (const { el } of Object.values(this.charts)) {
      this.sized.observe(el);
      this.sighted.observe(el);
    }
    this.tools();
  }

  head() {
    const { opened } = this;
    const button = (text, on, more = {}) => make("button", { type: "button", onclick: on, ...more }, text);
    if (this.ours) document.title = `${opened.title} · Explorer`;
    this.undo = button("Undo", () => this.steps.go(-1));
    this.redo = button("Redo", () => this.steps.go(1));
    this.all = button("Reset all", () => {
      this.state.changes = {};
      for (const card of this.cards.values()) { card.failed(""); card.update(card.control, {}); }
      this.settle();
    });
    this.done = make("p", { class: "done", role: "status" });
    const menu = (title, ...items) => {
      const details = make("details", { class: "menu", onkeydown: (event) => {
        if (event.key === "Escape") { details.open = false; details.firstChild.focus(); }
      }, onfocusout: ({ relatedTarget: to }) => {
        if (to && !details.contains(to)) details.open = false;
      },
      }, make("summary", {}, title), make("div", {}, ...items.filter(Boolean)));
      return details;
    };
    const presets = make("div", { class: "presets" }, ...opened.presets.map(([name, title]) => button(title,
      () => this.load({ scenario: name }))));
    const chosen = make("input", { type: "file", accept: ".yaml,.yml,.txt", "aria-label": "Load a scenario file" });
    chosen.addEventListener("change", async () => {
      const [each] = chosen.files;
      if (each) await this.load({ text: await each.text() });
      chosen.value = ""; // so that a file that was mended can be loaded again
    });
    const pasted = make("input", { type: "text", placeholder: "http://…/?extends=baseline…", autocomplete: "off",
      spellcheck: "false", "aria-label": "Open a link", onchange: () => this.follow(pasted.value.trim()) });
    return make("header", {},
      make("div", { class: "title" }, make("p", { class: "kicker" },
        "Explorer: move an assumption and see what becomes of the forecast"),
        make("h1", { tabindex: "-1" }, opened.title), make("p", { class: "subject" }, opened.subject),
        make("div", { class: "abouts" },
          make("details", { class: "more" }, make("summary", {}, "How to read this page"), make("ul", {},
            ...this.help().map((text) => make("li", {}, text)))),
          opened.notes ? make("details", { class: "more" }, make("summary", {}, "About this scenario"), make("p", {},
            opened.notes)) : null,
          opened.set.length ? make("details", { class: "more", open: true }, make("summary", {},
            `Set before it was opened: ${opened.set.length}`), make("ul", {}, ...opened.set.map((each) => make("li", {},
            make("code", {}, each))))) : null)),
      make("div", { class: "tools" }, this.undo, this.redo, this.all,
        opened.alone ? null : menu("Open", make("p", {}, "A scenario file of your own"), chosen, make("p", {},
          "A link that somebody copied in an explorer"), pasted, make("p", {},
          "Shipped scenarios, published forecasts among them"), presets),
        menu("Save", opened.alone ? null : button("Scenario file (YAML)", () => this.save()), this.ours
          ? button("Copy link", () => this.link()) : null,
          button("Copy command", () => this.command()), opened.alone ? null : button("Write a run folder",
            () => this.run())), this.done));
  }

  help() { // for who has never seen such a page
    const { variables, history } = this.opened;
    const observed = variables.filter((each) => history[each.name]?.length).map((each) => each.title);
    return [
      "FLOP are single steps of arithmetic, such as one multiplication; 10²⁵ is a 1 with 25 zeros. GPT-4 was trained "
        + "with about 2 × 10²⁵.",
      variables.some((each) => each.name === "effective_compute") && "Effective compute counts better algorithms as "
        + "more compute: it is the FLOP that the algorithms of a fixed year would need for the same result.",
      "A sample is one possible future: a value of each assumption, drawn by chance, and what follows from them. Half "
        + "of the futures lie above the median, half below; 90 % lie in the pale band and what it holds. “Never” means "
        + "not by the last year.",
      "An assumption is a range. Its curve says how likely each value is held to be; between the two ticks lie 90 %. "
        + "The slider moves all of it; a width above 1 makes it less certain, one below 1 more certain.",
      "An OOM is a factor of ten. What stands after ± is how far other random samples would move a number, not how sure "
        + "the forecast is.",
      observed.length > 0 && `What was observed stands as dots where it is known: ${observed.join(", ")}.`,
    ].filter(Boolean);
  }

  tools() {
    this.undo.disabled = !this.steps.can(-1);
    this.redo.disabled = !this.steps.can(1);
    this.all.disabled = !this.changed;
  }

  say(text, ...more) {
    put(this.done, text);
    this.done.append(...more);
  }

  async copy(text, what) {
    try {
      await navigator.clipboard.writeText(text);
      this.say(`${what} is copied.`);
    } catch {
      this.say(`${what}: ${text}`);
    }
  }

  async save() {
    const { text, file: name, faults, gone } = await this.ask({ kind: "save", ...this.asked });
    if (text === undefined) return this.failed(faults, gone);
    download(name ?? `${this.opened.name}-explored.yaml`, text, "application/yaml");
    return this.say("The scenario file is saved.");
  }

  link() { // which says what was opened too, so that another explorer can follow it
    const { extends: scenario, set, alone } = this.opened;
    const own = this.state.source.text || alone ? this.state.source : { scenario, ...(set.length && { set }) };
    const address = written({ ...this.state, source: own });
    return this.copy(new URL(location.pathname + address, location.href).href, "The link");
  }

  async follow(link) {
    const address = link.replace(/^[^?#]*/, "");
    if (!link) return undefined;
    if (!/[?&](extends|set)=|#v=/.test(address)) {
      return this.say("That is no link of an explorer: ?extends=NAME or #v=1 stands in one.");
    }
    this.steps.push(address);
    this.tools();
    return this.read(address);
  }

  command() {
    const { command } = this.picture;
    return command ? this.copy(command, "The command")
      : this.say("No command gives this: save the scenario file and run that.");
  }

  async run() {
    this.say("The run is being written.");
    const { folder, faults, gone } = await this.ask({ kind: "run", ...this.asked });
    if (folder === undefined) { this.say(""); return this.failed(faults, gone); }
    return this.say(`The run is written: ${folder}`);
  }

  // The left side.

  assumptions() {
    const { opened, cards } = this;
    const known = opened.controls.filter((control) => control.kind === "prior" && control.share !== undefined);
    const top = (known.length ? known : opened.controls).slice(0, TOP).map((control) => control.path);
    this.top = top;
    this.found = make("p", { class: "found" });
    this.query = make("input", { type: "search", id: "find", placeholder: "such as spending, power, Epoch",
      oninput: () => this.find() });
    const groups = opened.groups.map((group) => {
      const rest = group.controls.filter((path) => cards.has(path) && !top.includes(path));
      if (!rest.length) return null;
      return make("details", { class: "group" }, make("summary", {}, make("h3", {}, group.title), make("span",
        { class: "count" }, String(rest.length))),
        ...rest.map((path) => cards.get(path).element));
    });
    this.groups = groups.filter(Boolean);
    return [
      make("h2", { id: "assumptions" }, "Assumptions"),
      make("label", { class: "search", for: "find" }, "Find an assumption"), this.query, this.found,
      this.topmost = make("h3", { class: "topmost" }, "What matters most"),
        ...top.map((path) => cards.get(path).element),
      make("h3", { class: "topmost" }, "Everything else"), ...this.groups,
    ];
  }

  look(text) {
    this.query.value = text;
    this.find();
    this.query.focus();
  }

  find() {
    const words = this.query.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const card of this.cards.values()) {
      const hit = words.every((word) => card.words.includes(word));
      card.element.hidden = !hit;
      count += hit;
    }
    for (const group of this.groups) {
      const hits = [...group.querySelectorAll(".card")].some((card) => !card.hidden);
      group.hidden = !hits;
      group.open = words.length ? hits : group.querySelector(".changed") !== null;
    }
    this.topmost.hidden = this.top.every((path) => this.cards.get(path).element.hidden);
    put(this.found, words.length ? `${count} of ${this.cards.size} assumptions` : "");
  }

  // The right side.

  figure(kind, title, note, ...more) {
    const drawing = make("div", { class: "drawing" });
    const picture = make("div", { class: `picture ${kind}`, role: "img" }, drawing);
    const readout = make("p", { class: "readout" });
    this.charts[kind] = new Chart(kind, drawing, (at) => put(readout, at === null ? "" : this.readout(kind, at)));
    this.charts[kind].picture = picture;
    const button = (form) => make("button", { type: "button", class: "plain",
      "aria-label": `${title} as ${form.toUpperCase()}`,
      onclick: () => this.export(kind, title, form) }, form.toUpperCase());
    return make("figure", { class: kind }, ...[make("div", { class: "over" }, make("h2", {}, title), ...more,
      make("span", { class: "files" }, button("svg"), button("png"))), note && make("p", { class: "note" }, note),
        picture, readout].filter(Boolean));
  }

  fanFigure() {
    const { variables, presets } = this.opened;
    const select = make("select", { "aria-label": "Variable", onchange: () => {
      this.state.shown = select.value;
      this.steps.push(written(this.state));
      this.draw(false);
    } }, ...variables.map((each) => make("option", { value: each.name },
      capital(unitOf(each.unit) ? `${each.title}, ${each.unit}` : each.title))));
    this.variable = select;
    this.key = make("ul", { class: "key" });
    this.checks = presets.map(([name, title]) => {
      const box = make("input", { type: "checkbox", value: name, onchange: () => {
        this.state.beside = this.checks.filter((each) => each.checked).map((each) => each.value);
        this.steps.push(written(this.state));
        this.beside();
      } });
      return Object.assign(box, { told: title });
    });
    this.compared = scroll("Comparison of scenarios");
    const compare = make("details", { class: "compare" }, make("summary", {}, "Compare with other scenarios"),
      make("div", { class: "choices" }, ...this.checks.map((box) => make("label", {}, box, box.told))), this.compared);
    const figure = this.figure("fan", "Forecast by year", " ", select);
    this.gloss = figure.querySelector(".note");
    figure.append(this.key, ...(presets.length ? [compare] : []));
    return figure;
  }

  below() {
    const threshold = make("select", { "aria-label": "Threshold", onchange: () => this.draw(false) },
      ...this.saved.crossings.map((each) => make("option", { value: each.name }, each.label)));
    // The one that is crossed last, of those that are likelier than not.
    const median = (each) => each.quantiles[this.saved.levels.indexOf(0.5)] ?? 0;
    threshold.value = [...this.saved.crossings].sort((a, b) => median(b) - median(a))[0]?.name ?? "";
    this.threshold = threshold;
    const { extends: name, set } = this.opened;
    this.since = make("select", { id: "since", onchange: () => {
      this.state.since = this.since.value;
      this.steps.push(written(this.state));
      this.tools();
      this.why();
    } }, make("option", { value: "" }, "this scenario, as it was opened"),
      set.length && name ? make("option", { value: name }, "this scenario, without what was set in it") : null,
      ...this.opened.presets.filter(([each]) => each !== name).map(([each, title]) => make("option",
        { value: each }, title)));
    this.number = make("select", { "aria-label": "Number that moved", hidden: true, onchange: () => this.drawMoved() });
    this.walk = make("input", { type: "range", min: 0, max: 0, "aria-label": "Steps of the walk",
      oninput: () => this.drawMoved() });
    this.walked = make("p", { class: "walked" });
    this.words = make("ul", { class: "words" });
    this.table = scroll("Table by year");
    this.whole = make("details", { class: "table", ontoggle: () => this.tabulate() }, make("summary", {},
      "Table by year"), this.table);
    const moved = this.figure("moved", "What moved, and why", " ", this.number);
    moved.insertBefore(make("p", { class: "walk" }, make("label", { for: "since" }, "Starting from "), this.since),
      moved.children[1]);
    this.unit = moved.querySelector(".note");
    moved.append(make("div", { class: "walk" }, this.walk, this.walked), this.words);
    const parts = [moved];
    if (this.saved.crossings.length) parts.unshift(this.figure("crossings", "When thresholds are crossed",
      "Circle: median. Thick: half of the samples. Thin: 90 % of them. Grey: as it was opened."), this.figure("by",
        "Chance of having crossed", "Blue: the threshold that is chosen. Grey: the others. Dashed: as it was opened.",
        threshold));
    if (this.saved.limits.length) parts.splice(-1, 0, this.figure("limits", "What holds it back",
      "Share of the samples that a limit holds back, by year; in figures that of the last year. Lines: as it was opened."));
    this.still = make("p", { class: "still" });
    moved.insertBefore(this.still, moved.children[2]);
    return [...parts, this.whole, this.said.warnings];
  }

  get fan() { return this.picture.fans.find((each) => each.variable === this.variable.value) ?? this.picture.fans[0]; }

  get spread() { return this.fan.quantiles[0].at(-1) !== this.fan.quantiles.at(-1).at(-1); }

  given(kind) {
    const saved = this.changed ? this.saved : null;
    if (kind === "moved") {
      const since = this.state.since ? this.since.selectedOptions[0].text : "as it was opened";
      return { moved: this.moved[Number(this.number.value) || 0], since, upTo: this.upTo };
    }
    return { picture: this.picture, saved, beside: this.others, history: this.opened.history,
      variable: this.variable.value,
      threshold: this.threshold?.value };
  }

  async draw(moving, sizes = false) {
    const { said, picture } = this;
    const { shown: wanted } = this.state;
    if (this.opened.variables.some((each) => each.name === wanted)) this.variable.value = wanted;
    if (!moving && !sizes) {
      put(said.headline, unbroken(picture.headline));
      said.warnings.replaceChildren(...picture.warnings.map((text) => make("li", {}, text)));
      for (const [kind, chart] of Object.entries(this.charts)) {
        chart.picture.setAttribute("aria-label", (kind === "fan" && this.fan.alt) || picture.alts[kind]
          || "What moved the forecast, input by input.");
      }
      this.legend();
      put(this.gloss, MEANT[this.fan.variable] ?? "");
      this.gloss.hidden = !this.gloss.textContent;
      this.tabulate();
      this.compare();
      this.tools();
      if (!this.changed && !this.state.since) this.moved = [];
      this.drawMoved();
    }
    const { fan } = this;
    const error = fan.error.at(-1);
    const middle = fan.quantiles[picture.levels.indexOf(0.5)].at(-1);
    const give = error ? ` ± ${small(error)}${fan.log ? " OOM" : ""} (Monte Carlo error)` : "";
    const after = moving ? " It sharpens when you pause." : picture.run && ` Run ${picture.run}.`;
    const samples = `${picture.samples.toLocaleString("en-US")} sample${picture.samples === 1 ? "" : "s"}`;
    const what = `${this.spread ? "Median" : capital(fan.title)} in ${picture.years.at(-1)}`;
    put(said.precision, `${samples}. ${what}: ${amount(fan, middle)}${give}.${after}`);
    const shown = Object.entries(this.charts).filter(([kind, chart]) => // while a handle moves, what is in sight
      (kind === "moved" ? sizes && this.moved.length : !(moving && chart.el.far)));
    for (const [kind, chart] of shown) {
      const first = !chart.shape;
      await chart.show({ ...this.given(kind), moving });
      if (first) await new Promise((painted) => { setTimeout(painted); }); // the fan is seen before the rest is drawn
    }
    this.el.dispatchEvent(new CustomEvent("shown", { detail: { moving, samples: picture.samples } }));
  }

  legend() {
    const { levels } = this.picture;
    const share = (i) => `${Math.round(100 * (levels.at(-1 - i) - levels[i]))} %`;
    const item = (mark, text) => make("li", {}, make("i", { class: `mark ${mark}` }), text);
    const items = [item("median", this.spread ? "median" : "forecast")];
    for (let i = this.spread ? Math.floor(levels.length / 2) - 1 : -1; i >= 0; i -= 1) {
      items.push(item(`band${levels.length > 5 ? i : Math.min(i, 1)}`, `${share(i)} of the samples`));
    }
    if (this.changed) items.push(item("saved", "as it was opened"));
    if ((this.opened.history[this.fan.variable] ?? []).length) items.push(item("seen", "observed"));
    this.others.forEach((other, i) => items.push(item(BESIDE[i], `${other.title}, median`)));
    this.key.replaceChildren(...items);
      }

  readout(kind, at) {
    const { years, levels } = this.picture;
    if (kind === "moved") return "";
    const i = years.reduce((best, one, k) => (Math.abs(one - at) < Math.abs(years[best] - at) ? k : best), 0);
    if (kind === "fan") {
      const [low, middle, high] = [0.05, 0.5, 0.95].map((one) => this.fan.quantiles[levels.indexOf(one)][i])
        .map((value) => amount(this.fan, value));
      return `${years[i]}: ${middle}, 90 % between ${low} and ${high}`;
    }
    if (kind === "crossings") return "";
    if (kind === "by") {
      const one = this.picture.crossings.find((each) => each.name === this.threshold.value);
      return `${one.label} by ${years[i]}: ${percent(one.by[i])}`;
    }
    return `${years[i]}: ${this.picture.limits.map((each) => `${each.label} ${percent(each.share[i])}`).join(", ")}`;
  }

  tabulate() {
    if (!this.whole.open) return;
    const { picture, saved, fan } = this;
    const old = this.changed ? saved.fans.find((each) => each.variable === fan.variable) : null;
    const middle = picture.levels.indexOf(0.5);
    const crossing = picture.crossings.find((each) => each.name === this.threshold?.value);
    const head = ["Year", "Median", "5 %", "95 %", ...(old ? ["Median as opened"] : []),
      ...(crossing ? [`Chance of ${crossing.label}`] : []),
      ...(picture.limits.length ? ["Holds most back"] : [])];
    const rows = picture.years.map((at, i) => {
      const before = old ? saved.years.indexOf(at) : -1;
      const most = [...picture.limits].sort((a, b) => b.share[i] - a.share[i])[0];
      return [String(at), amount(fan, fan.quantiles[middle][i]), amount(fan, fan.quantiles[0][i]), amount(fan,
        fan.quantiles.at(-1)[i]),
        ...(old ? [before < 0 ? "" : amount(fan, old.quantiles[middle][before])] : []),
          ...(crossing ? [percent(crossing.by[i])] : []),
        ...(most ? [most.share[i] ? `${most.label}, ${percent(most.share[i])}` : "nothing"] : [])];
    });
    this.table.replaceChildren(tableOf(`${fan.title} by year`, head, rows));
  }

  async beside() { // other scenarios, with their own samples
    const { beside } = this.state;
    for (const box of this.checks) {
      box.checked = beside.includes(box.value);
      box.disabled = !box.checked && beside.length >= BESIDE.length;
    }
    if (!beside.length && !this.others.length) return;
    for (const name of beside.filter((each) => !this.cache[each])) {
      const { picture, faults = [] } = await this.ask({ kind: "picture", scenario: name,
        samples: this.opened.samples[0] });
      if (picture) this.cache[name] = picture;
      else this.say(`Not beside it: ${faults[0]?.text.split(". ")[0] ?? name}.`);
    }
    if (beside !== this.state.beside) return;
    this.others = beside.map((name) => this.cache[name]).filter(Boolean);
    this.compare();
    await this.draw(false);
  }

  compare() { // when each scenario crosses
    const all = [this.picture, ...this.others];
    const rows = this.picture.crossings.map((each) => [each.label, ...all.map((one) => {
      const found = one.crossings.find((other) => other.name === each.name);
      return found ? year(found.quantiles[one.levels.indexOf(0.5)], [one.years[0], one.years.at(-1)]) : "not asked";
    })]);
    const own = `${this.opened.title}${this.changed ? ", as changed here" : ""}`;
    this.compared.replaceChildren(...(this.others.length ? [tableOf("Median year of crossing", ["Threshold", own,
      ...this.others.map((one) => one.title)], rows)] : []));
  }

  drawMoved() {
    const any = this.moved.length > 0;
    const { charts: { moved: chart } } = this;
    this.still.hidden = any;
    put(this.still, this.changed || this.state.since ? "What moved it is being worked out."
      : "Nothing has been changed. Move an assumption, or start from another scenario above.");
    chart.picture.hidden = !any;
    for (const part of [this.words, this.walk, this.walked, this.unit]) part.hidden = !any;
    chart.picture.parentElement.querySelector(".files").hidden = !any;
    this.number.hidden = this.moved.length < 2;
    if (!any) return;
    const titles = this.moved.map((each) => capital(each.title));
    if (titles.join() !== [...this.number.options].map((each) => each.text).join()) {
      this.number.replaceChildren(...titles.map((title, i) => make("option", { value: i }, title)));
      this.number.value = "0";
      this.walk.value = "1000";
    }
    const moved = this.moved[Number(this.number.value) || 0];
    put(this.unit, `${capital(moved.title)}, step by step. Changes are in ${moved.unit === "OOM" ? "OOM, factors of ten"
      : moved.unit}, with their Monte Carlo errors.`);
    const atEnd = Number(this.walk.value) >= Number(this.walk.max);
    const inputs = inputsOf(moved);
    this.walk.max = String(inputs.length);
    if (atEnd) this.walk.value = this.walk.max;
    this.upTo = Number(this.walk.value);
    const so = inputs.slice(0, this.upTo).reduce((sum, each) => sum + each[1], moved.before);
    put(this.walked, `${capital(moved.title)} after ${this.upTo} of ${inputs.length} inputs: ${totalOf(moved, so)}`);
    this.walk.setAttribute("aria-valuetext", this.walked.textContent);
    this.words.replaceChildren(...moved.lines.map((line) => make("li", {}, line)));
    chart.picture.setAttribute("aria-label", `Waterfall. ${moved.lines.join(" ")}`);
    chart.show(this.given("moved"));
  }

  told(kind) { // what a chart that is a file says of its marks
    const note = this.charts[kind].el.closest("figure").querySelector(".note");
    if (kind !== "fan") return note?.textContent ?? "";
    const marks = [...this.key.children].map((each) => each.textContent + (MARKS[each.firstChild.classList[1]] ?? ""));
    return `${capital(marks.join(", "))}.`;
  }

  async export(kind, title, form) {
    const { picture, opened, fan } = this;
    const count = Object.keys(this.state.changes).length;
    const changes = count ? `, with ${count} assumption${count > 1 ? "s" : ""} changed` : "";
    const samples = `${picture.samples.toLocaleString("en-US")} samples`;
    const words = {
      title: kind === "fan" ? capital(unitOf(fan.unit) ? `${fan.title}, ${fan.unit}` : fan.title) : title,
      under: [`${opened.title}${changes}: ${opened.subject}`, this.told(kind)],
      foot: [[picture.run && `Run ${picture.run}`, `scenario ${opened.name}`, samples].filter(Boolean).join(" · ")],
    };
    const made = await file(kind, this.given(kind), words, form).catch(({ message }) => this.say(message));
    if (!made) return undefined;
    const name = `${opened.name}-${kind}${picture.run ? `-${picture.run}` : ""}.${form}`;
    if (form === "svg") return download(name, made, "image/svg+xml");
    return made.toBlob((blob) => download(name, blob));
  }
}

const unbroken = (text) => text.replace(/ (?=×|10[⁰-⁹¹²³]|FLOP|%)/g, "\u00a0").replace(/-(?=\d)/g, "\u2011");
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

const scroll = (label) => make("div", { class: "scroll", role: "region", "aria-label": label, tabindex: "0" });

function tableOf(caption, head, rows) {
  return make("table", {}, make("caption", {}, caption), make("thead", {},
    make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
    make("tbody", {}, ...rows.map(([first, ...rest]) => make("tr", {}, make("th", { scope: "row" }, first),
      ...rest.map((text) => make("td", {}, text))))));
}

function render({ model, el }) {
  el.classList.add("explorer");
  if (!model.address) { // a notebook, whose own keys are not meant here: it would keep Enter from a box
    el.dataset.lmSuppressShortcuts = "true";
    el.addEventListener("keydown", (event) => event.stopPropagation());
  }
  const page = new Page(model, el);
  return () => page.close();
}

export default { render };

// The model of a page that is served: each request is a POST; a picture that is overtaken is given up.

async function served() {
  let hear = () => {};
  const [page, running] = [Math.random().toString(36).slice(2), {}];
  const post = async (asked, signal) => {
    const answer = await fetch("answer", { method: "POST", headers: { "Content-Type": "application/json" }, signal,
      body: JSON.stringify({ ...asked, page: "changes" in asked ? page : `${page} ${asked.scenario}` }) });
    const said = await answer.json();
    return said.faults || answer.ok ? said : { faults: [{ path: "",
      text: `The program refused this: ${said.detail ?? answer.status}.` }] };
  };
  const send = async (asked) => {
    const mine = new AbortController();
    if ("changes" in asked) { // as at the desk: what is shown of another scenario is nobody's to overtake
      if (asked.kind === "picture") running.picture?.abort();
      if (asked.kind === "picture" || asked.kind === "moved") running.moved?.abort();
      running[asked.kind] = mine;
    }
    const answer = await post(asked, mine.signal)
      .catch(() => (mine.signal.aborted ? { overtaken: true } : { gone: true }));
    hear({ ...answer, serial: asked.serial });
  };
  const state = (source) => post({ kind: "state", ...source })
    .catch(() => ({ faults: [{ path: "", text: GONE }] }));
  let { source } = understood(location.search + location.hash);
  const learnt = async (one) => {
    for (;;) {
      const answer = await state(one);
      if (!answer.learning) return answer;
      put(document.querySelector(".opening"), answer.learning);
      await new Promise((passed) => { setTimeout(passed, PAUSE); });
    }
  };
  let opened = await learnt(source);
  if (!opened.state && Object.keys(source).length) opened = await learnt(source = {}); // what is wrong is said on the page
  return { address: true, source, get: () => opened.state, on: (_, heard) => { hear = heard; }, send,
    faults: opened.faults };
}

const root = globalThis.document?.getElementById("explorer");
if (root) {
  const model = globalThis.explorerModel ?? await served();
  if (model.get("state")) render({ model, el: root });
  else root.replaceChildren(make("main", {}, make("p", { class: "trouble" },
    (model.faults ?? []).map((each) => each.text).join(" "))));
}
