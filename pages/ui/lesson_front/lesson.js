// One lesson: a question, a prediction, and then the experiment, whose control moves nothing but this page.
// The learn page shows it, and so does a lesson's own file; all texts, numbers and charts come as data.

const CONFIG = { displayModeBar: false, displaylogo: false, scrollZoom: false, doubleClick: false };
const PICTURE = { width: 900, title: 46 };
const LARGER = 1.35;

/** Show a lesson in an element, or what has changed about it; `plotly` promises the library, `report` tells the prediction to whoever asks. */
export function show(root, data, plotly, report = () => {}) {
  const identity = JSON.stringify([data.front, data.options]);
  const state = root.lesson?.identity === identity ? root.lesson : begin(root, identity, data);
  Object.assign(state, { plotly, report });
  if (state.guess === null && data.guess !== null) state.guess = data.guess;
  if (data.experiment && state.received !== data.experiment) {
    state.received = data.experiment;
    state.experiment = JSON.parse(data.experiment);
    state.values = new Map();
    state.at = startOf(state);
  }
  reveal(state);
  plotly().then(() => dark(state) !== state.dark && draw(state), () => fail(state));
}

function begin(root, identity, data) {
  const state = { root, identity, front: data.front, options: data.options, guess: null, experiment: null, received: "", filled: "" };
  root.lesson = state;
  const { front, options } = data;
  const title = make(options.heading, { class: "title" }, front.title);
  const badges = make("p", { class: "place" }, front.minutes, ...front.data.map((b) => make("span", { class: `badge ${b.kind}` }, b.text)));
  state.note = make("p", { class: "hint", role: "status" }, front.texts.hint);
  state.place = make("div", { class: "experiment" });
  const page = make("article", { class: `mrp-lesson${options.large ? " large" : ""}`, lang: front.language },
    make("span", { class: "probe", "aria-hidden": "true" }), title, badges, make("p", { class: "question" }, ...rich(front.question)), options_of(state), state.note, state.place);
  root.replaceChildren(page);
  new ResizeObserver(() => state.charts?.forEach((c) => c.node.data && c.node.clientWidth && state.library?.Plots.resize(c.node))).observe(page);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => state.root.isConnected && draw(state));
  return state;
}

function options_of(state) {
  const { front } = state;
  const name = `guess-${front.key}`;
  state.radios = front.options.map((text, i) => make("input", { type: "radio", name, value: String(i), onchange: () => predict(state, i) }));
  return make("fieldset", { class: "guess" }, make("legend", {}, front.texts.predict), ...state.radios.map((radio, i) => make("label", {}, radio, make("span", {}, ...rich(front.options[i])))));
}

function predict(state, guess) {
  const first = state.guess === null;
  state.guess = guess;
  reveal(state);
  if (first) state.report(guess);
}

function fail(state) {
  state.note.hidden = false;
  state.note.textContent = state.front.texts.broken;
}

/** What may be seen by now: nothing of the experiment before the prediction. */
function reveal(state) {
  const { front, guess, experiment } = state;
  state.radios.forEach((radio, i) => { radio.checked = i === guess; });
  state.note.hidden = guess !== null && experiment !== null;
  state.note.textContent = guess === null ? front.texts.hint : front.texts.waiting;
  if (guess === null || !experiment) return;
  if (state.filled !== state.received) fill(state);
  tell(state);
}

function fill(state) {
  const { front, experiment, options } = state;
  const keep = options.keep;
  state.filled = state.received;
  state.verdict = make("p", { class: "verdict", role: "status" });
  state.sentence = make("p", { class: "sentence", "aria-live": "polite" });
  state.numbers = make("dl", { class: "numbers" });
  state.pictures = make("div", { class: "pictures" });
  state.charts = null;
  state.place.replaceChildren(
    ...(keep.includes("control") ? [control_of(state)] : []), make("div", { class: "told" }, state.verdict, state.sentence), state.numbers, state.pictures,
    make("p", { class: "takeaway" }, make("strong", {}, front.texts.keep), " ", ...rich(front.takeaway)),
    ...(keep.includes("formula") ? [math(experiment.formula, "formula"), make("p", { class: "symbols" }, front.symbols)] : []),
    ...(keep.includes("glossary") ? [words(front.texts.words, experiment.terms)] : []),
    make("p", { class: "source" }, front.source, " ", front.paper));
}

