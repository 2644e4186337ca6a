from pathlib import Path

import boto3
import pytest
from botocore import UNSIGNED

from ragtune.core.errors import CloudError
from ragtune_cloud.sagemaker import manifest
from tests.cloud.fake import REGION
from tests.cloud.made_up import LLAMA


def test_the_manifest_is_read_without_credentials(
    aws: boto3.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    s3 = manifest.public_client(REGION)
    headers = []
    s3.meta.events.register("before-send.s3", lambda request, **_: headers.append(request.headers))
    found = manifest.resolve(s3, LLAMA, None, REGION)
    assert found.version == "3.0.0"
    assert found.is_live
    assert s3.meta.config.signature_version is UNSIGNED
    assert headers
    assert not [h for h in headers if "Authorization" in h]


def test_a_region_without_jumpstart_and_one_that_is_none_are_refused(aws: boto3.Session) -> None:
    with pytest.raises(CloudError, match=r"^cloud\.region: eu-south-1: JumpStart is not there"):
        manifest.resolve(manifest.public_client("eu-south-1"), LLAMA, None, "eu-south-1")
    with pytest.raises(CloudError, match=r"us-est-1: SageMaker is in no such region"):
        manifest.public_client("us-est-1")


def test_what_the_manifest_lacks_is_named_with_what_it_has(aws: boto3.Session) -> None:
    s3 = manifest.public_client(REGION)
    with pytest.raises(CloudError, match=r"cloud\.model_version: 9\.9\.9: .* has 2\.1\.8, 3\.0\.0"):
        manifest.resolve(s3, LLAMA, "9.9.9", REGION)
    with pytest.raises(CloudError, match="not in JumpStart's manifest of us-east-1; it has meta-"):
        manifest.resolve(s3, "meta-textgeneration-llama-9", None, REGION)
