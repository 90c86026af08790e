"""The phone page: one phone for each line, side by side, in the browser; what happens on them as JSON."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tests.simulators.faults import Dice, Faults
from tests.simulators.ledger import Choice, Event, File, Written
from tests.simulators.lines import Line
from tests.simulators.twilio import Twilio

PAGE = Path(__file__).parent / "page"
LONGEST_POLL_SECONDS = 20.0
MOST_EVENTS = 20_000
MOST_FILES = 300
# A bad day at the providers: a tenth of the sending calls fails.
BAD_DAY = Faults(throttled=0.03, failing=0.02, silent=0.01, reset=0.02, html=0.01, lost=0.01, silence_seconds=6.0)


class Phones:
    """What every phone shows, in one row of events; and the way back to the lines."""

    def __init__(self, lines: Mapping[str, Line], names: Mapping[str, str], dice: Dice | None = None) -> None:
        self.lines = lines
        self.names = names
        """What each channel is carried by, for the page's titles."""
        self.numbers = {channel: line.new_number() for channel, line in lines.items()}
        self.dice = dice or Dice()
        self._events: deque[dict[str, Any]] = deque(maxlen=MOST_EVENTS)
        self._files: dict[str, File] = {}
        self._last = 0
        self._news = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        for ledger in {id(line.ledger): line.ledger for line in lines.values()}.values():
            ledger.listen(self._note)
        self.app = Starlette(
            routes=[
                Route("/", self._page),
                Route("/phones", self._phones),
                Route("/events", self._read_events),
                Route("/files/{file}", self._file),
                Route("/phones/{channel}/messages", self._write, methods=["POST"]),
                Route("/phones/{channel}/number", self._change_number, methods=["POST"]),
                Route("/phones/{channel}/day", self._day_passes, methods=["POST"]),
                Route("/weather", self._weather, methods=["POST"]),
                Mount("/page", StaticFiles(directory=PAGE)),
            ]
        )

    async def close(self) -> None:
        """Drop what is under way."""
        for task in self._tasks:
            task.cancel()
        for line in self.lines.values():
            await line.close()

    # ---- what happens

    def _note(self, event: Event) -> None:
        row: dict[str, Any] = {
            "what": event.what,
            "channel": event.channel,
            "number": event.address,
            "id": event.provider_id,
            "status": event.status,
            "code": event.code,
            "text": event.text,
            **event.details,
        }
        if event.message is not None:
            message = event.message
            row |= {
                "text": message.text,
                "kind": message.kind,
                "choices": [asdict(choice) for choice in message.choices],
                "label": message.label,
                "segments": message.segments,
                "encoding": message.encoding,
                "file": self._shown_file(message.file),
            }
        self._add(row)

    def _add(self, row: dict[str, Any]) -> None:
        self._last += 1
        self._events.append({"seq": self._last, "at": time.time()} | row)
        self._news.set()
        self._news = asyncio.Event()

    def _shown_file(self, file: File | None) -> dict[str, Any] | None:
        if file is None:
            return None
        name = f"{len(self._files)}-{self._last}"
        self._files[name] = file
        while len(self._files) > MOST_FILES:
            del self._files[next(iter(self._files))]
        return {"url": f"/files/{name}", "type": file.content_type, "name": file.filename, "size": len(file.data)}

    def transcript(self, channel: str, number: str) -> list[dict[str, Any]]:
        """Return what a phone shows, as events in order."""
        return [row for row in self._events if row["channel"] == channel and row["number"] == number]

    # ---- what the page asks

    async def _page(self, _request: Request) -> Response:
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    async def _phones(self, _request: Request) -> Response:
        rows = [{"channel": name, "number": self.numbers[name], "carrier": self.names[name]} for name in self.lines]
        return JSONResponse({"phones": rows, "bad_day": self.dice.faults == BAD_DAY})

    async def _read_events(self, request: Request) -> Response:
        """Give the events after a number at once, or the next one when there is none."""
        after = int(request.query_params.get("after") or 0)
        if after >= self._last and request.query_params.get("wait") != "no":
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), LONGEST_POLL_SECONDS)
        rows = [row for row in self._events if row["seq"] > after]
        return JSONResponse({"events": rows, "last": self._last})

    async def _file(self, request: Request) -> Response:
        file = self._files.get(request.path_params["file"])
        return Response(file.data, media_type=file.content_type) if file else Response(status_code=404)

    async def _write(self, request: Request) -> Response:
        channel = request.path_params["channel"]
        try:
            document = json.loads(await request.body())
            written, number = _written(document), document.get("number") or self.numbers[channel]
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            return JSONResponse({"error": str(error)}, 422)
        self.write(channel, number, written, document.get("as_number") or "")
        return JSONResponse({"number": number}, 202)

    def write(self, channel: str, number: str, written: Written, as_number: str = "") -> None:
        """Show what the owner does, and bring it to the bot; `as_number` is how the network writes the number."""
        row: dict[str, Any] = {"what": "owner", "channel": channel, "number": number, "text": written.text}
        if written.pressed is not None:
            row |= {"text": written.pressed.title, "pressed_on": written.pressed_on}
        if written.place is not None:
            row |= {"place": list(written.place)}
        self._add(row | {"file": self._shown_file(written.file)})
        task = asyncio.create_task(self._carry(channel, as_number or number, number, written))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, channel: str, sender: str, number: str, written: Written) -> None:
        try:
            await self.lines[channel].say(sender, written)
        except Exception as error:  # the page shows it, and the phones go on
            self._add({"what": "webhook", "channel": channel, "number": number, "status": "0", "code": repr(error)})

    async def _change_number(self, request: Request) -> Response:
        """Put another SIM into a phone: another owner."""
        channel = request.path_params["channel"]
        given = str(json.loads(await request.body() or b"{}").get("number") or "").strip()
        self.numbers[channel] = given or self.lines[channel].new_number()
        return JSONResponse({"number": self.numbers[channel]})

    async def _day_passes(self, request: Request) -> Response:
        """Let 24 hours pass for WhatsApp's window."""
        channel = request.path_params["channel"]
        twilio = getattr(self.lines[channel], "twilio", None)
        if not isinstance(twilio, Twilio):
            return JSONResponse({"error": "this channel has no window"}, 422)
        twilio.close_window(self.numbers[channel])
        self._add({"what": "note", "channel": channel, "number": self.numbers[channel], "text": "24 h"})
        return JSONResponse({})

    async def _weather(self, request: Request) -> Response:
        """Turn the faults of a bad day on or off."""
        bad = bool(json.loads(await request.body() or b"{}").get("bad"))
        self.dice.faults = BAD_DAY if bad else Faults()
        return JSONResponse({"bad_day": bad})


def _written(document: Mapping[str, Any]) -> Written:
    if document.get("pressed"):
        pressed = document["pressed"]
        return Written(
            pressed=Choice(str(pressed["id"]), str(pressed["title"]), str(pressed.get("description") or "")),
            pressed_on=str(pressed.get("on") or ""),
        )
    if document.get("file"):
        file = document["file"]
        data = base64.b64decode(file["data"], validate=True)
        return Written(str(document.get("text") or ""), file=File(str(file["type"]), str(file.get("name") or ""), data))
    if document.get("place"):
        latitude, longitude = document["place"]
        return Written(place=(float(latitude), float(longitude)))
    return Written(str(document["text"]))
