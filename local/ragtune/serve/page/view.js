// What is shown. Every text is put in as text, never as markup.

export const $ = (id) => document.getElementById(id);

// An element with attributes, and children that are elements or texts.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else if (name === "on") element.addEventListener("click", value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
  return element;
}

export const kind = (arm) => `a-${arm.replace("+", "-")}`;

export function time(milliseconds) {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  return `${(milliseconds / 1000).toFixed(milliseconds < 9950 ? 2 : 1)} s`;
}

// The state of the index: its pill, and what to do where it is behind its documents.
export function state(found, update) {
  const parts = [];
  if (found.index) {
    const { id, documents, chunks, indexed } = found.index;
    const when = new Date(indexed).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    const pill = h("span", { class: "pill", title: `indexed ${when}` }, `index ${id.slice(0, 8)} · ${documents} documents · ${chunks} chunks`);
    parts.push(pill);
    if (found.behind) {
      pill.classList.add("behind");
      const { behind } = found;
      const counted = ["added", "changed", "removed", "unfinished"].filter((one) => behind[one]?.length).map((one) => `${behind[one].length} ${one}`);
      parts.push(h("span", { title: counted.length ? Object.values(behind).flat().join("\n") : "" }, behind.error ?? `behind its documents: ${counted.join(", ")}`));
      if (!behind.error) parts.push(h("button", { type: "button", class: "small", id: "update", on: update }, "Update the index"));
    }
  }
  $("state").replaceChildren(...parts);
}

export function welcome(found, take) {
  const [first, ...rest] = found.verdict;
  $("verdict").textContent = first ?? "Ask this run";
  $("verdict").className = found.state;
  $("rest").replaceChildren(...rest.map((line) => h("p", {}, line)));
  const scored = found.arms.filter((arm) => arm.right !== null);
  $("arms-of-study").replaceChildren(...scored.map((arm) =>
    h("div", { class: kind(arm.name) }, h("b", {}, `${arm.right} of ${found.questions}`), h("span", {}, `${arm.name} right`))));
  $("try").hidden = !found.examples.length;
  $("examples").replaceChildren(...found.examples.map((example) =>
    h("li", {}, h("button", { type: "button", on: () => take(example) },
      h("span", {}, example.question),
      h("span", { class: "soft" }, `${example.references.join(" or ")}${example.document ? ` · ${example.document}` : ""}`)))));
}

export function arms(found) {
  const asked = new Set(found.arms.length > 4 ? ["base", "tuned", "rag", "tuned+rag", found.recommended] : found.arms.map((arm) => arm.name));
  const chips = found.arms.map(({ name, title }) =>
    h("label", { class: `chip ${kind(name)}`, title },
      h("input", { type: "checkbox", name: "arm", value: name, checked: asked.has(name) }), name,
      name === found.recommended ? h("span", { class: "best" }, "recommended") : ""));
  if (found.index) chips.push(h("label", { class: "chip a-search", title: "the passages alone, without an answer" },
    h("input", { type: "checkbox", name: "arm", value: "search" }), "passages alone"));
  $("arms").replaceChildren($("arms").querySelector("legend"), ...chips);
}

// A question with a card for each that answers it.
export function turn(question, example, names) {
  const cards = new Map(names.map((name) => [name, card(name, example)]));
  const element = h("article", { class: "turn" },
    h("h2", { tabindex: "-1" }, question),
    example ? h("p", { class: "reference" }, `Reference: ${example.references.join(" or ")}`) : "",
    h("div", { class: "answers" }, ...[...cards.values()].filter((one) => one.name !== "search").map((one) => one.element)),
    cards.has("search") ? h("div", { class: "answers" }, cards.get("search").element) : "");
  $("turns").append(element);
  return { element, cards };
}

function card(name, example) {
  const right = example?.right?.[name];
  const text = h("div", { class: "text" });
  const foot = h("div", { class: "foot" });
  const study = right === undefined ? "" : h("span", { class: `study ${right ? "right" : "wrong"}` }, right ? "✓ right in the study" : "✗ wrong in the study");
  const element = h("section", { class: `answer busy ${kind(name)}`, "aria-busy": "true", "aria-label": name },
    h("div", { class: "head" }, h("h3", {}, name === "search" ? "passages alone" : name), study), text, foot);
  return { name, element, text, foot };
}

function over(one) {
  one.element.classList.remove("busy");
  one.element.removeAttribute("aria-busy");
}

// The whole answer: each sentence with the source that supports it, or marked where none does.
export function answer(one, found, open) {
  over(one);
  const cited = found.sources.length > 0;
  const pieces = [];
  let rest = found.text;
  const unsupported = found.refused ? [] : found.support.filter((part) => !part.supported);
  for (const part of found.refused ? [] : found.support) {
    const at = rest.indexOf(part.sentence);
    if (at < 0) continue;
    pieces.push(rest.slice(0, at));
    rest = rest.slice(at + part.sentence.length);
    pieces.push(part.supported ? part.sentence : h("span", { class: "nowhere", title: "no source supports this" }, part.sentence));
    if (part.supported) {
      const source = found.sources[part.source - 1];
      pieces.push(h("button", { type: "button", class: "cite", "aria-label": `source ${part.source}: ${source.document}`, on: () => open(source, found) }, `${part.source}`));
    }
  }
  one.text.replaceChildren(...[...pieces, rest].filter((piece) => piece !== ""));
  if (!found.text) one.text.replaceChildren(h("span", { class: "soft" }, "(nothing was written)"));
  const notes = [];
  if (found.refused) {
    one.element.classList.add("refused");
    one.text.before(h("span", { class: "badge" }, "Refused"));
    notes.push(h("p", { class: "figures" }, found.reason));
  } else if (cited && unsupported.length) {
    notes.push(h("p", { class: "flag" }, unsupported.length === found.support.length ? "No source supports this." : "Underlined: no source supports it."));
  }
  if (found.full) notes.push(h("p", { class: "figures" }, "cut at the study's limit of tokens"));
  one.foot.replaceChildren(...notes, sources(found.sources, (source) => open(source, found)), figures(found));
}

