"""The section of a recipe that says where a promoted one runs."""

from typing import Annotated

from pydantic import Field, model_validator

from ragtune.recipe.section import Section


class Cloud(Section):
    """Where a promoted recipe runs; no part of its identity.

    Account numbers have no place here: role, bucket and keys go by name.
    """

    model_version: str | None = Field(None, description="JumpStart's; null: the newest known")
    region: str = "us-east-1"
    instance_type: str = "ml.g5.12xlarge"
    instance_count: Annotated[int, Field(ge=1)] = 1
    max_cost_usd: Annotated[float, Field(gt=0)] = Field(
        25.0, description="the job is stopped there"
    )
    prices: dict[str, Annotated[float, Field(gt=0)]] = Field(
        {},
        description="US dollars an hour by instance type, where the catalogue's are not yours or "
        "it has none of your region",
    )
    role: Annotated[str, Field(pattern=r"^[\w+=,.@/-]+$")] | None = Field(
        None, description="the name of the SageMaker execution role, with its path"
    )
    bedrock_role: Annotated[str, Field(pattern=r"^[\w+=,.@/-]+$")] | None = Field(
        None, description="the role that Bedrock reads the model with; null: role"
    )
    scheduler_role: Annotated[str, Field(pattern=r"^[\w+=,.@/-]+$")] | None = Field(
        None,
        description="by it EventBridge Scheduler deletes endpoints even if this machine dies",
    )
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")] | None = Field(
        None, description="null: SageMaker's own, sagemaker-REGION-ACCOUNT"
    )
    prefix: Annotated[str, Field(pattern=r"^[\w./-]*\w$")] = "ragtune"
    kms_key: Annotated[str, Field(pattern=r"^[\w/-]+$")] | None = Field(
        None, description="id or alias/NAME; null: S3's own encryption"
    )
    encrypt_traffic: bool = Field(True, description="between the job's containers")
    network_isolation: bool = Field(True, description="the container reaches no network")
    subnets: list[str] = Field([])
    security_groups: list[str] = Field([])
    spot: bool = Field(False, description="cheaper, but an interruption starts the job over")
    tags: dict[str, str] = Field({})

    @model_validator(mode="after")
    def _whole_vpc(self) -> "Cloud":
        if bool(self.subnets) != bool(self.security_groups):
            raise ValueError("subnets and security_groups go together")
        return self
