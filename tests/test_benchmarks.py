"""All benchmarks as one page; the benchmarks themselves are run by hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_what_each_prints_becomes_one_page(tmp_path: Path) -> None:
    shutil.copy(ROOT / "benchmarks" / "page.py", tmp_path)
    for name, program in (
        ("first", "print('ten feeds\\n\\n| a | b |\\n|--|--|\\n| 1 | 2 |\\nmet')"),
        ("second", "raise SystemExit(3)"),
        ("third", "print('| c |')"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.py").write_text(program)
    page = tmp_path / "out" / "page.md"
    done = subprocess.run([sys.executable, tmp_path / "page.py", "--out", page], capture_output=True, check=False)
    text = page.read_text(encoding="utf-8")
    assert done.returncode == 1, "one of them failed"
    assert "```text\nten feeds\n```\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\n```text\nmet\n```" in text
    assert "It failed with code 3 after" in text
    assert "| c |" in text, "the others go on"
    assert f"| Python | {sys.version.split()[0]} |" in text
    only = subprocess.run([sys.executable, tmp_path / "page.py", "--out", page, "third"], check=False)
    assert (only.returncode, "## first" in page.read_text()) == (0, False)
    assert (
        subprocess.run([sys.executable, tmp_path / "page.py", "none"], capture_output=True, check=False).returncode == 2
    )
