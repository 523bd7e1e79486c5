"""The wheel carries all it needs: installed into an empty venv, it starts from another folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


def test_templates_and_config_are_inside(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for shipped in (*ROOT.glob("templates/**/*.*"), *ROOT.glob("config/*.toml")):
        assert f"monitor/_data/{shipped.relative_to(ROOT)}" in names
    assert {"monitor/web/static/site.css", "monitor/store/migrations/env.py"} <= names
    assert not [name for name in names if name.startswith(("tests/", "docs/"))]


def test_installed_into_an_empty_venv_it_starts_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv")
    bin_ = tmp_path / "venv" / "bin"
    pip = [sys.executable, "-m", "pip", "--python", str(bin_ / "python"), "install", "--quiet"]
    install = [*pip, "--no-index", "--no-deps", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    # The libraries are those of the environment that runs the tests, so that no network is needed.
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    environment = {"PATH": os.environ["PATH"], "MONITOR_DATA_DIR": str(tmp_path / "data")}

    def run(*command: str) -> str:
        done = subprocess.run(
            [str(bin_ / command[0]), *command[1:]],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    assert str(site) in run("python", "-c", "import monitor; print(monitor.__file__)")
    assert len(json.loads(run("monitor", "source", "list", "--json"))) > 50
