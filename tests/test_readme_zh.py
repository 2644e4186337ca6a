"""README.zh.md says what README.md says: part by part, with the same figures, code and links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import pytest
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from tests.conftest import ROOT

ENGLISH, CHINESE = "README.md", "README.zh.md"
OTHER = {ENGLISH: CHINESE, CHINESE: ENGLISH}

HAN = re.compile(r"[一-鿿]")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-.][A-Za-z0-9]+)*")
"""A word in Latin letters; digits in it (SmolLM2-135M, Apache-2.0) belong to the name."""
FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
WORDS = {
    **{"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9},
    **{"ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30},
}
WORD = re.compile(rf"\b({'|'.join(WORDS)})\b", re.I)
ONES = "零一二三四五六七八九"
NUMERAL = re.compile(r"([二三四五六七八九]?)(十)([一二三四五六七八九]?)|([一二两三四五六七八九])")
NO_NUMERAL = re.compile(r"第[一二三四五六七八九十]+|两者|二者|十分(?!钟)")
"""Ordinals, and words that count nothing (both, very)."""
SENTENCE = re.compile(r"[A-Za-z']+(?:,? [A-Za-z']+){3,}")
"""Four English words in a row: no name is as long."""
COMMENT = re.compile(r"(?:^|(?<=\s))#(.*)$", re.M)


@dataclass(frozen=True)
class Inline:
    """A heading, a paragraph, a cell or a comment: its words; apart from them code and links."""

    line: int
    source: str
    text: str
    code: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """What a page is made of: a heading, a paragraph, a list's item, a table or a code block."""

    kind: str
    line: int
    inlines: tuple[Inline, ...]
    block: str = ""


def line_of(node: SyntaxTreeNode) -> int:
    assert node.map is not None
    return node.map[0] + 1


def inline(node: SyntaxTreeNode, line: int) -> Inline:
    leaves = list(node.walk())[1:]
    breaks = {"softbreak": "\n", "hardbreak": "\n"}
    return Inline(
        line=line,
        source=node.content,
        text="".join(breaks.get(x.type, x.content if x.type == "text" else " ") for x in leaves),
        code=tuple(sorted(x.content for x in leaves if x.type == "code_inline")),
        links=tuple(sorted(str(x.attrs["href"]) for x in leaves if x.type == "link")),
    )


def comments(block: str, line: int) -> Iterator[Inline]:
    for at, text in enumerate(block.splitlines(), line + 1):
        if found := COMMENT.search(text):
            yield Inline(at, found[1], found[1])


def walked(node: SyntaxTreeNode, item: str = "") -> Iterator[Part]:
    for child in node.children:
        line = line_of(child)
        if child.type in ("heading", "paragraph"):
            kind = f"{child.tag} heading" if child.type == "heading" else item or "paragraph"
            yield Part(kind, line, (inline(child.children[0], line),))
        elif child.type == "fence":
            prose = comments(child.content, line) if child.info == "yaml" else ()
            yield Part(f"{child.info} block", line, tuple(prose), child.content)
        elif child.type == "table":
            rows = [x for x in child.walk() if x.type == "tr"]
            cells = [inline(x.children[0], line_of(row)) for row in rows for x in row.children]
            yield Part(f"table of {len(rows)} × {len(rows[0].children)}", line, tuple(cells))
        elif child.type in ("bullet_list", "ordered_list", "list_item"):
            yield from walked(child, item or f"{child.type.replace('_', ' ')}'s item")
        else:
            raise AssertionError(f"{__file__} does not know what a {child.type} is")


def parts(page: str) -> list[Part]:
    return list(walked(SyntaxTreeNode(MarkdownIt("commonmark").enable("table").parse(page))))


def without_link(page: list[Part]) -> list[Part]:
    """The parts but for the paragraph that leads to the other language."""
    return [p for p in page if not {link for x in p.inlines for link in x.links} & OTHER.keys()]


