"""Start and stop the program's processes, and say when they are ready."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import threading
import time

import httpx
import structlog

from bot.settings import ROOT, Settings, get_settings

READY_WAIT_SECONDS = 300.0


def set_up_logging(settings: Settings) -> None:
    """Log to standard error; the libraries' own chatter, which can quote owners, stays at warnings."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s", force=True)
    logging.getLogger("bot").setLevel(settings.log_level.upper())
    # It logs an action's exception with its text, which may quote an owner; the turn reports type and place.
    logging.getLogger("rasa.core.processor").setLevel(logging.CRITICAL)
    # Rasa's structlog prints whole messages at debug level unless told otherwise.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def count_together(settings: Settings) -> None:
    """Let all processes count into one folder; it takes effect when called before anything imports bot.metrics."""
    folder = settings.data_dir / "metrics"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(folder))


def run_gateway(settings: Settings) -> None:
    """Serve until stopped; requests under way are finished."""
    count_together(settings)
    import uvicorn

    from bot.gateway.app import make_app
    from bot.openapi import service_routes

    set_up_logging(settings)
    uvicorn.run(
        make_app(settings, service_routes(settings)),
        host=settings.host,
        port=settings.port,
        access_log=False,  # its lines would hold conversation ids
        log_config=None,
        ws="none",
        proxy_headers=False,
        timeout_graceful_shutdown=int(settings.reply_wait_seconds) + 5,
    )


def simulated(settings: Settings, sms: str) -> Settings:
    """Return settings that lead to the stand-ins; processes started later inherit them."""
    sys.path.insert(0, str(ROOT))  # the stand-ins are part of the repository, not of an installation
    from tests.simulators.environment import environment

    os.environ.update(environment(settings.port, settings.data_dir, sms))
    get_settings.cache_clear()
    return get_settings()


def run_all(settings: Settings, simulate: bool = False) -> int:
    """Train and migrate when needed, run gateway and worker under honcho, print the address when both answer."""
    from honcho.manager import Manager

    from bot.storage.database import make_engine, migrate

    if not _trained():
        return 1
    migrate(make_engine(settings.database))
    shutil.rmtree(settings.data_dir / "metrics", ignore_errors=True)  # what earlier processes counted
    manager = Manager()
    command = f"{sys.executable} -m bot.cli"
    # What is killed comes back (a status above 128); what stops by itself, or cannot start, ends the run.
    again = "; do [ $? -gt 128 ] || exit 1; sleep 1; done"
    manager.add_process("gateway", f"until {command} gateway{again}", cwd=str(ROOT))
    manager.add_process("worker", f"until {command} worker --checked{again}", cwd=str(ROOT))
    addresses = {"": f"{settings.address}/chat"}
    if simulate:
        manager.add_process("phones", f"exec {sys.executable} -m tests.simulators", cwd=str(ROOT))
        addresses = {"web chat: ": addresses[""], "phones: ": f"http://127.0.0.1:{os.environ['SIMULATOR_PORT']}/"}
    threading.Thread(target=_announce_when_ready, args=(settings, addresses), daemon=True).start()
    manager.loop()
    return int(manager.returncode or 0)


def _trained() -> bool:
    """Train in a process of its own: the parent stays small."""
    return subprocess.run([sys.executable, "-m", "bot.cli", "train"], cwd=ROOT, stdout=sys.stderr).returncode == 0


def _announce_when_ready(settings: Settings, addresses: dict[str, str]) -> None:
    local = f"http://{settings.host}:{settings.port}"
    deadline = time.monotonic() + READY_WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{local}/ready", timeout=2).status_code == 200:
                where = "   ".join(name + address for name, address in addresses.items())
                print(f"\nRafiq is ready: {where}\n", flush=True)
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.3)
    print("Rafiq is not ready yet: see the messages above, and /health", file=sys.stderr, flush=True)
