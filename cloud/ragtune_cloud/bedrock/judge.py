"""Answers in the form of a Bedrock evaluation job, so that a model there can judge them.

Bedrock takes answers that were made elsewhere: a JSON object a line, at most 1,000 a job. Answers
that had passages go as those of a RAG system, with the passages, so that faithfulness to them can
be judged too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragtune.core.errors import CloudError, RecipeError
from ragtune.core.files import read_jsonl, write_json, write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Arm, reads_documents
from ragtune.recipe.schema import Recipe
from ragtune.sources.records import Record
from ragtune_cloud.bedrock import catalog
from ragtune_cloud.bedrock.folder import BedrockFolder
from ragtune_cloud.bedrock.request import role_of
from ragtune_cloud.sagemaker.names import ACCOUNT, IDENTITY_TAG

OF_MODELS = ("Builtin.Correctness", "Builtin.Completeness", "Builtin.Refusal")
OF_RAG = ("Builtin.Correctness", "Builtin.Completeness", "Builtin.Faithfulness", "Builtin.Refusal")
"""The judge's metrics that compare with a reference, hold to passages, and count refusals."""


@dataclass(frozen=True)
class Judged:
    """What was written: a file of answers and its job's request each, and questions left out.

    ``unanswered`` are questions for which the arm has no answer.
    """

    files: list[Path]
    requests: list[Path]
    questions: int
    unanswered: int


def export(
    recipe: Recipe, run: RunFolder, arm: Arm, judge: str, answers: RunFolder | None = None
) -> Judged:
    """Write an arm's answers, of the run or of another folder of answers, below ``judge/``.

    ``judge`` is the Bedrock model that is to judge. Raises RecipeError for an arm without answers,
    CloudError where none of them has a text.
    """
    path = (answers or run).answers(arm)
    if not path.exists():
        there = sorted(p.stem for p in path.parent.glob("*.jsonl"))
        raise RecipeError(f"--arm {arm}: no answers; there are {', '.join(there) or 'none'}")
    known = {row["question"]: row for row in read_jsonl(path)}
    questions = [Record.from_json(row) for row in read_jsonl(run.questions)]
    shown = recipe.records.context == "input"
    identifier = _identifier(recipe, arm)
    line = _rag_line if reads_documents(arm) else _model_line
    lines = [
        line(question, known[question.id], identifier, shown=shown)
        for question in questions
        if question.id in known and not known[question.id].get("failed")
    ]
    if not lines:
        raise CloudError(f"{path}: no answers to judge")
    files, requests = [], []
    for number, part in enumerate(_parts(lines), 1):
        name = f"{arm.replace('+', '-')}-{number}"
        files.append(BedrockFolder(run).judge / f"{name}.jsonl")
        write_jsonl(files[-1], part)
        requests.append(BedrockFolder(run).judge / f"{name}.request.json")
        write_json(requests[-1], _request(recipe, arm, judge, name))
    return Judged(files, requests, len(lines), len(questions) - len(lines))


def _parts(lines: Sequence[Any]) -> Iterator[Sequence[Any]]:
    most = int(catalog.load()["evaluation"]["most_prompts"])
    for start in range(0, len(lines), most):
        yield lines[start : start + most]


def _identifier(recipe: Recipe, arm: Arm) -> str:
    """What the answers' source is called: one name in a file, which the request repeats."""
    return f"ragtune-{recipe.name}-{recipe.identity[:8]}-{arm.replace('+', '-')}"


def _asked(question: Record, *, shown: bool) -> str:
    own = question.own(with_context=shown)
    return f"{question.instruction}\n\n{own}" if own else question.instruction


def _model_line(
    question: Record, answer: Mapping[str, Any], identifier: str, *, shown: bool
) -> dict[str, Any]:
    return {
        "prompt": _asked(question, shown=shown),
        "referenceResponse": question.response,
        **({"category": question.category} if question.category else {}),
        "modelResponses": [{"response": answer["text"], "modelIdentifier": identifier}],
    }


def _rag_line(
    question: Record, answer: Mapping[str, Any], identifier: str, *, shown: bool
) -> dict[str, Any]:
    passages = [
        {
            "name": str(source["id"]),
            "content": {"text": source["text"]},
            "metadata": {"document": source["document"], "locator": str(source["locator"])},
        }
        for source in answer.get("sources", ())
    ]
    turn = {
        "prompt": {"content": [{"text": _asked(question, shown=shown)}]},
        "referenceResponses": [{"content": [{"text": text}]} for text in question.references],
        "output": {
            "text": answer["text"],
            "modelIdentifier": identifier,
            "knowledgeBaseIdentifier": identifier,
            "retrievedPassages": {"retrievalResults": passages},
        },
    }
    return {"conversationTurns": [turn]}


def _request(recipe: Recipe, arm: Arm, judge: str, name: str) -> dict[str, Any]:
    """The ``create_evaluation_job`` request; the account's number is left as ``<account>``."""
    rag, identifier = reads_documents(arm), _identifier(recipe, arm)
    bucket = recipe.cloud.bucket or f"sagemaker-{recipe.cloud.region}-{ACCOUNT}"
    home = f"s3://{bucket}/{recipe.cloud.prefix.strip('/')}/judge/{recipe.identity[:8]}"
    own = {"precomputedInferenceSource": {"inferenceSourceIdentifier": identifier}}
    generated = {"retrieveAndGenerateSourceConfig": {"ragSourceIdentifier": identifier}}
    return {
        "jobName": f"{recipe.name[:30]}-{recipe.identity[:8]}-{name}".lower(),
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/{role_of(recipe) or '<cloud.bedrock_role>'}",
        "applicationType": "RagEvaluation" if rag else "ModelEvaluation",
        "jobTags": [{"key": IDENTITY_TAG, "value": recipe.identity}],
        "evaluationConfig": {
            "automated": {
                "datasetMetricConfigs": [
                    {
                        "taskType": "QuestionAndAnswer",
                        "dataset": {
                            "name": name,
                            "datasetLocation": {"s3Uri": f"{home}/{name}.jsonl"},
                        },
                        "metricNames": list(OF_RAG if rag else OF_MODELS),
                    }
                ],
                "evaluatorModelConfig": {"bedrockEvaluatorModels": [{"modelIdentifier": judge}]},
            }
        },
        "inferenceConfig": {"ragConfigs": [{"precomputedRagSourceConfig": generated}]}
        if rag
        else {"models": [own]},
        "outputDataConfig": {"s3Uri": f"{home}/results/"},
    }
