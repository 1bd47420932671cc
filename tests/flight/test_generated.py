"""The checked-in protobuf code is what `scripts/generate` makes."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_generated_code_is_up_to_date(tmp_path):
    subprocess.run([sys.executable, ROOT / "scripts/generate", tmp_path], check=True)
    made = sorted(path for path in tmp_path.rglob("*.py*") if "__pycache__" not in path.parts)
    assert len(made) >= 9
    for path in made:
        checked_in = ROOT / path.relative_to(tmp_path)
        assert checked_in.read_text() == path.read_text(), f"run scripts/generate: {checked_in}"
