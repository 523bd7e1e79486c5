"""All active watches, compiled: what is true of an item, and where the evidence is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import overload

import numpy as np

from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.nouns import Document, Evidence, Watch
from monitor.core.text import content_hash
from monitor.errors import QueryError
from monitor.matching.evaluate import Test, compile_query
from monitor.matching.filed import Files
from monitor.matching.lexicon import Lexicon, Vocabulary
from monitor.matching.query import parse_query
from monitor.matching.reading import FIELDS, Batch, Reading
from monitor.texts import marked as _

MAX_EVIDENCE = 50
"""The most evidence that is kept of one watch in one item."""

_AT_ONCE = 1 << 18  # characters of the documents that are read together, and one document more
_LEAST = 1 << 10  # characters that the shortest documents count for


class WatchHit:
    """A watch that is true of an item."""

    def __init__(self, watch: Watch, test: Test, reading: Reading) -> None:
        self.watch = watch
        self._test = test
        self._reading = reading

    @cached_property
    def evidence(self) -> tuple[Evidence, ...]:
        """Where the words of the watch are: title first, in the order of the text, ``MAX_EVIDENCE`` at the most.

        A watch that only asked for attributes has the whole title as its evidence. Worked out when it is asked
        for: a backtest counts the hits of thousands of items and shows the evidence of a few.
        """
        reading, watch = self._reading, self.watch
        # Offsets are looked up of the first few places only: a text may name the term a hundred thousand times. A few
        # more than are kept, as two words that were one character (½) have one spot.
        places = sorted({(first, last, term) for term, first, last in self._test.found(reading)})[: 2 * MAX_EVIDENCE]
        spots = sorted({(*reading.spot(first, last), term) for first, last, term in places})
        title = reading.document.title
        if not spots and title:
            spots = [(0, 0, len(title), watch.query)]
        return tuple(
            Evidence(watch.key, watch.version, term, FIELDS[field], start, end)
            for field, start, end, term in spots[:MAX_EVIDENCE]
        )


class Hits(Sequence[WatchHit]):
    """The watches that are true of an item, in the order in which they were compiled.

    ``numbers`` are their positions among the watches of the watchlist; each hit is made when it is asked for.
    """

    def __init__(self, watchlist: Watchlist, numbers: Sequence[int], batch: Batch, item: int) -> None:
        self.numbers = numbers
        self._watchlist, self._batch, self._item = watchlist, batch, item

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> WatchHit: ...
    @overload
    def __getitem__(self, index: slice) -> list[WatchHit]: ...
    def __getitem__(self, index: int | slice) -> WatchHit | list[WatchHit]:
        if isinstance(index, slice):
            return [self._hit(number) for number in self.numbers[index]]
        return self._hit(self.numbers[index])

    def _hit(self, number: int) -> WatchHit:
        return WatchHit(self._watchlist.watches[number], self._watchlist.tests[number], self._reading)

    @cached_property
    def _reading(self) -> Reading:
        return Reading(self._batch, self._item)


class Watchlist:
    """Compiled watches; made by ``compile_watchlist``, never changed, safe to share between threads.

    ``version`` changes when a watch does; ``tests`` are the compiled queries of the watches.
    """

    def __init__(self, watches: Iterable[Watch]) -> None:
        self.watches = tuple(watches)
        self.version = content_hash(*sorted(map(repr, self.watches)))
        vocabulary = Vocabulary()
        self.tests = tuple(_compile(watch, vocabulary) for watch in self.watches)
        self._files = Files(self.watches, self.tests, vocabulary)
        self._lexicons = {language: Lexicon(vocabulary, (language, Language.ANY)) for language in READER_LANGUAGES}
        self._lexicons[Language.ANY] = Lexicon(vocabulary, tuple(Language))

    def match(self, document: Document) -> Hits:
        """The watches that are true of ``document``.

        An item is read by the watches of its language and those of any; one of unknown language by all.
        """
        return self._match([document])[0]

    def match_all(self, documents: Iterable[Document]) -> Iterator[Hits]:
        """Yield what ``match`` says of each document: many at once take a fraction of the time of one by one."""
        for batch in _batches(documents):
            yield from self._match(batch)

    def _match(self, documents: Sequence[Document]) -> list[Hits]:
        numbers: defaultdict[Language, list[int]] = defaultdict(list)
        for number, document in enumerate(documents):
            numbers[document.language or Language.ANY].append(number)
        hits: dict[int, Hits] = {}
        for language, of_language in numbers.items():
            batch = Batch([documents[number] for number in of_language], self._lexicons[language])
            hits.update(zip(of_language, self._hits(batch), strict=True))
        return [hits[number] for number in range(len(documents))]

    def _hits(self, batch: Batch) -> Iterator[Hits]:
        items, watches = self._files.true(batch)
        ends = items.searchsorted(np.arange(len(batch.documents) + 1)).tolist()
        numbers = watches.tolist()
        for item, (start, end) in enumerate(pairwise(ends)):
            yield Hits(self, numbers[start:end], batch, item)


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Cut documents into batches whose arrays fit into the processor's cache."""
    batch: list[Document] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += max(len(document.title) + len(document.summary) + len(document.body), _LEAST)
        if size > _AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def compile_watchlist(watches: Iterable[Watch]) -> Watchlist:
    """Compile watches for matching.

    Raises:
        QueryError: The query of a watch cannot be understood; the problem names the watch.
    """
    return Watchlist(watches)


def _compile(watch: Watch, vocabulary: Vocabulary) -> Test:
    try:
        return compile_query(parse_query(watch.query, watch.language), vocabulary)
    except QueryError as error:
        problem = _("%(watch)s: %(problem)s", watch=f"{watch.topic}/{watch.key}", problem=error.problem)
        raise QueryError(problem, error.position, error.remedy) from error
