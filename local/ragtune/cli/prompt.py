"""A prompt over an open run: questions by hand, one after the other, with one load."""

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from ragtune.cli.output import say, write
from ragtune.core.errors import RagtuneError

if TYPE_CHECKING:
    from ragtune.runs.open import OpenRun

HELP = (
    "/arm NAME asks another arm, /arms lists them, /sources shows the passages of the last answer, "
    "/quit or Ctrl-D ends"
)


def prompt(opened: "OpenRun", arm: str) -> None:
    """Answer questions until there are no more; lines that begin with a slash are commands.

    Raises RagtuneError where the first arm cannot be loaded; later errors cost a line.
    """
    name: str = opened.arm_name(arm)
    opened.arm(opened.arm_name(name))
    talk = sys.stdin.isatty()
    if talk:
        say(f"{opened.folder.name}: {name} answers; {HELP}")
    _say_behind(opened)
    last: dict[str, Any] | None = None
    _with_line_editor()
    while (line := _line(f"{name}> " if talk else "")) is not None:
        try:
            if line in ("/quit", "/exit", "/q"):
                return
            if line.startswith("/"):
                name = _command(opened, line, name, last)
            else:
                last = _answer(opened, line, name)
        except RagtuneError as error:
            say(f"error: {error}")
        except KeyboardInterrupt:
            say("stopped")


def _answer(opened: "OpenRun", question: str, name: str) -> dict[str, Any]:
    from ragtune.runs.ask import show

    if opened.refresh():
        state = opened.state
        say(f"the index has changed: {state.documents} documents" if state else "no index now")
    arm = opened.arm_name(name)
    stream = opened.stream(question, arm)
    live = sys.stdout.isatty()
    if live:
        for piece in stream:
            write(piece)
        write("\n")
    answer = opened.summary(arm, question, stream.answer)
    said = show(answer, with_text=not live)
    write(f"{said}\n" if said else "")
    return answer


def _command(opened: "OpenRun", line: str, name: str, last: dict[str, Any] | None) -> str:
    """Do what a line with a slash says; the arm that answers from now on."""
    word, _, rest = line.partition(" ")
    if word == "/arm" and rest.strip():
        name = opened.arm_name(rest.strip())
        opened.arm(opened.arm_name(name))
    elif word in ("/arm", "/arms"):
        write("\n".join(f"{'*' if a == name else ' '} {a}" for a in opened.recipe.arms) + "\n")
    elif word == "/sources":
        _sources(last)
    else:
        say(HELP)
    return name


def _sources(last: dict[str, Any] | None) -> None:
    if last is None or not last["sources"]:
        say("the last answer has no sources")
        return
    blocks = [
        f"[{number}] {source['document']} {source['locator']}".rstrip() + f"\n{source['text']}"
        for number, source in enumerate(last["sources"], 1)
    ]
    write("\n\n".join(blocks) + "\n")


def _say_behind(opened: "OpenRun") -> None:
    """Say so where the documents are others than the index holds."""
    from ragtune.runs.search import index_status

    if not opened.folder.manifest.exists():
        return
    try:
        status = index_status(opened.recipe, opened.materials, opened.folder)
    except RagtuneError as error:
        say(f"documents: {error}")
        return
    counted = [
        f"{len(status[kind])} {kind}"
        for kind in ("added", "changed", "removed", "unfinished")
        if status[kind]
    ]
    if counted:
        say(
            f"the index is behind its documents ({', '.join(counted)}); "
            f"`ragtune index {opened.folder}` brings it up to date, here too"
        )


def _with_line_editor() -> None:
    """Let arrows move and bring back earlier questions, where there is a terminal."""
    if sys.stdin.isatty():
        with contextlib.suppress(ImportError):  # Windows has none
            import readline

            readline.set_completer(lambda text, state: None)


def _line(shown: str) -> str | None:
    """The next line that is not empty; None at the end."""
    while True:
        try:
            if line := input(shown).strip():
                return line
        except EOFError:
            return None
        except KeyboardInterrupt:  # forgets the line that is being typed, as in a shell
            write("\n")
