"""Fuzz one target: ``python fuzz/run.py feed -max_total_time=60``. ``make fuzz`` runs all of them.

Atheris, which is coverage-guided, changes the seeds and keeps what reaches new code in ``fuzz/corpus/NAME``, so that
the next run begins where this one ended. Options that begin with a dash are libFuzzer's. What makes a target raise is
written to ``fuzz/corpus/NAME-crash-…``: put it into the target's tests before you mend the code.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["monitor", "flufl"]):
    from targets import TARGETS, seeds

CORPUS = Path(__file__).parent / "corpus"


def main() -> None:
    """Run until the time is over or something is found."""
    name, *options = sys.argv[1:]
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds(name):
        (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    fixed = [f"-artifact_prefix={CORPUS}/{name}-", "-max_len=8192", "-timeout=30", "-rss_limit_mb=2048"]
    atheris.Setup([sys.argv[0], *fixed, *options, str(folder)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
