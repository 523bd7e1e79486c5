"""A feed with two items, on loopback: copied into the workers, since theirs is the only network it may be asked on."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer

TEXT = "NORAD ministers announce new over-the-horizon radar sites for continental defence. " * 30
FEED = f"""<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Test news</title>
<link>http://127.0.0.1:9000/</link><language>en</language>
<item><guid>1</guid><title>NORAD radar sites announced</title><link>http://127.0.0.1:9000/1</link>
<description>{TEXT}</description></item>
<item><guid>2</guid><title>NORAD modernization funded</title><link>http://127.0.0.1:9000/2</link>
<description>{TEXT} Again.</description></item></channel></rss>"""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path == "/feed"
        body = FEED.encode() if found else b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


HTTPServer(("127.0.0.1", 9000), Handler).serve_forever()
