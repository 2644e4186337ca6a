"""What to do about the known reasons why jobs and endpoints fail."""

KNOWN = (
    (("service limit", "resourcelimitexceeded", "quota"), "ask for a quota of this instance under "
     "Service Quotas, Amazon SageMaker"),
    (("eula", "jumpstart-private-cache", "accept_eula"), "the model's licence was not accepted for "
     "this artefact; submit with --accept-eula, and `ragtune cloud resolve RUN` first"),
    (("capacityerror", "insufficient", "capacity"), "AWS has none of these instances just now; try "
     "again later, or another cloud.region or cloud.instance_type"),
    (("out of memory", "outofmemory"), "the GPUs are too small: a smaller max_input_length or "
     "per_device_train_batch_size, or a larger instance"),
    (("template", "jsonl", "keyerror", "dataset", "no objects found"), "the data was not read: "
     "compare data/template.json with the rows of data/train.jsonl"),
    (("accessdenied", "access denied", "not authorized"), "the execution role may not do what the "
     "reason names; add the permission to the role, not to yourself"),
    (("maxruntime", "max runtime"), "raise cloud.max_cost_usd"),
    (("maxwaittime",), "there were no spot instances in time; cloud.spot: false waits for none"),
)  # fmt: skip
"""Words of a reason, in lower case, and the remedy; the first that fits is taken."""


def remedy(reason: str) -> str:
    """What to do about a failure; the log is where to look where nothing is known."""
    low = reason.lower()
    for words, what in KNOWN:
        if any(word in low for word in words):
            return what
    return "the job's log in CloudWatch says more (/aws/sagemaker/TrainingJobs)"
