"""A file of drafted questions to be reviewed."""

import json
from pathlib import Path
from typing import Any

KINDS = ("figure", "date", "name", "list")


def drafted(number: int, **other: Any) -> dict[str, Any]:
    evidence = f"Soup number {number} costs {number + 3} crowns."
    return {
        "instruction": f"What does soup number {number} cost?",
        "response": f"{number + 3} crowns",
        "context": f"The canteen opens at nine. {evidence} Bread is free.",
        "document": f"canteen-{number % 3}.md",
        "evidence": evidence,
        "group": f"{number:010}",
        "kind": KINDS[number % 4],
        "split": "test",
        "reviewed": False,
        "drafted": "smollm2-questions",
        **other,
    }


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
