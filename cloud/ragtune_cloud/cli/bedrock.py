"""The verbs of ``ragtune cloud bedrock``, from the import of a model to its deletion."""

import json
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragtune.core.run_folder import RunFolder
from ragtune_cloud.cli.options import (
    AsJson,
    Expected,
    Lines,
    Overrides,
    Profile,
    RunPath,
    run_recipe,
    say,
)

if TYPE_CHECKING:
    from ragtune.recipe.arms import Arm as ArmName
    from ragtune.recipe.schema import Recipe
    from ragtune_cloud.target import Plan

bedrock_app = typer.Typer(
    name="bedrock",
    help="Amazon Bedrock: import the tuned model, ask it without an endpoint, delete it.",
    no_args_is_help=True,
)
Source = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="What is imported: job (what training left in S3), fetched, export, or a folder.",
        show_default="the first there is of fetched, export, job",
    ),
]
Judge = Annotated[str, typer.Option("--judge", help="The Bedrock model that is to judge.")]


def register(app: typer.Typer) -> None:
    """Add the group to ``ragtune cloud``."""
    bedrock_app.registered_commands.clear()  # each command plugs its verbs in again
    bedrock_app.command("import")(import_model)
    for verb in (watch, status, ask, study, delete, tuning, judge):
        bedrock_app.command()(verb)
    app.add_typer(bedrock_app)


