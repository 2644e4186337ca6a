// The server, as the page asks it.

export class Refusal extends Error {}

async function answered(response) {
  if (response.ok) return response;
  let said = `${response.status} ${response.statusText}`;
  try {
    said = (await response.json()).error.message;
  } catch { /* not ours: its status has to do */ }
  throw new Refusal(said);
}

export async function json(address, body, signal) {
  const options = body === undefined ? { signal } : {
    method: "POST", signal, headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  };
  return answered(await fetch(address, options));
}

export const about = async () => (await json("/about")).json();
export const status = async (signal) => (await json("/status", undefined, signal)).json();
export const index = async () => (await json("/index", {})).json();
export const search = async (question, signal) => (await json("/search", { question }, signal)).json();
export const passage = async (key, sentences) => (await json("/passage", { key, sentences })).json();

// Asks an arm; `piece` is given its words as they come, and what is returned is the whole answer.
export async function ask(arm, question, piece, signal) {
  const body = { model: arm, stream: true, messages: [{ role: "user", content: question }] };
  const response = await json("/v1/chat/completions", body, signal);
  let whole;
  for await (const event of events(response.body)) {
    if (event.error) throw new Refusal(event.error.message);
    const [choice] = event.choices;
    if (choice.delta.content) piece(choice.delta.content);
    if (event.ragtune) whole = { ...event.ragtune, sources: choice.sources, full: choice.finish_reason === "length" };
  }
  if (!whole) throw new Refusal("the server was gone before the answer was whole");
  return whole;
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      if (!block.startsWith("data: ") || block === "data: [DONE]") continue;
      yield JSON.parse(block.slice(6));
    }
  }
}
