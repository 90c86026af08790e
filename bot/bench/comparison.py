"""Compare pipelines on one corpus: each trained and asked in processes of its own, results kept as JSON lines."""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import IO, Any

from bot.bench.corpora import Corpus
from bot.bench.pipeline_process import JOB_FILE, ONE_CORE
from bot.bench.pipelines import PIPELINES, Pipeline
from bot.nlu.parse import macro_f1
from bot.nlu.steps import ROOT, Example

Document = dict[str, Any]
Reading = Sequence[tuple[str, float]]
"""The likeliest intents of a message with their probabilities, best first."""
Told = Callable[[str, int | None], None]
"""Hears what a process does, and how many messages it has read."""

OUT_OF_SCOPE = "out_of_scope"
REFERENCE = "ours"
"""The pipeline that the others are compared with, message by message."""
_WARM_UP = 20
_BINS = 10
_MOST_ACCEPTED = 0.1
"""Share of the messages out of scope that may be taken for something else."""
_STEPS = [step / 100 for step in range(0, 100)]
_LAST_WORDS = 4000


class PipelineFailed(Exception):
    """A process ended with an error; its last words are the message."""


@dataclass(frozen=True)
class Result:
    """What a pipeline gave on a corpus; `key` changes with all that it depends on."""

    pipeline: str
    key: str
    epochs: int | None
    train_seconds: float
    model_mb: float
    package_mb: float
    load_seconds: float
    ms: float
    ms_p95: float
    memory_mb: float
    readings: Sequence[Reading]


def key_of(pipeline: Pipeline, corpus: Corpus, epochs: int) -> str:
    """Return a digest of all that a result depends on, so that an old one is not taken for a new one."""
    digest = hashlib.blake2b(digest_size=8)
    told: list[Any] = [pipeline.name, *map(astuple, corpus.training), *map(astuple, corpus.test)]
    digest.update(json.dumps([_epochs(pipeline, epochs), *told]).encode())
    if pipeline.own_code:
        for file in [*sorted((ROOT / "bot/nlu").glob("*.py")), ROOT / "knowledge/lexicon.yml"]:
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _epochs(pipeline: Pipeline, epochs: int) -> int | None:
    return epochs if pipeline.by_epochs else None


def read_results(file: Path) -> dict[str, Result]:
    """Read the kept results by their keys; a later line replaces an earlier one."""
    if not file.exists():
        return {}
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
    return {row["key"]: Result(**row) for row in rows}


def kept_for(corpus: Corpus, epochs: int, file: Path) -> list[Result]:
    """Return the kept results on a corpus, in the order of the pipelines."""
    kept = read_results(file)
    keys = [key_of(pipeline, corpus, epochs) for pipeline in PIPELINES.values()]
    return [kept[key] for key in keys if key in kept]


