"""What JumpStart says of a model: hyperparameters with bounds, instances, images, artefacts.

A spec is a dated JSON file: one that ships in ``specs``, or the ``cloud/jumpstart.lock.json`` of a
run folder, which ``ragtune cloud resolve`` writes.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ragtune.core.errors import CloudError
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.sagemaker.serving import Serving
from ragtune_cloud.sagemaker.variants import Variants, family

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

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> "Hyperparameter":
        """A row of JumpStart's spec, or of a spec file."""
        return cls(
            row["name"],
            row["type"],
            str(row["default"]),
            row.get("min"),
            row.get("max"),
            tuple(row.get("options", ())),
        )

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
    """A model's training and serving, for one region; ``source`` says where it is from.

    ``hyperparameters`` and ``metrics`` hold for every instance type but for what ``training``
    says of one; ``artefact`` is the S3 address of the weights to start from, and ``channel`` says
    whether they go in a channel of the job. Where not, the container fetches ``gated``, or what
    ``training`` names for the instance type below ``gated_root``. ``licence`` is the address of
    the licence's text, ``unread`` names what of ``estimator_kwargs`` is not understood here,
    ``huggingface_id`` is the same model's name there.
    """

    model_id: str
    version: str
    region: str
    dated: str
    source: str
    hyperparameters: tuple[Hyperparameter, ...]
    container: dict[str, str]
    instances: tuple[str, ...]
    training: Variants
    channel: bool
    artefact_root: str
    artefact_key: str | None
    gated_root: str
    gated: str | None
    script_uri: str
    needs_eula: bool
    licence: str | None
    metrics: tuple[dict[str, str], ...]
    max_run: int
    volume_gb: int | None
    encrypt_traffic: bool
    network_isolation: bool
    compress_output: bool
    unread: tuple[str, ...]
    huggingface_id: str | None
    serving: Serving

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Spec":
        """The content of a spec file."""
        rows = tuple(Hyperparameter.from_json(row) for row in data["hyperparameters"])
        lists = {key: tuple(data[key]) for key in ("instances", "metrics", "unread")}
        training = Variants(data["training"]["values"])
        parts = {"hyperparameters": rows, "training": training}
        serving = Serving.from_json(data["serving"])
        return cls(**{**data, **lists, **parts, "serving": serving})

    def to_json(self) -> dict[str, Any]:
        """The content of a spec file; bounds that are not there are left out."""
        data = asdict(self)
        data["hyperparameters"] = [
            {k: v for k, v in row.items() if v not in (None, ())} for row in data["hyperparameters"]
        ]
        return data

    @property
    def is_live(self) -> bool:
        """Whether it was read from JumpStart itself, and not shipped."""
        return self.source.startswith("s3://")

    def image(self, instance_type: str) -> str:
        """The training image for an instance type.

        Raises CloudError where the model has none for it.
        """
        found = self.training.value("image_uri", instance_type)
        if found is None:
            raise self._lacks("training image", instance_type, self.training.having("image_uri"))
        return str(found)

    def gated_artefact(self, instance_type: str) -> str | None:
        """The gated weights that the container fetches itself; None where a channel has them.

        An instance type for which none is named takes those of the supported ones, if these all
        have the same.

        Raises CloudError where they have not.
        """
        if self.channel:
            return None
        if self.gated is not None:
            return self.gated
        found = self._gated_key(instance_type)
        if found is None:
            keys = {self._gated_key(one) for one in self.instances}
            if len(keys) != 1:
                having = [one for one in self.instances if self._gated_key(one)]
                raise self._lacks("training artefact", instance_type, having)
            (found,) = keys
        return None if found is None else self.gated_root + found

    def model_uri(self, instance_type: str) -> str | None:
        """The weights that go in a channel of the job; None where the container fetches them."""
        if not self.channel:
            return None
        key = (
            self.training.value("training_artifact_uri", instance_type)
            or self.training.value("training_artifact_key", instance_type)
            or self.artefact_key
        )
        return f"{self.artefact_root}{key}"

    def hyperparameters_on(self, instance_type: str) -> tuple[Hyperparameter, ...]:
        """The hyperparameters with the defaults and bounds of an instance type."""
        own = {row.name: row for row in self._rows_on(instance_type, "algorithm")}
        known = [own.pop(row.name, row) for row in self.hyperparameters]
        return (*known, *own.values())

    def container_on(self, instance_type: str) -> dict[str, str]:
        """The hyperparameters of the container itself, on an instance type."""
        own = {row.name: row.default for row in self._rows_on(instance_type, "container")}
        return {**self.container, **own}

    def metrics_on(self, instance_type: str) -> list[dict[str, str]]:
        """The metrics that are read from the log, on an instance type."""
        own = self.training.rows("metrics", instance_type, "Name")
        names = {row["Name"] for row in own}
        return [*(dict(row) for row in self.metrics if row["Name"] not in names), *own]

    def environment_on(self, instance_type: str) -> dict[str, str]:
        """What the model's spec sets in the container's environment on an instance type."""
        return self.training.environment(instance_type)

    def default_serving_instance(self, trained_on: str | None = None) -> str | None:
        """The instance type to serve on; a model tuned on some types has another."""
        special = trained_on and self.training.value("default_inference_instance_type", trained_on)
        return special or self.serving.default_instance

    def serving_instances(self, trained_on: str | None = None) -> tuple[str, ...]:
        """The instance types to serve on; a model tuned on some types has others."""
        if trained_on is not None:
            name = "supported_inference_instance_types"
            places = (trained_on, family(trained_on))
            special = {one for p in places for one in self.training.values.get(p, {}).get(name, [])}
            if special:
                return tuple(sorted(special))
        return self.serving.instances

    def _gated_key(self, instance_type: str) -> str | None:
        found = self.training.value("gated_model_key_env_var_value", instance_type)
        return None if found is None else str(found)

    def _rows_on(self, instance_type: str, scope: str) -> list[Hyperparameter]:
        rows = self.training.rows("hyperparameters", instance_type, "name")
        return [Hyperparameter.from_json(row) for row in rows if row.get("scope") == scope]

    def _lacks(self, what: str, instance_type: str, having: list[str]) -> CloudError:
        return CloudError(
            f"cloud.instance_type: {instance_type}: {self.model_id} {self.version} has no {what} "
            f"for {family(instance_type)}; allowed: {', '.join(having) or 'none at all'}"
        )


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


def _bound(value: float | None, missing: str) -> str:
    return missing if value is None else f"{value:g}"