def import_model(
    run_folder: RunPath,
    *,
    model: Source = None,
    submit: Annotated[
        bool, typer.Option("--submit", help="Upload and import: its storage costs money.")
    ] = False,
    accept_difference: Annotated[
        list[str] | None,
        typer.Option("--accept-difference", metavar="FIELD", help="A field without equivalent."),
    ] = None,
    override_gate: Annotated[
        str | None,
        typer.Option("--override-gate", metavar="REASON", help="Recorded with the import."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Try again after one that failed.")
    ] = False,
    online: Annotated[
        bool, typer.Option("--online", help="Also ask the account; nothing is created.")
    ] = False,
    overrides: Overrides = None,
    profile: Profile = None,
    account: Expected = None,
    as_json: AsJson = False,
) -> None:
    """Plan the import of a run's tuned model, for nothing; --submit imports it."""
    from ragtune.cli.terminal import Terminal
    from ragtune.core import offline
    from ragtune_cloud.bedrock.folder import BedrockFolder
    from ragtune_cloud.bedrock.target import Bedrock
    from ragtune_cloud.plan import plan
    from ragtune_cloud.target import Choices

    run = RunFolder(run_folder)
    recipe = run_recipe(run, overrides)
    asks = submit or online
    with Terminal() as terminal:
        target = Bedrock(profile, account, online=asks, source=model, watcher=terminal)
        attempt = 1
        if submit:
            attempt = target.attempt(recipe, run, again=again)
        elif not online:
            offline.refuse_connections()
        accepted = tuple(accept_difference or ())
        choices = Choices(accepted, False, override_gate, account, attempt)
        planned = plan(target, recipe, run, choices, BedrockFolder(run).plan)
    typer.echo(json.dumps(planned.to_json(), indent=1) if as_json else _show(planned))
    if submit:
        job = target.submit(planned, Lines())
        say(f"next: ragtune cloud bedrock watch {run}; to delete: {_delete(run)}")
        say(f"{job} in {recipe.cloud.region}")


def watch(run_folder: RunPath, profile: Profile = None, account: Expected = None) -> None:
    """Follow the import until it ends, and note the model and its units."""
    from ragtune_cloud.bedrock.record import read_record
    from ragtune_cloud.bedrock.target import Bedrock

    run = RunFolder(run_folder)
    now = Bedrock(profile, account).watch(run, Lines())
    record = read_record(run)
    price = record.usd_per_window
    told = "" if price is None else f", ${price:.2f} for each started five minutes of being asked"
    say(f"{record.units or 'an unknown number of'} custom model units{told}")
    typer.echo(f"{now}; next: ragtune cloud bedrock ask {run} QUESTION; at the end: {_delete(run)}")


def status(
    run_folder: RunPath,
    profile: Profile = None,
    account: Expected = None,
    as_json: AsJson = False,
) -> None:
    """Say how the import is doing."""
    from ragtune.core.errors import CloudError
    from ragtune_cloud.bedrock.target import Bedrock

    now = Bedrock(profile, account).status(RunFolder(run_folder))
    typer.echo(json.dumps(now.to_json(), indent=1) if as_json else str(now))
    if now.status == "Failed":
        raise CloudError(f"{now.job}: {now.reason}")


def ask(
    run_folder: RunPath,
    question: Annotated[str, typer.Argument(help="A question.", show_default=False)],
    passages: Annotated[
        bool, typer.Option("--rag", help="Show it the passages that the run's index finds.")
    ] = False,
    profile: Profile = None,
    account: Expected = None,
) -> None:
    """Ask the imported model one question; its answer comes as it is written."""
    from ragtune.core.errors import RecipeError
    from ragtune_cloud.bedrock.target import Bedrock

    if not question.strip():
        raise RecipeError("the question is empty")
    run = RunFolder(run_folder)
    recipe = run_recipe(run)
    engine = Bedrock(profile, account).engine(recipe, run, "tuned", say)
    for piece in _answer(engine, recipe, run, question, passages=passages):
        sys.stdout.write(piece)
        sys.stdout.flush()
    typer.echo()


def study(
    run_folder: RunPath,
    *,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Weigh with another field of needs."),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Ask again what ended in an error.")
    ] = False,
    profile: Profile = None,
    account: Expected = None,
    as_json: AsJson = False,
) -> None:
    """Ask the run's tuned arms of the imported model, and compare with the run."""
    from ragtune.cli.output import print_result
    from ragtune.cli.terminal import Terminal
    from ragtune.results import table
    from ragtune_cloud import study as at_full_size
    from ragtune_cloud.bedrock.serving import ImportServing, answerable
    from ragtune_cloud.bedrock.target import Bedrock
    from ragtune_cloud.folder import CloudFolder

    run = RunFolder(run_folder)
    recipe = answerable(run_recipe(run, overrides, ("needs.", "cloud.")), Lines())
    models = ImportServing(Bedrock(profile, account), recipe, run, Lines())
    with Terminal() as terminal:
        results = at_full_size.study(models, recipe, run, terminal, failed=retry_failed)
    print_result(results.to_json(), table.render(results), as_json)
    say(f"report: {CloudFolder(run).study(models.key).report}")


def delete(run_folder: RunPath, profile: Profile = None, account: Expected = None) -> None:
    """Delete the run's imported model and the files that were uploaded for it."""
    from ragtune_cloud.bedrock.target import Bedrock

    run = RunFolder(run_folder)
    gone = Bedrock(profile, account).delete(run, Lines())
    typer.echo(f"{run}: nothing left in Bedrock" if gone else f"{run}: there was nothing")


