"""A small HTTP server in a thread, for what a handful of programs asks: numbers of a process, the sample newsroom."""

from __future__ import annotations

import sys
import threading
from functools import partial
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class Server(ThreadingHTTPServer):
    """Answers while it is entered as a context, each request in a thread of its own.

    A caller that goes away in the middle is that caller's affair: nothing is printed for it. Any other fault is, as
    ``socketserver`` does.
    """

    def __enter__(self) -> Self:
        # It looks so often whether it shall stop, in seconds; with the half of one by default, each end waits for it.
        serve = partial(self.serve_forever, poll_interval=0.02)
        self._thread = threading.Thread(target=serve, name=f"server at {self.server_port}", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print a fault's traceback, unless the caller went away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
