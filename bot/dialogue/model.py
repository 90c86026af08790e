"""The trained model: named after everything it was trained from, so that a stale one is never loaded."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from bot.settings import ROOT, Settings

TRAINING_DATA = ("nlu_data/intents", "nlu_data/rules.yml")
INPUTS = (
    *TRAINING_DATA,
    "config.yml",
    "domain.yml",
    "requirements.lock",
    "bot/nlu",
    "knowledge/answers.yml",
    "knowledge/questions.yml",
)


class TrainingFailed(Exception):
    """Rasa made no model; what it said is on standard error."""


def input_files() -> list[Path]:
    """Return every file a model depends on, in a fixed order."""
    files: list[Path] = []
    for name in INPUTS:
        path = ROOT / name
        files += sorted(path.rglob("*")) if path.is_dir() else [path]
    return [file for file in files if file.is_file() and file.suffix in (".yml", ".lock", ".py")]


def model_path(settings: Settings) -> Path:
    """Return where the model of the present inputs is, or will be."""
    digest = hashlib.blake2b(digest_size=6)
    for file in input_files():
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return settings.model_dir / f"rafiq-{digest.hexdigest()}.tar.gz"


def is_stale(settings: Settings) -> bool:
    """Say whether the present inputs have no model yet."""
    return not model_path(settings).exists()


def train(settings: Settings) -> Path:
    """Train a model and put it in place in one step; older models stay until the new one is whole."""
    from rasa.model_training import train as rasa_train

    target = model_path(settings)
    draft = settings.model_dir / f".draft-{os.getpid()}"
    settings.model_dir.mkdir(parents=True, exist_ok=True)
    try:
        result = rasa_train(
            domain=str(ROOT / "domain.yml"),
            config=str(ROOT / "config.yml"),
            training_files=[str(ROOT / name) for name in TRAINING_DATA],
            output=str(draft),
            fixed_model_name="rafiq",
            force_training=True,
        )
        if result.code != 0 or not result.model:
            raise TrainingFailed(f"training ended with code {result.code}")
        os.replace(result.model, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    for old in settings.model_dir.glob("rafiq-*.tar.gz"):
        if old != target:
            old.unlink()
    return target
