"""How a JumpStart model is served: the model of an endpoint as sagemaker 2 requests it.

The base model is JumpStart's own weights, or a model package that AWS sells them as; a tuned one
is what a job left, with the base model's image and environment.
"""

from dataclasses import dataclass
from typing import Any

from ragtune.core.errors import CloudError
from ragtune_cloud.sagemaker.variants import Variants, family

OWN_DISKS = ("g5", "g6", "p5", "trn1")
"""Instance families, besides those with a d in their name, that come with disks of their own."""


@dataclass(frozen=True)
class Draft:
    """A small model that speculative decoding draws its drafts from, in a channel of its own."""

    channel: str
    uri: str
    data_type: str
    compression: str
    licensed: bool

    def source(self, *, eula: bool) -> dict[str, Any]:
        """The additional data source of the container."""
        source: dict[str, Any] = {
            "S3Uri": self.uri,
            "S3DataType": self.data_type,
            "CompressionType": self.compression,
        }
        if self.licensed and eula:
            source["ModelAccessConfig"] = {"AcceptEula": True}
        return {"ChannelName": self.channel, "S3DataSource": source}


@dataclass(frozen=True)
class Serving:
    """What an endpoint of a model needs, for one region.

    ``config`` is the inference configuration that was laid over the spec, ``artefacts`` the S3
    address below which keys lie, ``key`` the base model's weights there. ``package`` is the ARN of
    a model package that takes the place of image and weights; ``drafts`` speed decoding up.
    Timeouts are in seconds, None where AWS's own hold.
    """

    config: str | None
    instances: tuple[str, ...]
    default_instance: str | None
    variants: Variants
    environment: dict[str, str]
    artefacts: str
    key: str | None
    key_property: str
    package: str | None
    drafts: tuple[Draft, ...]
    download_timeout: int | None
    startup_timeout: int | None
    volume_gb: int | None
    network_isolation: bool

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Serving":
        """The content of a spec file's part."""
        parts = {
            "instances": tuple(data["instances"]),
            "variants": Variants(data["variants"]["values"]),
            "drafts": tuple(Draft(**draft) for draft in data["drafts"]),
        }
        return cls(**{**data, **parts})

    def image(self, instance_type: str, model: str) -> str:
        """The image on an instance type; ``model`` names it in the error.

        Raises CloudError where there is none.
        """
        found = self.variants.value("image_uri", instance_type)
        if found is None:
            allowed = ", ".join(self.variants.having("image_uri")) or "none at all"
            raise CloudError(
                f"{instance_type}: {model} has no serving image for {family(instance_type)} "
                f"in this region; it has {allowed}"
            )
        return str(found)

    def environment_on(self, instance_type: str) -> dict[str, str]:
        """The container's environment on an instance type."""
        return {**self.environment, **self.variants.environment(instance_type)}

    def package_on(self, instance_type: str) -> str | None:
        """The model package of the base model on an instance type; None where it has none."""
        return self.variants.value("model_package_arn", instance_type) or self.package

    def weights(self, instance_type: str) -> str | None:
        """Where the base model's weights are, for an instance type; None where nowhere."""
        key = self.variants.value(self.key_property, instance_type) or self.key
        return self.artefacts + key if key else None

    def base(self, instance_type: str, model: str, *, eula: bool) -> dict[str, Any]:
        """The part of ``create_model`` for the base model; ``eula``: its licence was accepted.

        Raises CloudError where it has no image or no weights for the instance type.
        """
        if package := self.package_on(instance_type):
            return {"Containers": [{"ModelPackageName": package}]}
        weights = self.weights(instance_type)
        if weights is None:
            raise CloudError(f"{instance_type}: {model} has no weights to serve")
        access = {"ModelAccessConfig": {"AcceptEula": True}} if eula else {}
        return self._request(instance_type, model, weights, access=access, eula=eula)

    def tuned(self, instance_type: str, model: str, artefact: str, *, eula: bool) -> dict[str, Any]:
        """The part of ``create_model`` for what a job left: an archive, or a prefix with a slash.

        ``eula``: the licence of what is fetched besides was accepted.

        Raises CloudError where the model has no image for the instance type.
        """
        if not artefact.endswith((".tar.gz", "/")):
            artefact += "/"  # hosting insists on it
        return self._request(instance_type, model, artefact, access={}, eula=eula)

    def _request(
        self, instance_type: str, model: str, weights: str, *, access: dict[str, Any], eula: bool
    ) -> dict[str, Any]:
        container: dict[str, Any] = {
            "Image": self.image(instance_type, model),
            "Environment": self.environment_on(instance_type),
        }
        if weights.endswith("/"):
            source = {"S3Uri": weights, "S3DataType": "S3Prefix", "CompressionType": "None"}
            container["ModelDataSource"] = {"S3DataSource": {**source, **access}}
        else:
            container["ModelDataUrl"] = weights
        if self.drafts:
            container["AdditionalModelDataSources"] = [d.source(eula=eula) for d in self.drafts]
        request: dict[str, Any] = {"PrimaryContainer": container}
        if self.network_isolation:
            request["EnableNetworkIsolation"] = True
        return request

    def variant(self, name: str, instance_type: str) -> dict[str, Any]:
        """The one production variant of an endpoint configuration, for the model ``name``."""
        found = {
            "VariantName": "AllTraffic",
            "ModelName": name,
            "InstanceType": instance_type,
            "InitialInstanceCount": 1,
            "InitialVariantWeight": 1,
        }
        own = {
            "ModelDataDownloadTimeoutInSeconds": self.download_timeout,
            "ContainerStartupHealthCheckTimeoutInSeconds": self.startup_timeout,
            "VolumeSizeInGB": None if own_disks(instance_type) else self.volume_gb,
        }
        return {**found, **{name: value for name, value in own.items() if value is not None}}


def own_disks(instance_type: str) -> bool:
    """Whether an instance type comes with disks, so that no volume can be asked for."""
    name = family(instance_type)
    return "d" in name or name.startswith(OWN_DISKS)
