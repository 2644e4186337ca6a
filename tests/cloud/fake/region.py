"""What SageMaker has in one region."""

from dataclasses import dataclass, field
from typing import Any

from tests.cloud.fake.cloud import ACCOUNT, Refused

KINDS = {"Model": "model", "EndpointConfig": "endpoint-config", "Endpoint": "endpoint"}


@dataclass
class Region:
    """What SageMaker has in a region; ``quota`` are its service quotas by name."""

    name: str
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    things: dict[str, dict[str, dict[str, Any]]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    quota: dict[str, float] = field(
        default_factory=lambda: {
            "ml.g5.12xlarge for training job usage": 2.0,
            "ml.g5.2xlarge for endpoint usage": 2.0,
        }
    )

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a thing."""
        return f"arn:aws:sagemaker:{self.name}:{ACCOUNT}:{kind}/{name}"

    def instances(self, kind: str) -> int:
        """Instances of a type that endpoints have, or are about to have."""
        variants = [
            self.things["EndpointConfig"][endpoint["EndpointConfigName"]]["ProductionVariants"]
            for endpoint in self.things["Endpoint"].values()
            if endpoint["status"] != "Failed"
        ]
        found = (v for group in variants for v in group if v["InstanceType"] == kind)
        return sum(v["InitialInstanceCount"] for v in found)


def check_quota(place: Region, usage: str, used: int, more: int) -> None:
    """Raise Refused where so many more instances are beyond the region's quota."""
    limit = place.quota.get(usage)
    if limit is not None and used + more > limit:
        raise Refused(
            "ResourceLimitExceeded",
            f"The account-level service limit '{usage}' is {limit:g} Instances, with current "
            f"utilization of {used} Instances and a request delta of {more} Instances. Please use "
            "AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is "
            f"not available, contact AWS support. ({ACCOUNT})",
        )
