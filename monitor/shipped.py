"""Where the files that travel with the code lie: templates and the default config."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped(*parts: str) -> Path:
    """The path of a shipped file or folder, such as ``shipped("config", "topics.toml")``.

    A checkout holds them beside the package; a wheel carries them inside it, under ``_data``.
    """
    inside = _PACKAGE / "_data"
    return (inside if inside.is_dir() else _PACKAGE.parent).joinpath(*parts)
