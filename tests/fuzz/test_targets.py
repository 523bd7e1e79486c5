"""The fuzzers' targets hold on their seeds and on changes of them; ``make fuzz`` goes on from here for hours."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

FUZZ = Path(__file__).parents[2] / "fuzz"


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"fuzz_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


targets = load(FUZZ / "targets.py")
SIGNS = [
    b"<",
    b">",
    b"&",
    b'"',
    b"'",
    b"(",
    b")",
    b"*",
    b"~",
    b"^",
    b":",
    b"\\",
    b"\x00",
    b"\xff",
    b"\r\n",
    b"]]>",
    b"9" * 30,
]


def changed(seed: bytes, chance: random.Random) -> bytes:
    """A seed with a few pieces cut, doubled or replaced, as a fuzzer does it."""
    data = seed
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.randint(0, 12))
        piece = chance.choice([b"", data[start:end] * 2, chance.choice(SIGNS), chance.randbytes(2)])
        data = data[:start] + piece + data[end:]
    return data


@pytest.mark.parametrize("name", sorted(targets.TARGETS))
def test_nothing_that_a_stranger_writes_breaks_a_reader(name: str) -> None:
    read, chance = targets.TARGETS[name], random.Random(20261123)
    for seed in targets.seeds(name):
        read(seed)
        for _ in range(150):
            read(changed(seed, chance))


def test_the_seeds_reach_what_they_are_seeds_of() -> None:
    """A target whose seeds are all refused would fuzz nothing but the refusal."""
    feeds = [targets.parse_feed(seed, url=targets._URL, now=targets._NOW) for seed in targets.seeds("feed")]
    found = [entry.title for feed in feeds if isinstance(feed, targets.ParsedFeed) for entry in feed.entries]
    assert sorted(found) == ["L'Arctique", "NORAD & the Arctic", "One", "One"]
    mails = [targets._signed(seed) for seed in targets.seeds("mail")]
    kinds = [type(targets.read_returned(mail, targets._BOUNCES, targets._KEY)).__name__ for mail in mails]
    assert sorted(kinds) == ["Bounced", "Bounced", "Complained"]
    assert all(str(targets.parse_query(seed.decode())) for seed in targets.seeds("query"))
