"use strict";
// Search, filters, sorting and the plots. The page is whole without this script; what is chosen stands in its address.

const form = document.querySelector("#filters");
const fields = form.elements;
const table = document.querySelector("#models");
const headers = [...table.tHead.rows[0].cells];
const columns = headers.map((header) => header.dataset.column);
const order = {column: "", descending: false};
// On the figure: a drawing that listens for the focus becomes a stop of its own in Chromium.
const figures = [...document.querySelectorAll("figure")];

const models = [...table.tBodies[0].rows].map((row, position) => {
  const text = (column) => row.cells[columns.indexOf(column)].textContent.trim();
  const layers = row.dataset.layers.split(" ");
  const model = {
    row,
    position,
    layers,
    name: text("name"),
    task: text("task"),
    licence: text("licence"),
    parameters: number(row.dataset.parameters),
    multiply_adds: number(row.dataset.multiplyAdds),
    size: number(row.dataset.size),
    metrics: JSON.parse(row.dataset.metrics),
    shown: true,
  };
  model.words = [model.name, model.task, model.licence, ...layers].join(" ").toLowerCase();
  return model;
});

const metrics = [...fields.metric.options]
  .filter((option) => option.value)
  .map((option) => ({key: option.value, spoken: option.dataset.spoken, isError: "error" in option.dataset}));

function number(text) {
  return text === "" ? undefined : Number(text);
}

// Which metric a model is shown and sorted by: the chosen one, else the one that it states first.
function metricOf(model) {
  const key = fields.metric.value || Object.keys(model.metrics)[0];
  return metrics.find((metric) => metric.key === key && key in model.metrics);
}

function matches(model, words) {
  const limit = fields.size.valueAsNumber;
  return (
    words.every((word) => model.words.includes(word)) &&
    ["", model.task].includes(fields.task.value) &&
    ["", model.licence].includes(fields.licence.value) &&
    (fields.layer.value === "" || model.layers.includes(fields.layer.value)) &&
    (Number.isNaN(limit) || model.parameters <= limit) &&
    (fields.metric.value === "" || fields.metric.value in model.metrics)
  );
}

function update() {
  const words = fields.search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const model of models) {
    model.shown = matches(model, words);
    model.row.hidden = !model.shown;
    showMetric(model);
  }
  const out = new Set(models.filter((model) => !model.shown).map((model) => model.name));
  for (const point of document.querySelectorAll(".plot a")) point.classList.toggle("out", out.has(point.dataset.name));
  sort();
  const count = models.filter((model) => model.shown).length;
  document.querySelector("#count").value =
    count === models.length ? `${count} models` : `${count} of ${models.length} models`;
  for (const figure of figures) {
    figure.querySelector(".plot").append(...shownPoints(figure)); // above those that are left out
    allowOnePoint(figure, shownPoints(figure)[0]);
  }
  writeAddress();
}

function showMetric(model) {
  const cell = model.row.cells[columns.indexOf("metric")];
  const metric = metricOf(model);
  const name = document.createElement("small");
  name.textContent = metric?.spoken ?? "";
  cell.replaceChildren(metric ? `${Number(model.metrics[metric.key].toPrecision(6))} ` : "", name);
}

// Sorting

function sort() {
  const sign = order.descending ? -1 : 1;
  const keys = new Map(models.map((model) => [model, key(model)]));
  const sorted = models.toSorted((a, b) => {
    const [groupA, keyA] = keys.get(a);
    const [groupB, keyB] = keys.get(b);
    if (groupA !== groupB) return groupA - groupB;
    return sign * (typeof keyA === "string" ? keyA.localeCompare(keyB, "en", {numeric: true}) : keyA - keyB);
  });
  table.tBodies[0].append(...sorted.map((model) => model.row));
  for (const header of headers) {
    const isSorted = header.dataset.column === order.column;
    header.setAttribute("aria-sort", isSorted ? (order.descending ? "descending" : "ascending") : "none");
  }
}

// A model's place: first by group, then by key in the order's direction. Unknown values are the last group.
function key(model) {
  if (order.column === "") return [0, model.position];
  if (order.column === "metric") {
    const metric = metricOf(model);
    return metric ? [metrics.indexOf(metric), model.metrics[metric.key]] : [Infinity, 0];
  }
  const value = model[order.column];
  return value === undefined ? [Infinity, 0] : [0, value];
}

function sortBy(column) {
  order.descending = order.column === column ? !order.descending : column === "metric" && !bestIsLow();
  order.column = column;
}

function bestIsLow() {
  return metrics.find((metric) => metric.key === fields.metric.value)?.isError ?? false;
}

for (const header of headers) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  button.addEventListener("click", () => {
    sortBy(header.dataset.column);
    update();
  });
  header.append(button);
}

// Each plot: one stop for the Tab key; arrow keys go on from there.

function shownPoints(figure) {
  return [...figure.querySelectorAll("a:not(.out)")];
}

function allowOnePoint(figure, allowed) {
  for (const point of figure.querySelectorAll("a")) point.tabIndex = point === allowed ? 0 : -1;
}

function tell(event) {
  const point = event.target.closest("a");
  if (point) event.currentTarget.querySelector(".point").value = point.querySelector("title").textContent;
}

function walk(event) {
  const figure = event.currentTarget;
  const step = {ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1}[event.key];
  if (!step || !figure.contains(document.activeElement)) return;
  event.preventDefault();
  const shown = shownPoints(figure);
  const next = shown.at((shown.indexOf(document.activeElement) + step) % shown.length);
  allowOnePoint(figure, next);
  next.focus();
}

for (const figure of figures) {
  figure.addEventListener("pointerover", tell);
  figure.addEventListener("focusin", tell);
  figure.addEventListener("keydown", walk);
}

// The address: filters and order can be linked to and survive going back.

function writeAddress() {
  const chosen = [...new FormData(form)].filter(([, value]) => value !== "");
  if (order.column) chosen.push(["sort", order.column], ["order", order.descending ? "descending" : "ascending"]);
  const query = new URLSearchParams(chosen).toString();
  history.replaceState(null, "", query ? `?${query}` : location.pathname);
}

function readAddress() {
  const query = new URLSearchParams(location.search);
  for (const field of fields) {
    if (!query.has(field.name)) continue;
    field.value = query.get(field.name);
    if (field.value !== query.get(field.name)) field.value = ""; // a choice that is no longer there
  }
  if (columns.includes(query.get("sort"))) order.column = query.get("sort");
  order.descending = query.get("order") === "descending";
}

function choose(event) {
  if (event.target === fields.metric && fields.metric.value) {
    order.column = "";
    sortBy("metric");
  }
  update();
}

form.addEventListener("input", choose); // while a word is typed
form.addEventListener("change", choose); // a choice made by an aid or a driver may tell only this
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => {
  order.column = "";
  setTimeout(update); // the fields are emptied after this event
});

readAddress();
update();
performance.mark("interactive");
