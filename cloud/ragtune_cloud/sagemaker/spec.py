"""What JumpStart says of a model: hyperparameters with bounds, instances, images, artefacts.

A spec is a dated JSON file: one that ships in ``specs``, or the ``cloud/jumpstart.lock.json`` of a
run folder, which ``ragtune cloud resolve`` writes.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragtune.core.errors import CloudError
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.folder import CloudFolder

SHIPPED = Path(__file__).parent / "specs"


@dataclass(frozen=True)
class Hyperparameter:
    """One hyperparameter: ``default`` as text, bounds where there are any."""

    name: str
    type: str
    default: str
    min: float | None = None
    max: float | None = None
    options: tuple[str, ...] = ()

    def fault(self, value: str) -> str | None:
        """What is wrong with a value, and what is allowed; None where it is good."""
        if self.options and value not in self.options:
            return f"{self.name}: {value}; allowed: {', '.join(self.options)}"
        if self.type not in {"int", "float"}:
            return None
        try:
            number = float(value)
        except ValueError:
            return f"{self.name}: {value}; allowed: a number"
        low = self.min is not None and number < self.min
        high = self.max is not None and number > self.max
        if not low and not high and (self.type == "float" or number == int(number)):
            return None
        span = f"{_bound(self.min, 'any')} to {_bound(self.max, 'any')}"
        return f"{self.name}: {value}; allowed: {self.type}, {span}"


@dataclass(frozen=True)
class Spec:
    """A model's training and hosting, for one region; ``source`` says where it is from.

    ``images``, ``gated`` and ``hosting["images"]`` are keyed by instance family (``g5``);
    ``environment`` and ``hosting["environment"]`` hold what is set for every instance under
    ``""`` and what one instance type or family adds under its name.
    """

    model_id: str
    version: str
    region: str
    dated: str
    source: str
    hyperparameters: tuple[Hyperparameter, ...]
    container: dict[str, str]
    instances: tuple[str, ...]
    images: dict[str, str]
    gated: dict[str, str]
    environment: dict[str, dict[str, str]]
    model_uri: str | None
    script_uri: str
    needs_eula: bool
    metrics: tuple[dict[str, str], ...]
    max_run: int
    volume_gb: int | None
    encrypt_traffic: bool
    network_isolation: bool
    hosting: dict[str, Any]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Spec":
        """The content of a spec file."""
        rows = [
            Hyperparameter(**{**row, "options": tuple(row.get("options", ()))})
            for row in data["hyperparameters"]
        ]
        lists = {key: tuple(data[key]) for key in ("instances", "metrics")}
        return cls(**{**data, **lists, "hyperparameters": tuple(rows)})

    @property
    def is_live(self) -> bool:
        """Whether it was read from JumpStart itself, and not shipped."""
        return self.source.startswith("s3://")

    def image(self, instance_type: str) -> str:
        """The training image for an instance type.

        Raises CloudError where the model has none for its family.
        """
        return _of_family(self.images, instance_type, self, "training image")

    def gated_artefact(self, instance_type: str) -> str | None:
        """The gated weights that the container fetches itself; None where a channel has them."""
        if not self.gated:
            return None
        return _of_family(self.gated, instance_type, self, "training artefact")

    def extra_environment(self, instance_type: str) -> dict[str, str]:
        """What the model's spec sets in the container's environment on an instance type."""
        found = self.environment
        return {
            name: value
            for key in ("", family(instance_type), instance_type)
            for name, value in found.get(key, {}).items()
        }


def family(instance_type: str) -> str:
    """``g5`` of ``ml.g5.12xlarge``."""
    parts = instance_type.split(".")
    return parts[1] if len(parts) == 3 else instance_type


def find(model_id: str, version: str | None, region: str, run: RunFolder) -> Spec | None:
    """The spec to promote by: the run's lock where it fits, else one that ships; or None.

    Raises CloudError where the run's lock is broken.
    """
    lock = CloudFolder(run).artefacts
    candidates = [*([lock] if lock.exists() else []), *sorted(SHIPPED.glob("*.json"))]
    for path in candidates:
        spec = read(path)
        fits = (spec.model_id, spec.region) == (model_id, region)
        if fits and version in {None, spec.version}:
            return spec
    return None


def read(path: Path) -> Spec:
    """Read a spec file.

    Raises CloudError where it is broken.
    """
    try:
        return Spec.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CloudError(
            f"{path}: not a model's spec: {error}; write it again with `ragtune cloud resolve`"
        ) from None


def _of_family(found: dict[str, str], instance_type: str, spec: Spec, what: str) -> str:
    try:
        return found[family(instance_type)]
    except KeyError:
        raise CloudError(
            f"cloud.instance_type: {instance_type}: {spec.model_id} {spec.version} has no {what} "
            f"for {family(instance_type)}; allowed: {', '.join(sorted(found))}"
        ) from None


def _bound(value: float | None, missing: str) -> str:
    return missing if value is None else f"{value:g}"
