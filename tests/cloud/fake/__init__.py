"""AWS services that moto lacks, or is too lenient with, behind botocore.

`Cloud` answers at the HTTP level, so botocore's own validation, retries and parsing are in play;
moto answers the rest. A further service is a subclass of `Service` (see ``scheduler.py``) that is
given to `Cloud.add`. The same object serves sessions of this process and, by ``server.py``, others.
"""

from tests.cloud.fake.cloud import ACCOUNT, REGION, Cloud, Refused, Service
from tests.cloud.fake.sagemaker import FakeSageMaker
from tests.cloud.fake.training import archive
from tests.cloud.fake.trap import Killed, Trap

__all__ = [
    "ACCOUNT",
    "REGION",
    "Cloud",
    "FakeSageMaker",
    "Killed",
    "Refused",
    "Service",
    "Trap",
    "archive",
]
