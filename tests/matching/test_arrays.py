"""Lists and dictionaries in arrays hold what lists and dictionaries hold."""

from __future__ import annotations

import random

import numpy as np
import pytest

from monitor.matching.arrays import Dictionary, Lists, changes, spread


def numbers(*values: int) -> np.ndarray:
    return np.array(values, np.intp)


def test_ranges_are_spread_and_changes_are_found() -> None:
    assert spread(numbers(5, 9, 2), numbers(2, 3, 0)).tolist() == [5, 6, 9, 10, 11]
    assert spread(numbers(), numbers()).tolist() == []
    assert changes(numbers(0, 0, 3, 3, 1, 0)).tolist() == [True, False, True, False, True, True]


def test_lists_grow_and_keep_what_they_hold() -> None:
    lists = Lists([[3, 4], []])
    assert lists.extend([[5], [], [6, 7, 8]]) == range(2, 5)
    assert lists.extend([]) == range(5, 5)
    assert lists.extend([[number] * 3 for number in range(100)]) == range(5, 105)
    assert len(lists) == 105
    values, counts = lists.gather(numbers(4, 0, 1, 104, 2))
    assert values.tolist() == [6, 7, 8, 3, 4, 99, 99, 99, 5]
    assert counts.tolist() == [3, 2, 0, 3, 1]


LAST = 2**64 - 1
RANDOM = random.Random(8)
KEYS = {
    "that want the first place": list(range(5)),
    "that want the last place": list(range(LAST - 4, LAST + 1)),
    "that want one place each": list(range(0, 2**64, 2**55)),
    "that are many": [RANDOM.getrandbits(64) for _ in range(3_000)],
}


@pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS)
def test_a_dictionary_finds_what_was_added_to_it_and_nothing_else(keys: list[int]) -> None:
    dictionary = Dictionary()
    known: list[int] = []
    for added in keys[:2], keys[2:3], keys[3:]:
        dictionary.add(np.array(added, np.uint64), [[key % 1_000, 7] for key in added])
        known += added
        found = dictionary.find(np.array(known, np.uint64))
        assert found.tolist() == list(range(len(known)))
        assert dictionary.lists.gather(found)[0].tolist() == [value for key in known for value in (key % 1_000, 7)]
        others = [key + 11 if key < 2**63 else key - 11 for key in known]
        assert set(dictionary.find(np.array(others, np.uint64)).tolist()) == {-1}
