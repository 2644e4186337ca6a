"""A service of one region whose operations are methods with the parameters as their arguments."""

from typing import Any

from botocore import xform_name

from tests.cloud.fake import wire
from tests.cloud.fake.cloud import Service


class Adapted(Service[None]):
    """A method has the name that AWS gives the operation, and takes its members by their names."""

    def state(self, region: str) -> None:
        """The state is the object's own."""

    def __getattr__(self, name: str) -> Any:
        """The operation that boto3 calls by that name."""
        for service in type(self).names:
            for operation in wire.model(service).operation_names:
                if xform_name(operation) == name:
                    method = object.__getattribute__(self, operation)
                    return lambda state, asked: method(**asked)
        raise AttributeError(name)
