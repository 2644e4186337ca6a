// A conversation as a file.

function save(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const named = (about, ending) => `${about.run}-${new Date().toISOString().slice(0, 16).replace(":", "")}.${ending}`;

export function asJson(about, turns) {
  const { run, model, recommended } = about;
  save(named(about, "json"), "application/json", `${JSON.stringify({ run, model, recommended, turns }, null, 1)}\n`);
}

// Text that Markdown would read as its own is kept as letters.
const plain = (text) => text.replace(/[\\`*_{}[\]<>#|]/g, "\\$&");
const quoted = (text) => plain(text).split("\n").map((line) => `> ${line}`).join("\n");

export function asMarkdown(about, turns) {
  const lines = [`# ${plain(about.run)}`, "", `Asked of ${plain(about.model)} on ${new Date().toISOString().slice(0, 10)}.`, ""];
  for (const turn of turns) {
    lines.push(`## ${plain(turn.question).replace(/\s+/g, " ")}`, "");
    if (turn.references) lines.push(`Reference: ${plain(turn.references.join(" or "))}`, "");
    for (const [arm, found] of Object.entries(turn.answers)) {
      lines.push(`### ${plain(arm)}`, "");
      if (found.error) lines.push(`No answer: ${plain(found.error)}`, "");
      if (found.text !== undefined) {
        lines.push(quoted(found.text), "", `${found.milliseconds} ms, ${found.prompt_tokens} + ${found.completion_tokens} tokens${found.refused ? `; refused: ${plain(found.reason)}` : ""}`, "");
        for (const part of found.support) if (!part.supported && !found.refused) lines.push(`- in no source: ${plain(part.sentence)}`);
      }
      (found.sources ?? found.passages ?? []).forEach((source, n) =>
        lines.push(`${n + 1}. ${plain(source.document)} ${plain(source.locator)}: ${plain(source.text).replace(/\s+/g, " ")}`));
      lines.push("");
    }
  }
  save(named(about, "md"), "text/markdown", lines.join("\n"));
}
