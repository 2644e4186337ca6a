"""What every section of a recipe is."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A part of the recipe; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def written(section: Section) -> dict[str, Any]:
    """The fields that were given to a section, dotted, with their values, in its own order."""
    found: dict[str, Any] = {}
    for name in type(section).model_fields:
        if name not in section.model_fields_set:
            continue
        value = getattr(section, name)
        if isinstance(value, Section):
            found |= {f"{name}.{inner}": given for inner, given in written(value).items()}
        else:
            found[name] = value
    return found
