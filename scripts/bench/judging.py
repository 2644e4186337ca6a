"""How often `right` agrees with a person's marks, by kind, and how fast it is.

Rows are JSON lines of ``references``, ``answer`` and ``right`` (the mark), with ``kind``,
``question`` and ``refusals`` where they have them.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ragtune.results.metrics.judgement import Judgement
from ragtune.results.metrics.right import judged


def judgement(row: Mapping[str, Any]) -> Judgement:
    """What the judge says of one row."""
    return judged(
        row["answer"],
        row["references"],
        question=row.get("question", ""),
        refusals=row.get("refusals", ()),
        labels=row.get("labels", ()),
    )


def report(rows: Sequence[Mapping[str, Any]]) -> str:
    """The agreement in all and by kind, each disagreement, and the answers judged a second."""
    start = time.perf_counter()
    verdicts = [judgement(row) for row in rows]
    seconds = time.perf_counter() - start
    agree = [(v is Judgement.RIGHT) == row["right"] for row, v in zip(rows, verdicts, strict=True)]
    kinds = Counter(row.get("kind", "all") for row in rows)
    hits = Counter(row.get("kind", "all") for row, same in zip(rows, agree, strict=True) if same)
    lines = [f"{sum(agree)} of {len(rows)} agree", ""]
    lines += [f"{hits[kind]:4} of {count:<4} {kind}" for kind, count in kinds.items()]
    for row, found, same in zip(rows, verdicts, agree, strict=True):
        if not same:
            mark = "right" if row["right"] else "wrong"
            lines += [
                "",
                f"marked {mark}, judged {found.value!r} ({row.get('kind', 'all')})",
                f"  question    {row.get('question', '')}",
                f"  references  {json.dumps(row['references'], ensure_ascii=False)}",
                f"  answer      {json.dumps(row['answer'], ensure_ascii=False)}",
            ]
    lines += ["", f"{len(rows) / max(seconds, 1e-9):,.0f} answers a second"]
    return "\n".join(lines)


def main() -> None:
    """Print the report of one file."""
    parser = argparse.ArgumentParser(prog="scripts/bench/judge", description=__doc__)
    parser.add_argument("file", type=Path, help="JSON lines of references, answer, right")
    lines = parser.parse_args().file.read_text(encoding="utf-8").splitlines()
    print(report([json.loads(line) for line in lines if line.strip()]))


if __name__ == "__main__":
    main()
