"""`rafiq …`: every command of the product. Imports stand inside the commands: each loads no more than it needs."""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import typer

# Pretty tracebacks would print local variables, which can hold what owners wrote.
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Rafiq, the companion of small Moroccan firms.",
)
nlu = typer.Typer(no_args_is_help=True, help="Understanding: parse messages, evaluate the model.")
diagnosis = typer.Typer(no_args_is_help=True, help="The maturity test: score answers, match free sentences.")
funding = typer.Typer(no_args_is_help=True, help="Programmes a firm may be eligible for.")
db = typer.Typer(no_args_is_help=True, help="The database.")
data = typer.Typer(no_args_is_help=True, help="An owner's rights under law 09-08.")
bench = typer.Typer(no_args_is_help=True, help="Measurements against a running bot.")
for name, group in {
    "nlu": nlu,
    "diagnosis": diagnosis,
    "funding": funding,
    "db": db,
    "data": data,
    "bench": bench,
}.items():
    app.add_typer(group, name=name)


def _fail(reason: object) -> typer.Exit:
    typer.echo(str(reason), err=True)
    return typer.Exit(1)


def _quiet_libraries() -> None:
    """Keep the deprecation notes of Rasa's pinned libraries from drowning what an operator must read."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    warnings.simplefilter("ignore")


def _settings() -> Any:
    from bot.settings import SettingsError, get_settings

    try:
        return get_settings()
    except SettingsError as error:
        raise _fail(error) from None


def _print_json(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False))


def _read_json(file: Path | None) -> Any:
    text = file.read_text("utf-8") if file else sys.stdin.read()
    try:
        return json.loads(text)
    except ValueError as error:
        raise _fail(f"the input is not JSON: {error}") from None


@app.command()
def run() -> None:
    """Start gateway and worker, trained and migrated when needed; print the chat page's address when they answer."""
    from bot.processes import run_all

    settings = _settings()
    _check_or_stop()
    raise typer.Exit(run_all(settings))


@app.command()
def gateway() -> None:
    """Start the gateway alone: the only public port."""
    from bot.processes import run_gateway

    run_gateway(_settings())


@app.command()
def worker() -> None:
    """Start one worker alone."""
    _quiet_libraries()
    import asyncio

    from bot.dialogue.agent import ModelMissing
    from bot.dialogue.worker import run as run_worker
    from bot.processes import set_up_logging

    settings = _settings()
    set_up_logging(settings)
    _check_or_stop()
    try:
        asyncio.run(run_worker(settings))
    except ModelMissing as error:
        raise _fail(error) from None


@app.command()
def train(force: bool = typer.Option(False, help="Train even when the model is up to date.")) -> None:
    """Train the model when it is stale; one JSON document says which file and how long it took."""
    _quiet_libraries()
    import time

    from bot.dialogue.model import TrainingFailed, is_stale, model_path
    from bot.dialogue.model import train as train_model
    from bot.processes import set_up_logging

    settings = _settings()
    if not force and not is_stale(settings):
        _print_json({"model": model_path(settings).name, "trained": False})
        return
    set_up_logging(settings)
    started = time.monotonic()
    _check_or_stop()
    try:
        model = train_model(settings)
    except TrainingFailed as error:
        raise _fail(error) from None
    seconds = round(time.monotonic() - started, 1)
    _print_json({"model": model.name, "trained": True, "seconds": seconds, "bytes": model.stat().st_size})


def _check_or_stop() -> None:
    """Stop with file, line and reason when settings or knowledge are wrong."""
    from bot.check import problems

    found = problems(_settings())
    if found:
        raise _fail("\n".join(found))


@app.command()
def check() -> None:
    """Check settings, knowledge and texts; each problem with file, line and reason."""
    from bot.check import summary

    _check_or_stop()
    for line in summary(_settings()):
        typer.echo(line)


@app.command()
def chat(
    address: str | None = typer.Option(None, help="Address of the running bot."),
    conversation: str | None = typer.Option(None, help="Go on with this conversation."),
) -> None:
    """Talk with the running bot in the terminal."""
    from bot.terminal import talk

    raise typer.Exit(talk(address or _settings().address, conversation))


@db.command()
def upgrade() -> None:
    """Bring the schema to the newest revision."""
    from bot.storage.database import make_engine, migrate

    migrate(make_engine(_settings().database))


@bench.command("turns")
def bench_turns(
    address: str | None = typer.Option(None, help="Address of the running bot."),
    people: int = typer.Option(10, min=1, max=50, help="How many take the whole test at once."),
    rounds: int = typer.Option(3, min=1, max=20, help="How many such crowds, one after the other."),
    thinking: float = typer.Option(0.0, min=0, max=10, help="Seconds a person waits before the next message."),
) -> None:
    """Measure turns of the web chat: p50, p95, turns a second, 20th against 2nd answer, memory. Prints JSON."""
    import asyncio

    from rich.console import Console
    from rich.progress import Progress

    from bot.bench.turns import measure, resident_megabytes

    target = address or _settings().address
    results = []
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("turns", total=people * rounds * 31)
        for _ in range(rounds):
            results.append(asyncio.run(measure(target, people, thinking, lambda: bar.advance(task))))
    memory = resident_megabytes()
    _print_json({"rounds": results, "memory_mb": memory | {"together": round(sum(memory.values()), 1)}})
    if any(result["errors"] for result in results):
        raise typer.Exit(1)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
