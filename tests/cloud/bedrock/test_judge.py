"""Answers in the form of an evaluation job."""

import json
from typing import Any

import pytest
from botocore.validate import validate_parameters

from ragtune.core.errors import CloudError, RecipeError
from ragtune.core.files import read_json, read_jsonl, write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.runs.open import recipe_of
from ragtune_cloud.bedrock import catalog, judge
from ragtune_cloud.sagemaker.request import filled
from tests.cloud.fake import ACCOUNT, wire

JUDGE = "anthropic.claude-sonnet-4-20250514-v1:0"


def check(path: Any, operation: str) -> dict[str, Any]:
    """A written request, held against the service's own model, patterns and enumerations too."""
    request = filled(read_json(path), ACCOUNT)
    shape = wire.model("bedrock").operation_model(operation).input_shape
    validate_parameters(request, shape)
    assert list(wire.faults(shape, request)) == []
    return request


def test_answers_of_a_model_are_lines_with_one_response_each(run: RunFolder) -> None:
    made = judge.export(recipe_of(run.path), run, "tuned", JUDGE)
    (path,), (asked,) = made.files, made.requests
    lines = read_jsonl(path)
    assert (len(lines), made.questions, made.unanswered) == (40, 40, 0)
    question = read_jsonl(run.questions)[0]
    assert lines[0] == {
        "prompt": f"{question['instruction']}\n\n{question['context']}",
        "referenceResponse": question["response"],
        "modelResponses": [
            {
                "response": read_jsonl(run.answers("tuned"))[0]["text"],
                "modelIdentifier": lines[0]["modelResponses"][0]["modelIdentifier"],
            }
        ],
    }
    request = check(asked, "CreateEvaluationJob")
    assert request["applicationType"] == "ModelEvaluation"
    (source,) = request["inferenceConfig"]["models"]
    named = {line["modelResponses"][0]["modelIdentifier"] for line in lines}
    assert named == {source["precomputedInferenceSource"]["inferenceSourceIdentifier"]}


def test_answers_with_passages_are_those_of_a_rag_system(run: RunFolder) -> None:
    source = {"id": "p1", "document": "a.md", "locator": "2", "text": "At six.", "score": 0.5}
    answers = [{**row, "sources": [source]} for row in read_jsonl(run.answers("tuned"))]
    write_jsonl(run.answers("tuned+rag"), answers)
    made = judge.export(recipe_of(run.path), run, "tuned+rag", JUDGE)
    (turn,) = read_jsonl(made.files[0])[0]["conversationTurns"]
    assert turn["output"]["retrievedPassages"] == {
        "retrievalResults": [
            {
                "name": "p1",
                "content": {"text": "At six."},
                "metadata": {"document": "a.md", "locator": "2"},
            }
        ]
    }
    request = check(made.requests[0], "CreateEvaluationJob")
    assert request["applicationType"] == "RagEvaluation"
    (config,) = request["inferenceConfig"]["ragConfigs"]
    named = config["precomputedRagSourceConfig"]["retrieveAndGenerateSourceConfig"]
    assert named["ragSourceIdentifier"] == turn["output"]["knowledgeBaseIdentifier"]


def test_more_questions_than_a_job_takes_are_several_files(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(catalog.load()["evaluation"], "most_prompts", 15)
    made = judge.export(recipe_of(run.path), run, "tuned", JUDGE)
    assert [len(read_jsonl(path)) for path in made.files] == [15, 15, 10]
    names = {check(path, "CreateEvaluationJob")["jobName"] for path in made.requests}
    assert len(names) == 3


def test_failed_questions_are_left_out_and_counted(run: RunFolder) -> None:
    answers = read_jsonl(run.answers("tuned"))
    write_jsonl(run.answers("tuned"), [{**answers[0], "failed": "424"}, *answers[1:39]])
    made = judge.export(recipe_of(run.path), run, "tuned", JUDGE)
    assert (made.questions, made.unanswered) == (38, 2)
    write_jsonl(run.answers("tuned"), [{**row, "failed": "424"} for row in answers])
    with pytest.raises(CloudError, match="no answers to judge"):
        judge.export(recipe_of(run.path), run, "tuned", JUDGE)
    with pytest.raises(RecipeError, match="there are base, tuned"):
        judge.export(recipe_of(run.path), run, "rag", JUDGE)


def test_the_command_writes_them_and_says_how_to_go_on(run: RunFolder, called: Any) -> None:
    code, out, err = called("cloud", "bedrock", "judge", run, "--judge", JUDGE)
    assert code == 0, err
    assert "base: 40 questions" in out
    assert "aws bedrock create-evaluation-job" in err
    assert called("cloud", "bedrock", "judge", run, "--judge", JUDGE, "--arm", "rag")[0] == 2
    study = RunFolder(run.path / "cloud" / "study" / "job")
    write_jsonl(study.answers("tuned"), read_jsonl(run.answers("tuned"))[:5])
    code, out, _ = called(
        "cloud", "bedrock", "judge", run, "--judge", JUDGE, "--answers", study.path
    )
    assert (code, out.splitlines()[0].partition(":")[0]) == (0, "tuned")
    assert "5 questions, 35 left out without an answer" in out
    json.loads(called("cloud", "bedrock", "judge", run, "--judge", JUDGE, "--json")[1])
