"""An installation for commands to work on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def install(started_folder: Path) -> Callable[[Path, pytest.MonkeyPatch], None]:
    """Puts an installation into a folder, in which commands then run."""

    def start(folder: Path, patch: pytest.MonkeyPatch) -> None:
        shutil.copytree(started_folder, folder / "data")
        patch.setenv("MONITOR_DATA_DIR", str(folder / "data"))
        patch.setenv("MONITOR_POLL_ALLOW_LOOPBACK", "true")
        patch.setenv("MONITOR_LOG_LEVEL", "error")
        patch.setenv("COLUMNS", "200")
        patch.chdir(folder)

    return start


@pytest.fixture
def installed(install: Callable[[Path, pytest.MonkeyPatch], None], tmp_path: Path) -> Iterator[Path]:
    """The folder of an installation with the shipped topics and sources, the test's own."""
    with pytest.MonkeyPatch.context() as patch:
        install(tmp_path, patch)
        yield tmp_path


@pytest.fixture(scope="module")
def shared(
    install: Callable[[Path, pytest.MonkeyPatch], None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The folder of an installation with the shipped topics and sources for all tests of a file."""
    folder = tmp_path_factory.mktemp("shared")
    with pytest.MonkeyPatch.context() as patch:
        install(folder, patch)
        yield folder
