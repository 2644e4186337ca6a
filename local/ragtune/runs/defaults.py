"""The values that a recipe leaves open, filled when it is read: it is concrete from then on.

In order of strength: what the recipe says; the model's defaults file; what follows from the records
(whether contexts are passages, the settings of tuning); the model's chat template, where it has one
and no defaults file; the schema. A recipe that names a JumpStart model keeps the form of its
container: no chat template, and of ``tune.local`` only what the recipe itself says.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ragtune.core.errors import RagtuneError
from ragtune.core.text.language import ENGLISH, named
from ragtune.models import find
from ragtune.models.defaults import has_chat_template, read_defaults
from ragtune.models.folder import Shape
from ragtune.recipe import file as recipe_file
from ragtune.recipe.records import Records
from ragtune.recipe.schema import Recipe
from ragtune.recipe.section import Section, written
from ragtune.recipe.tune import PROJECTIONS
from ragtune.results.rightness import unanswerable
from ragtune.runs import languages
from ragtune.runs.materials import prepare_records
from ragtune.sources.documents import CONTEXTS
from ragtune.sources.records import Record
from ragtune.tuning import schedule

PASSAGES_FIRST = "### Input:\n{context}\n\n### Instruction:\n{instruction}"
"""The prompt in the instruction form of a model of which nothing better is known."""
CHARACTERS = 4
"""About as many a token."""
OF_A_FORM = frozenset({"template.format", "template.prompt", "template.separator"})
"""A recipe that gives one of these has a form of its own."""
PROMOTED = (
    "because of model.jumpstart: tuning in the container's form, blocks of tokens and the loss on "
    "every token; whole rows with the loss on the answers learn more from few records"
)

Values = Mapping[str, Any]


def load(path: Path, overrides: tuple[str, ...] = ()) -> Recipe:
    """Read a recipe as ``recipe.file.load`` does, then fill in what it leaves open.

    Raises RecipeError with every fault; ModelError for a model that is not found, OfflineError
    where it would have to be downloaded and may not be.
    """
    return fill(recipe_file.load(path, overrides))


def fill(recipe: Recipe) -> Recipe:
    """The recipe with the best known values in the fields that it does not give itself.

    Where each of them is from is in its ``origins``. A recipe that gives every field, as that of
    a run folder does, stays as it is.

    Raises as ``load`` does.
    """
    return _Filling(recipe).done()


def own_form(recipe: Recipe) -> Values | None:
    """The fields of ``template`` as the model's defaults file gives them; None without one.

    Raises as ``load`` does.
    """
    if not recipe.model.here:
        return None
    given = read_defaults(find.model_card(recipe.model, recipe.path(""))[0])
    return None if given is None else _section(given, "template")


class _Filling:
    """A recipe on its way, filled layer by layer, the strongest first."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe, self.origins = recipe, dict[str, str]()
        self.promoted = recipe.model.jumpstart is not None

    def done(self) -> Recipe:
        """Fill every layer."""
        if not self.recipe.model.here:
            return self._at_a_server()
        folder, shape = find.model_card(self.recipe.model, self.recipe.path(""))
        known = read_defaults(folder)
        if known is not None:
            self.add(self._of_the_model(known), f"{Path(self.recipe.model.local).name}'s defaults")
        records = self._records()
        self._of_the_records(records)
        if records and self.recipe.adapters:
            self.add(self._tuning(records, shape), self._trained_on(records))
        self._language(records)
        self.add(*self._form(chat=known is None and has_chat_template(folder)))
        return self._with_origins()

    def _at_a_server(self) -> Recipe:
        """Fill what is known without the model: it is asked in its server's chat template."""
        records = self._records()
        self._of_the_records(records)
        self._language(records)
        self.add({"template.format": "chat"}, "model.engine: the server has the chat template")
        return self._with_origins()

    def _of_the_records(self, records: Sequence[Record]) -> None:
        if records and self.recipe.documents:
            self.add(*self._context(records))
            self.add(*self._without_gold(records))

    def _with_origins(self) -> Recipe:
        order = [name for name in written(self.recipe) if name in self.origins]
        return self.recipe.filled_from({name: self.origins[name] for name in order})

    def add(self, values: Values, origin: str) -> None:
        """Give the fields that nothing stronger gave."""
        given = written(self.recipe)
        new = {name: value for name, value in values.items() if name not in given}
        self.recipe = self.recipe.with_fields(new)
        self.origins |= dict.fromkeys(new, origin)

    def _of_the_model(self, known: Values) -> Values:
        """What of a defaults file can be used here.

        A template is one piece: a recipe with a form of its own takes nothing of it.
        """
        recipe, used = self.recipe, dict(known)
        own = written(recipe).keys()
        chat = known.get("template.format") == "chat"
        if OF_A_FORM & own or (chat and self.promoted):
            used = _without(used, "template")
        if self.promoted:
            used = _without(used, "tune.local")
        if not recipe.adapters:
            used = _without(used, "tune")
        if not (recipe.retrieves or recipe.searches_records):
            used = _without(used, "rag")
        return used

    def _records(self) -> list[Record]:
        """The training records; none where they cannot be read, which whoever needs them says."""
        try:
            return prepare_records(self.recipe).train
        except RagtuneError:
            return []

    def _context(self, records: Sequence[Record]) -> tuple[Values, str]:
        """What a record's context is, and how that is seen."""
        assert self.recipe.documents is not None
        if self.recipe.documents.source == CONTEXTS:
            return {"records.context": "passage"}, "documents.source"
        named = sum(bool(record.gold or record.evidence) for record in records)
        if 2 * named > len(records):
            return {"records.context": "passage"}, "records, which name their documents"
        return {"records.context": "input"}, "records, which name no documents"

    def _language(self, records: Sequence[Record]) -> None:
        """The documents' languages, and how they are searched where the embedder knows none."""
        recipe = self.recipe
        if not (recipe.retrieves or recipe.searches_records):
            return
        if written(recipe).get("rag.language", "auto") == "auto":
            found = languages.of_documents(recipe, records) or [ENGLISH]
            self.recipe = recipe.with_fields({"rag.language": ", ".join(found)})
            self.origins["rag.language"] = "a sample of the documents"
        codes = self.recipe.rag.languages
        origin = f"documents in {named(codes[:1])}, which the embedder does not know"
        self.add(languages.chosen_search(self.recipe, codes), origin)

    def _without_gold(self, records: Sequence[Record]) -> tuple[Values, str]:
        """No row loses its gold passage where some have none: they teach what to say then."""
        refusals = self.recipe.study.all_refusals
        count = sum(unanswerable(records, refusals))
        if not count or not any(map(self.recipe.trains_with_passages, self.recipe.adapters)):
            return {}, ""
        return {"records.without_gold": 0.0}, f"records, {count} of which have no answer"

    def _tuning(self, records: Sequence[Record], shape: Shape) -> Values:
        rag = self.recipe.rag
        passages = any(map(self.recipe.trains_with_passages, self.recipe.adapters))
        return schedule.choose(
            list(self._lengths(records)),
            hidden=shape.hidden,
            context=shape.context,
            promoted=self.promoted,
            passages=rag.top_k * rag.chunk_tokens if passages else 0,
            targets=self._targets(),
            given=written(self.recipe),
        ).values

    def _targets(self) -> Sequence[str]:
        """The linear layers of the model; none is looked up where the recipe names some."""
        if "tune.target_modules" in written(self.recipe):
            return PROJECTIONS
        return find.lora_targets(self.recipe.model, self.recipe.path(""))

    def _trained_on(self, records: Sequence[Record]) -> str:
        form = ", in the container's form" if self.promoted else ""
        return f"{len(records)} training records{form}"

    def _lengths(self, records: Sequence[Record]) -> Iterator[int]:
        """About how many tokens each record's training row has without passages."""
        recipe = self.recipe
        words = len(recipe.template.prompt) + len(recipe.template.separator)
        for record in records:
            own = len(record.context) if recipe.records.context == "input" else 0
            text = words + len(record.instruction) + own + len(record.response)
            yield text // CHARACTERS + 1

    def _form(self, *, chat: bool) -> tuple[Values, str]:
        """How a model is asked whose defaults say nothing of it."""
        given = written(self.recipe)
        if chat and not OF_A_FORM & given.keys() and not self.promoted:
            return {"template.format": "chat"}, "the model's chat template"
        if self.recipe.retrieves and given.get("template.format") != "chat":
            return {"template.prompt": PASSAGES_FIRST}, "ragtune: passages before the question"
        return {}, ""


