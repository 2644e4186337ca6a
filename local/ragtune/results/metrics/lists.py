"""References that list things: the same things in any order, all of them and no more."""

import re
from collections.abc import Sequence

from ragtune.core.text.content import is_content
from ragtune.core.text.token import Token
from ragtune.results.metrics.matching import close, negated, run, same, spoken
from ragtune.results.metrics.vocabulary import SIDES_ALONE

_AND = {"and", "und", "et", "y", "e", "plus", "&", "和", "与", "及", "と", "以及", "และ"}
_OR = {"or", "oder", "ou", "o", "或", "或者", "还是", "または", "か", "versus", "vs"}
_OR_UNSPACED = "または|又は|もしくは|あるいは|或者|또는|혹은|아니면|หรือ"
_OR_BEFORE = re.compile(rf"(?:{_OR_UNSPACED})$")
_OR_AFTER = re.compile(rf"(?:{_OR_UNSPACED})(?!$|ไม่|เปล่า|ยัง)")
_VERBS = re.compile(r"^(?:is|are|was|were|be|has|have|had|must|can|may|will|should|does|do|did|"
                    r"opens?|closes?|needs?|costs?|takes?|signs?|keeps?|kept)$")  # fmt: skip
_LONGEST = 4
"""The most words of one thing in a list."""


def items(reference: Sequence[Token]) -> list[list[Token]]:
    """The things that a reference lists; empty where it is no list."""
    if any(_VERBS.match(t.text) for t in reference if t.kind == "word"):
        return []
    if any(t.text == "." for t in reference[:-1]):
        return []
    found = [spoken(part) for part, _ in segments(reference, _AND)]
    found = [[t for t in part if is_content(t)] for part in found]
    found = [part for part in found if part]
    if len(found) < 2 or any(len(part) > _LONGEST for part in found):
        return []
    return found if any(t.text in _AND or t.kind == "mark" for t in reference) else []


def segments(tokens: Sequence[Token], joins: set[str]) -> list[tuple[list[Token], int]]:
    """The pieces between marks and joining words, each with the place where it begins."""
    found: list[tuple[list[Token], int]] = []
    piece: list[Token] = []
    for n, token in enumerate(tokens):
        if token.kind == "mark" or (token.kind == "word" and token.text in joins):
            if piece:
                found.append((piece, n - len(piece)))
            piece = []
        else:
            piece.append(token)
    if piece:
        found.append((piece, len(tokens) - len(piece)))
    return found


def place(answer: Sequence[Token], item: Sequence[Token]) -> tuple[int, int] | None:
    """Where an answer names one thing of a list."""
    at = next((span for span in run(answer, item) if not negated(answer, *span)), None)
    if at is None and len(item) > 1:
        at = close(answer, item, slack=2)
        at = None if at and negated(answer, *at) else at
    return at


def extra(answer: Sequence[Token], wanted: Sequence[Sequence[Token]]) -> bool:
    """Whether an answer lists a thing more than ``wanted``, beside or between those."""
    pieces = segments(answer, _AND | _OR)
    held = [any(_holds(piece, item) for item in wanted) for piece, _ in pieces]
    if not any(held):
        return False
    first, last = held.index(True), len(held) - 1 - held[::-1].index(True)
    if len(wanted) == 1 and not _is_thing(pieces[first][0]):
        return False  # one thing of a whole sentence
    for n, (piece, start) in enumerate(pieces):
        near = first - 1 <= n <= last + 1
        between = range(min(n, first), max(n, last))
        if (
            held[n]
            or not near
            or not _is_thing(piece)
            or any(_ends_sentence(answer, pieces[k]) for k in between if k in (n, last, n - 1))
        ):
            continue
        if start and answer[start - 1].text == ";" and n > last:
            continue
        if n == last + 1 and answer[start - 1].kind == "mark" and len(wanted) == 1:
            continue  # Jo Park, head of sales
        return True
    return False


def alternative_unspaced(answer: Sequence[Token], start: int, end: int) -> bool:
    """The same in scripts that are cut into characters."""
    before = "".join(t.text for t in answer[max(0, start - 4) : start])
    after = "".join(t.text for t in answer[end : end + 10])
    return bool(_OR_BEFORE.search(before) or _OR_AFTER.match(after))


def alternative(answer: Sequence[Token], start: int, end: int) -> bool:
    """Whether "or" joins another thing to the one from ``start`` to ``end``."""
    while end < len(answer) and answer[end].kind == "unit":
        end += 1
    after = answer[end : end + 2]
    if after and after[0].kind == "mark" and after[0].text == ",":
        after = after[1:]
    if after and after[0].text in _OR and _is_thing(_piece(answer[end + 1 :]), strict=True):
        return True
    before = answer[max(0, start - 2) : start]
    if before and before[-1].text in _OR:
        thing: list[Token] = []
        for token in reversed(answer[: start - 1]):
            if (
                token.kind == "mark"
                or len(thing) >= _LONGEST
                or not (is_content(token) or token.kind == "unit")
            ):
                break
            thing.insert(0, token)
        return bool(thing)
    return False


def _piece(tokens: Sequence[Token]) -> list[Token]:
    piece: list[Token] = []
    for token in tokens:
        if token.kind == "mark" or token.text in _AND | _OR:
            if piece:
                break
            continue
        piece.append(token)
    return piece


def _holds(piece: Sequence[Token], item: Sequence[Token]) -> bool:
    return all(any(same(said, token) for said in piece) for token in item)


def _is_thing(piece: Sequence[Token], *, strict: bool = False) -> bool:
    """Whether a piece is short and has no word of grammar, as one thing of a list does."""
    if strict:
        # "or": a sentence may go on behind the other thing.
        head = [t for t in piece[:2] if t.kind != "unit"]
        return bool(head) and all(is_content(t) for t in head[:1]) and head[0].text not in _VAGUE
    told = [t for t in piece if t.kind != "unit"]
    if "".join(t.text for t in told) in SIDES_ALONE:
        return False
    most = 2 * _LONGEST if told and told[0].text[0] > "\u0e00" else _LONGEST - 1
    return (
        0 < len(told) <= most
        and all(is_content(t) for t in told)
        and not any(t.text in _VAGUE or _VERBS.match(t.text) or t.text.endswith("ly") for t in told)
    )


_VAGUE = {"more", "less", "fewer", "later", "earlier", "older", "over", "else", "so", "someone",
          "similar", "equivalent", "higher", "lower", "above", "below", "etc", "thanks", "thank",
          "respectively", "not", "no", "better", "longer", "greater"}  # fmt: skip


def _ends_sentence(answer: Sequence[Token], piece: tuple[list[Token], int]) -> bool:
    end = piece[1] + len(piece[0])
    return end < len(answer) and answer[end].text in (".", "\n")
