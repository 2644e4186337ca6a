"""Where the words and values of a reference stand in an answer."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from ragtune.core.text.characters import HAN
from ragtune.core.text.content import is_content, stem
from ragtune.core.text.token import Token
from ragtune.core.text.values import Number, Ratio, agrees
from ragtune.results.metrics.vocabulary import NEGATORS


def same(said: Token, wanted: Token) -> bool:
    """Whether two tokens are the same word, or the same value."""
    if said.value is not None and wanted.value is not None:
        return agrees(said.value, wanted.value)
    return said.kind == wanted.kind and stem(said.text) == stem(wanted.text)


def spoken(tokens: Iterable[Token]) -> list[Token]:
    """The tokens without marks, and without units, which their numbers carry."""
    return [token for token in tokens if token.kind not in ("mark", "unit")]


def run(answer: Sequence[Token], wanted: Sequence[Token]) -> list[tuple[int, int]]:
    """Each place of ``answer`` (its marks and units left aside) that holds ``wanted`` in a row."""
    places = [n for n, token in enumerate(answer) if token.kind not in ("mark", "unit")]
    size = len(wanted)
    return [
        (places[at], places[at + size - 1] + 1)
        for at in range(len(places) - size + 1)
        if size and all(same(answer[places[at + n]], token) for n, token in enumerate(wanted))
    ]


def joined(answer: Sequence[Token], wanted: Sequence[Token]) -> tuple[int, int] | None:
    """Where ``wanted`` is written in other pieces: e-mail, AB 1234, Node.js."""
    if not any(re.search(r"[a-z]", t.text) for t in wanted if t.kind == "word"):
        return None
    target = "".join(_letters(t) for t in wanted)
    for start in range(len(answer)):
        text = ""
        for end in range(start, len(answer)):
            text += _letters(answer[end]) if answer[end].kind != "mark" else ""
            if text == target and _letters(answer[start]):
                return start, end + 1
            if not target.startswith(text):
                break
    return None


def _letters(token: Token) -> str:
    value = token.value
    if isinstance(value, Number):
        return ("-" if value.amounts and value.amounts[0] < 0 else "") + value.digits
    return re.sub(r"[.'@&_]", "", token.text) if token.kind == "word" else token.text


def close(
    answer: Sequence[Token], wanted: Sequence[Token], slack: int = 6
) -> tuple[int, int] | None:
    """The shortest stretch of ``answer`` with all of ``wanted``, in any order.

    ``slack`` is how many other words may stand between them.
    """
    where = [[n for n, said in enumerate(answer) if same(said, token)] for token in wanted]
    if not where or not all(where):
        return None
    best: tuple[int, int] | None = None
    for start in sorted(n for places in where for n in places):
        ends = [next((n for n in places if n >= start), None) for places in where]
        if any(end is None for end in ends):
            break
        end = max(n for n in ends if n is not None) + 1
        if best is None or end - start < best[1] - best[0]:
            best = (start, end)
    if best is None:
        return None
    between = sum(t.kind not in ("mark", "unit") for t in answer[slice(*best)]) - len(wanted)
    return best if between <= slack else None


def exchanged(said: Sequence[Token], wanted: Sequence[Token]) -> bool:
    """Whether two words have changed places: the dog bites the man, the man bites the dog."""
    mine, theirs = _neighbours(wanted), _neighbours(said)
    shared = [word for word in mine if word in theirs]
    for one in shared:
        for other in shared:
            if one >= other:
                continue
            went = (theirs[one] & mine[other]) - (theirs[one] & mine[one])
            came = (theirs[other] & mine[one]) - (theirs[other] & mine[other])
            names = {one, other}
            if any(n[1] not in names for n in went) and any(n[1] not in names for n in came):
                return True
    return False


def _neighbours(tokens: Sequence[Token]) -> dict[str, set[tuple[str, str]]]:
    """The words of content before and behind each word of content; articles are gone already."""
    row = spoken(tokens)
    found: dict[str, set[tuple[str, str]]] = {}
    for one, other in pairwise(row):
        if is_content(one) and is_content(other):
            found.setdefault(stem(other.text), set()).add(("behind", stem(one.text)))
            found.setdefault(stem(one.text), set()).add(("before", stem(other.text)))
    return found


def ratio_as_numbers(answer: Sequence[Token], wanted: Ratio) -> tuple[int, int] | None:
    """Where a ratio is written as 1 to 10 or 3-1."""
    places = [n for n, t in enumerate(answer) if isinstance(t.value, Number)]
    size = len(wanted.parts)
    for at in range(len(places) - size + 1):
        first, last = places[at], places[at + size - 1]
        numbers = [answer[n].value for n in places[at : at + size]]
        amounts = tuple(n.amounts[0] for n in numbers if isinstance(n, Number) and n.amounts)
        if amounts == wanted.parts and last - first <= 2 * size:
            return first, last + 1
    return None


def clause(answer: Sequence[Token], start: int, end: int) -> tuple[int, int]:
    """The stretch between marks (and "but") around a place."""
    while start > 0 and not _divides(answer[start - 1]):
        start -= 1
    while end < len(answer) and not _divides(answer[end]):
        end += 1
    return start, end


_DIVIDERS = {"but", "and", "while", "whereas", "because", "sondern", "aber", "mais", "pero", "sino",
             "although", "though", "if", "unless", "which", "who"}  # fmt: skip


def _divides(token: Token) -> bool:
    return token.kind == "mark" or token.text in _DIVIDERS


def negated(answer: Sequence[Token], start: int, end: int) -> bool:
    """Whether the words from ``start`` to ``end`` are denied: not six, six it is not."""
    left, right = clause(answer, start, end)
    before = [t.text for t in answer[max(left, start - 5) : start]]
    after = [t.text for t in answer[end : min(right, end + 5)]]
    if _denies(before) or _denies_after(after):
        return True
    return _denies_unspaced(answer[left:start], answer[end:right])


_NOT_AFTER = re.compile(
    rf"(?:さん|様|氏|君|先生|[{HAN}]{{1,2}})?(?:(?:では|じゃ)(?:な|あり)|でな)"
    r"|[\uac00-\ud7a3]{0,2}?[이가은는]?아(?:니라|니고|니며|니다|니에|니었|닌|닙)"
)
"""Denials behind what they deny, and behind its title or kind: 市ではない, 시가 아닌."""
_NOT_BEFORE = re.compile(r"(?:ไม่|มิ)ใช่(?:คุณ|นาย|นางสาว|นาง|จังหวัด|เมือง|ที่)?$")


def _denies_unspaced(before: Sequence[Token], after: Sequence[Token]) -> bool:
    """The denials of scripts that are cut into characters."""
    if _NOT_AFTER.match("".join(t.text for t in after[:8])):
        return True
    return bool(_NOT_BEFORE.search("".join(t.text for t in before[-16:])))


_UNLESS = re.compile(
    r"\b(?:not|no) (?:only|until|before|later|earlier|sooner|more|less|fewer|exceed\w*|just|"
    r"hesitate|forget|doubt|problem|worries)\b|\bno (?:\d+|one but|\.)"
)
_PAIRS = re.compile(r"\b(?:rather than|instead of|as opposed to|no longer|other than|statt|anstatt|"
                    r"au lieu de|en lugar de|en vez de|far from)\b")  # fmt: skip


def _denies(before: Sequence[str]) -> bool:
    told = " ".join(before)
    if _PAIRS.search(told):
        return True
    if before and any(t in ("不", "非", "没", "未") for t in before[-2:]):
        return True
    return not _UNLESS.search(told) and any(t in NEGATORS for t in before)


def _denies_after(after: Sequence[str]) -> bool:
    told = " ".join(after)
    return not _UNLESS.search(told) and bool(
        re.match(
            r"(?:(?:is|are|was|were|does|do|did|has|have|will|would|can|could|may|must|should|ist|"
            r"sind|hat|kann|darf|ne|n|est) )+(?:\w+ )?(?:not|never|no longer|nicht|pas|kein\w*|"
            r"wrong|incorrect|false|forbidden|prohibited)\b|(?:is|was) (?:wrong|incorrect|false)\b|"
            r"no (?:es|son|está)\b", told
        )
    )  # fmt: skip