function control_of(state) {
  const { control } = state.experiment;
  const name = `control-${state.front.key}`;
  if (control.choice) {
    const buttons = control.values.map((v, i) => make("label", {}, make("input", { type: "radio", name, value: String(i), checked: i === state.at, onchange: () => move(state, i) }), make("span", {}, v.text)));
    return make("fieldset", { class: "control choice" }, make("legend", {}, control.label), ...buttons);
  }
  const value = make("output", { for: name }, control.values[state.at].text);
  const slider = make("input", { type: "range", id: name, min: "0", max: String(control.values.length - 1), step: "1", value: String(state.at), "aria-valuetext": control.values[state.at].text });
  slider.addEventListener("input", () => {
    value.textContent = control.values[slider.valueAsNumber].text;
    slider.setAttribute("aria-valuetext", value.textContent);
    move(state, slider.valueAsNumber);
  });
  return make("div", { class: "control" }, make("label", { for: name }, control.label, " ", value), slider, make("div", { class: "ends" }, ...control.ends.map((end) => make("span", {}, end))));
}

function move(state, at) {
  state.at = at;
  tell(state);
}

/** Words at once, charts with the next picture of the screen. */
function tell(state) {
  const { experiment, at, guess } = state;
  const shown = valueOf(state);
  fit(state.verdict, [...rich(experiment.verdicts[guess]), ...(at === experiment.asked ? [] : [" ", experiment.about])]);
  fit(state.sentence, rich(shown.sentence));
  fit(state.numbers, shown.numbers.map((n) => make("div", {}, make("dt", {}, n.label), make("dd", { class: "value" }, n.value), make("dd", { class: "note" }, n.note))));
  if (state.charts?.map((c) => c.key).join() !== shown.pictures.map((p) => p.key).join()) frames(state, shown.pictures);
  shown.pictures.forEach((picture, i) => {
    state.charts[i].node.setAttribute("aria-label", picture.alt);
    fit(state.charts[i].title, [picture.title]);
    fit(state.charts[i].caption, rich(picture.caption));
  });
  if (state.waiting) return;
  state.waiting = true;
  requestAnimationFrame(() => { state.waiting = false; draw(state); });
}

function frames(state, pictures) {
  state.charts = pictures.map((picture, i) => ({ key: picture.key, node: make("div", { class: "chart", role: "img" }), title: make("strong", {}), caption: make("span", {}), downloads: downloads(state, i) }));
  state.pictures.classList.toggle("one", pictures.length === 1);
  fit(state.pictures, state.charts.map((c) => make("figure", {}, c.title, c.node, make("figcaption", {}, c.caption, c.downloads))));
}

async function draw(state) {
  if (!state.charts || state.guess === null) return;
  const library = state.library = await state.plotly().catch(() => fail(state));
  if (!library) return;
  const { at } = state;
  state.dark = dark(state);
  const theme = state.experiment.themes[state.dark ? "dark" : "light"];
  await Promise.all(valueOf(state).pictures.map((picture, i) => {
    const chart = state.charts[i];
    const wanted = JSON.stringify([picture.figure, state.dark]);
    if (chart.drawn === wanted) return null;
    chart.drawn = wanted;
    const figure = sized(coloured(picture.figure, theme), state.options.large ? LARGER : 1);
    return library.react(chart.node, figure.data, figure.layout, CONFIG);
  }));
  state.root.dataset.shown = String(at);
}

function downloads(state, i) {
  if (!state.options.keep.includes("downloads")) return "";
  const { texts } = state.front;
  const button = (text, act) => make("button", { type: "button", onclick: act, "aria-label": `${texts.download} ${text}` }, text);
  return make("span", { class: "downloads" }, button("CSV", () => table(state, i)), ...["png", "svg"].map((kind) => button(kind.toUpperCase(), () => picture(state, i, kind))));
}

