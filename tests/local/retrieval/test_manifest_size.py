import json
from pathlib import Path

from ragtune.retrieval.manifest import FILE, FORMAT, Manifest


def test_the_manifest_is_on_one_line_so_that_it_is_written_at_once(tmp_path: Path) -> None:
    manifest = Manifest({"format": FORMAT}, created=True)
    for n in range(50):
        manifest.finish(f"a\nb{n}.md", f"{n:064x}", 2)
    manifest.save(tmp_path)
    text = (tmp_path / FILE).read_text(encoding="utf-8")
    assert text.count("\n") == 1
    assert json.loads(text)["points"] == 100
    assert Manifest.load(tmp_path) == manifest
