"""The ranked configurations of a JumpStart spec, laid over it.

Newer specs keep what serving needs in ``inference_config_components``; a configuration names the
components that it is made of, ``inference_config_rankings.overall`` says which comes first.
sagemaker 2 lays the first over the spec before it reads images, environment and instances
(``JumpStartMetadataConfig.resolved_config``). It does so for serving only, and so does this.
"""

from typing import Any

RANKING = "overall"
KEPT = frozenset(
    {
        "model_id",
        "url",
        "version",
        "min_sdk_version",
        "deprecated",
        "deprecated_message",
        "deprecate_warn_message",
        "resource_name_base",
        "gated_bucket",
        "training_supported",
        "incremental_training_supported",
    }
)
"""Fields that no component changes (the SDK's ``OVERRIDING_DENY_LIST``)."""


def first_config(raw: dict[str, Any]) -> str | None:
    """The name of the configuration that is served by default; None where the spec has none.

    Without a ranking it is the first by name.
    """
    configs = raw.get("inference_configs") or {}
    ranking = (raw.get("inference_config_rankings") or {}).get(RANKING)
    ranked = ranking["rankings"] if ranking else sorted(configs)
    return next((name for name in ranked if name in configs), None)


def as_served(raw: dict[str, Any]) -> dict[str, Any]:
    """The spec with the components of its first configuration laid over it."""
    name = first_config(raw)
    if name is None:
        return raw
    served = raw
    components = raw.get("inference_config_components") or {}
    for component in raw["inference_configs"][name].get("component_names") or []:
        over = {k: v for k, v in components.get(component, {}).items() if k not in KEPT}
        served = laid_over(served, over)
    if served.get("hosting_model_package_arns"):  # a package brings its own environment
        served = {**served, "inference_environment_variables": []}
    return served


def laid_over(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    """``base`` with the values of ``top``; dictionaries are merged, lists are replaced."""
    merged = dict(base)
    for name, value in top.items():
        below = merged.get(name)
        if isinstance(value, dict) and value and isinstance(below, dict):
            merged[name] = laid_over(below, value)
        else:
            merged[name] = value
    return merged
