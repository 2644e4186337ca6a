"""What a JumpStart spec says of one instance type or one family of them.

The type itself comes before its family, as sagemaker 2 reads it
(``JumpStartInstanceTypeVariants``): single values are the type's, or else the family's;
environment variables are the family's, with the type's over them; metrics and hyperparameters of
one name are the type's.
"""

import re
from dataclasses import dataclass
from typing import Any

REGIONAL = ("image_uri", "model_package_arn")
"""Properties that name an alias, of which each region has its own value."""
_FAMILY = re.compile(r"ml[._]([a-z\d-]+)\.?\w*")


def family(instance_type: str) -> str:
    """``g5`` of ``ml.g5.12xlarge``; what has another form is its own family."""
    found = _FAMILY.fullmatch(instance_type)
    return found[1] if found else instance_type


@dataclass(frozen=True)
class Variants:
    """Properties by instance type (``ml.g5.12xlarge``) or family (``g5``), of one region."""

    values: dict[str, dict[str, Any]]

    @classmethod
    def of_region(cls, raw: dict[str, Any] | None, region: str) -> "Variants":
        """From a spec's ``..._instance_type_variants``; an alias without a value there is None."""
        raw = raw or {}
        regional = raw.get("regional_aliases")
        aliases = (regional or {}).get(region, {})
        return cls(
            {
                key: _properties(variant, aliases if regional else None)
                for key, variant in (raw.get("variants") or {}).items()
            }
        )

    def value(self, name: str, instance_type: str) -> Any:
        """A property's one value for an instance type; None where there is none."""
        for key in (instance_type, family(instance_type)):
            properties = self.values.get(key, {})
            if name in properties:
                return properties[name]
        return None

    def environment(self, instance_type: str) -> dict[str, str]:
        """The environment variables that are set on an instance type besides the usual ones."""
        return {
            name: str(value)
            for key in (family(instance_type), instance_type)
            for name, value in self.values.get(key, {}).get("environment_variables", {}).items()
        }

    def rows(self, name: str, instance_type: str, key: str) -> list[dict[str, Any]]:
        """A property that is a list of rows, the type's first; ``key`` tells rows apart."""
        found: dict[str, dict[str, Any]] = {}
        for place in (instance_type, family(instance_type)):
            for row in self.values.get(place, {}).get(name, []):
                found.setdefault(row[key], row)
        return list(found.values())

    def having(self, name: str) -> list[str]:
        """The instance types and families for which a property has a value, in order."""
        return sorted(key for key, properties in self.values.items() if properties.get(name))


def _properties(variant: dict[str, Any], aliases: dict[str, str] | None) -> dict[str, Any]:
    own = variant.get("properties") or {}
    # An empty value is none at all, but where only aliases count a direct value is not read.
    found = {
        name: value
        for name, value in own.items()
        if value and not (name in REGIONAL and aliases is not None)
    }
    for name in REGIONAL:
        alias = (variant.get("regional_properties") or {}).get(name)
        if alias is not None and aliases is not None:
            found[name] = aliases.get(alias[1:]) if alias.startswith("$") else None
    return found
