"""The checks of a plan that need no account."""

from ragtune.core.errors import CloudError, RagtuneError
from ragtune.core.files import read_json, read_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.models.find import family_name
from ragtune.prompts.instruct import fields_of
from ragtune.recipe.schema import Recipe
from ragtune_cloud.gate import promoted
from ragtune_cloud.sagemaker import catalog, contract
from ragtune_cloud.sagemaker.cost import Cost
from ragtune_cloud.sagemaker.manifest import check_region
from ragtune_cloud.sagemaker.spec import Spec
from ragtune_cloud.target import FAILED, OK, UNCHECKED, WARNING, Finding

LLAMA = "llama"
"""The one type of model whose tuning here is the container's."""


def checks(
    recipe: Recipe, run: RunFolder, spec: Spec | None, cost: Cost, *, eula: bool
) -> dict[str, Finding]:
    """What needs no account, by name; ``eula`` says whether the model's licence is accepted.

    Raises RunError where the run has no data.
    """
    role = recipe.cloud.role
    return {
        "region": _region(recipe),
        "model": _model(recipe, spec),
        "instance": _instance(recipe, spec),
        "serving": _serving(recipe, spec),
        "hyperparameters": _bounds(recipe, spec),
        "data": _data(recipe, run),
        "licence": _licence(spec, eula),
        "cost": _cost(recipe, cost),
        "role": Finding(OK, role)
        if role
        else Finding(FAILED, "cloud.role is missing: name the SageMaker execution role"),
    }


def _region(recipe: Recipe) -> Finding:
    try:
        check_region(recipe.cloud.region)
    except CloudError as error:
        return Finding(FAILED, str(error))
    return Finding(OK, recipe.cloud.region)


def _model(recipe: Recipe, spec: Spec | None) -> Finding:
    wanted = recipe.model.jumpstart
    if against := _other_type(recipe):
        return Finding(FAILED, against)
    if spec is not None:
        told = f"{spec.model_id} {spec.version}, as of {spec.dated} from {spec.source}"
        if spec.unread:
            told += f"; its spec sets {', '.join(spec.unread)}, which is not in the request"
        return Finding(OK if spec.is_live and not spec.unread else WARNING, told)
    if wanted not in catalog.load()["models"]:
        return Finding(
            FAILED,
            f"model.jumpstart: {wanted}: not in the catalogue; see `ragtune cloud models`",
        )
    version = recipe.cloud.model_version or "newest"
    return Finding(
        FAILED,
        f"{wanted} {version} in {recipe.cloud.region}: its artefacts are not known here; "
        "`ragtune cloud resolve RUN` reads them from JumpStart",
    )


def _other_type(recipe: Recipe) -> str | None:
    """Why the model that was measured cannot be promoted; None where it can, or is not here."""
    try:
        kind = family_name(recipe.model, recipe.path(""))
    except RagtuneError:
        return None
    if kind == LLAMA:
        return None
    return (
        f"JumpStart trains Llama only; this recipe asks for {kind} ({recipe.model.local}): name a "
        "Llama in model.local"
    )


def _instance(recipe: Recipe, spec: Spec | None) -> Finding:
    instance = recipe.cloud.instance_type
    if spec is None:
        return Finding(UNCHECKED, f"whether the model supports {instance}: its spec is not at hand")
    if instance not in spec.instances:
        return Finding(
            FAILED,
            f"cloud.instance_type: {instance}: {spec.model_id} is not supported on it; "
            f"allowed: {', '.join(spec.instances)}",
        )
    if recipe.cloud.instance_count > 1:
        return Finding(
            WARNING,
            f"{recipe.cloud.instance_count} instances: in the published job each did the whole "
            "work, for the same losses and as many times the price; cloud.instance_count: 1",
        )
    return Finding(OK, f"1 x {instance}")


def _serving(recipe: Recipe, spec: Spec | None) -> Finding:
    """Whether both models could be served afterwards: training is paid before they are."""
    if spec is None:
        return Finding(UNCHECKED, "whether the model can be served: its spec is not at hand")
    cloud, name = recipe.cloud, f"{spec.model_id} {spec.version}"
    instance = spec.default_serving_instance(cloud.instance_type)
    allowed = spec.serving_instances(cloud.instance_type)
    other = "another cloud.model_version may have it: `ragtune cloud resolve RUN`"
    if instance is None or instance not in allowed:
        return Finding(FAILED, f"{name} is served on no instance type by default; {other}")
    try:
        spec.serving.tuned(instance, name, "s3://left/by/the/job/", eula=False)
        spec.serving.base(instance, name, eula=False)
    except CloudError as error:
        return Finding(FAILED, f"{error}; {other}")
    hourly = catalog.usd_per_hour(instance, region=cloud.region, prices=cloud.prices)
    if hourly is None:
        return Finding(WARNING, f"{instance}: {catalog.no_price(instance, cloud.region)}")
    return Finding(
        OK, f"{instance} at ${hourly:.2f} an hour each, ${24 * hourly:.2f} a day, queries or none"
    )


def _bounds(recipe: Recipe, spec: Spec | None) -> Finding:
    wrong = contract.faults(recipe, spec)
    if wrong:
        return Finding(FAILED, "; ".join(wrong))
    return Finding(OK, "within the model's bounds" if spec else "within the documented bounds")


def _data(recipe: Recipe, run: RunFolder) -> Finding:
    template = read_json(run.template)
    path = run.train_rows(promoted(recipe, run))
    rows = read_jsonl(path)
    wanted = fields_of(template["prompt"]) | fields_of(template["completion"])
    for number, row in enumerate(rows, 1):
        if missing := sorted(wanted - set(row)):
            return Finding(
                FAILED, f"{path.name} line {number} lacks {', '.join(missing)} of template.json"
            )
    return Finding(OK, f"{len(rows)} rows, each with the template's {', '.join(sorted(wanted))}")


def _licence(spec: Spec | None, eula: bool) -> Finding:
    if spec is not None and not spec.needs_eula:
        return Finding(OK, "the model has none to accept")
    where = f" ({spec.licence})" if spec and spec.licence else ""
    if eula:
        return Finding(OK, f"accepted with --accept-eula{where}")
    return Finding(FAILED, f"read the model's licence{where}, then accept it with --accept-eula")


def _cost(recipe: Recipe, cost: Cost) -> Finding:
    if cost.usd_high is None or cost.usd_ceiling is None:
        cloud = recipe.cloud
        if cost.usd_per_hour is None:
            return Finding(FAILED, catalog.no_price(cloud.instance_type, cloud.region))
        return Finding(
            FAILED,
            f"how long {cloud.instance_type} takes is not known: its GPUs, or the model's size, "
            "are not in the catalogue; see `ragtune cloud models`",
        )
    said = f"likely ${cost.usd_likely:.2f}, at most ${cost.usd_ceiling:.2f}"
    if cost.usd_likely is not None and cost.usd_likely > cost.usd_ceiling:
        return Finding(
            FAILED, f"{said}: the job would be stopped unfinished; raise cloud.max_cost_usd"
        )
    if cost.usd_high > cost.usd_ceiling:
        return Finding(
            WARNING, f"{said}: it may be stopped unfinished; consider a higher max_cost_usd"
        )
    return Finding(OK, said)
