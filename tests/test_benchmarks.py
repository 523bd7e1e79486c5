"""All benchmarks as one page; the benchmarks themselves are run by hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGETS = """
import sys
from pathlib import Path
sys.path.append(str(Path(__file__).parents[1]))
from targets import Target, tell_targets
tell_targets([Target("files an hour", 1234.4, 1000), Target("times", 2.5, 2, most=True)])
"""


def test_what_each_prints_becomes_one_page(tmp_path: Path) -> None:
    for name in ("page.py", "targets.py"):
        shutil.copy(ROOT / "benchmarks" / name, tmp_path)
    for name, program in (
        ("first", "print('ten feeds\\n\\n| a | b |\\n|--|--|\\n| 1 | 2 |\\nmet')"),
        ("second", "raise SystemExit(3)"),
        ("third", TARGETS),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.py").write_text(program)
    page = tmp_path / "out" / "page.md"
    done = subprocess.run([sys.executable, tmp_path / "page.py", "--out", page], capture_output=True, check=False)
    text = page.read_text(encoding="utf-8")
    assert done.returncode == 1, "one of them failed"
    assert "```text\nten feeds\n```\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\n```text\nmet\n```" in text
    assert "It failed with code 3 after" in text
    assert (
        "| third | files an hour | 1,234 | at least 1,000 | met |\n| third | times | 2.5 | at most 2 | missed |" in text
    )
    assert text.count("| files an hour |") == 2, "in the table of all, and in its own"
    assert f"| Python | {sys.version.split()[0]} |" in text
    only = subprocess.run([sys.executable, tmp_path / "page.py", "--out", page, "third"], check=False)
    assert (only.returncode, "## first" in page.read_text()) == (0, False)
    assert (
        subprocess.run([sys.executable, tmp_path / "page.py", "none"], capture_output=True, check=False).returncode == 2
    )
