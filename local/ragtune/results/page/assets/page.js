"use strict";
(() => {
  const PAGE = {{ page }};
  const form = document.getElementById("filter");
  const pages = document.getElementById("pages");
  const [back, on] = pages.querySelectorAll("button");
  const where = pages.querySelector("output");
  const questions = [...document.querySelectorAll(".question")];
  const texts = questions.map((q) => q.textContent.toLowerCase());
  let first = 0;
  let fitting = questions;
  const turn = () => {
    const last = Math.min(first + PAGE, fitting.length);
    const shown = new Set(fitting.slice(first, last));
    questions.forEach((question) => { question.hidden = !shown.has(question); });
    where.value = fitting.length ? `${first + 1}–${last} of ${fitting.length}` : "none";
    back.disabled = first === 0;
    on.disabled = last === fitting.length;
    pages.hidden = fitting.length <= PAGE;
  };
  const show = () => {
    const words = form.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = [form.flip.value, form.verdict.value, form.cause.value].filter(Boolean);
    fitting = questions.filter((question, n) => {
      const marks = question.dataset.marks.split(" ");
      return wanted.every((m) => marks.includes(m)) && words.every((w) => texts[n].includes(w));
    });
    form.count.value = `${fitting.length} of ${questions.length} questions`;
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
