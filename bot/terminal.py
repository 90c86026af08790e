"""A conversation in the terminal with the running bot, over the same API as the web page."""

from __future__ import annotations

import secrets
from typing import Any

import httpx
from rich.console import Console

WAIT_SECONDS = 60.0


def talk(address: str, conversation: str | None) -> int:
    """Read lines and print replies until end of input; return the exit code."""
    console = Console(highlight=False)
    conversation = conversation or f"terminal-{secrets.token_hex(16)}"
    console.print(f"[dim]{address} · conversation {conversation} · Ctrl-D ends[/dim]")
    offers: list[dict[str, Any]] = []
    sent: dict[str, str] = {"choice": "greet"}
    while True:
        try:
            messages = _send(address, conversation, sent)
        except httpx.HTTPError as error:
            console.print(f"[red]the bot does not answer at {address}: {type(error).__name__}[/red]")
            return 1
        offers = _show(console, address, messages) or offers
        try:
            line = console.input("[bold]> [/bold]").strip()
        except (EOFError, KeyboardInterrupt):
            console.print()
            return 0
        sent = _as_message(line, offers)


def _as_message(line: str, offers: list[dict[str, Any]]) -> dict[str, str]:
    """Return what to send: #3 presses the third button shown last, everything else is text as typed."""
    if line.startswith("#") and line[1:].isdigit() and 0 < int(line[1:]) <= len(offers):
        return {"choice": offers[int(line[1:]) - 1]["choice"]}
    return {"text": line}


def _send(address: str, conversation: str, content: dict[str, str]) -> list[dict[str, Any]]:
    body = {"conversation": conversation, "message_id": secrets.token_hex(8), **content}
    while True:
        answer = httpx.post(f"{address}/api/chat/messages", json=body, timeout=WAIT_SECONDS)
        answer.raise_for_status()
        if answer.status_code != 202:  # 202: the turn is still under way, asking again gives its replies
            return list(answer.json()["messages"])


def _show(console: Console, address: str, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Print the messages and return the buttons that were shown last."""
    offers: list[dict[str, Any]] = []
    for message in messages:
        if message["text"]:
            console.print(message["text"], markup=False)
        for key in ("image", "document"):
            if message[key]:
                console.print(f"  {address}{message[key]}", style="cyan", markup=False)
        if message["buttons"]:
            offers = message["buttons"]
        for number, button in enumerate(message["buttons"], 1):
            description = f" — {button['description']}" if button.get("description") else ""
            console.print(f"  #{number} {button['title']}{description}", style="green", markup=False)
    return offers
