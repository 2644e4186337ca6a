"""Reading a recipe: YAML with line numbers, overrides, and all its faults in one report."""

import difflib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from ragtune.core.errors import Fault, RecipeError
from ragtune.core.ordinary import other_than_a_file
from ragtune.core.secrets import hidden, is_revealing
from ragtune.core.text.shortening import shortened
from ragtune.recipe import notation
from ragtune.recipe.schema import Recipe
from ragtune.recipe.section import written

Location = tuple[str | int, ...]
_REQUIRED: dict[str, Any] = {"name": "part", "records": {"source": "part"}}
_KEY = "a URL with a key or a password in it, which a recipe does not hold: write it without"
_STUBS = frozenset({"name", "records.source"})
"""What every recipe must give, in the place of which a part gives nothing."""


def load(path: Path, overrides: tuple[str, ...] = ()) -> Recipe:
    """Read ``path``, apply overrides such as ``tune.epoch=2``, and fill in the defaults.

    Raises RecipeError with every fault: its file and line (or the override it came from), the
    field, what is wrong and what is allowed.
    """
    tree, lines = _parse(path)
    places = _places(path, lines)
    for override in overrides:
        _apply(tree, override, places)
    return _validated(tree, places, path).at(path.parent)


def load_part(path: Path, allowed: Sequence[str]) -> dict[str, Any]:
    """The fields of a file that holds a part of a recipe, dotted, with their values.

    ``allowed`` are the sections and fields that may be in it.

    Raises RecipeError as ``load`` does, and for what is not allowed.
    """
    tree, lines = _parse(path)
    places = _places(path, lines)
    others = [
        Fault(places[location], _dotted(location), f"not here; allowed: {', '.join(allowed)}")
        for location in lines
        if not any(_within(_dotted(location), name) for name in allowed)
    ]
    if others:
        raise RecipeError(others)
    part = _validated({**_REQUIRED, **tree}, places, path)
    return {field: value for field, value in written(part).items() if field not in _STUBS}


def dump(recipe: Recipe) -> str:
    """The filled recipe as YAML; reading it back gives an equal recipe."""
    return yaml.safe_dump(recipe.filled, sort_keys=False, allow_unicode=True, width=100)


def dump_with_origins(recipe: Recipe) -> str:
    """As ``dump``, with a comment behind each value that something else than the file gave."""
    text = dump(recipe)
    lines = text.splitlines()
    ends = {_dotted(at): line for at, line in _ends(yaml.compose(text, Loader=yaml.SafeLoader))}
    for field, origin in recipe.origins.items():
        lines[ends[field]] += f"  # {origin}"
    return "\n".join(lines) + "\n"


def _ends(node: yaml.Node | None, location: Location = ()) -> Iterator[tuple[Location, int]]:
    """Every scalar value's place, and the index of the line that it ends on."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _ends(value, (*location, str(key.value)))
    elif isinstance(node, yaml.ScalarNode):
        yield location, node.end_mark.line


def _places(path: Path, lines: Mapping[Location, int]) -> dict[Location, str]:
    return {location: f"{path}:{line}" for location, line in lines.items()}


def _validated(tree: dict[str, Any], places: dict[Location, str], path: Path) -> Recipe:
    if faults := [
        Fault(_place(location, places, f"{path}:1"), _dotted(location), _KEY)
        for location, value in _leaves(tree)
        if is_revealing(value)
    ]:
        raise RecipeError(sorted(faults, key=_by_line))
    try:
        return Recipe.model_validate(tree)
    except ValidationError as error:
        faults = [_fault(e, places, f"{path}:1") for e in error.errors()]
        raise RecipeError(sorted(faults, key=_by_line)) from None


def _within(field: str, name: str) -> bool:
    """Whether a field is in an allowed section, is one allowed, or leads to one."""
    return f"{field}.".startswith(f"{name}.") or f"{name}.".startswith(f"{field}.")


def _parse(path: Path) -> tuple[dict[str, Any], dict[Location, int]]:
    """The content of a YAML file, and the line of each key."""
    try:
        if kind := other_than_a_file(path):
            raise RecipeError(f"{path}: is {kind}; a recipe is a file of text")
        with path.open(encoding="utf-8") as file:
            text = file.read(notation.MOST_BYTES + 1)  # of more it says that it is too large
    except FileNotFoundError:
        raise RecipeError(f"{path}: no such recipe; `ragtune init` writes one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: cannot be read as a recipe: {error}") from None
    try:
        node, tree = notation.read(text)
    except notation.NotationError as error:
        raise RecipeError(f"{path}:{error.line}: not valid YAML: {error}") from None
    if not isinstance(tree, dict):
        raise RecipeError(f"{path}:1: a recipe is a mapping that begins with `name:`")
    lines: dict[Location, int] = {}
    faults = list(_walk(node, (), lines, str(path)))
    if faults:
        raise RecipeError(faults)
    if isinstance(form := tree.get("template"), str):  # so that one of its fields can be overridden
        tree["template"] = {"format": form}
    return tree, lines


def _walk(
    node: yaml.Node | None, location: Location, lines: dict[Location, int], file: str
) -> Iterator[Fault]:
    """Note the line of every key; yield a fault for each key written twice."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*location, str(key.value))
            line = key.start_mark.line + 1
            if here in lines:
                first = f"written twice, first on line {lines[here]}; keep one"
                yield Fault(f"{file}:{line}", _dotted(here), first)
            lines[here] = line
            yield from _walk(value, here, lines, file)
    elif isinstance(node, yaml.SequenceNode):
        for n, value in enumerate(node.value):
            lines[(*location, n)] = value.start_mark.line + 1
            yield from _walk(value, (*location, n), lines, file)


