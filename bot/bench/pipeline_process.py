"""One pipeline in a process of its own: `train` keeps a model in the job's folder, `read` loads it and reads the test.

It gets one core. What it says stands as JSON lines on standard output; the libraries' talk goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

JOB_FILE = "job.json"
MODEL_FOLDER = "model"
ONE_CORE = {
    name: "1"
    for name in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
    )
}
"""Environment under which the libraries start no threads."""
_REPORT_EVERY = 20
_KEPT = 2
"""Readings kept of a message: the two likeliest are what a fallback asks about."""
_MEGABYTE = 1e6

Say = Callable[[dict[str, Any]], None]


def train(job: dict[str, Any], folder: Path, say: Say) -> None:
    """Train the pipeline of a job; say how long it took and how much is kept."""
    from bot.bench.pipelines import PIPELINES
    from bot.nlu.steps import Example

    reader = PIPELINES[job["pipeline"]].make(job["epochs"])
    (folder / MODEL_FOLDER).mkdir()
    started = time.perf_counter()
    reader.train([Example(*row) for row in job["training"]], folder / MODEL_FOLDER)
    say(
        {
            "train_seconds": round(time.perf_counter() - started, 1),
            "model_mb": round(_folder_size(folder / MODEL_FOLDER) / _MEGABYTE, 1),
            "package_mb": round(sum(map(_package_size, job["packages"])) / _MEGABYTE, 1),
        }
    )


def read(job: dict[str, Any], folder: Path, say: Say) -> None:
    """Read the test messages of a job one by one; say the likeliest intents, time and the memory it all took."""
    from bot.bench.pipelines import PIPELINES

    started = time.perf_counter()
    reader = PIPELINES[job["pipeline"]].make(job["epochs"])
    reader.load(folder / MODEL_FOLDER)
    for text in job["warm_up"]:
        reader.rank(text)
    loaded = time.perf_counter()
    found, seconds = [], []
    for number, text in enumerate(job["test"], 1):
        start = time.perf_counter()
        ranking = reader.rank(text)
        seconds.append(time.perf_counter() - start)
        found.append([[intent.name, round(intent.confidence, 4)] for intent in ranking[:_KEPT]])
        if number % _REPORT_EVERY == 0:
            say({"read": number})
    say(
        {
            "load_seconds": round(loaded - started, 1),
            "ms": _milliseconds(seconds, 0.5),
            "ms_p95": _milliseconds(seconds, 0.95),
            "memory_mb": round(_peak_kilobytes() / 1000, 0),
            "readings": found,
        }
    )


def _milliseconds(seconds: Sequence[float], share: float) -> float:
    return round(1000 * sorted(seconds)[min(int(share * len(seconds)), len(seconds) - 1)], 2)


def _peak_kilobytes() -> int:
    """Return the most memory this process had; `getrusage` would count its parent's too."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


def _folder_size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc")


def _package_size(name: str) -> int:
    found = find_spec(name)
    return sum(_folder_size(Path(place)) for place in (found.submodule_search_locations or ())) if found else 0


def main(part: str, folder: Path) -> None:
    """Do one part of the job in a folder."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    os.environ.update(ONE_CORE, RASA_TELEMETRY_ENABLED="false", TF_CPP_MIN_LOG_LEVEL="3")
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

    def say(document: dict[str, Any]) -> None:
        print(json.dumps(document), file=answers, flush=True)

    job = json.loads((folder / JOB_FILE).read_text("utf-8"))
    {"train": train, "read": read}[part](job, folder, say)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
