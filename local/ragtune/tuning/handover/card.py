"""The README of what is exported: what it is, and how to ask it."""

import json
from collections.abc import Sequence

from ragtune.tuning.handover.companions import Companions

TRANSFORMERS = """### transformers

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "."
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder)
turn = {turn}
prompt = tokenizer.apply_chat_template(
    [{{"role": "user", "content": turn}}], add_generation_prompt=True, tokenize=False
)
asked = tokenizer(prompt, add_special_tokens=False, return_tensors="pt")
answer = model.generate(**asked, max_new_tokens={limit})[0, asked["input_ids"].shape[1] :]
print(tokenizer.decode(answer, skip_special_tokens=True))
```
"""
VLLM = """### vLLM

```bash
vllm serve . --served-model-name {name}
curl http://localhost:8000/v1/chat/completions -H 'Content-Type: application/json' -d '{body}'
```
"""
LLAMA_CPP = """### llama.cpp

```bash
llama-server -m {file} --jinja --port 8080
curl http://localhost:8080/v1/chat/completions -H 'Content-Type: application/json' -d '{body}'
```
"""
OLLAMA = """### Ollama

```bash
ollama create {name} -f Modelfile
ollama run {name} {question}
```
"""
SYSTEM_IS_CONTEXT = """
Ollama's templates cannot look into a turn, so there the context is the system text:
`curl http://localhost:11434/api/generate -d '{body}'`
"""


def folder_card(about: Companions, drift: str) -> str:
    """The README of a merged folder; ``drift`` is the sentence about it."""
    gguf = (
        "### Ollama and llama.cpp\n\n`ragtune export RUN --gguf q8_0` writes one file for them, "
        "with a `Modelfile`.\n"
    )
    if about.dialogue is None:
        return _card(about, drift, [])
    shown = TRANSFORMERS.format(turn=json.dumps(about.turn, ensure_ascii=False), limit=about.limit)
    return _card(about, drift, [shown, VLLM.format(name=about.name, body=_body(about)), gguf])


def gguf_card(about: Companions, drift: str, file: str) -> str:
    """The README of a GGUF with its Modelfile."""
    if about.dialogue is None:
        return _card(about, drift, [])
    ollama = OLLAMA.format(name=about.name, question=_shell(about.question))
    words = about.dialogue.words
    if about.dialogue.system is None and words.between and about.context:
        asked = {"model": about.name, "prompt": about.question, "system": about.context}
        body = json.dumps({**asked, "stream": False}, ensure_ascii=False)
        ollama += SYSTEM_IS_CONTEXT.format(body=_quotable(body))
    return _card(about, drift, [ollama, LLAMA_CPP.format(file=file, body=_body(about))])


def adapter_card(about: Companions, file: str) -> str:
    """The README of an adapter as GGUF."""
    shown = (
        f"### llama.cpp\n\n```bash\nllama-server -m BASE.gguf --lora {file} --jinja "
        "--chat-template-file chat_template.jinja\n```\n\n### Ollama\n\nName the base in the first "
        f"line of `Modelfile`, then `ollama create {about.name} -f Modelfile`.\n"
    )
    return _card(about, "", [f"BASE.gguf is {about.base}, in 16 bits.\n\n{shown}"])


def _card(about: Companions, drift: str, ways: Sequence[str]) -> str:
    licence = f"license: {about.licence}\n" if about.licence else ""
    said = f" (licence: {about.licence})" if about.licence else "; see there for its licence"
    lines = [
        f"---\n{licence}base_model: {json.dumps(about.base, ensure_ascii=False)}\n"
        "pipeline_tag: text-generation\n---\n",
        f"# {about.name}\n",
        f"{about.base}{said}, tuned by ragtune: the adapter of `{about.arm}`.\n",
        *[f"- {figure}" for figure in about.figures],
        *([f"- {drift[:1].upper()}{drift[1:]}."] if drift else []),
        "\n## How to ask it\n",
        *_how(about),
        *ways,
    ]
    return "\n".join(lines)


def _how(about: Companions) -> list[str]:
    if about.dialogue is None:
        return ["Its prompt format has no chat template; ask it as the run's recipe says."]
    words, lines = about.dialogue.words, []
    lines.append(
        "The chat template is the very prompt that it was trained with. Decode greedily "
        "(temperature 0), as the run did."
    )
    if words.between:
        first, second = ("context", "question") if words.context_first else ("question", "context")
        lines.append(
            f"A user's turn is a question alone, or the {first}, {_shown(words.between)}, and the "
            f"{second}. Passages are numbered and part of the context, with a blank line between."
        )
    if about.dialogue.system is None:
        lines.append("There is no system turn.")
    return ["\n".join(lines) + "\n"]


def _shown(text: str) -> str:
    return "a blank line" if text == "\n\n" else f"`{json.dumps(text, ensure_ascii=False)[1:-1]}`"


def _body(about: Companions) -> str:
    asked = {
        "model": about.name,
        "messages": [{"role": "user", "content": about.turn}],
        "temperature": 0,
        "max_tokens": about.limit,
    }
    return _quotable(json.dumps(asked, ensure_ascii=False))


def _quotable(text: str) -> str:
    """A text for between single quotes in a shell."""
    return text.replace("'", "'\\''")


def _shell(text: str) -> str:
    return f"'{_quotable(text)}'"
