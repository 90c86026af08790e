"""`rafiq …`: every command of the product. Imports stand inside the commands: each loads no more than it needs."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
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
knowledge = typer.Typer(
    no_args_is_help=True, help="What the programme knows: check it, provider catalogues in and out."
)
db = typer.Typer(no_args_is_help=True, help="The database.")
data = typer.Typer(no_args_is_help=True, help="An owner's rights under law 09-08.")
messages = typer.Typer(no_args_is_help=True, help="Messages that were set aside: look at them, try them again.")
bench = typer.Typer(no_args_is_help=True, help="Measurements against a running bot.")
for name, group in {
    "nlu": nlu,
    "diagnosis": diagnosis,
    "funding": funding,
    "knowledge": knowledge,
    "db": db,
    "data": data,
    "messages": messages,
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
def run(
    simulate: bool = typer.Option(False, help="No accounts: stand-ins for the providers, and a page with four phones."),
    sms: str = typer.Option("http", help="With --simulate, what carries SMS: http (an aggregator), smpp or twilio."),
) -> None:
    """Start gateway and worker, trained and migrated when needed; print the chat page's address when they answer."""
    from bot.processes import run_all, simulated

    settings = _settings()
    if simulate:
        if sms not in ("http", "smpp", "twilio"):
            raise _fail("--sms must be http, smpp or twilio")
        settings = simulated(settings, sms)
    _check_or_stop()
    raise typer.Exit(run_all(settings, simulate))


@app.command()
def gateway() -> None:
    """Start the gateway alone: the only public port."""
    from bot.processes import run_gateway
    from bot.settings import SettingsError

    try:
        run_gateway(_settings())
    except SettingsError as error:  # a channel's settings do not fit together
        raise _fail(error) from None


@app.command()
def worker(checked: bool = typer.Option(False, hidden=True, help="`rafiq run` has just checked everything.")) -> None:
    """Start one worker alone."""
    _quiet_libraries()
    import asyncio

    from bot.processes import count_together, set_up_logging

    settings = _settings()
    count_together(settings)
    from bot.dialogue.agent import ModelMissing
    from bot.dialogue.worker import run as run_worker

    set_up_logging(settings)
    if not checked:
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


@nlu.command("parse")
def nlu_parse(file: Path | None = typer.Argument(None, help="Lines of text; standard input without it.")) -> None:
    """Read messages, a line each; print one JSON line each: text, language, intent, confidence, entities."""
    parser = _parser()
    for line in _lines(file):
        _print_json(parser.parse(line))


@nlu.command("measure")
def nlu_measure(
    folder: Path = typer.Argument(..., help="A folder like nlu_data/test.", exists=True, file_okay=False),
) -> None:
    """Measure intents, varieties, answers, amounts and places on a folder of labelled messages; one JSON document."""
    from bot.nlu.measure import measure_folder

    _print_json(measure_folder(folder, _parser()))


