"""A mail server that keeps every mail in memory, and tells them as one JSON list over HTTP."""

from __future__ import annotations

import asyncio
import json

mails: list[str] = []


async def smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    def answer(line: str) -> None:
        writer.write(f"{line}\r\n".encode())

    answer("220 mailbox")
    while line := (await reader.readline()).decode("utf-8", "replace").strip():
        word = line[:4].upper()
        if word == "DATA":
            answer("354 go on")
            text = await reader.readuntil(b"\r\n.\r\n")
            mails.append(text.decode("utf-8", "replace"))
        answer("221 bye" if word == "QUIT" else "250 mailbox" if word == "EHLO" else "250 ok")
        await writer.drain()
        if word == "QUIT":
            break
    writer.close()


async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    body = json.dumps(mails).encode()
    writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + body)
    await writer.drain()
    writer.close()


async def main() -> None:
    servers = [await asyncio.start_server(smtp, "0.0.0.0", 1025), await asyncio.start_server(http, "0.0.0.0", 8025)]
    await asyncio.gather(*(server.serve_forever() for server in servers))


asyncio.run(main())
