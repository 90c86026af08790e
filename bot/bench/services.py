"""How long matching and the funding check take, and how that grows with what there is to look through."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from statistics import quantiles
from typing import Any, get_args

from bot.bench.made_catalogue import as_table, made_rows
from bot.funding.records import Programme, load_programmes
from bot.funding.service import LocalFunding
from bot.knowledge.firm import LegalForm, ProjectKind, Region, Sector
from bot.knowledge.places import places
from bot.matching.catalogue_rows import Rows, columns_of, entry_of, read_header, terms_of
from bot.matching.fit import GOALS
from bot.matching.records import Axis, Entry, load_catalogue
from bot.matching.service import LocalMatching

SIZES = (1_000, 3_000, 10_000, 30_000)
TIMES = (1, 3, 10)
"""The base of programmes is repeated so often, to show growth."""
REQUESTS = 60
SECONDS = 20.0
"""No size is measured for longer."""


def measure(knowledge: Path, sizes: Sequence[int], seconds: float, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return milliseconds by size, for matching and for the funding check."""
    own = load_catalogue(knowledge)
    terms = terms_of(knowledge, own)
    rows = as_table(made_rows(max(sizes)))
    reader = Rows(terms, read_header(next(rows), columns_of(terms)), date(2026, 12, 31))
    made = [entry_of(reader.read(number, row), terms, checked=True) for number, row in enumerate(rows, 2)]
    matching = []
    for size in sizes:
        tell(f"matching over {size} entries")
        matching.append({"entries": size, **_matching(made[:size], seconds)})
    programmes = load_programmes(knowledge)
    funding = []
    for times in TIMES:
        tell(f"funding check over {times * len(programmes)} programmes")
        funding.append({"programmes": times * len(programmes), **_funding(_repeated(programmes, times), seconds)})
    return {"matching": matching, "funding": funding}


def _matching(entries: Sequence[Entry], seconds: float) -> dict[str, Any]:
    started = time.perf_counter()
    service = LocalMatching(entries)
    ready = round((time.perf_counter() - started) * 1000, 1)
    return {"ready_ms": ready, **_timed(service.match, _requests(), seconds)}


def _funding(programmes: Sequence[Programme], seconds: float) -> dict[str, Any]:
    service = LocalFunding(programmes)
    return _timed(service.check, _profiles(), seconds)


def _repeated(programmes: Sequence[Programme], times: int) -> list[Programme]:
    return [p.copy(update={"id": f"{p.id}-{number}"}) for number in range(times) for p in programmes]


def _timed(ask: Callable[[dict[str, Any]], Any], requests: Sequence[dict[str, Any]], seconds: float) -> dict[str, Any]:
    """Return milliseconds a request, for at most `seconds`; beside them those of this thread alone (`cpu`)."""
    ask(requests[0])
    taken: list[float] = []
    used: list[float] = []
    end = time.perf_counter() + seconds
    for request in requests:
        started, thread = time.perf_counter(), time.thread_time()
        ask(request)
        used.append((time.thread_time() - thread) * 1000)
        taken.append((time.perf_counter() - started) * 1000)
        if time.perf_counter() > end:
            break
    return {"requests": len(taken), **_parts(taken, ""), **_parts(used, "cpu_")}


def _parts(taken: Sequence[float], name: str) -> dict[str, float]:
    twentieths = quantiles(taken, n=20, method="inclusive") if len(taken) > 1 else [*taken] * 19
    return {f"{name}p50_ms": round(twentieths[9], 2), f"{name}p95_ms": round(twentieths[18], 2)}


def _profiles() -> list[dict[str, Any]]:
    """Return firms of which more and more is known, the first almost nothing."""
    chance = random.Random(12)
    by_region = {
        region: [p.name for p in places().provinces.values() if p.region == region] for region in get_args(Region)
    }
    firms: list[dict[str, Any]] = []
    for number in range(REQUESTS):
        region = chance.choice(get_args(Region))
        told: list[tuple[str, Any]] = [
            ("sector", chance.choice(get_args(Sector))),
            ("region", region),
            ("legal_form", chance.choice(get_args(LegalForm))),
            ("staff", chance.randint(1, 80)),
            ("turnover_mad", chance.choice((90_000, {"min": 1_000_000, "max": 3_000_000}, 12_000_000))),
            ("province", chance.choice(by_region[region])),
            ("firm_age_years", chance.randint(0, 12)),
            ("owner_age", chance.randint(18, 70)),
            (
                "project",
                {"kind": chance.choice(get_args(ProjectKind)), "amount_mad": chance.randint(10, 3_000) * 1_000},
            ),
        ]
        firms.append(dict(told[: number % (len(told) + 1)]))
    return firms


def _requests() -> list[dict[str, Any]]:
    """Return a request for each firm; every tenth needs nothing in particular, which leaves most entries in."""
    chance = random.Random(7)
    requests: list[dict[str, Any]] = []
    for number, profile in enumerate(_profiles()):
        axis = chance.choice(get_args(Axis))
        need = {
            "axis": axis,
            "rung": chance.randint(1, 3),
            "goal": chance.choice(list(GOALS)),
            "language": chance.choice(("fr", "ary-Arab", "ary-Latn")),
            "budget_mad": chance.choice((0, 1_000, 10_000, None)),
        }
        requests.append({"profile": profile, "need": need if number % 10 else {}, "limit": 3})
    return requests