function table(state, i) {
  const shown = valueOf(state).pictures[i];
  const address = URL.createObjectURL(new Blob([shown.csv], { type: "text/csv" }));
  save(address, `${fileOf(state, shown)}.csv`);
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/** Light, with its title and the data's origin, whatever the page looks like: it goes into a paper or onto a slide. */
async function picture(state, i, format) {
  const library = await state.plotly();
  const shown = valueOf(state).pictures[i];
  const { data, layout } = coloured(shown.figure, state.experiment.themes.light);
  const height = layout.height + PICTURE.title;
  const said = state.front.data.map((b) => b.text).join(", ");
  const whole = { ...layout, height, width: PICTURE.width, margin: { ...layout.margin, t: layout.margin.t + PICTURE.title }, paper_bgcolor: "#FFFFFF", title: { text: `${shown.title} (${said})`, x: 0.02, font: { size: 17 } } };
  save(await library.toImage({ data, layout: whole }, { format, width: PICTURE.width, height, scale: format === "png" ? 2 : 1 }), `${fileOf(state, shown)}.${format}`);
}

function fileOf(state, shown) {
  return `${state.front.key}_${shown.key}_${state.experiment.control.values[state.at].name}`.replace(/[^\w.-]+/g, "_");
}

function save(href, download) {
  make("a", { href, download }).click();
}

function startOf(state) {
  const named = state.experiment.control.values.findIndex((v) => v.name === state.options.start);
  return named < 0 ? state.experiment.asked : named;
}

/** What is shown at the control's value: the first value with its changes. */
function valueOf(state) {
  const { experiment, at, values } = state;
  if (!values.has(at)) values.set(at, changed(experiment.first, experiment.changes[at]));
  return values.get(at);
}

function changed(before, changes) {
  let made = structuredClone(before);
  for (const [path, value] of changes) {
    if (!path.length) { made = value; continue; }
    path.slice(0, -1).reduce((place, step) => place[step], made)[path.at(-1)] = value;
  }
  return made;
}

/** A figure with the theme's colours in place of those that stand for them; a copy, since the library writes into what it draws. */
function coloured(value, theme) {
  if (Array.isArray(value)) return value.map((v) => coloured(v, theme));
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, coloured(v, theme)]));
  return typeof value === "string" ? theme[value] ?? value : value;
}

/** A figure with larger letters and room for them. */
function sized(figure, factor) {
  if (factor === 1) return figure;
  const grow = (value, key) => {
    if (Array.isArray(value)) return value.map((v) => grow(v, ""));
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, /font$/.test(key) && k === "size" && typeof v === "number" ? v * factor : grow(v, k)]));
    return value;
  };
  const { data, layout } = grow(figure, "");
  const margin = Object.fromEntries(Object.entries(layout.margin).map(([k, v]) => [k, v * factor]));
  return { data, layout: { ...layout, margin, height: layout.height * factor } };
}

/** Whether the page is dark, by what the style makes of one element. */
function dark(state) {
  return getComputedStyle(state.root.querySelector(".probe")).color.startsWith("rgb(255");
}

function words(title, terms) {
  return make("details", { class: "words" }, make("summary", {}, title),
    make("dl", {}, ...terms.flatMap((t) => [make("dt", {}, t.name), make("dd", {}, t.text, t.formula ? math(t.formula, "") : "")])));
}

/** MathML that the program made of its own formula. */
function math(formula, kind) {
  const holder = make("div", { class: `math ${kind}`, tabindex: "0" });
  holder.innerHTML = formula;
  return holder;
}

/** Text with **strong** parts as nodes, so that nothing in it is ever markup. */
function rich(text) {
  return text.split("**").map((part, i) => (i % 2 ? make("strong", {}, part) : part));
}

function fit(element, children) {
  element.replaceChildren(...children);
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on") || name === "checked") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}
