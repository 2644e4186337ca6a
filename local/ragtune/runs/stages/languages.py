"""What of a run does not know the language of its documents or questions."""

from collections.abc import Sequence
from pathlib import Path

from ragtune.core.files import write_json
from ragtune.core.run_folder import RunFolder
from ragtune.core.text.language import codes_of
from ragtune.recipe.schema import Recipe
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import parts


class Languages(Stage):
    """The languages of what is searched and asked, against those that embedder and model know."""

    name = "languages"
    fields: tuple[str, ...] = ()
    after = ("questions",)

    def __init__(self, recipe: Recipe) -> None:
        self.arms = tuple(recipe.arms)
        self.materials: tuple[str, ...] = ("server" if recipe.model.remote else "base",)
        self.searches = recipe.retrieves or recipe.searches_records
        if self.searches:
            self.fields = ("rag.language", "rag.search")
            self.materials = (*self.materials, "embedder")

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """One file."""
        return [folder.languages]

    def make(self, work: Work) -> None:
        """Compare them."""
        from ragtune.runs import languages

        rag = work.recipe.rag if self.searches else None
        found = languages.unknown(
            parts.questions(work),
            documents=codes_of(rag.language) if rag else [],
            search=rag.search if rag else "keyword",
            arms=self.arms,
            embedder=work.materials.embedder_languages if self.searches else None,
            model=work.materials.model_languages,
            tokenizer=work.materials.tokenizer,
        )
        write_json(work.out.languages, [fault.model_dump(mode="json") for fault in found])
