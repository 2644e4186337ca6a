from ragtune.core.progress import Silent
from ragtune.core.run_folder import RunFolder
from ragtune.runs.open import recipe_of
from ragtune_cloud.study import study
from tests.cloud.study.conftest import MadeUp


def test_x(run: RunFolder, serving: MadeUp) -> None:
    found = study(serving, recipe_of(run.path), run, Silent())
    print({a: (f.right.mean, f.latency_ms) for a, f in found.arms.items()})
    print(found.full_size)
    print(found.recommendation.because, found.faults)
    assert 0
