"""What is shown when the program itself fails: an error that nobody foresaw, wherever it happens.

It is one error: what the program was doing, what happened and where, and how to report it. The traceback
goes to a file in the git-ignored folder.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

from swarm.errors import SwarmError
from swarm.foreign import harmless

# The exit code by which a program tells the engine that it has said what is wrong.
SAID = 32
INTERRUPTED = 130  # as shells have it

FOLDER = Path(".swarm")  # git-ignored
FILE = FOLDER / "error.txt"
PACKAGES = ("pulumi", "pulumi_command", "pulumi_docker", "grpcio")
WORDS_MOST = 500  # characters of an error's own words
INTERRUPT_SECONDS = 3  # in which the engine interrupts the program after an error of its own
SECRET_LEAST = 4  # characters; a shorter one would be found in any text
SECRETS = re.compile(r"SWMTKN-\S+|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)", re.S)

Work = Coroutine[Any, Any, Any] | Generator[Any, None, Any]

_doing = "starting"
_hidden: set[str] = set()


def doing(what: str) -> None:
    """Notes what the program is about to do, in words that follow `while`."""
    global _doing
    _doing = what


def hide(secret: object) -> None:
    """Keeps a secret's texts out of what is shown of an error: all in a value of the configuration."""
    match secret:
        case str():
            with suppress(ValueError):
                if not isinstance(found := json.loads(secret), str):
                    hide(found)
            if len(secret) >= SECRET_LEAST:
                _hidden.add(secret)
        case Mapping():
            hide(list(secret.values()))
        case Iterable():
            for one in secret:
                hide(one)


def report(error: BaseException) -> str:
    """The error in words; its traceback is written to FILE, or is in them where that can't be."""
    words = harmless(_without_secrets(f"{type(error).__name__}: {error}"), WORDS_MOST)
    return (
        f"unexpected error while {_doing}: {words} ({_place(error)})\n"
        f"{_keep(error)}\n"
        "If nothing on this computer explains it, such as a full disk or a missing right, it is a fault of "
        "the program.\nTo report it, open an issue with this error and that traceback. Check first that they "
        "hold no secret."
    )


def _without_secrets(text: str) -> str:
    for secret in sorted(_hidden, key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return SECRETS.sub("[secret]", text)


def _place(error: BaseException) -> str:
    """The line of ours in which it happened; the very line where none is."""
    frames = traceback.extract_tb(error.__traceback__)
    root = str(Path(__file__).absolute().parents[1])
    ours = [one for one in frames if one.filename.startswith(root) and "site-packages" not in one.filename]
    if not frames:
        return "nowhere"
    last = (ours or frames)[-1]
    return f"{last.filename.removeprefix(root + os.sep)}, line {last.lineno}"


def _keep(error: BaseException) -> str:
    """Writes down the traceback and what is installed; says where it is."""
    details = _without_secrets("".join(traceback.format_exception(error)))
    text = f"while {_doing}\n{_versions()}\n\n{details}"
    try:
        FOLDER.mkdir(mode=0o700, exist_ok=True)
        FILE.touch(mode=0o600)
        FILE.write_text(text, encoding="utf-8")
    except OSError:
        return f"Traceback and versions:\n{harmless(text)}"
    return f"Traceback and versions: {FILE}"


def _versions() -> str:
    found = [f"Python {platform.python_version()} on {platform.platform()}"]
    for name in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found.append(f"{name} {metadata.version(name)}")
    return ", ".join(found)


@contextmanager
def shown(tell: Callable[[str], None]) -> Iterator[None]:
    """For the program of an engine, from here to its end: an error is told, and ends the run. So does one
    that nobody foresaw in a task or thread that begins meanwhile, also after this, as what is done to an
    Output does: the SDK may crash without a word where it is left to it."""

    def end(error: BaseException) -> NoReturn:
        tell(report(error))
        os._exit(SAID)  # at once: nothing more is to be done to hosts

    def watched(loop: asyncio.AbstractEventLoop, work: Work, **options: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(work, loop=loop, **options)
        task.add_done_callback(lambda done: _judge(done, end))
        return task

    asyncio.get_running_loop().set_task_factory(watched)
    threading.excepthook = lambda thread: end(thread.exc_value or SystemExit())
    try:
        yield
    except SwarmError as error:
        tell(harmless(str(error)))
        sys.exit(SAID)
    except Exception as error:
        end(error)


def _judge(task: asyncio.Task[Any], end: Callable[[BaseException], NoReturn]) -> None:
    """Ends the run if the task failed."""
    error = None if task.cancelled() else task.exception()
    if not isinstance(error, Exception) or _is_of_grpc(error):
        return  # gRPC tells its own tasks that something is over
    if any(map(_is_of_grpc, _causes(error))):
        time.sleep(INTERRUPT_SECONDS)  # what the engine has said itself ends here
    end(error)


def _is_of_grpc(error: BaseException) -> bool:
    """Whether it tells that a request failed."""
    return any(kind.__module__.partition(".")[0] == "grpc" for kind in type(error).__mro__)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What the error came of."""
    while cause := error.__cause__ or error.__context__:
        yield cause
        error = cause


def run(main: Callable[[], int | None], interrupted: str = "interrupted") -> NoReturn:
    """For a program of its own: runs it, shows its error, and exits. The one place where that is done."""
    try:
        code = main()
    except SwarmError as error:
        if words := harmless(str(error)):
            print(words, file=sys.stderr)
        code = error.code
    except KeyboardInterrupt:
        print(f"\n{interrupted}", file=sys.stderr)
        code = INTERRUPTED
    except Exception as error:
        print(f"error: {report(error)}", file=sys.stderr)
        code = 1
    sys.exit(code)
