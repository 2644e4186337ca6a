"""The AWS account: clients that retry, and its errors as one line with a remedy.

Nothing here sends anything by itself; the first call is made by who asks a client for something.
"""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ragtune.core.errors import CloudError
from ragtune_cloud.sagemaker.names import masked

ATTEMPTS = 8
"""Tries of one call, with growing pauses, while AWS throttles or the line is bad."""
CONNECTIONS = 64
"""Of one client at once: as many questions as a study asks together, and some."""
REMEDIES = {
    "ExpiredToken": "the credentials have expired; sign in again, for example `aws sso login`",
    "ExpiredTokenException": "the credentials have expired; sign in again, for example "
    "`aws sso login`",
    "RequestExpired": "the credentials have expired, or this machine's clock is wrong",
    "InvalidClientTokenId": "AWS does not know these credentials; sign in again",
    "UnrecognizedClientException": "AWS does not know these credentials; sign in again",
    "SignatureDoesNotMatch": "the secret key does not fit its access key; sign in again",
    "AccessDenied": "these credentials may not do that; ask for the permission it names",
    "AccessDeniedException": "these credentials may not do that; ask for the permission it names",
    "ResourceLimitExceeded": "the account's quota is used up or zero; ask for more under Service "
    "Quotas, Amazon SageMaker, in this region",
    "ThrottlingException": "AWS throttles this account; try again in a few minutes",
}
"""What to do about an error code."""


class Unreachable(CloudError):
    """AWS cannot be reached just now; a job goes on without us."""


class Refusal(CloudError):
    """AWS was reached and refused; ``code`` is its error code."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code

    @property
    def expired(self) -> bool:
        """Whether the credentials are valid no more."""
        return self.code in {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}


class Account:
    """An AWS account in one region, by the credentials of the environment or a named profile."""

    def __init__(self, region: str, profile: str | None = None) -> None:
        """Raises CloudError where boto3 is missing or has no such profile."""
        try:
            import boto3
            import botocore.exceptions
        except ImportError:
            raise CloudError("boto3 is missing; install ragtune[cloud]") from None
        self.region, self._making = region, threading.Lock()
        try:
            self.session = boto3.Session(profile_name=profile, region_name=region)
        except botocore.exceptions.ProfileNotFound as error:
            raise CloudError(
                f"--profile {profile}: {error}; see `aws configure list-profiles`"
            ) from None

    def client(self, service: str) -> Any:
        """The client of a service, of use in many threads; what is throttled is tried again."""
        with self._making:  # making one is not safe in threads
            return self._client(service)

    @functools.cache  # noqa: B019 - an account lives as long as its command
    def _client(self, service: str) -> Any:
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            connect_timeout=10,
            read_timeout=60,
            max_pool_connections=CONNECTIONS,
        )
        return self.session.client(service, config=config)

    @functools.cached_property
    def id(self) -> str:
        """The account's number; never to be printed or written."""
        with aws_errors():
            return str(self.client("sts").get_caller_identity()["Account"])

    @property
    def known_id(self) -> str | None:
        """The account's number where AWS was asked for it already; for masking."""
        return self.__dict__.get("id")

    def expect(self, account: str | None) -> None:
        """Raise CloudError where the credentials are another account's than was said."""
        if account is not None and account != self.id:
            raise CloudError(
                "the credentials are not of the account given with --account; choose another "
                "--profile, or sign in to that account"
            )


@contextmanager
def aws_errors(account: str | None = None) -> Iterator[None]:
    """Turn what botocore raises into a CloudError with a remedy and nothing secret in it."""
    import botocore.exceptions as aws

    try:
        yield
    except (aws.NoCredentialsError, aws.PartialCredentialsError):
        raise CloudError(
            "no AWS credentials; sign in with `aws configure` or `aws sso login`, or name a "
            "--profile"
        ) from None
    except aws.ClientError as error:
        raise _client_error(error, account) from None
    except (aws.SSOError, aws.TokenRetrievalError):
        raise Refusal(
            "the sign-in has expired; sign in again with `aws sso login`", "ExpiredToken"
        ) from None
    except (aws.ConnectionError, aws.HTTPClientError) as error:
        raise Unreachable(f"AWS cannot be reached: {masked(str(error), account)}") from None
    except (aws.ParamValidationError, aws.BotoCoreError) as error:
        raise CloudError(f"the request is not valid: {masked(str(error), account)}") from None


def code_of(error: Any) -> str:
    """The error code of a botocore ClientError."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _client_error(error: Any, account: str | None) -> Refusal:
    code, message = code_of(error), error.response.get("Error", {}).get("Message", "")
    remedy = REMEDIES.get(code, "see the message")
    what = masked(" ".join(str(message).split()), account)
    return Refusal(f"AWS refused {error.operation_name}: {code}: {what}; {remedy}", code)
