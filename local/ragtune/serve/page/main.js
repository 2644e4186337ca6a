// The page's life: questions in, answers out, and a server that may come and go.

import * as keep from "/page/keep.js";
import * as talk from "/page/talk.js";
import * as view from "/page/view.js";

const { $ } = view;
const EVERY = 4000;
let about = null;
let picked = null;
const kept = [];

const chosen = () => [...document.querySelectorAll("#arms input:checked")].map((box) => box.value);
const say = (text) => { $("said").textContent = text; };

function grow() {
  const box = $("question");
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight + 2, 150)}px`;
}

function take(example) {
  picked = example;
  $("question").value = example.question;
  grow();
  $("ask").requestSubmit();
}

async function open(source, found) {
  const support = found?.support ?? [];
  const number = found ? found.sources.indexOf(source) + 1 : 0;
  const sentences = support.filter((part) => part.source === number).map((part) => part.sentence);
  try {
    view.passage(await talk.passage(source.key, sentences), support, number);
  } catch (error) {
    say(`${error.message}`);
    banner(error.message);
  }
}

function banner(text) {
  $("banner").hidden = !text;
  $("banner").textContent = text;
}

async function answered(one, record, signal) {
  const { question } = record;
  try {
    if (one.name === "search") {
      const found = await talk.search(question, signal);
      record.answers.search = found;
      view.passages(one, found, open);
      say(`${found.passages.length} passages found`);
      return found;
    }
    const words = document.createTextNode("");
    one.text.replaceChildren(words);
    const found = await talk.ask(one.name, question, (piece) => words.appendData(piece), signal);
    record.answers[one.name] = found;
    view.answer(one, found, open);
    say(`${one.name}: ${found.refused ? "refused. " : ""}${found.text}`);
    return found;
  } catch (error) {
    const gone = error instanceof TypeError;
    const reason = gone ? "the server is not there" : error.message;
    record.answers[one.name] = { error: reason };
    view.failed(one, reason, () => again(one, record));
    say(`${one.name}: no answer: ${reason}`);
    if (gone) look();
    return null;
  }
}

async function again(one, record) {
  view.emptied(one);
  record.found[record.cards.indexOf(one)] = await answered(one, record);
  finished(record);
}

function finished(record) {
  view.compared(record.cards, record.found);
  view.by(record.element, record.found.find((found) => found?.index)?.index);
}

async function ask(event) {
  event.preventDefault();
  const question = $("question").value.trim();
  const names = chosen();
  if (!question || !about) return;
  if (!names.length) {
    banner("Choose who answers: at least one arm.");
    return;
  }
  banner("");
  const example = picked?.question === question ? picked : null;
  picked = null;
  $("question").value = "";
  grow();
  $("welcome").hidden = true;
  for (const id of ["markdown", "json"]) $(id).hidden = false;
  $("more").hidden = !about.examples.length;
  const { element, cards } = view.turn(question, example, names);
  const record = { question, references: example?.references, asked: new Date().toISOString(), answers: {}, element, cards: [...cards.values()], found: [] };
  kept.push(record);
  element.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  record.found = await Promise.all(record.cards.map((one) => answered(one, record)));
  finished(record);
  look();
}

const turns = () => kept.map(({ question, references, asked, answers }) => ({ question, references, asked, answers }));

async function update() {
  const button = $("update");
  if (button) {
    button.disabled = true;
    button.textContent = "Updating …";
  }
  try {
    const made = await talk.index();
    say(`the index holds ${made.documents} documents`);
  } catch (error) {
    banner(error.message);
  }
  look();
}

let looking = null;
let lost = false;

// Looks at the server: now, and again every few seconds.
async function look() {
  clearTimeout(looking);
  try {
    if (!about || lost) {
      about = await talk.about();
      const had = document.querySelector("#arms input");
      if (!had) {
        document.title = `${about.name} · ragtune`;
        $("run").textContent = `${about.run} · ${about.model}`;
        view.arms(about);
        view.welcome(about, take);
        $("welcome").hidden = kept.length > 0;
      }
      if (lost) banner("");
      lost = false;
      view.state(about, update);
    } else if (!$("update")?.disabled) {
      view.state(await talk.status(AbortSignal.timeout(10000)), update);
    } else {
      const found = await talk.status(AbortSignal.timeout(10000));
      if (!found.behind) view.state(found, update);
    }
  } catch (error) {
    lost = true;
    banner(error instanceof talk.Refusal ? error.message : "The server is not there. This page goes on as soon as it is back.");
  }
  looking = setTimeout(look, lost ? 1000 : EVERY);
}

$("ask").addEventListener("submit", ask);
$("question").addEventListener("input", grow);
$("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("ask").requestSubmit();
  }
});
document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof Element && event.target.closest("input:not([type=checkbox]), textarea, dialog");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    $("question").focus();
  }
});
$("close").addEventListener("click", () => $("passage").close());
$("passage").addEventListener("click", (event) => { if (event.target === $("passage")) $("passage").close(); });
$("markdown").addEventListener("click", () => keep.asMarkdown(about, turns()));
$("json").addEventListener("click", () => keep.asJson(about, turns()));
$("more").addEventListener("click", () => {
  $("welcome").hidden = !$("welcome").hidden;
  if (!$("welcome").hidden) $("welcome").scrollIntoView({ block: "start" });
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
look().then(() => { if (matchMedia("(min-width: 40rem)").matches) $("question").focus({ preventScroll: true }); });
