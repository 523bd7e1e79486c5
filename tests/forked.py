"""Run a program in a process that was forked from one in which the service is loaded: loading it takes seconds.

``runpy.run_path`` calls this with a global ``asked``: ``program`` (its path), ``arguments``, ``environment``, and
``log`` (the path of the file that takes all of its output).
"""

from __future__ import annotations

import os
import runpy
import sys
from typing import Any

asked: dict[str, Any] = globals()["asked"]

os.environ.clear()
os.environ.update(asked["environment"])
os.chdir(asked["log"].parent)
output = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
os.dup2(output, 1)
os.dup2(output, 2)
sys.argv = [str(asked["program"]), *asked["arguments"]]
runpy.run_path(sys.argv[0], run_name="__main__")
