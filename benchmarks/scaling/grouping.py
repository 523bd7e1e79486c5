"""Stories in a rush of news that is all alike: what it costs to tell whether an item is told elsewhere.

Two thousand items come in batches, as matching hands them on: copies of one text, and texts after one template.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from monitor.core.languages import Language
from monitor.polling.stories import Telling, find_stories

BATCH = 100
_MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
_TEXT = (
    "The President declared that a disaster exists in the State of {0} and ordered Federal aid to supplement recovery "
    "efforts in the area affected by storms. Funding is available to people in the counties of {1}, {2} and {3}. "
    "Assistance can include grants for temporary housing. "
) * 10


def tell_grouping(counts: list[int]) -> None:
    """A line for each number of items; times are of the processor."""
    print(f"\n{'items':>12}  copies of one text   after one template   (an item)")
    for count in counts:
        copies = _each(count, lambda _: ("Ohio", "Adams", "Clark", "Darke"))
        template = _each(count, lambda chance: [f"Name{chance.randrange(9_999)}" for _ in range(4)])
        print(f"{count:>12,}  {copies:15.2f} ms   {template:15.2f} ms", flush=True)


def _each(count: int, names: Callable[[random.Random], Sequence[str]]) -> float:
    """Milliseconds for an item of which so many come within three days."""
    chance = random.Random(1)
    known: list[Telling] = []
    started = time.process_time()
    for first in range(0, count, BATCH):
        batch = [_telling(n, names(chance), count) for n in range(first, min(count, first + BATCH))]
        stories = find_stories([*known, *batch], [item.item_id for item in batch])
        story_of = {item_id: story.first for story in stories for item_id in story.item_ids}
        known = [replace(item, story_id=story_of.get(item.item_id)) for item in (*known, *batch)]
    return 1000 * (time.process_time() - started) / count


def _telling(number: int, names: Sequence[str], count: int) -> Telling:
    at = _MONDAY + number * timedelta(days=3) / count
    url = f"https://a.example.gov/{number}"
    return Telling(number, url, f"Disaster declared in {names[0]}", _TEXT.format(*names), Language.EN, at)
