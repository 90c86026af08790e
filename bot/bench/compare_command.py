"""What stands between the command line and the comparison of pipelines: choosing, running, showing progress."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bot.bench.comparison import PipelineFailed, keep_result, key_of, read_results, run
from bot.bench.corpora import Columns, Corpus, CorpusError, make_corpus, own_tests, own_training, read_examples
from bot.bench.pipelines import PIPELINES, Pipeline
from bot.nlu.steps import ROOT


def read_corpus(training: Sequence[Path], test: Sequence[Path], columns: Columns) -> Corpus:
    """Read the files given, or the project's own data; raise CorpusError."""
    learnt = read_examples(training, columns) if training else own_training(ROOT / "nlu_data/intents")
    return make_corpus(learnt, read_examples(test or own_tests(ROOT / "nlu_data/dev"), columns))


def chosen(names: Sequence[str]) -> list[Pipeline]:
    """Return the pipelines by their names, all without names; raise CorpusError for one that does not exist."""
    unknown = [name for name in names if name not in PIPELINES]
    if unknown:
        lines = "\n".join(f"  {pipeline.name}: {pipeline.what}" for pipeline in PIPELINES.values())
        raise CorpusError(f"there is no pipeline {', '.join(unknown)}; there are\n{lines}")
    return [PIPELINES[name] for name in names or PIPELINES]


def run_missing(pipelines: Sequence[Pipeline], corpus: Corpus, epochs: int, file: Path, again: bool) -> bool:
    """Run the pipelines that have no result yet and keep what they give; tell whether none failed."""
    kept = {} if again else read_results(file)
    missing = [pipeline for pipeline in pipelines if key_of(pipeline, corpus, epochs) not in kept]
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    failed = False
    with Progress(*columns, console=console) as bar:
        for pipeline in missing:
            if package := pipeline.missing():
                console.print(f"{pipeline.name} left out: {package} is not installed{_extra(pipeline)}")
                continue
            task = bar.add_task(pipeline.name, total=None)

            def tell(what: str, read: int | None, task: object = task, name: str = pipeline.name) -> None:
                total = len(corpus.test) if read is not None else None
                bar.update(task, description=f"{name}: {what}", completed=read or 0, total=total)  # type: ignore[arg-type]

            try:
                keep_result(file, run(pipeline, corpus, epochs, tell))
                bar.update(task, description=f"{pipeline.name}: done", completed=1, total=1)
            except PipelineFailed as error:
                failed = True
                bar.update(task, description=f"{pipeline.name}: failed", completed=1, total=1)
                print(f"{pipeline.name} failed:\n{error}", file=sys.stderr)
    return not failed


def _extra(pipeline: Pipeline) -> str:
    return " (it comes with the extra `compare`)" if pipeline.extra else ""
