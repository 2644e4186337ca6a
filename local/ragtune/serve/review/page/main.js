// A review's life: which question is shown, and what is decided about it.

import { Refusal, json } from "/page/talk.js";
import { $, STATES, choices, counts, editing, row } from "/review/view.js";

let rows = [];
let current = null;
let edited = null;
let busy = false;

const say = (text) => { $("said").textContent = text; };
const chosen = (id) => $(id).value;

function banner(text) {
  $("banner").hidden = !text;
  $("banner").textContent = text;
}

const fits = (one) => (!chosen("state") || one.state === chosen("state"))
  && (!chosen("kind") || one.kind === chosen("kind"))
  && (!chosen("document") || one.document === chosen("document"));

const listed = () => rows.filter(fits);

function show(id, told = "") {
  const found = listed();
  const place = Math.max(0, found.findIndex((one) => one.id === id));
  const one = found[place] ?? null;
  current = one?.id ?? null;
  row(one, place, found.length);
  say(`${told}${one ? `${place + 1} of ${found.length}: ${one.question} ${one.answer}` : "nothing is left here"}`);
  scrollTo(0, 0);
}

function move(by) {
  const found = listed();
  const place = found.findIndex((one) => one.id === current) + by;
  if (found[place]) show(found[place].id);
}

// The question after this one: the next open one, or the next at all.
function following(id) {
  const start = rows.findIndex((one) => one.id === id);
  const after = [...rows.slice(start + 1), ...rows.slice(0, start)].filter(fits);
  return (after.find((one) => one.state === "open") ?? after[0])?.id ?? id;
}

function take(found) {
  const by = new Map(found.rows.map((one) => [one.id, one]));
  rows = rows.map((one) => by.get(one.id) ?? one);
  counts(found.counts);
  $("undo").disabled = !found.can_undo;
}

// Asks the server, one thing at a time; what it did not take is said and nothing moves on.
async function ask(address, body, done) {
  if (busy) return;
  busy = true;
  try {
    const found = await (await json(address, body)).json();
    banner("");
    take(found);
    done(found);
  } catch (error) {
    banner(error instanceof Refusal ? error.message : "Not stored: the server is not there. Start `ragtune review` again.");
  } finally {
    busy = false;
  }
}

function decide(state, texts = {}) {
  if (!current) return;
  const id = current;
  const next = following(id);
  ask("/decide", { id, state, ...texts }, () => {
    leave();
    show(next, `${state}. `);
  });
}

function undo() {
  if ($("undo").disabled) return;
  ask("/undo", {}, (found) => {
    const [first] = found.rows;
    if (first && !fits(first)) for (const id of ["state", "kind", "document"]) $(id).value = "";
    show(first?.id, "undone. ");
  });
}

function edit() {
  edited = rows.find((one) => one.id === current) ?? null;
  if (edited) editing(edited);
}

function leave() {
  if (!edited) return;
  edited = null;
  editing(null);
  $("card").focus({ preventScroll: true });
}

function save(event) {
  event?.preventDefault();
  decide("kept", { question: $("new-question").value, answer: $("new-answer").value });
}

const KEYS = {
  y: () => decide("kept"), n: () => decide("dropped"), e: edit, u: undo,
  j: () => move(1), k: () => move(-1),
  ArrowDown: () => move(1), ArrowRight: () => move(1), ArrowUp: () => move(-1), ArrowLeft: () => move(-1),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (edited) {
    if (event.key === "Escape") leave();
    if (event.key === "Enter" && !event.shiftKey && event.target.matches("textarea")) save(event);
    return;
  }
  if (event.target instanceof Element && event.target.matches("select")) {
    if (event.key === "Escape") $("card").focus();
    return;
  }
  const done = KEYS[event.key];
  if (!done || (event.repeat && "ynu".includes(event.key))) return;
  event.preventDefault();
  done();
});

$("keep").addEventListener("click", () => decide("kept"));
$("drop").addEventListener("click", () => decide("dropped"));
$("change").addEventListener("click", edit);
$("undo").addEventListener("click", undo);
$("back").addEventListener("click", () => move(-1));
$("next").addEventListener("click", () => move(1));
$("cancel").addEventListener("click", leave);
$("edit").addEventListener("submit", save);
$("filters").addEventListener("submit", (event) => event.preventDefault());
$("filters").addEventListener("change", () => { leave(); show(current); });

function filters() {
  const of = (name) => [...new Set(rows.map((one) => one[name]).filter(Boolean))].sort();
  choices("state", Object.entries(STATES), rows.some((one) => one.state === "open") ? "open" : "");
  for (const name of ["kind", "document"]) choices(name, [["", "all"], ...of(name).map((value) => [value, value])], "");
}

try {
  const found = await (await json("/rows")).json();
  rows = found.rows;
  document.title = `${found.file} · ragtune review`;
  $("run").textContent = found.file;
  take(found);
  filters();
  show(null);
} catch (error) {
  banner(error.message);
}