function figures(found) {
  const parts = [h("b", {}, time(found.milliseconds))];
  if (found.first_milliseconds) parts.push(` · first word ${time(found.first_milliseconds)}`);
  parts.push(` · ${found.prompt_tokens} + ${found.completion_tokens} tokens`);
  if (found.waited_milliseconds > 500) parts.push(` · waited ${time(found.waited_milliseconds)}`);
  return h("div", {}, h("div", { class: "bar" }, h("i")), h("p", { class: "figures", title: "its own time; tokens read + written" }, ...parts));
}

function sources(found, open, snippets = false) {
  return h("ol", { class: "sources" }, ...found.map((source, n) =>
    h("li", {}, h("button", { type: "button", on: () => open(source) },
      h("span", { class: "n" }, `[${n + 1}]`),
      h("span", { class: "name" }, source.document, " ", h("span", {}, source.locator)),
      h("span", { class: "score", title: "score of the search" }, source.score.toFixed(2)),
      snippets ? h("span", { class: "snippet" }, source.text) : ""))));
}

export function passages(one, found, open) {
  over(one);
  one.text.textContent = found.passages.length ? "" : "nothing found";
  one.text.hidden = found.passages.length > 0;
  one.foot.replaceChildren(sources(found.passages, (source) => open(source, null), true),
    h("div", {}, h("div", { class: "bar" }, h("i")), h("p", { class: "figures" }, h("b", {}, time(found.milliseconds)))));
}

export function failed(one, reason, again) {
  over(one);
  one.element.classList.add("failed");
  one.text.replaceChildren(h("span", { class: "soft" }, `No answer: ${reason}`));
  one.foot.replaceChildren(h("div", {}, h("button", { type: "button", class: "small again", on: again }, "Ask again")));
}

export function emptied(one) {
  one.element.className = `answer busy ${kind(one.name)}`;
  one.element.setAttribute("aria-busy", "true");
  one.text.replaceChildren();
  one.foot.replaceChildren();
}

// The bars of a turn are as long as the answers took, beside each other.
export function compared(cards, answers) {
  const longest = Math.max(...answers.map((found) => found?.milliseconds ?? 0), 1);
  cards.forEach((one, n) => {
    const bar = one.element.querySelector(".bar i");
    if (bar && answers[n]) bar.style.width = `${Math.max(1, (100 * answers[n].milliseconds) / longest)}%`;
  });
}

export function by(element, index) {
  element.querySelector(".by")?.remove();
  if (index) element.append(h("p", { class: "by" }, `searched in index ${index.id.slice(0, 8)}, of ${index.documents} documents`));
}

// A passage in its document.
export function passage(found, support, number) {
  $("where").textContent = found.document;
  $("locator").textContent = found.locator;
  const ruler = [];
  if (found.at !== null) {
    const mark = h("i");
    mark.style.left = `${Math.min(98, 100 * found.at)}%`;
    mark.style.width = `${Math.max(1, (100 * found.text.length) / found.characters)}%`;
    ruler.push(h("div", { class: "ruler", "aria-hidden": "true" }, mark),
      h("p", {}, `begins at ${Math.round(100 * found.at)} % of the document, ${found.characters.toLocaleString()} characters long`));
  }
  $("position").replaceChildren(...ruler);
  $("note").hidden = !found.changed && !found.gone;
  $("note").textContent = found.gone ? "The document is not there any more, or is a training record; this is the passage as it was indexed." : "The document has changed since: this is the passage as it was indexed.";
  const text = [];
  let place = 0;
  const marks = [...found.marks].sort((a, b) => a[0] - b[0]);
  for (const [start, end] of marks) {
    if (end <= place) continue;
    text.push(found.text.slice(place, Math.max(place, start)), h("mark", {}, found.text.slice(Math.max(place, start), end)));
    place = end;
  }
  text.push(found.text.slice(place));
  $("text").replaceChildren(
    found.before ? h("span", { class: "around" }, found.before) : "",
    h("span", { class: "hit" }, ...text.filter((piece) => piece !== "")),
    found.after ? h("span", { class: "around" }, found.after) : "");
  const claims = support.filter((part) => part.source === number);
  $("claims").replaceChildren(...(claims.length ? [h("h3", {}, "What the answer has from here"),
    h("ul", {}, ...claims.map((part) => h("li", {}, part.sentence,
      h("span", { class: "soft" }, ` ${Math.round(100 * part.share)} % of its words${part.supported ? "" : "; not enough to support it"}`))))] : []));
  $("passage").showModal();
  $("text").querySelector(".hit").scrollIntoView({ block: "nearest" });
  $("close").focus();
}
