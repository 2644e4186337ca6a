// A question as it is shown. Every text is put in as text, never as markup.

import { $, h } from "/page/view.js";

export { $ } from "/page/view.js";

export const STATES = { "": "all", open: "open", kept: "kept", dropped: "dropped" };

// The choices of a filter; what was chosen stays chosen.
export function choices(id, values, chosen) {
  $(id).replaceChildren(...values.map(([value, text]) => h("option", { value }, text)));
  $(id).value = chosen;
}

export function counts({ open, kept, dropped }) {
  const all = open + kept + dropped;
  $("counts").textContent = `${kept + dropped} of ${all} reviewed: ${kept} kept, ${dropped} dropped, ${open} open`;
  $("done").max = Math.max(1, all);
  $("done").value = kept + dropped;
}

export function row(one, place, of) {
  $("card").className = one ? one.state : "";
  $("shown").hidden = !one;
  $("empty").hidden = Boolean(one);
  for (const id of ["keep", "change", "drop"]) $(id).disabled = !one;
  for (const id of ["back", "next"]) $(id).disabled = of < 2;
  if (!one) {
    $("where").replaceChildren();
    $("source").hidden = true;
    $("empty").textContent = "No question is left here: choose another state, kind or document.";
    return;
  }
  const told = [one.kind, one.split, one.by && `drafted by ${one.by}`].filter(Boolean);
  $("where").replaceChildren(
    h("span", {}, `${place + 1} of ${of}`), h("span", { class: `tag ${one.state}` }, one.state),
    ...told.map((text) => h("span", {}, text)));
  $("question").textContent = one.question;
  $("answer").textContent = one.answer || "No answer: the documents do not say.";
  $("answer").className = one.answer ? "" : "none";
  $("before").hidden = !one.before;
  $("before").textContent = one.before ? `As drafted: ${one.before.question}\n${one.before.answer}` : "";
  const marked = (role) => one.passage.some((piece) => piece.role === role);
  $("note").hidden = !one.answer || !marked("evidence") || marked("answer");
  $("source").hidden = !one.passage.length;
  $("title").textContent = one.document || "Its passage";
  $("passage").replaceChildren(...one.passage.map(({ text, role }) => {
    if (role === "around") return document.createTextNode(text);
    return h("mark", {}, role === "answer" ? h("strong", {}, text) : text);
  }));
}

export function editing(one) {
  $("edit").hidden = !one;
  $("shown").hidden = Boolean(one);
  $("keys").hidden = Boolean(one);
  if (!one) return;
  $("new-question").value = one.question;
  $("new-answer").value = one.answer;
  $("new-question").focus();
}
