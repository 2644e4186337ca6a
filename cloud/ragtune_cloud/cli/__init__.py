"""The cloud verbs, plugged into the ``ragtune`` command through its entry-point group."""

import typer

from ragtune_cloud.cli import bedrock, endpoints, index, job, promotion, study

jobs_app = typer.Typer(
    name="cloud",
    help="A promoted job and its endpoints: watch, stop, fetch, deploy, delete, what it costs.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    app.command()(promotion.promote)
    for group in (promotion, job, endpoints, study, index, bedrock):
        group.register(jobs_app)
    app.add_typer(jobs_app)