def keep_result(file: Path, result: Result) -> None:
    """Add a result to the kept ones."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as lines:
        print(json.dumps(asdict(result), ensure_ascii=False), file=lines)


def run(pipeline: Pipeline, corpus: Corpus, epochs: int, tell: Told) -> Result:
    """Train a pipeline and let it read the test; raise PipelineFailed."""
    test = [example.text for example in corpus.test]
    job = {
        "pipeline": pipeline.name,
        "epochs": epochs,
        "packages": [package for package in pipeline.packages if package != "rasa"],
        "training": [astuple(example) for example in corpus.training],
        "test": test,
        "warm_up": [example.text for example in corpus.training[:: max(1, len(corpus.training) // _WARM_UP)]],
    }
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / JOB_FILE).write_text(json.dumps(job), "utf-8")
        found = _process("train", folder, tell) | _process("read", folder, tell)
    found.pop("read", None)
    return Result(
        pipeline=pipeline.name, key=key_of(pipeline, corpus, epochs), epochs=_epochs(pipeline, epochs), **found
    )


def _process(part: str, folder: Path, tell: Told) -> Document:
    """Run one part of a job; return what it said, the last word of each kind."""
    tell("training" if part == "train" else "loading", None)
    command = [sys.executable, "-m", "bot.bench.pipeline_process", part, str(folder)]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **ONE_CORE}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    words: list[str] = []
    listener = Thread(target=_listen, args=(process.stderr, words, tell), daemon=True)
    listener.start()
    found: Document = {}
    for line in process.stdout:
        found |= json.loads(line)
        if "read" in found:
            tell("reading", found["read"])
    process.wait()
    listener.join()
    if process.returncode:
        raise PipelineFailed("".join(words)[-_LAST_WORDS:].strip() or f"ended with code {process.returncode}")
    return found


def _listen(stream: IO[bytes], words: list[str], tell: Told) -> None:
    """Keep the last words of a process; a progress bar of its own (`Epochs: 12%|`) is passed on."""
    while chunk := stream.read1(4096):  # type: ignore[attr-defined]
        text = chunk.decode("utf-8", "replace")
        words.append(text)
        del words[:-20]
        if "Epochs:" in text:
            share = text.rpartition("Epochs:")[2].partition("%")[0].strip()
            tell(f"training, {share} % of the epochs" if share.isdigit() else "training", None)


def report(results: Sequence[Result], corpus: Corpus) -> Document:
    """Return the figures of all results on a corpus."""
    reference = next((result for result in results if result.pipeline == REFERENCE), None)
    against = _right(reference.readings, corpus) if reference else None
    return {
        "training_messages": len(corpus.training),
        "test_messages": len(corpus.test),
        "seen_messages_left_out": corpus.seen,
        "pipelines": [_figures(result, corpus, against) for result in results],
    }


def _figures(result: Result, corpus: Corpus, against: Sequence[bool] | None) -> Document:
    wanted = [example.intent for example in corpus.test]
    read = decide(result.readings, corpus.test)
    pairs = list(zip(wanted, read, strict=True))
    right = _right(result.readings, corpus)
    outside = [got for intent, got in pairs if intent == OUT_OF_SCOPE]
    inside = [(intent, got) for intent, got in pairs if intent != OUT_OF_SCOPE]
    figures: Document = {
        "pipeline": result.pipeline,
        "epochs": result.epochs,
        "accuracy": _share(right),
        "macro_f1": macro_f1(_judged(pairs)),
        "varieties": {
            variety: macro_f1(
                _judged([pair for pair, row in zip(pairs, corpus.test, strict=True) if row.variety == variety])
            )
            for variety in sorted({example.variety for example in corpus.test})
        },
        "best_guess_accuracy": _share(
            [first(reading)[0] == intent for reading, intent in zip(result.readings, wanted, strict=True)]
        ),
        "best_two_accuracy": _share(
            [intent in dict(reading) for reading, intent in zip(result.readings, wanted, strict=True)]
        ),
        "out_of_scope_accepted": _share([got not in (None, OUT_OF_SCOPE) for got in outside]) if outside else None,
        "asked_back": _share([got is None for _, got in inside]),
        "misread": _share([got not in (None, intent) for intent, got in inside]),
        "calibration_error": calibration_error(result.readings, wanted),
        "thresholds": thresholds(result.readings, corpus.test),
        **{name: getattr(result, name) for name in _COSTS},
    }
    if against is not None and result.pipeline != REFERENCE:
        figures["against_ours"] = _against(right, against)
    return figures


_COSTS = ("ms", "ms_p95", "memory_mb", "load_seconds", "train_seconds", "model_mb", "package_mb")


def first(reading: Reading) -> tuple[str | None, float]:
    """Return the likeliest intent of a message, or None for one of which nothing is known."""
    return (reading[0][0], reading[0][1]) if reading else (None, 0.0)


def decide(readings: Sequence[Reading], test: Sequence[Example]) -> list[str | None]:
    """Give the intent of each message, or None where it is asked back.

    The threshold for one half of a variety is chosen on its other half, so that nobody marks his own work.
    """
    halves = _halves(test)
    chosen = {
        place: best_threshold([(readings[row], test[row].intent) for row in rows]) for place, rows in halves.items()
    }
    read: list[str | None] = [None] * len(test)
    for (variety, half), rows in halves.items():
        threshold = chosen.get((variety, 1 - half), chosen[variety, half])
        for row in rows:
            read[row] = _taken(readings[row], threshold)
    return read


def thresholds(readings: Sequence[Reading], test: Sequence[Example]) -> dict[str, float]:
    """Choose a threshold for each variety on all its messages: what config.yml would get."""
    return {
        variety: best_threshold(
            [(reading, row.intent) for reading, row in zip(readings, test, strict=True) if row.variety == variety]
        )
        for variety in sorted({example.variety for example in test})
    }


def best_threshold(rows: Sequence[tuple[Reading, str]]) -> float:
    """Choose the probability from which an intent is taken: the best macro F1 with few enough strangers let in.

    A message that is asked back counts as missed. Of several equally good thresholds it is the middle one.
    """
    tried = [(*_at(rows, step), step) for step in _STEPS]
    allowed = _MOST_ACCEPTED * sum(intent == OUT_OF_SCOPE for _, intent in rows)
    fewest = min(accepted for accepted, _, _ in tried)
    strict = [(score, step) for accepted, score, step in tried if accepted <= max(allowed, fewest)]
    best = [step for score, step in strict if score >= max(strict)[0]]
    return best[len(best) // 2]


def _at(rows: Sequence[tuple[Reading, str]], threshold: float) -> tuple[int, float]:
    """Return how many messages out of scope are taken for something else at a threshold, and the macro F1."""
    pairs = [(wanted, _taken(reading, threshold)) for reading, wanted in rows]
    accepted = sum(wanted == OUT_OF_SCOPE and got not in (None, OUT_OF_SCOPE) for wanted, got in pairs)
    return accepted, macro_f1(_judged(pairs))


def _taken(reading: Reading, threshold: float) -> str | None:
    intent, chance = first(reading)
    return intent if chance >= threshold else None


def _halves(test: Sequence[Example]) -> dict[tuple[str, int], list[int]]:
    """Split each variety in two, intent by intent, in an order that only the texts decide."""
    groups: dict[tuple[str, str], list[int]] = {}
    for row, example in enumerate(test):
        groups.setdefault((example.variety, example.intent), []).append(row)
    halves: dict[tuple[str, int], list[int]] = {}
    for number, ((variety, _), rows) in enumerate(sorted(groups.items())):
        rows.sort(key=lambda row: hashlib.blake2b(test[row].text.encode("utf-8", "surrogatepass")).digest())
        for place, row in enumerate(rows):
            halves.setdefault((variety, (place + number) % 2), []).append(row)
    return halves


def _judged(pairs: Sequence[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    """Count a message out of scope that is asked back as understood."""
    return [(wanted, wanted if got is None and wanted == OUT_OF_SCOPE else got) for wanted, got in pairs]


def _right(readings: Sequence[Reading], corpus: Corpus) -> list[bool]:
    wanted = [example.intent for example in corpus.test]
    return [intent == got for intent, got in _judged(list(zip(wanted, decide(readings, corpus.test), strict=True)))]


def calibration_error(readings: Sequence[Reading], wanted: Sequence[str]) -> float:
    """Return how far the probability of the best guess is from how often it is right, over ten bins."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for reading, intent in zip(readings, wanted, strict=True):
        got, chance = first(reading)
        bins.setdefault(min(int(chance * _BINS), _BINS - 1), []).append((chance, got == intent))
    off = [abs(sum(chance - right for chance, right in rows)) for rows in bins.values()]
    return round(sum(off) / len(wanted), 4)


