"""An endpoint's deletion on the server's side, whatever happens to this machine.

EventBridge Scheduler calls DeleteEndpoint once, at the time when the endpoint's life is over, and
then deletes the schedule. It needs a role, ``cloud.scheduler_role``, that it may assume and that
may call ``sagemaker:DeleteEndpoint``.
"""

import datetime
import json

from ragtune_cloud.sagemaker.account import Account, aws_errors, code_of

KIND = "schedule"
RETRIES = 185
"""The most that a schedule may have: an endpoint that is being created is not deleted at once."""
HOURS = 24
"""How long it tries."""


def create(account: Account, name: str, role: str, delete_by: datetime.datetime) -> None:
    """Let an endpoint of that name be deleted then; a schedule that is there already is replaced.

    Raises CloudError where AWS refuses, for example because Scheduler may not assume the role.
    """
    delete(account, name)
    at = delete_by.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    with aws_errors(account.id):
        account.client("scheduler").create_schedule(
            Name=name,
            ScheduleExpression=f"at({at})",
            ScheduleExpressionTimezone="UTC",
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            Description="ragtune: deletes this endpoint if nobody did so before",
            Target={
                "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint",
                "RoleArn": f"arn:aws:iam::{account.id}:role/{role}",
                "Input": json.dumps({"EndpointName": name}),
                "RetryPolicy": {
                    "MaximumRetryAttempts": RETRIES,
                    "MaximumEventAgeInSeconds": HOURS * 3600,
                },
            },
        )


def delete(account: Account, name: str) -> None:
    """Delete a schedule; nothing happens where there is none.

    Raises CloudError where AWS refuses.
    """
    from botocore.exceptions import ClientError

    with aws_errors(account.known_id):
        try:
            account.client("scheduler").delete_schedule(Name=name)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
