"""Gold documents that do not exist, and evidence that is in none of them.

A question whose gold document is missing, or whose evidence cannot be found in it, says nothing
about retrieval: no search could find it.
"""

import difflib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from ragtune.sources.plain import letters, spellings
from ragtune.sources.records import Record

COMPARED = 20
"""So many unknown names are compared with all known ones."""


@dataclass(frozen=True)
class UnknownName:
    """A gold name that matches no document, in so many records.

    ``left_out`` is why a file of that name is no document; ``nearest`` the most similar name of
    one. Either is empty where there is none.
    """

    name: str
    records: int
    left_out: str = ""
    nearest: str = ""


@dataclass(frozen=True)
class AbsentEvidence:
    """A record, by its place, whose evidence is not in its gold document.

    ``elsewhere`` is the document that has it; empty where none has, or where it was not looked for.
    """

    record: int
    document: str
    evidence: str
    elsewhere: str = ""


def unknown_names(
    records: Sequence[Record], known: Collection[str], left_out: Mapping[str, str]
) -> list[UnknownName]:
    """The gold names that are no document's, in the order of their first use.

    Names are compared as they are written: paths in the folder of documents. ``left_out`` are the
    files that are no documents, with the reason.
    """
    names = Counter(
        name for record in records for name in dict.fromkeys(record.gold) if name not in known
    )
    return [
        UnknownName(
            name,
            count,
            left_out.get(name, ""),
            nearest(name, known) if n < COMPARED and name not in left_out else "",
        )
        for n, (name, count) in enumerate(names.items())
    ]


def nearest(name: str, known: Collection[str]) -> str:
    """The most similar of the known names: the same file elsewhere first; empty where none is."""
    wanted = PurePosixPath(name.replace("\\", "/").casefold()).name
    same_file = [one for one in known if PurePosixPath(one.casefold()).name == wanted]
    for names in (same_file, sorted(known)):
        if found := difflib.get_close_matches(
            name, names, n=1, cutoff=0 if names is same_file else 0.6
        ):
            return found[0]
    return ""


def is_known(record: Record, known: Collection[str]) -> bool:
    """Whether one of the record's gold documents exists; True where it names none."""
    return not record.gold or any(name in known for name in record.gold)


def absent_evidence(
    records: Sequence[Record], known: Collection[str], read: Callable[[str], str]
) -> list[AbsentEvidence]:
    """The records whose evidence is in none of their gold documents that exist.

    ``read`` gives the whole text of a document by its name; each is read once. Case, punctuation
    and spacing do not count.
    """
    texts: dict[str, str] = {}
    found = []
    for place, record in enumerate(records):
        golds = [name for name in record.gold if name in known]
        evidence = letters(record.evidence)
        if not evidence or not golds:
            continue
        for name in golds:
            if name not in texts:
                texts[name] = spellings(read(name))
        if not any(evidence in texts[name] for name in golds):
            found.append(AbsentEvidence(place, golds[0], record.evidence))
    return found
