import os
import subprocess
import sys

from ragtune.core.run_folder import RunFolder
from ragtune_cloud.sagemaker.names import masked

WITHOUT = """
import sys
sys.modules["boto3"] = sys.modules["botocore"] = None
from ragtune.cli.app import main
main()
"""


def without_boto3(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *map(str, arguments)],
        env={**os.environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_the_extra_a_plan_is_made_and_submitting_says_what_is_missing(
    run: RunFolder,
) -> None:
    planned = without_boto3("promote", run)
    assert planned.returncode == 0, planned.stderr
    assert "nothing was sent or spent" in planned.stdout
    refused = without_boto3("promote", run, "--submit", "--accept-eula")
    assert (refused.returncode, refused.stderr) == (
        7,
        "error: boto3 is missing; install ragtune[cloud]\n",
    )


def test_what_is_secret_is_masked() -> None:
    text = (
        "arn:aws:iam::123456789012:role/x of 123456789012 with AKIAABCDEFGHIJKLMNOP at "
        "https://b.s3.amazonaws.com/k?X-Amz-Credential=a&X-Amz-Signature=b"
    )
    assert masked(text, "123456789012") == (
        "arn:aws:iam::<account>:role/x of <account> with <access key> at "
        "https://b.s3.amazonaws.com/k?<signature>"
    )
    assert masked("sagemaker-us-east-1-999999999999/a1b2 of 2026") == (
        "sagemaker-us-east-1-<account>/a1b2 of 2026"
    )
    assert masked("arn:aws:iam::999999999999:role/x") == "arn:aws:iam::<account>:role/x"
