"""Build the documentation site: ``docs/`` and the pages at the root of the tree, as one folder of HTML.

A page of ours is read in two places, in the source tree and on the site. In the tree a link may lead to any file; on
the site there are only pages. So the pages are staged first: a link to a root page leads to that page's place on the
site, and a link to any other file of the tree becomes the name of that file. Zensical then checks the rest, anchors
included.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CONFIG = ROOT / "zensical.toml"
ROOT_PAGES = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security.md"}
"""Pages whose place in the tree is its root, by habit of those who look for them, and their names on the site."""

_LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
_OUTSIDE = re.compile(r"https?:|mailto:")
# What a browser fetches by itself; a link that a person may follow is another matter.
_FETCHED = re.compile(
    r"<(?:script|img|iframe)\b[^>]*\bsrc=\"?(https?:[^\"\s>]+)|<link\b[^>]*rel=\"?stylesheet[^>]*https?:"
)


def staged(page: Path, place: Path) -> str:
    """The text of a page of the tree as it stands at ``place`` on the site."""

    def mended(link: re.Match[str]) -> str:
        if _OUTSIDE.match(link["target"]):
            return link[0]
        target = (page.parent / link["target"]).resolve()
        if target.is_relative_to(DOCS):
            there = target.relative_to(DOCS)
        elif str(target.relative_to(ROOT)) in ROOT_PAGES:
            there = Path(ROOT_PAGES[str(target.relative_to(ROOT))])
        else:
            name = str(target.relative_to(ROOT))
            return f"`{name}`" if link["text"].strip("`") == name else f"{link['text']} (`{name}`)"
        return f"[{link['text']}]({os.path.relpath(there, place.parent)}{link['anchor'] or ''})"

    return _LINK.sub(mended, page.read_text(encoding="utf-8"))


def pages() -> dict[Path, Path]:
    """Where each page of the tree stands on the site."""
    below = {page: page.relative_to(DOCS) for page in sorted(DOCS.rglob("*.md"))}
    return below | {ROOT / name: Path(place) for name, place in ROOT_PAGES.items()}


def left_out() -> list[str]:
    """The pages that the navigation of the site does not name."""
    navigation = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["project"]["nav"]
    return sorted({str(place) for place in pages().values()} - set(_named(navigation)))


def _named(navigation: object) -> Iterator[str]:
    if isinstance(navigation, str):
        yield navigation
    elif isinstance(navigation, list | dict):
        for part in navigation.values() if isinstance(navigation, dict) else navigation:
            yield from _named(part)


def stage(folder: Path) -> None:
    """Write all pages and pictures into ``folder``, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DOCS, folder, ignore=shutil.ignore_patterns("*.md"))
    for page, place in pages().items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(staged(page, place), encoding="utf-8")


def fetched_from_elsewhere(site: Path) -> list[str]:
    """What the built pages would have a browser fetch from another host: there must be none of it."""
    return [
        f"{page.relative_to(site)}: {found[0]}"
        for page in sorted(site.rglob("*.html"))
        for found in _FETCHED.finditer(page.read_text(encoding="utf-8"))
    ]


def main() -> int:
    """Stage, build, check; the exit code."""
    if missing := left_out():
        print(f"Not in the navigation of zensical.toml: {', '.join(missing)}. Add a line for each.", file=sys.stderr)
        return 1
    stage(ROOT / "build" / "docs")
    builder = [str(Path(sys.executable).with_name("zensical")), "build", "--clean", "--strict"]
    if code := subprocess.run([*builder, "--config-file", str(CONFIG)], check=False).returncode:
        return code
    foreign = fetched_from_elsewhere(ROOT / "build" / "site")
    print("\n".join(foreign) or "The site is in build/site/index.html.")
    return 1 if foreign else 0


if __name__ == "__main__":
    sys.exit(main())
