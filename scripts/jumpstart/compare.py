"""Hold what ragtune would send to AWS against what sagemaker 2 sends, field for field.

Each model is trained on every instance type that its spec supports, and served on every one, the
base model and, on the default, what a job left. Every difference is listed with its reason; one
without a reason is a failure. The SDK's requests for the invented specs, and digests of those for
real ones, are kept in ``tests/data/jumpstart``, so that the test suite compares without the SDK.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ragtune.core.files import digest, write_json
from ragtune_cloud.sagemaker.request import GATED
from scripts.jumpstart import cases
from scripts.jumpstart.cases import ACCOUNT, REASONS, REGION, Case
from scripts.jumpstart.forms import read_specs

DATA = Path(__file__).resolve().parents[2] / "tests" / "data" / "jumpstart"
INVENTED = [
    ("meta-textgeneration-llama-2-7b", "3.0.0", 2),
    ("meta-textgeneration-llama-3-2-1b", "1.3.0", 1),
]
"""Models, versions and numbers of instances, on ml.g5.12xlarge."""
NO_TELEMETRY = """SchemaVersion: "1.0"
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
"""


def main() -> int:
    """Compare each case; 0 when every difference has its reason."""
    python, folder = sys.argv[1], Path(sys.argv[2])
    unexplained = _invented(python)
    if folder.is_dir():
        unexplained += _real(python, folder)
    else:
        print(f"{folder}: no real specs there, so only the invented ones were compared")
    print(f"{unexplained} unexplained differences")
    return min(unexplained, 1)


def _invented(python: str) -> int:
    unexplained = 0
    for model, version, count in INVENTED:
        path = DATA / "community_models_specs" / model / f"specs_v{version}.json"
        raw = json.loads(path.read_text(encoding="utf-8"))
        with tempfile.TemporaryDirectory() as folder:
            case = cases.training(
                f"{model} {version} (invented)", raw, "ml.g5.12xlarge", count, Path(folder)
            )
            (theirs,) = _theirs(python, [raw], [case])
        write_json(DATA / "captured" / f"{model}.json", theirs["CreateTrainingJob"])
        unexplained += _compared(case, theirs)
    return unexplained


def _real(python: str, folder: Path) -> int:
    specs = read_specs(folder)
    kept: dict[str, Any] = {}
    unexplained = 0
    with tempfile.TemporaryDirectory() as work:
        made = [
            case for name, raw in specs.items() for case in _cases(name, raw, Path(work) / name)
        ]
        theirs = _theirs(python, list(specs.values()), made)
    for case, sent in zip(made, theirs, strict=True):
        unexplained += _compared(case, sent)
        kept[case.name] = _digests(sent)
    kinds = [next(iter(case.ours), "refused") for case in made]
    told = ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))
    print(f"{len(specs)} real specs, {len(made)} cases: {told}")
    write_json(DATA / "sdk.json", {"sagemaker": "2.257.7", "digests": kept})
    return unexplained


def _cases(name: str, raw: dict[str, Any], folder: Path) -> list[Case]:
    trained = raw["supported_training_instance_types"]
    made = [cases.training(name, raw, one, 1, folder / one) for one in trained]
    if trained:
        default = raw["default_training_instance_type"]
        made.append(cases.tuned(name, raw, default, folder / "tuned"))
    served = raw["supported_inference_instance_types"]
    return [*made, *(cases.serving(name, raw, one) for one in served)]


def _digests(sent: dict[str, Any]) -> dict[str, str]:
    """Of the SDK's requests, for the operations that a case compares."""
    if _lacking_weights(sent):
        return {}
    found = {name: digest(content) for name, content in cases.comparable(sent).items()}
    if "CreateTrainingJob" in sent and not found:
        found["CreateTrainingJob"] = digest(cases.alike(sent["CreateTrainingJob"]))
    return found


def _compared(case: Case, theirs: dict[str, Any]) -> int:
    """Print the differences of a case; how many have no reason."""
    if case.error is not None or "error" in theirs:
        there = theirs.get("error") or _lacking_weights(theirs)
        print(f"{case.name}: here {case.error}; there {there or 'a request: UNEXPLAINED'}")
        return 0 if case.error is not None and there is not None else 1
    unexplained = 0
    lines = []
    for field, left, right in _differences(case, theirs):
        reason = next((r for name, r in REASONS.items() if field.startswith(name)), None)
        unexplained += reason is None
        lines.append(f"  {field}: {left} here, {right} there: {reason or 'UNEXPLAINED'}")
    told = f"{unexplained} unexplained, {len(lines) - unexplained} explained differences"
    print("\n".join([f"{case.name}: {told}", *lines]), flush=True)
    return unexplained


def _lacking_weights(theirs: dict[str, Any]) -> str | None:
    """That the SDK asks for a job without weights to start from, which it only warns of."""
    request = theirs.get("CreateTrainingJob")
    if request is None or GATED in request.get("Environment", {}):
        return None
    if any(channel["ChannelName"] == "model" for channel in request["InputDataConfig"]):
        return None
    return "a job without weights, which would fail once it is paid"


def _differences(case: Case, theirs: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    if "CreateTrainingJob" in case.ours:
        ours = case.ours["CreateTrainingJob"]
        return list(cases.differences(ours, theirs["CreateTrainingJob"]))
    return list(cases.differences(cases.comparable(case.ours), cases.comparable(theirs)))


def _theirs(python: str, specs: list[dict[str, Any]], made: list[Case]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        settings, asked = Path(folder) / "sagemaker.yaml", Path(folder) / "asked.json"
        settings.write_text(NO_TELEMETRY, encoding="utf-8")
        write_json(
            asked,
            {
                "region": REGION,
                "account": ACCOUNT,
                "specs": specs,
                "cases": [case.asked for case in made],
                "no_telemetry": str(settings),
            },
        )
        sent = Path(folder) / "sent.json"
        command = [python, str(Path(__file__).with_name("capture.py")), str(asked), str(sent)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(
                f"the SDK's requests could not be captured:\n{done.stdout}{done.stderr}"
            )
        found: list[dict[str, Any]] = json.loads(sent.read_text(encoding="utf-8"))
        return found


if __name__ == "__main__":
    raise SystemExit(main())
