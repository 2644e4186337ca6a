"""The studies in which signs are looked for: data and a recipe each.

Dolly's rows are those of closed_qa and information_extraction with a short question, paragraph and
answer, SQuAD's those of `qa/squad2_500`, which are only asked. A paragraph is a document. Nothing
is chosen by what came out: rows are taken in the order of their files, and settings of tuning are
those that ragtune fills in.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ragtune.core.bundled import data_folder
from ragtune.core.files import read_jsonl, write_json, write_jsonl, write_text
from ragtune.sources.documents import context_name
from ragtune.sources.records import Record
from scripts.bench.facts import facts

DOLLY = "dolly/databricks-dolly-15k.jsonl"
SQUAD = "qa/squad2_500"
REFUSAL = "not in the documents"
CATEGORIES = ("closed_qa", "information_extraction")
LONGEST_CONTEXT = 120
LONGEST_QUESTION = 30
LONGEST_ANSWER = 12
"""In words."""
RECORDS = 100
ASKED = {"dolly": 32, "squad": 24, "unanswerable": 24}
OTHERS = 120
"""Further paragraphs to search among."""
MAILROOM = {"records": 200, "questions": 80}
PASSAGE_EPOCHS = 2
"""Fewer than follow from the number of rows, for the sake of time: passages are long."""

Tree = dict[str, Any]
RAG = {"chunk_tokens": 192, "top_k": 1}
STUDY: Tree = {
    "questions": "questions.jsonl",
    "max_new_tokens": 24,
    "latency_questions": 1,
    "metric": "right",
    "refusal": REFUSAL,
}


@dataclass(frozen=True)
class Sources:
    """What is trained on, what is asked, and the paragraphs that are searched."""

    records: Sequence[Record]
    questions: Sequence[Record]
    paragraphs: Sequence[str]


def write(study: str, data: Path, folder: Path) -> Path:
    """Write a study's data and recipe into a folder; the recipe's path."""
    kind, _, model = study.partition("/")
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "mailroom":
        tree = _mailroom(folder)
    elif kind.startswith("facts-"):
        tree = _facts(folder, int(kind.removeprefix("facts-")))
    else:
        tree = _paragraphs(kind, sources(data), folder, model)
    name = study.replace("/", "-")
    path = folder / "recipe.yaml"
    write_json(path, {"name": name, **tree})  # JSON is YAML
    return path


def sources(data: Path) -> Sources:
    """Dolly's rows split by paragraph, and SQuAD's questions.

    A paragraph that is asked about twice gives its first row to the records and the others to the
    questions, so that what is asked is about documents that were trained on.
    """
    by: dict[str, list[Record]] = defaultdict(list)
    for record in _dolly(data / DOLLY):
        by[record.context].append(record)
    several = [rows for rows in by.values() if len(rows) > 1]
    single = [rows for rows in by.values() if len(rows) == 1]
    asked = [row for rows in several for row in rows[1:]][: ASKED["dolly"]]
    taught = [rows[0] for rows in several + single][:RECORDS]
    others = [rows[0].context for rows in several + single][RECORDS:]
    squad = _squad(data / SQUAD)
    answerable = [q for q in squad if q.response != REFUSAL][: ASKED["squad"]]
    unanswerable = [q for q in squad if q.response == REFUSAL][: ASKED["unanswerable"]]
    questions = [*asked, *answerable, *unanswerable]
    rest = [*others[: OTHERS // 2], *(q.context for q in squad)]
    used = dict.fromkeys(row.context for row in (*taught, *questions))
    more = [c for c in dict.fromkeys(rest) if c not in used][:OTHERS]
    return Sources(taught, questions, [*used, *more])


def _dolly(path: Path) -> list[Record]:
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        question, context, answer = (row[n].strip() for n in ("instruction", "context", "response"))
        short = (
            len(question.split()) <= LONGEST_QUESTION
            and 0 < len(context.split()) <= LONGEST_CONTEXT
            and len(answer.split()) <= LONGEST_ANSWER
        )
        if row["category"] in CATEGORIES and short and "\n" not in answer:
            named = _name(context)
            found[question, context] = Record(question, answer, context, "dolly", named)
    return list(found.values())


def _squad(folder: Path) -> list[Record]:
    """Questions with a short paragraph, one a paragraph."""
    queries = json.loads((folder / "queries.json").read_text(encoding="utf-8"))["queries"]
    truth = json.loads((folder / "ground_truth.json").read_text(encoding="utf-8"))
    found: dict[str, Record] = {}
    for query in queries:
        answers = truth[query["id"]]["answers"]
        context = query["context"].strip()
        if len(context.split()) > LONGEST_CONTEXT or context in found:
            continue
        if truth[query["id"]]["is_impossible"]:
            found[context] = Record(query["question"], REFUSAL, context, "squad")
            continue
        first, *others = dict.fromkeys(answers)
        found[context] = Record(
            query["question"], first, context, "squad", _name(context), other_responses=(*others,)
        )
    return list(found.values())


def _name(context: str) -> str:
    return f"{context_name(context)}.txt"


def _paragraphs(kind: str, found: Sources, folder: Path, model: str) -> Tree:
    """The studies on Dolly's and SQuAD's paragraphs."""
    gold = {question.context for question in found.questions}
    hidden = kind in ("distractors", "shown")  # none of the documents holds what is asked
    questions = list(found.questions)
    if kind == "shown":
        questions = [q for q in questions if q.response != REFUSAL]
    if hidden:
        questions = [replace(q, document="") for q in questions]
    for context in found.paragraphs:
        if not (hidden and context in gold):
            write_text(folder / "docs" / _name(context), context + "\n")
    _write(folder, found.records, questions)
    shown: Mapping[str, Tree] = {
        "plain": {
            "records": {"with_passages": 0.0},
            "study": {"arms": ["base", "tuned", "rag", "tuned+rag"]},
        },
        "passages": {
            "records": {"with_passages": 1.0, "without_gold": 0.2},
            "tune": {"epoch": PASSAGE_EPOCHS},
            "study": {"arms": ["tuned+rag"]},
        },
        "distractors": {"study": {"arms": ["rag"]}},
        "shown": {
            "records": {"context": "input"},
            "study": {"arms": ["base", "rag"]},
        },
    }
    return _tree(model, **shown[kind])


def _facts(folder: Path, wordings: int) -> Tree:
    """Facts in so many wordings; one of them stands in as many rows as four do.

    So both adapters see as many rows in as many steps, at the same rates.
    """
    all_facts = list(facts())
    records, questions, documents = [], [], defaultdict(list)
    for number, fact in enumerate(all_facts):
        record = Record("", fact.answer, fact.statement, "facts", fact.document, group=fact.group)
        documents[fact.document].append(fact.statement)
        for row in range(len(fact.taught)):
            taught = fact.taught[(number // 4 + row % wordings) % len(fact.taught)]
            records.append(replace(record, instruction=taught))
        questions.append(replace(record, instruction=fact.asked))
    for name, statements in documents.items():
        write_text(folder / "docs" / name, " ".join(statements) + "\n")
    _write(folder, records, questions)
    arms = ["tuned", "rag-records", "rag"] if wordings > 1 else ["tuned", "rag-records"]
    return _tree(
        "smollm2",
        records={"with_passages": 0.0},
        study={"arms": arms},
    )


def _mailroom(folder: Path) -> Tree:
    """The mailroom demo: a format that no document states, here with half of its records."""
    demo = data_folder() / "demo/mailroom"
    for name, count in MAILROOM.items():
        rows = read_jsonl(demo / f"{name}.jsonl")
        write_jsonl(folder / f"{name}.jsonl", rows[:count])
    for document in sorted((demo / "docs").iterdir()):
        write_text(folder / "docs" / document.name, document.read_text(encoding="utf-8"))
    return _tree(
        "smollm2",
        records={"context": "input", "with_passages": 0.0},
        study={"arms": ["base", "tuned", "rag", "tuned+rag"]},
    )


def _write(folder: Path, records: Sequence[Record], questions: Sequence[Record]) -> None:
    write_jsonl(folder / "records.jsonl", [record.to_json() for record in records])
    write_jsonl(folder / "questions.jsonl", [question.to_json() for question in questions])


def _tree(
    model: str, *, study: Tree, records: Tree | None = None, tune: Tree | None = None
) -> Tree:
    return {
        "model": {"local": model},
        "records": {"source": "records.jsonl", "context": "passage", **(records or {})},
        "documents": {"source": "docs"},
        "tune": tune or {},
        "rag": RAG,
        "study": {**STUDY, **study},
    }
