"""A year on a virtual clock: hosts have their rest, and nothing is missed that visits at six hours would have seen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "polling" / "year.py"


@pytest.mark.skipif(not PROGRAM.exists(), reason="the benchmarks are not part of this copy")
def test_a_simulated_year_misses_nothing_and_burdens_nobody() -> None:
    command = [sys.executable, str(PROGRAM), "--sources", "10", "--days", "365", "--json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(answer.stdout)
    assert found["sources that six-hourly visits suit"] > 0
    assert found["missed of those"] == 0
    assert found["missed"] <= found["missed by visits at 0, 6, 12 and 18 h"]
    assert found["shortest rest of a host, s"] >= 2
    assert found["requests per source and day, mean"] < 8
    assert found["entries published"] > 1000
    assert answer.returncode == 0, answer.stderr