def numbers(text: str) -> list[str]:
    """The numbers of a text in figures and, from two on, in words; those in names are left out.

    Where English has a one, Chinese often has none, and the other way round.
    """
    words = [WORDS[word.lower()] for word in WORD.findall(text)]
    for tens, ten, ones, alone in NUMERAL.findall(NO_NUMERAL.sub(" ", text)):
        digits = [ONES.index(digit) if digit else 0 for digit in (ones, alone.replace("两", "二"))]
        words.append(sum(digits) + 10 * (ONES.index(tens) if tens else 1) * bool(ten))
    figures = [figure.replace(",", "") for figure in FIGURE.findall(NAME.sub(" ", text))]
    return sorted([*figures, *(str(word) for word in words if word > 1)], key=lambda n: (len(n), n))


def names(text: str) -> list[str]:
    """The names in which there is a digit."""
    return sorted({name for name in NAME.findall(text) if re.search(r"\d", name)})


def told(what: str, english: object, chinese: object) -> list[str]:
    shown = [", ".join(x) if isinstance(x, list | tuple) else x for x in (english, chinese)]
    sides = [f"{name} has {x or 'none'}" for name, x in zip(OTHER, shown, strict=True)]
    return [] if english == chinese else [f"{what}: {'; '.join(sides)}"]


def inlines_differ(english: Inline, chinese: Inline, *, cell: bool) -> Iterator[str]:
    """What has to be brought in step; a cell without Chinese is a quotation or a figure."""
    if cell and not HAN.search(chinese.text):
        yield from told("cell that is not translated", english.source, chinese.source)
        return
    yield from told("numbers", numbers(english.text), numbers(chinese.text))
    yield from told("names", names(english.text), names(chinese.text))
    yield from told("code", english.code, chinese.code)
    yield from told("links", english.links, chinese.links)
    if "\n" in chinese.text:
        yield "a line's end within Chinese is shown as a space: write a paragraph as one line"
    if "*" in chinese.text:
        yield "asterisks are shown: no punctuation before closing ones, or a space behind them"
    if left := SENTENCE.search(chinese.text):
        yield f'still English: "{left[0]}"'
    elif len(english.text.split()) > 1 and not HAN.search(chinese.text):
        yield "still English"


def blocks_differ(english: Part, chinese: Part) -> Iterator[tuple[int, int, str]]:
    """The first line of a code block that is another, comments of YAML left out."""
    shown = [
        COMMENT.sub("#", p.block) if p.kind == "yaml block" else p.block for p in (english, chinese)
    ]
    for n, (mine, yours) in enumerate(zip_longest(*(text.splitlines() for text in shown)), 1):
        if mine != yours:
            what = "code block, to be copied; the first other line"
            yield english.line + n, chinese.line + n, told(what, mine, yours)[0]
            return


def differences(english: str, chinese: str) -> list[str]:
    """Where README.zh.md has to follow and in what, a line for each."""
    pages = [without_link(parts(page)) for page in (english, chinese)]
    found: list[tuple[int, int, str]] = []
    for mine, yours in zip_longest(*pages):
        if mine is None or yours is None or mine.kind != yours.kind:
            at = [
                part.line if part else len(text.splitlines())
                for part, text in ((mine, english), (yours, chinese))
            ]
            kinds = [part and part.kind for part in (mine, yours)]
            found.append((at[0], at[1], told("from here on the parts differ", *kinds)[0]))
            break
        found += blocks_differ(mine, yours)
        cell = mine.kind.startswith("table")
        for one, other in zip(mine.inlines, yours.inlines, strict=False):
            found += [(one.line, other.line, x) for x in inlines_differ(one, other, cell=cell)]
    return [f"{ENGLISH}:{mine} → {CHINESE}:{yours}: {what}" for mine, yours, what in found]


def test_the_chinese_readme_follows_the_english_one() -> None:
    pages = [(ROOT / name).read_text(encoding="utf-8") for name in OTHER]
    found = differences(*pages)
    assert not found, f"bring {CHINESE} in step with {ENGLISH}:\n" + "\n".join(found)