def _section(values: Values, name: str) -> dict[str, Any]:
    return {field: value for field, value in values.items() if field.startswith(f"{name}.")}


def _without(values: Values, name: str) -> dict[str, Any]:
    return {field: value for field, value in values.items() if not field.startswith(f"{name}.")}


def summary(recipe: Recipe) -> list[str]:
    """What was filled in, for a person: for each origin the fields, where not as the schema has it.

    What a record's context is stands there in any case: nothing else changes an answer as much.
    """
    usual = _values(
        Recipe(name=recipe.name, records=Records(source="records"), documents=recipe.documents)
    )
    values = _values(recipe)
    found: dict[str, dict[str, None]] = {}
    for field, origin in recipe.origins.items():
        if values[field] != usual[field] or field == "records.context":
            found.setdefault(origin, {})[_shown(field, values[field])] = None
    lines = [f"from {origin}: {', '.join(shown)}" for origin, shown in found.items()]
    if recipe.left_out:
        lines.append(
            f"arms left out: {', '.join(recipe.left_out)}: a server tunes nothing; name its model "
            "for the arm in model.served where it has one"
        )
    if recipe.model.jumpstart and recipe.adapters and "tune.local.layout" not in written(recipe):
        lines.append(PROMOTED)
    return lines


def _values(section: Section) -> dict[str, Any]:
    """Every field of a section, dotted, with its value."""
    found: dict[str, Any] = {}
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Section):
            found |= {f"{name}.{inner}": one for inner, one in _values(value).items()}
        else:
            found[name] = value
    return found


def _shown(field: str, value: Any) -> str:
    if field.startswith("template.") and field != "template.format":
        return "template"  # its strings are long
    if field == "tune.target_modules":
        names = value.split(",")
        if {*names} <= {*PROJECTIONS}:
            value = f"{len(names)} of {len(PROJECTIONS)}"
    return f"{field} {value}"
