"use strict";
(() => {
  const form = document.getElementById("filter");
  const questions = [...document.querySelectorAll(".question")];
  const texts = questions.map((q) => q.textContent.toLowerCase());
  const show = () => {
    const words = form.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = [form.flip.value, form.verdict.value, form.cause.value].filter(Boolean);
    let count = 0;
    questions.forEach((question, n) => {
      const marks = question.dataset.marks.split(" ");
      const fits = wanted.every((m) => marks.includes(m)) && words.every((w) => texts[n].includes(w));
      question.hidden = !fits;
      count += fits;
    });
    form.count.value = `${count} of ${questions.length} questions`;
  };
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