def _apply(tree: dict[str, Any], override: str, places: dict[Location, str]) -> None:
    """Set one dotted field in ``tree`` from ``field=value``; the value is read as YAML."""
    name, equals, text = override.partition("=")
    keys = tuple(name.strip().split("."))
    where = f"--set {shortened(hidden(override))}"
    if not equals or not all(keys) or len(keys) > notation.DEEPEST:
        raise RecipeError(f"{where}: write it as field=value, for example tune.epoch=2")
    try:
        value = notation.read(text)[1]
    except notation.NotationError as error:
        raise RecipeError(f"{where}: the value is not valid YAML: {error}") from None
    target = tree
    for key in keys[:-1]:
        if not isinstance(target.get(key), dict):
            target[key] = {}
        target = target[key]
    target[keys[-1]] = value
    places[keys] = where


def _fault(error: Any, places: dict[Location, str], top: str) -> Fault:
    location: Location = tuple(error["loc"])
    problem = _problem(error, location)
    return Fault(_place(location, places, top), _dotted(location) or "recipe", problem)


def _place(location: Location, places: dict[Location, str], top: str) -> str:
    """The line of a field, or of the nearest section that has one."""
    lengths = range(len(location), 0, -1)
    return next((places[location[:n]] for n in lengths if location[:n] in places), top)


def _leaves(tree: Any, location: Location = ()) -> Iterator[tuple[Location, str]]:
    """Every text of a recipe and where it stands."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, (*location, str(key)))
    elif isinstance(tree, list):
        for n, value in enumerate(tree):
            yield from _leaves(value, (*location, n))
    elif isinstance(tree, str):
        yield location, tree


def _problem(error: Any, location: Location) -> str:
    """Say in one clause what is wrong and what is allowed."""
    kind, got = error["type"], error.get("input")
    if kind == "extra_forbidden":
        known = _keys_beside(location)
        near = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"allowed: {', '.join(known)}"
        return f"unknown key; {hint}"
    if kind == "missing":
        field = _field_at(location)
        return f"missing; {field.description}" if field and field.description else "missing"
    message = error["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    message = shortened(message, 400)
    return message if kind == "value_error" else f"{message}, got {_short(got)}"


def _by_line(fault: Fault) -> tuple[str, int]:
    file, _, line = fault.where.rpartition(":")
    return (file, int(line)) if line.isdigit() else (fault.where, 0)


def _dotted(location: Location) -> str:
    return ".".join(shortened(str(part), 60) for part in location)


def _short(value: object) -> str:
    return shortened(hidden(repr(value)), 60)


def _keys_beside(location: Location) -> list[str]:
    section = _section(Recipe, location[:-1])
    return list(section.model_fields) if section else []


def _field_at(location: Location) -> Any:
    section = _section(Recipe, location[:-1])
    return section.model_fields.get(str(location[-1])) if section else None


def _section(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    for key in location:
        field = model.model_fields.get(str(key))
        annotation: Any = field.annotation if field else None
        options = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else ()
        inner = next(
            (o for o in (annotation, *options) if isinstance(o, type) and issubclass(o, BaseModel)),
            None,
        )
        if inner is None:
            return None
        model = inner
    return model
