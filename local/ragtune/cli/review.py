"""The verb with which a person reviews questions: review."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragtune.cli.options import AsJson
from ragtune.cli.output import print_result, say

if TYPE_CHECKING:
    from ragtune.questions.review.session import Review

HOST = "127.0.0.1"


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(review)


def review(
    file: Annotated[
        Path,
        typer.Argument(
            help="A jsonl file of questions, as `questions` writes.", show_default=False
        ),
    ],
    *,
    to_csv: Annotated[
        Path | None,
        typer.Option("--csv", help="Write a spreadsheet for colleagues, and open no page."),
    ] = None,
    from_csv: Annotated[
        Path | None,
        typer.Option("--from", help="Take decisions from such a spreadsheet, by the rows' ids."),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free one.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Keep, edit or drop questions on a page of this machine, which nobody else can reach.

    Keys: y keep, e edit, n drop, u undo, j and k or the arrows move. Each decision is on the disk
    at once: FILE holds what was not dropped, and FILE.review everything, with the drafts as they
    were. The same command goes on where it was. Ctrl-C stops.
    """
    from ragtune.core import offline
    from ragtune.questions.review import sheet
    from ragtune.questions.review.holding import Holding
    from ragtune.questions.review.session import Review

    offline.go_offline()
    if to_csv and not from_csv:
        count = sheet.write(Review(file), to_csv)
        said = f"{to_csv}: {count} questions; decisions go into the column decision (keep, drop)"
        print_result({"csv": str(to_csv), "questions": count}, said, as_json)
        say(f"next: ragtune review {file} --from {to_csv}")
        return
    Review(file)  # what is wrong with the file is said before a lock is beside it
    with closing(Holding(file)) as holding:
        reviewed = Review(file)
        reviewed.take_up()
        for note in reviewed.notes:
            say(f"{file}: {note}")
        if from_csv:
            _take(reviewed, from_csv, to_csv, as_json)
        else:
            _show(reviewed, holding.sign, port, as_json)


def _take(review: "Review", source: Path, target: Path | None, as_json: bool) -> None:
    from ragtune.questions.review import sheet

    taken = sheet.read(review, source)
    if taken.decisions:
        review.decide(taken.decisions, "csv")
    found = {
        "taken": len(taken.decisions),
        "without": taken.without,
        "faults": taken.faults,
        **review.counts,
    }
    print_result(found, f"{taken.summary()}\n{_told(review)}", as_json)
    if target:
        sheet.write(review, target)
        say(f"wrote {target}")


def _show(review: "Review", sign: Callable[[str], None], port: int, as_json: bool) -> None:
    from ragtune.serve import listening
    from ragtune.serve.review import app as page

    taken = listening.bound(HOST, port)

    def ready() -> None:
        address = listening.address(taken)
        sign(address)
        print_result({"page": address}, f"page: {address}", as_json)
        say(f"{_told(review)}; y keep, e edit, n drop, u undo; Ctrl-C stops")

    page.serve(review, taken, listening.access(HOST, ""), ready)
    say(f"stopped: {_told(review)}")


def _told(review: "Review") -> str:
    counts = review.counts
    return (
        f"{review.file}: {counts['kept']} kept, {counts['dropped']} dropped, {counts['open']} open"
    )
