"""What each process counts for Prometheus. What can be read from the rows is read from them: see ``store.standing``."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

POLLS = Counter("monitor_polls", "Visits to sources, by what came of them", ["outcome"])
ITEMS = Counter("monitor_items", "Items that visits brought: new ones, and changed ones", ["change"])
MATCHES = Counter("monitor_matches", "Matches of items with topics that were written")
DIGESTS_BUILT = Counter("monitor_digests_built", "Digests that were built")
MAILS = Counter(
    "monitor_mails", "Attempts at sending a mail, by kind and by the state it is in since", ["kind", "state"]
)
SMTP_SECONDS = Histogram(
    "monitor_smtp_seconds",
    "How long the mail server took for one mail",
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30),
)
TASK_SECONDS = Histogram(
    "monitor_task_seconds",
    "How long a task took over its rows",
    ["task"],
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300),
)
TASK_FAILURES = Counter("monitor_task_failures", "Tasks that ended with an error, by its kind", ["task", "error"])
TICKS = Counter("monitor_ticks", "Ticks of the schedule that this process fired", ["job"])
