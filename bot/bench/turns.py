"""How long a turn of the web chat takes, with several people taking the whole test at once."""

from __future__ import annotations

import asyncio
import secrets
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

LONGEST_TURN = 60.0


@dataclass
class Person:
    """One conversation: the seconds of each turn, and of each answer by its number in the test."""

    turns: list[float] = field(default_factory=list)
    answers: dict[int, float] = field(default_factory=dict)
    errors: int = 0


async def measure(address: str, people: int, thinking: float, progress: Callable[[], None]) -> dict[str, Any]:
    """Let `people` take the full test at once; return ms a turn (p50, p95), turns a second, 20th against 2nd answer."""
    limits = httpx.Limits(max_connections=people)
    async with httpx.AsyncClient(base_url=address, timeout=LONGEST_TURN, limits=limits) as client:
        started = time.monotonic()
        crowd = await asyncio.gather(*(_take_test(client, number, thinking, progress) for number in range(people)))
        elapsed = time.monotonic() - started
    turns = [seconds for person in crowd for seconds in person.turns]
    second, twentieth = _answers(crowd, 2), _answers(crowd, 20)
    return {
        "people": people,
        "turns": len(turns),
        "errors": sum(person.errors for person in crowd),
        "p50_ms": round(statistics.median(turns) * 1000, 1),
        "p95_ms": round(_percentile(turns, 0.95) * 1000, 1),
        "max_ms": round(max(turns) * 1000, 1),
        "turns_per_second": round(len(turns) / elapsed, 1),
        "answer_2_ms": round(second * 1000, 1) if second else None,
        "answer_20_ms": round(twentieth * 1000, 1) if twentieth else None,
        "answer_20_to_2": round(twentieth / second, 2) if second and twentieth else None,
    }


def _answers(crowd: list[Person], number: int) -> float | None:
    times = [person.answers[number] for person in crowd if number in person.answers]
    return statistics.median(times) if times else None


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


async def _take_test(client: httpx.AsyncClient, number: int, thinking: float, progress: Callable[[], None]) -> Person:
    person, conversation = Person(), f"bench-{secrets.token_hex(12)}"

    async def say(**content: str) -> list[dict[str, Any]]:
        body = {"conversation": conversation, "message_id": secrets.token_hex(8), **content}
        started = time.monotonic()
        answer = await client.post("/api/chat/messages", json=body)
        person.turns.append(time.monotonic() - started)
        progress()
        if answer.status_code != 200:
            person.errors += 1
            return []
        await asyncio.sleep(thinking)
        return list(answer.json()["messages"])

    language = ("fr", "ary-Arab", "ary-Latn")[number % 3]
    await say(choice="greet")
    await say(choice=f"change_language:{language}")
    await say(choice="affirm:consent")
    for choice in ("sector:grocery", "size:s2_9", "region:MA-06", "goal:sell"):
        replies = await say(choice=f"set_profile:{choice}")
    given = 0
    for _ in range(60):
        button = _next_button(replies, given)
        if button is None:
            break
        is_answer = button["choice"].startswith("answer:")
        # Every other answer is typed, so that understanding is measured too.
        typed = is_answer and given % 2 == 1
        replies = await say(**({"text": button["title"]} if typed else {"choice": button["choice"]}))
        if is_answer:
            given += 1
            if any(b["choice"].startswith("answer:") for message in replies for b in message["buttons"]):
                person.answers[given] = person.turns[-1]
    return person


def _next_button(replies: list[dict[str, Any]], given: int) -> dict[str, str] | None:
    """Return the button a person would press: an answer, the next block, the full test; None at the end."""
    buttons = [button for message in replies for button in message["buttons"]]
    answers = [button for button in buttons if button["choice"].startswith("answer:")]
    if answers:
        return dict(answers[(given * 7 + 1) % min(len(answers), 4)])
    for choice in ("resume_diagnosis:checkpoint", "start_diagnosis:full"):
        for button in buttons:
            if button["choice"] == choice:
                return dict(button)
    return None


def resident_megabytes() -> dict[str, float]:
    """Return the resident memory of this machine's gateway and worker processes, from /proc, in MB."""
    found: dict[str, float] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            status = (folder / "status").read_text()
        except OSError:
            continue
        kind = next((word for word in words if word in (b"gateway", b"worker")), None)
        if b"bot.cli" in words and kind is not None:
            kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
            name = kind.decode()
            found[name] = round(found.get(name, 0) + kilobytes / 1024, 1)
    return found
