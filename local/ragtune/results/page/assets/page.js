"use strict";
(() => {
  const PAGE = {{ page }};
  const form = document.getElementById("filter");
  const list = document.getElementById("list");
  const pages = document.getElementById("pages");
  const [back, on] = pages.querySelectorAll("button");
  const where = pages.querySelector("output");

  // The first questions are in the page; the others are in parts, unpacked when they are wanted.
  const unpack = async (packed) => {
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).text();
  };
  const elements = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    return [...template.content.children];
  };
  const text = (element) => element.textContent.toLowerCase();
  const inside = [...list.children];
  const first_part = { held: Promise.resolve(inside), texts: inside.map(text) };
  const questions = inside.map((q, at) => ({ marks: q.dataset.marks.split(" "), part: first_part, at }));
  const parts = [...document.querySelectorAll("script.part")].map((script) => {
    const part = { script, held: null, texts: null };
    script.dataset.marks.split("|").forEach((marks, at) =>
      questions.push({ marks: marks.split(" "), part, at }));
    return part;
  });
  const KEPT = 4; // parts whose elements are held at once
  const held = (part) => {
    if (!part.held) {
      part.held = unpack(part.script.textContent).then(elements);
      const open = parts.filter((other) => other.held && other !== part);
      open.slice(0, Math.max(0, open.length + 1 - KEPT)).forEach((other) => { other.held = null; });
    }
    return part.held;
  };

  let first = 0;
  let fitting = questions;
  let asked = 0; // what was asked for last; older work is dropped
  const turn = () => {
    const mine = ++asked;
    const last = Math.min(first + PAGE, fitting.length);
    const shown = fitting.slice(first, last);
    where.value = fitting.length ? `${first + 1}–${last} of ${fitting.length}` : "none";
    back.disabled = first === 0;
    on.disabled = last === fitting.length;
    pages.hidden = fitting.length <= PAGE;
    if (shown.every(({ part }) => part === first_part)) {
      list.replaceChildren(...shown.map(({ at }) => inside[at]));
      return;
    }
    Promise.all(shown.map(({ part }) => held(part))).then((found) => {
      if (mine === asked) list.replaceChildren(...shown.map(({ at }, n) => found[n][at]));
    }, () => { list.textContent = "This browser cannot unpack the questions; a newer one can."; });
  };
  const count = (of) => { form.count.value = of; };
  const read = async (words) => {
    for (const part of parts) {
      if (!part.texts) part.texts = elements(await unpack(part.script.textContent)).map(text);
      if (words !== form.words.value) return;
    }
    show();
  };
  const show = () => {
    const typed = form.words.value;
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = [form.flip.value, form.verdict.value, form.cause.value].filter(Boolean);
    if (words.length && parts.some((part) => !part.texts)) {
      count("searching…");
      read(typed);
      return;
    }
    fitting = questions.filter(({ marks, part, at }) =>
      wanted.every((m) => marks.includes(m)) && words.every((w) => part.texts[at].includes(w)));
    count(`${fitting.length} of ${questions.length} questions`);
    first = 0;
    turn();
  };
  const go = (by) => {
    first += by;
    turn();
    document.getElementById("answers").focus();
  };
  back.addEventListener("click", () => go(-PAGE));
  on.addEventListener("click", () => go(PAGE));
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(show));
  document.querySelectorAll("a[data-filter]").forEach((link) =>
    link.addEventListener("click", () => {
      form.reset();
      const [name, value] = link.dataset.filter.split("=");
      form[name].value = value;
      setTimeout(show);
    })
  );
  form.hidden = false;
  show();
})();