@pytest.mark.parametrize("name", OTHER)
def test_each_readme_leads_to_the_other_below_its_title(name: str) -> None:
    title, link, *_ = parts((ROOT / name).read_text(encoding="utf-8"))
    assert title.kind == "h1 heading"
    assert link.inlines[0].links == (OTHER[name],)


PAGE = """# ragtune

In 6 min on two cores `rag` of SmolLM2 has [1,000 answers](docs/a.md).

- **right**: at most ten minutes.

| arm | right |
|---|---|
| the model | 53 |

```yaml
needs:
  watts: 60   # at the 95th percentile
```
"""
PAGE_ZH = """# ragtune

在两个核心上，SmolLM2 的 `rag` 用 6 分钟给出 [1,000 个回答](docs/a.md)。

- **right**：最多十分钟。

| 方案 | right |
|---|---|
| 模型 | 53 |

```yaml
needs:
  watts: 60   # 第 95 百分位
```
"""


def test_a_translation_in_step_has_no_differences() -> None:
    assert differences(PAGE, PAGE_ZH) == []


@pytest.mark.parametrize(
    ("before", "after", "told_of"),
    [
        ("6 min", "7 min", "README.md:3 → README.zh.md:3: numbers: README.md has 2, 7, 1000;"),
        ("two cores", "four cores", "README.md:3 → README.zh.md:3: numbers:"),
        ("ten minutes", "twenty minutes", "README.md:5 → README.zh.md:5: numbers:"),
        ("SmolLM2", "SmolLM3", "names: README.md has SmolLM3; README.zh.md has SmolLM2"),
        ("`rag`", "`tuned`", "code: README.md has tuned; README.zh.md has rag"),
        ("docs/a.md", "docs/b.md", "links: README.md has docs/b.md; README.zh.md has docs/a.md"),
        ("| 53 |", "| 54 |", "README.md:9 → README.zh.md:9: cell that is not translated:"),
        ("watts: 60", "watts: 61", "README.md:13 → README.zh.md:13: code block, to be copied;"),
        ("95th", "90th", "README.md:13 → README.zh.md:13: numbers: README.md has 90;"),
        ("  # at the 95th percentile", "", "code block, to be copied;"),
        (
            "\n\n- **right**",
            "\n\nNew.\n\n- **right**",
            "has paragraph; README.zh.md has bullet list's item",
        ),
        ("# ragtune", "## ragtune", "parts differ: README.md has h2 heading;"),
        ("| the model | 53 |\n", "", "README.md has table of 1 × 2;"),
    ],
)
def test_a_change_of_the_english_readme_is_told(before: str, after: str, told_of: str) -> None:
    assert before in PAGE
    found = differences(PAGE.replace(before, after), PAGE_ZH)
    assert told_of in found[0]


@pytest.mark.parametrize(
    ("before", "after", "told_of"),
    [
        ("在两个", "在\n两个", "write a paragraph as one line"),
        ("**right**：最多", "**right：**最多", "asterisks are shown"),
        ("最多十分钟。", "at most ten minutes.", "still English"),
        ("最多", "最多 what is left over here ", 'still English: "what is left over here"'),
    ],
)
def test_chinese_that_is_not_shown_well_is_told(before: str, after: str, told_of: str) -> None:
    assert before in PAGE_ZH
    (found,) = differences(PAGE, PAGE_ZH.replace(before, after))
    assert told_of in found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("一张表，第二个演示，两者都有", []),
        ("十二组、二十个、三十五行、两种，十分简单的十分钟", ["2", "10", "12", "20", "35"]),
        ("GPT-2 and transformers 4, 0.5 s of 1,000", ["4", "0.5", "1000"]),
        ("Six of twelve, one of those; twenty", ["6", "12", "20"]),
    ],
)
def test_numbers_are_read_in_both_languages(text: str, found: list[str]) -> None:
    assert numbers(text) == found