def tuning(run_folder: RunPath, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Plan fine-tuning in Bedrock itself and name every difference; nothing is sent."""
    from ragtune.core import offline
    from ragtune_cloud.bedrock import tuning as tunings
    from ragtune_cloud.bedrock.folder import BedrockFolder

    offline.refuse_connections()
    run = RunFolder(run_folder)
    planned = tunings.plan(run_recipe(run, overrides), run)
    if as_json:
        typer.echo(json.dumps(planned.to_json(), indent=1))
        return
    typer.echo("\n".join([*tunings.lines(planned), "", f"plan: {BedrockFolder(run).tuning}"]))


def judge(
    run_folder: RunPath,
    *,
    judge: Judge,
    arm: Annotated[
        str | None, typer.Option("--arm", help="Whose answers.", show_default="every arm's")
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option("--answers", help="Of another study: RUN/cloud/study/JOB, at full size."),
    ] = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Write answers as a Bedrock evaluation job takes them, with its request; sends nothing."""
    from ragtune_cloud.bedrock import judge as judging

    run = RunFolder(run_folder)
    recipe = run_recipe(run, overrides)
    study = RunFolder(answers) if answers else run
    found = {name: judging.export(recipe, run, name, judge, study) for name in _arms(study, arm)}
    if as_json:
        told = {
            n: {"files": list(map(str, j.files)), "questions": j.questions}
            for n, j in found.items()
        }
        typer.echo(json.dumps(told, indent=1))
        return
    for name, made in found.items():
        left = f", {made.unanswered} left out without an answer" if made.unanswered else ""
        typer.echo(f"{name}: {made.questions} questions{left}: {', '.join(map(str, made.files))}")
    say("upload each file to the place that its request names, put the account's number in, then:")
    say("  aws bedrock create-evaluation-job --cli-input-json file://REQUEST")


def _arms(study: RunFolder, arm: str | None) -> "list[ArmName]":
    """The arms that a study has answers of, or the one that is named."""
    from ragtune.core.errors import RecipeError, RunError
    from ragtune.recipe.arms import ARMS

    there = [one for one in ARMS if study.answers(one).exists()]
    if not there:
        raise RunError(f"{study}: no answers there; finish the run first")
    found = [one for one in there if arm in {None, one}]
    if not found:
        raise RecipeError(f"--arm {arm}: there are answers of {', '.join(there)}")
    return found


def _answer(
    engine: Any, recipe: "Recipe", run: RunFolder, question: str, *, passages: bool
) -> Generator[str, None, None]:
    """The answer's pieces; passages come from the run's own index, which stays here."""
    from ragtune.arms.arm import Arm
    from ragtune.models.find import model_folder
    from ragtune.models.load import load_tokenizer
    from ragtune.prompts.registry import format_of
    from ragtune.runs.open import open_run
    from ragtune.sources.records import Record

    tokenizer = load_tokenizer(model_folder(recipe.model, recipe.path("")))
    form = format_of(recipe.template.build(), tokenizer)
    record = Record(instruction=question, response="")
    with open_run(run.path) as opened:
        search = opened if passages else None
        arm = Arm(engine, form, recipe.study.max_new_tokens, retriever=_Search(search))
        yield from arm.stream(record)


class _Search:
    """A run's index as what an arm looks things up in; nothing where there is no run."""

    def __init__(self, opened: Any) -> None:
        self._opened = opened

    def search(self, questions: Any) -> Any:
        """The passages for each question."""
        if self._opened is None:
            return [[] for _ in questions]
        return [self._opened.search(question) for question in questions]


def _show(planned: "Plan") -> str:
    """Contract, cost, checks, and what to do next."""
    from ragtune_cloud.bedrock.draft import ImportDraft

    draft, recipe = planned.draft, planned.promotion.recipe
    assert isinstance(draft, ImportDraft)
    left_out = draft.more["not asked there"]
    failed = ", ".join(str(check.number) for check in planned.failures)
    told = f"to be set right before --submit: {failed}" if failed else "--submit imports it"
    return "\n".join(
        [
            f"{recipe.name}-{recipe.identity[:8]} into Bedrock in {recipe.cloud.region}",
            f"model: {draft.model.files.place}",
            "",
            f"{'field':24} {'here':22} {'Bedrock':28} compared",
            *(
                f"{t.field:24} {t.local!s:22} {'-' if t.wire is None else t.wire:28} {t.verdict}"
                for t in draft.terms
            ),
            *(f"not asked there: {arm}: {why}" for arm, why in left_out.items()),
            "",
            *draft.cost.lines(),
            "",
            *map(str, planned.checks),
            "",
            f"nothing was sent or spent; {told}",
        ]
    )


def _delete(run: RunFolder) -> str:
    return f"ragtune cloud bedrock delete {run}"