@nlu.command("evaluate")
def nlu_evaluate(
    file: Path = typer.Argument(..., help="JSON lines: text, intent, variety."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> None:
    """Measure the model on labelled messages: accuracy, macro F1 and confusions, overall and per variety."""
    from bot.nlu.parse import evaluate

    rows = [row for row in _json_lines(file) if _has(row, "text", "intent")]
    report = evaluate(rows, _parser())
    if as_json:
        _print_json(report)
        return
    for name, part in {"all": report, **report["varieties"]}.items():
        typer.echo(f"{name}: {part['messages']} messages, accuracy {part['accuracy']}, macro F1 {part['macro_f1']}")
        for confusion in part["confusions"][:5]:
            typer.echo(f"    {confusion['intent']} read as {confusion['parsed']}: {confusion['count']}")


@nlu.command("compare")
def nlu_compare(
    only: list[str] = typer.Option([], help="A pipeline to run; all without it."),
    epochs: int = typer.Option(100, min=1, help="Epochs of DIET."),
    test: list[Path] = typer.Option([], help="JSON lines or CSV to test on, instead of nlu_data/dev."),
    training: list[Path] = typer.Option([], help="JSON lines or CSV to train on, instead of nlu_data/intents."),
    text_column: str = typer.Option("text", help="What the files call the message."),
    intent_column: str = typer.Option("intent", help="What they call the intent."),
    results: Path | None = typer.Option(None, help="Where results are kept; var/nlu-compare.jsonl without it."),
    again: bool = typer.Option(False, help="Run what has been run on the same data before."),
    kept: bool = typer.Option(False, help="Run nothing, show what is kept for this data."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON document instead of a Markdown table."),
) -> None:
    """Train pipelines, measure them on messages they never saw, and print a table; results are kept between runs."""
    from bot.bench import comparison
    from bot.bench.compare_command import chosen, read_corpus, run_missing
    from bot.bench.corpora import Columns, CorpusError

    try:
        corpus = read_corpus(training, test, Columns(text_column, intent_column))
        pipelines = chosen(only)
    except CorpusError as error:
        raise _fail(error) from None
    file = results or _settings().data_dir / "nlu-compare.jsonl"
    complete = kept or run_missing(pipelines, corpus, epochs, file, again)
    found = comparison.report(comparison.kept_for(corpus, epochs, file), corpus)
    _print_json(found) if as_json else typer.echo(comparison.as_markdown(found))
    if not complete:
        raise typer.Exit(1)


@nlu.command("misunderstood")
def nlu_misunderstood(
    variety: str | None = typer.Option(None, help="fr, ary-Arab, ary-Latn or mixed."),
    since: datetime | None = typer.Option(None, formats=["%Y-%m-%d"], help="From this day on (UTC)."),
    unlabelled: bool = typer.Option(False, "--unlabelled", help="Only those whose meaning nobody has said yet."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON line each."),
) -> None:
    """List the messages that fell back, masked: id, day, variety, intent, text."""
    from bot.nlu.candidates import VARIETIES
    from bot.storage.misunderstood import as_document, find

    if variety is not None and variety not in VARIETIES:
        raise _fail(f"the variety is one of {', '.join(VARIETIES)}")
    start = since.replace(tzinfo=timezone.utc).timestamp() if since else None
    with _database() as session:
        for row in find(session, variety, start, False if unlabelled else None):
            kept = as_document(row)
            day, intent = kept["at"][:10], kept["intent"] or "?"
            if as_json:
                _print_json(kept)
            else:
                typer.echo(f"{kept['id']}  {day}  {kept['variety']}  {intent}  {kept['text']}")


@nlu.command("label")
def nlu_label(
    row_id: int = typer.Argument(..., metavar="ID", help="As `rafiq nlu misunderstood` lists it."),
    intent: str = typer.Argument(..., help="What it meant; `none` deletes what is of no use."),
) -> None:
    """Say what a message that fell back meant: it becomes a training candidate."""
    from bot.nlu.candidates import known_intents
    from bot.storage.misunderstood import label

    known = known_intents(_nlu_data())
    if intent != "none" and intent not in known:
        raise _fail(f"there is no intent {intent}, only none, {', '.join(sorted(known))}")
    with _database() as session:
        if not label(session, row_id, None if intent == "none" else intent):
            raise _fail(f"there is no message {row_id}")
    _print_json({"id": row_id, "intent": intent} if intent != "none" else {"id": row_id, "deleted": True})


@nlu.command("candidates")
def nlu_candidates(
    out: Path | None = typer.Option(None, help="Write to this file instead of standard output."),
    everything: bool = typer.Option(False, "--all", help="Those without a label too; in YAML they stand in comments."),
    with_masked: bool = typer.Option(False, "--with-masked", help="Those with a mask such as <phone> too."),
    as_json: bool = typer.Option(False, "--json", help="JSON lines instead of YAML."),
) -> None:
    """Export labelled messages that nlu_data does not hold yet, in its own format, for a person to read and add."""
    from bot.nlu.candidates import Candidate, as_document, as_yaml, known_texts, unknown
    from bot.storage.masking import has_mask
    from bot.storage.misunderstood import find, variety_of

    with _database() as session:
        rows = find(session, labelled=None if everything else True)
        kept = [
            Candidate(row.text, variety_of(row), row.intent) for row in rows if with_masked or not has_mask(row.text)
        ]
    # What has a label goes before the same words without one.
    kept.sort(key=lambda candidate: candidate.intent is None)
    new = list(unknown(kept, known_texts(_nlu_data())))
    lines = (json.dumps(as_document(candidate), ensure_ascii=False) + "\n" for candidate in new)
    text = "".join(lines) if as_json else as_yaml(new)
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, "utf-8")
    typer.echo(f"{len(new)} candidates, {len(kept) - len(new)} known already", err=True)


def _nlu_data() -> Path:
    from bot.settings import ROOT

    return ROOT / "nlu_data"


@contextmanager
def _database() -> Iterator[Any]:
    """Yield a session on the bot's database."""
    from bot.storage.database import make_engine, make_sessions

    with make_sessions(make_engine(_settings().database))() as session:
        yield session


@diagnosis.command("answer")
def diagnosis_answer(file: Path | None = typer.Argument(None, help="JSON lines: question, text.")) -> None:
    """Match free sentences to the options of a question; value is null where the bot would ask back."""
    from bot.diagnosis.library import load_library

    order = load_library(_settings().knowledge_dir).instrument.order
    parser = _parser()
    for row in _json_lines(file):
        if not _has(row, "question", "text") or row["question"] not in order:
            raise _fail(f"a question of {', '.join(order)} and a text are needed")
        _print_json(parser.match_answer(row["question"], row["text"]))


@diagnosis.command("score")
def diagnosis_score(file: Path | None = typer.Argument(None, help="JSON: answers, profile, goal.")) -> None:
    """Score a set of answers: score, level, axes, next step, plan."""
    from bot.diagnosis.document import parse_request, score_document
    from bot.diagnosis.library import load_library

    library = load_library(_settings().knowledge_dir)
    try:
        request = parse_request(_read_json(file), library.instrument)
    except ValueError as error:
        raise _fail(error) from None
    _print_json(score_document(library.instrument, library.cards, library.priorities, request))


@funding.command("check")
def funding_check(
    file: Path | None = typer.Argument(None, help="A firm's profile as JSON."),
    named: list[str] = typer.Option([], help="A historic programme to answer too."),
) -> None:
    """Check a firm against every programme: verdict, deciding rule, estimate, source and date."""
    from bot.funding.service import make_funding
    from bot.service import ServiceUnavailable

    settings = _settings()
    try:
        _print_json(make_funding(settings.funding_url, settings.knowledge_dir).check(_read_json(file), named))
    except (ValueError, ServiceUnavailable) as error:
        raise _fail(error) from None


@app.command("match")
def match(file: Path | None = typer.Argument(None, help="JSON: profile, need, limit.")) -> None:
    """Rank trainings, tools, providers and platforms for a firm and a need, each with its reasons."""
    from bot.matching.service import make_matching
    from bot.service import ServiceUnavailable

    settings = _settings()
    try:
        service = make_matching(settings.matching_url, settings.knowledge_dir, settings.database)
        _print_json(service.match(_read_json(file)))
    except (ValueError, ServiceUnavailable) as error:
        raise _fail(error) from None


@knowledge.command("check")
def knowledge_check(
    as_json: bool = typer.Option(False, "--json", help="One JSON document instead of lines."),
    strict: bool = typer.Option(False, help="Warnings count as errors: exit code 1."),
) -> None:
    """Check every record: schema, dates, references between files, rules no firm can meet, reviews that are due.

    One line each, `file:line: reason`. An error gives exit code 1. A review that is due or information that is old
    is a warning, with exit code 0; it never keeps the bot from starting.
    """
    from datetime import date

    from bot.check import short
    from bot.knowledge_check import findings

    found = findings(_settings().knowledge_dir, date.today(), short)
    counts = {level: sum(finding.level == level for finding in found) for level in ("error", "warning")}
    if as_json:
        told = [finding.as_dict() for finding in found]
        _print_json({"errors": counts["error"], "warnings": counts["warning"], "findings": told})
    else:
        for finding in found:
            typer.echo(str(finding))
        typer.echo(f"{counts['error']} errors, {counts['warning']} warnings")
    if counts["error"] or (strict and found):
        raise typer.Exit(1)


@knowledge.command("import")
def knowledge_import(
    file: Path = typer.Argument(..., help="CSV or XLSX; its columns: docs/catalogue.md."),
    encoding: str | None = typer.Option(None, help="A CSV file's encoding, where it is not UTF-8 or Windows-1252."),
    strict: bool = typer.Option(False, help="Import nothing when a row is refused."),
) -> None:
    """Replace the provider catalogue by the rows of a file, all at once; tell each refused row. Prints JSON.

    Whatever goes wrong before the end leaves the catalogue before as it was. The running bot uses the new one
    within seconds.
    """
    from datetime import date

    from bot.matching.catalogue import CatalogueError, keep, read_file
    from bot.storage.database import make_engine, make_sessions, migrate

    settings = _settings()
    try:
        with _rows_bar() as (expect, advance):
            reading = read_file(file, _catalogue_terms(settings), date.today(), encoding, expect, advance)
    except CatalogueError as error:
        raise _fail(error) from None
    for line in (*(f"{file.name}: {note}" for note in reading.notes), *reading.refused):
        typer.echo(line, err=True)
    if not reading.kept or (strict and reading.refused):
        raise _fail(f"nothing imported: {len(reading.refused)} rows refused; the catalogue before is still in use")
    engine = make_engine(settings.database)
    migrate(engine)
    with make_sessions(engine)() as session:
        _print_json(keep(session, file, reading))


@knowledge.command("export")
def knowledge_export(
    file: Path | None = typer.Argument(None, help="A .csv or .xlsx to write; CSV on standard output without it."),
) -> None:
    """Write the imported provider catalogue as `rafiq knowledge import` takes it back."""
    import csv

    from bot.matching.catalogue import as_rows, write_file
    from bot.storage.database import make_engine, make_sessions, migrate

    if file is not None and file.suffix.casefold() not in (".csv", ".xlsx"):
        raise _fail("the name must end in .csv or .xlsx")
    engine = make_engine(_settings().database)
    migrate(engine)
    with make_sessions(engine)() as session:
        rows = as_rows(session)
    if file is None:
        csv.writer(sys.stdout, delimiter=";").writerows(rows)
        return
    try:
        write_file(file, rows)
    except OSError as error:
        raise _fail(f"{file}: cannot be written: {error.strerror}") from None
    _print_json({"file": str(file), "entries": len(rows) - 1})


def _catalogue_terms(settings: Any) -> Any:
    from bot.knowledge.loader import KnowledgeErrors
    from bot.matching.catalogue_rows import terms_of
    from bot.matching.records import load_catalogue

    try:
        return terms_of(settings.knowledge_dir, load_catalogue(settings.knowledge_dir))
    except KnowledgeErrors as errors:
        raise _fail(errors) from None


@contextmanager
def _rows_bar() -> Iterator[Any]:
    """Yield what shows on standard error how many rows were read: one to tell the total, one to advance."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("rows"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("rows", total=None)
        yield (
            lambda rows: bar.update(task, total=rows or None),
            lambda row: bar.update(task, completed=row),
        )


@data.command("export")
def data_export(
    channel: str = typer.Option("web", help="The channel."),
    address: str = typer.Argument(..., help="Phone, id, session."),
) -> None:
    """Print everything kept about the owner of an address as one JSON document."""
    from bot.storage.rights import export

    with _owner(channel, address) as (session, conversation):
        _print_json(export(session, conversation))


@data.command("delete")
def data_delete(
    channel: str = typer.Option("web", help="The channel."),
    address: str = typer.Argument(..., help="Phone, id, session."),
) -> None:
    """Erase everything kept about the owner of an address."""
    from bot.storage.retention import erase_conversation

    with _owner(channel, address) as (session, conversation):
        erase_conversation(session, conversation.id)
        session.commit()
    _print_json({"deleted": True})


@data.command("purge")
def data_purge() -> None:
    """Let go of what may no longer be kept: guests' sessions that are over, erased conversations, old messages."""
    from bot.storage.database import make_engine, make_sessions
    from bot.storage.retention import purge

    settings = _settings()
    with make_sessions(make_engine(settings.database))() as session:
        purge(session, settings.session_minutes * 60)
    _print_json({"purged": True})


@messages.command("list")
def messages_list(limit: int = typer.Option(100, min=1, max=10_000, help="At most so many, newest first.")) -> None:
    """Print JSON lines: messages whose turn failed, replies that failed for good or wait for the owner to write.

    `error` says why; what was written stays in the database.
    """
    from dataclasses import asdict
    from datetime import datetime, timezone

    from bot.storage.boxes import set_aside
    from bot.storage.database import make_engine, make_sessions

    with make_sessions(make_engine(_settings().database))() as session:
        for row in set_aside(session, limit):
            at = datetime.fromtimestamp(row.at, timezone.utc).isoformat(timespec="seconds")
            _print_json(asdict(row) | {"at": at})


@messages.command("replay")
def messages_replay(
    box: str = typer.Argument(..., help="inbox or outbox, as `rafiq messages list` says."),
    number: int = typer.Argument(..., help="The id in that list."),
) -> None:
    """Try a message again that was set aside."""
    from bot.storage.boxes import replay
    from bot.storage.database import make_engine, make_sessions
    from bot.storage.wakeup import make_wakeup

    if box not in ("inbox", "outbox"):
        raise _fail("the box is inbox or outbox")
    engine = make_engine(_settings().database)
    with make_sessions(engine)() as session:
        if not replay(session, box, number):
            raise _fail("no such message is set aside: see `rafiq messages list`")
        wakeup = make_wakeup(engine)
        wakeup.notify(session, box)
        session.commit()
    wakeup.notify_committed(box)
    _print_json({"replayed": True})


@contextmanager
def _owner(channel: str, address: str) -> Iterator[Any]:
    """Yield the session and conversation of an address; stop when nobody wrote from there."""
    from bot.storage.addresses import AddressBook
    from bot.storage.database import make_engine, make_sessions
    from bot.storage.inbox import find_conversation
    from bot.storage.models import Conversation

    settings = _settings()
    book = AddressBook(settings.derived_key("address-hash"), settings.fernet_key())
    with make_sessions(make_engine(settings.database))() as session:
        found = find_conversation(session, book, channel, address)
        if found is None:
            raise _fail("nobody wrote from this address")
        yield session, session.get(Conversation, found)


def _parser() -> Any:
    from bot.dialogue.model import model_path
    from bot.nlu.parse import Parser

    try:
        return Parser.load(model_path(_settings()))
    except FileNotFoundError:
        raise _fail("there is no trained model: run `rafiq train`") from None


def _lines(file: Path | None) -> list[str]:
    text = file.read_text("utf-8") if file else sys.stdin.buffer.read().decode("utf-8", "replace")
    return text.splitlines()


def _json_lines(file: Path | None) -> Iterator[Any]:
    for number, line in enumerate(_lines(file), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise _fail(f"line {number} is not JSON: {error}") from None


def _has(row: Any, *names: str) -> bool:
    return isinstance(row, dict) and all(isinstance(row.get(name), str) for name in names)


@bench.command("questions")
def bench_questions(
    file: Path = typer.Argument(..., help='JSON lines, one firm each: a profile, or {"profile": …}.'),
) -> None:
    """Count the questions until no answer decides any programme: by field, and as the chat asks."""
    from bot.bench.questions import measure
    from bot.funding.service import make_funding
    from bot.funding.words import load_funding_words

    folder = _settings().knowledge_dir
    firms = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    profiles = [firm.get("profile", firm) for firm in firms]
    _print_json(measure(make_funding("", folder), load_funding_words(folder), profiles))


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


@bench.command("webhooks")
def bench_webhooks(
    senders: int = typer.Option(50, min=1, max=200, help="How many post at once."),
    messages: int = typer.Option(2000, min=1, max=50_000, help="Signed messages in all."),
    pause: float = typer.Option(0.0, min=0, max=10, help="Mean seconds a sender waits between two messages."),
    forged: int = typer.Option(10_000, min=0, max=100_000, help="Broken and forged webhooks afterwards."),
    database_url: str = typer.Option("", help="A PostgreSQL server's URL; without it an SQLite file."),
) -> None:
    """Measure the gateway alone, with no worker running: webhooks a second, p50, p95; what forged ones leave."""
    import asyncio

    from rich.console import Console
    from rich.progress import Progress

    from bot.bench.webhooks import run as run_bench

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("webhooks", total=messages + forged)
        result = asyncio.run(run_bench(senders, messages, pause, forged, database_url, lambda: bar.advance(task)))
    _print_json(result)
    if result["accepted"] != result["messages"] or any(result["rows_left_by_forged"].values()):
        raise typer.Exit(1)


@bench.command("delivery")
def bench_delivery(
    conversations: int = typer.Option(1000, min=1, max=5000, help="How many owners write."),
    messages: int = typer.Option(10, min=7, max=13, help="Messages of each: greeting, profile, answers."),
    kill_every: float = typer.Option(4.0, min=0, max=600, help="Mean seconds between two kill -9; 0 for none."),
    faults: float = typer.Option(0.0, min=0, max=0.9, help="Share of the provider's calls that fail."),
    workers: int = typer.Option(2, min=1, max=4, help="Worker processes."),
    minutes: float = typer.Option(30.0, min=0.5, max=120, help="The run is given up after so long."),
    pause: float = typer.Option(0.5, min=0, max=60, help="Longest wait of an owner between two messages, seconds."),
    seed: int = typer.Option(0, help="Of the kills and faults."),
    database_url: str = typer.Option("", help="A PostgreSQL server's URL; without it an SQLite file."),
) -> None:
    """Kill processes and let the provider fail while owners take the test; count what was lost or done twice."""
    import asyncio

    from rich.console import Console
    from rich.progress import Progress

    from bot.bench.delivery import Plan
    from bot.bench.delivery import run as run_bench
    from bot.settings import ROOT

    sys.path.insert(0, str(ROOT))  # the stand-ins are part of the repository, not of an installation
    plan = Plan(conversations, messages, kill_every, faults, workers, minutes, pause, seed)
    with Progress(console=Console(stderr=True)) as bar:
        tasks = {name: bar.add_task(name, total=conversations * messages) for name in ("sent", "turns")}
        result = asyncio.run(run_bench(plan, database_url, lambda name, steps: bar.advance(tasks[name], steps)))
    _print_json(result)
    if not result["passed"]:
        raise typer.Exit(1)


@bench.command("services")
def bench_services(
    entries: list[int] = typer.Option([1_000, 3_000, 10_000, 30_000], min=10, max=100_000, help="Sizes of catalogue."),
    seconds: float = typer.Option(20.0, min=0.1, max=600, help="At most so long a size."),
) -> None:
    """Measure matching and the funding check here, without a network: p50 and p95 by size. Prints JSON."""
    from bot.bench.services import measure

    _print_json(measure(_settings().knowledge_dir, entries, seconds, lambda line: typer.echo(line, err=True)))


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
