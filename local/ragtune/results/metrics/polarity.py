"""Yes and no: what an answer's first word says, and whether a sentence denies."""

import re
from typing import Literal

from ragtune.core.text.characters import cleaned, folded
from ragtune.core.text.words import tokens
from ragtune.results.metrics.matching import is_content, stem
from ragtune.results.metrics.vocabulary import NEGATORS, NO, YES

Polarity = Literal["yes", "no", "both"]

_YES_UNSPACED = (
    "是",
    "对",
    "對",
    "可以",
    "能",
    "会",
    "有",
    "正确",
    "はい",
    "ええ",
    "うん",
    "そうです",
    "네",
    "예",
    "ใช่",
    "ได้",
)
_NO_UNSPACED = (
    "不",
    "否",
    "没",
    "沒",
    "无",
    "無",
    "错",
    "いいえ",
    "いや",
    "ちがい",
    "違い",
    "아니",
    "ไม่",
)
_OPENING = re.compile(
    r"^(?:(?:the )?(?:correct )?(?:answer|antwort|response|réponse|respuesta)(?: is| ist| est| es)?\s*[:,]?\s*|"
    r"(?:well|so|in short)\s*[,.]\s*(?=\w)|答案是|答えは)", re.I)  # fmt: skip
_BOTH = re.compile(
    r"^\W*(?:yes|ja|oui|sí|si|no|nein|non)\W+(?:and|or|but also|und|oder|et|ou|y|o)?\W*"
    r"(?:yes|ja|oui|sí|si|no|nein|non)\b(?=\W*$|[,.!;])|^\W*(?:yes|no|ja|nein|oui|non|sí)\W+"
    r"(?:and|or|und|oder|et|ou|y|o)\W+(?:yes|no|ja|nein|oui|non|sí)\b|^\W*(?:jein|maybe|perhaps|partly|sometimes|it depends|"
    r"vielleicht|peut-être|quizás|tal vez)\b", re.I)  # fmt: skip
_ALONE = re.compile(r"^\W*([^\W\d_]+)\s*(?:[,.;:!。、]|-\s|$)")


def polarity(text: str) -> Polarity | None:
    """What the first word says; "both" for yes and no, None where it says neither."""
    text = _OPENING.sub("", cleaned(text).strip(" \t\n\"'*"))
    if _BOTH.search(text):
        return (
            None
            if not re.match(r"^\W*(?:yes|no|ja|nein|oui|non|sí|si)\b", text, re.I)
            and len(text) > 40
            else "both"
        )
    if text.startswith(_NO_UNSPACED):
        return "no"
    if text.startswith(_YES_UNSPACED):
        return "yes"
    first = re.match(r"[^\W\d_]+", text)
    word = folded(first[0]) if first else ""
    if word == "of" and text.lower().startswith("of course"):
        return "no" if text.lower().startswith("of course not") else "yes"
    following = folded(text[len(first[0]) :].strip(" ,")) if first else ""
    if word in ("absolutely", "certainly", "definitely") and following.startswith("not"):
        return "no"
    return "yes" if word in YES else "no" if word in NO else None


def asked(reference: str) -> Polarity | None:
    """The polarity that a reference asks for: "yes", or "No, only on Sundays", but not "no dogs"."""
    text = cleaned(reference).strip()
    if text.rstrip("。.!") in (
        "是",
        "是的",
        "对",
        "否",
        "不",
        "不是",
        "はい",
        "いいえ",
        "네",
        "아니요",
        "ใช่",
        "ไม่",
    ):
        return polarity(text)
    alone = _ALONE.match(text)
    word = folded(alone[1]) if alone else ""
    if word in YES | NO and word not in ("not", "nicht", "right", "sure", "wrong", "exact", "da"):
        return polarity(text)
    return None


def rest(text: str) -> str:
    """What follows the first word."""
    return re.sub(r"^\W*[^\W\d_]+\W*", "", cleaned(text), count=1)


def denies(text: str) -> bool:
    """Whether a sentence says that something is not so; "not only" and "no later than" do not."""
    plain = re.sub(
        r"\b(?:not only|no (?:later|earlier|more|less|fewer|sooner) than|not (?:later|earlier|more|less) than|do not hesitate"
        r"|don't hesitate)\b", " ", cleaned(text), flags=re.I)  # fmt: skip
    said = [t.text for t in tokens(plain)]
    if any(word in NEGATORS for word in said):
        return True
    return bool(
        re.search(
            r"不(?!锈|同|仅|但|过|断|少于|超过)|没有|未|禁止|ない|ません|できず|않|없|ไม่", plain
        )
    )


def answered(answer: str, question: str) -> Polarity | None:
    """The polarity of a whole sentence that begins with neither: it is not allowed."""
    told = [t for t in tokens(answer) if is_content(t)]
    if len(tokens(answer)) < 2 or not told:
        return None
    if denies(answer):
        return "no"
    asked_for = {stem(t.text) for t in tokens(question) if is_content(t)}
    return "yes" if any(stem(t.text) in asked_for for t in told) else None