def _against(right: Sequence[bool], reference: Sequence[bool]) -> Document:
    """Count the messages that only one of two reads rightly, and how likely such a difference is by chance."""
    pairs = Counter(zip(right, reference, strict=True))
    better, worse = pairs[True, False], pairs[False, True]
    tail = sum(math.comb(better + worse, count) for count in range(min(better, worse) + 1))
    return {"better": better, "worse": worse, "p": round(min(1.0, 2 * tail / 2 ** (better + worse)), 4)}


def _share(values: Sequence[bool]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0


def as_markdown(found: Mapping[str, Any]) -> str:
    """Return a report as a Markdown table, percents where shares are meant."""
    varieties = sorted({variety for row in found["pipelines"] for variety in row["varieties"]})
    head = [
        "pipeline", "accuracy", "macro F1", *(f"F1 {variety}" for variety in varieties), "best of two",
        "out of scope accepted", "asked back", "misread", "calibration error", "ms (p95)", "memory MB", "train s",
        "model MB", "vs ours",
    ]  # fmt: skip
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *(_cells(row, varieties) for row in found["pipelines"])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(row: Mapping[str, Any], varieties: Sequence[str]) -> Iterator[str]:
    yield row["pipeline"] + (f", {row['epochs']} epochs" if row["epochs"] else "")
    shares = [row["accuracy"], row["macro_f1"], *(row["varieties"].get(variety) for variety in varieties)]
    shares += [row[name] for name in ("best_two_accuracy", "out_of_scope_accepted", "asked_back", "misread")]
    yield from ("–" if share is None else f"{100 * share:.1f}" for share in [*shares, row["calibration_error"]])
    yield f"{row['ms']:.1f} ({row['ms_p95']:.1f})"
    yield f"{row['memory_mb']:.0f}"
    yield f"{row['train_seconds']:.0f}"
    yield f"{row['model_mb']:.1f}" + (f" + {row['package_mb']:.0f}" if row["package_mb"] else "")
    against = row.get("against_ours")
    yield f"+{against['better']} −{against['worse']} (p {against['p']:.2f})" if against else ""
