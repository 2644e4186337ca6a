"""The held-out questions, asked of the base and the tuned endpoint."""

import json
from pathlib import Path
from typing import Any

from ragtune.core.files import read_jsonl
from ragtune.core.progress import Watcher
from ragtune.recipe.schema import Recipe
from ragtune.sources.records import Record as Question
from ragtune_cloud import endpoints
from ragtune_cloud.account import Account, aws_errors
from ragtune_cloud.errors import CloudError
from ragtune_cloud.jobs import Record

ANSWERS = Path("cloud") / "answers"


def ask(
    record: Record,
    recipe: Recipe,
    run_folder: Path,
    side: str,
    *,
    account: Account,
    watcher: Watcher,
) -> Path:
    """Ask a side's endpoint every question that it has not answered yet; gives the answers' file.

    A line an answer, written as it comes, so that a killed evaluation goes on where it was.
    Raises CloudError where there is no such endpoint or its answer has no known shape.
    """
    questions = [Question(**row) for row in read_jsonl(run_folder / "data" / "test.jsonl")]
    path = run_folder / ANSWERS / record.job / f"{side}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    answered = {row["question"] for row in _whole_rows(path)}
    left = [question for question in questions if question.id not in answered]
    template = recipe.template.build()
    show_context = recipe.records.context == "input"
    runtime = account.client("sagemaker-runtime")
    name = endpoints.endpoint_name(record, side)
    with watcher.progress(f"ask {side}") as advance, path.open("a", encoding="utf-8") as file:
        for number, question in enumerate(left, len(questions) - len(left) + 1):
            context = question.context if show_context else ""
            prompt = template.question(question.instruction, context)
            body = {
                "inputs": prompt,
                "parameters": {"max_new_tokens": recipe.study.max_new_tokens},
            }
            with aws_errors(account.id):
                answer = runtime.invoke_endpoint(
                    EndpointName=name,
                    ContentType="application/json",
                    Body=json.dumps(body),
                )
                found = answer["Body"].read()
            text = template.response(text_of(found, prompt))
            file.write(json.dumps({"question": question.id, "text": text}) + "\n")
            file.flush()
            advance(number, len(questions))
    return path


def text_of(body: bytes, prompt: str = "") -> str:
    """The answer in an endpoint's response, whether ``generation`` or ``generated_text``.

    A list of one or a single object; a repeated prompt is cut off. Raises CloudError otherwise.
    """
    try:
        found: Any = json.loads(body)
    except ValueError:
        found = None
    one = found[0] if isinstance(found, list) and found else found
    if isinstance(one, dict):
        for key in ("generation", "generated_text"):
            if isinstance(text := one.get(key), str):
                return text.removeprefix(prompt).strip()
    shown = body[:120].decode(errors="replace")
    raise CloudError(f"the endpoint answered neither generation nor generated_text: {shown}")


def _whole_rows(path: Path) -> list[Any]:
    """The answers that are written; a last line that a kill broke off is removed."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8")
    return read_jsonl(path)
