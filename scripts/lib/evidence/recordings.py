"""The exchanges with real servers that lie beside the clone, or where the variable RECORDINGS says.

They are other people's data and no part of this repository. A file has the `path`, the `date` that it was published at,
the `status`, the `response` and, where it is known, the `request`.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable

VARIABLE = "RECORDINGS"
NOTHING = object()
"""What stands for a request that is not known."""

VARIABLES = ("x", 7, "[removed]")
"""What stands in a request where the code that sent it had a variable."""

_DEFAULT = Path(__file__).parents[4] / "shared/recordings"
_LAST_MONTHS = (
    ("2023-02", "2022.4"),
    ("2023-03", "2023.1"),
    ("2023-07", "2023.2"),
    ("2024-02", "2023.4"),
    ("2024-09", "2024.2"),
)
"""The last month in which a recording is of a server of a release, or of one between it and the release before."""

_NEWEST = "2025.2"


@dataclass(frozen=True, slots=True)
class Recording:
    """An exchange with a real server.

    Attributes:
        name: The file's name, without its ending.
        path: The path of the URL.
        release: The release whose contract it is held to.
        status: The status of the answer.
        request: The body of the request, with `VARIABLES` in it; NOTHING where no field of it is known.
        response: The body of the answer.
    """

    name: str
    path: str
    release: str
    status: int
    request: Any
    response: Any


@dataclass(frozen=True, slots=True)
class NotHeld:
    """Recordings that do not hold as they are.

    Attributes:
        reason: Why.
        applies: Whether a recording is one of them.
        mended: What of its answer holds; NOTHING where nothing does.
    """

    reason: str
    applies: Callable[[Recording], bool]
    mended: Callable[[Any], Any]


def _without_ellipsis(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_ellipsis(inner) for name, inner in object_of(value).items()}
    if isinstance(value, list):
        return [_without_ellipsis(inner) for inner in list_of(value) if inner != "Ellipsis"]
    return value


NOT_HELD = (
    NotHeld(
        "The notebook printed the headers of the answer instead of its body; a test of its own looks at them.",
        lambda found: found.path.endswith("/get_logs") and "x-iteration-status" in object_of(found.response),
        lambda _: NOTHING,
    ),
    NotHeld(
        "The notebook printed the body of the request where the answer was meant.",
        lambda found: found.path.endswith("/summarize") and "summarizer" in object_of(found.response),
        lambda _: NOTHING,
    ),
    NotHeld(
        "The notebook printed a long list with `...` in the middle, which reads as one more value.",
        lambda found: '"Ellipsis"' in json.dumps(found.response),
        _without_ellipsis,
    ),
)
"""All that does not hold, with the reason."""


def release_of(date: str) -> str:
    """Return the release that a recording of a date, or of a month, is held to."""
    return next((release for month, release in _LAST_MONTHS if date[:7] <= month), _NEWEST)


def recordings_directory() -> Path | None:
    """Return the directory of the recordings; None where there is none."""
    directory = Path(os.environ.get(VARIABLE) or _DEFAULT)
    return directory if directory.is_dir() else None


def recordings() -> list[Recording]:
    """Return all recordings, in the order of their dates; none where they are not there."""
    directory = recordings_directory()
    return [_read(file) for file in sorted(directory.glob("*.json"))] if directory else []


def inference_files(ending: str) -> list[Path]:
    """Return the recorded answers of inferences whose files have an ending; none where they are not there."""
    directory = recordings_directory()
    return sorted((directory / "inference").glob(f"*-answer*{ending}")) if directory else []


def answer_of(recording: Recording) -> Any:
    """Return the answer of a recording as the contract has to hold it; NOTHING where none was printed."""
    answer = recording.response
    for exception in NOT_HELD:
        if exception.applies(recording):
            answer = exception.mended(answer)
    return answer


def steps_files() -> list[Path]:
    """Return the file with the columns of steps that have several models; none where it is not there."""
    directory = recordings_directory()
    return list((directory / "inference").glob("steps.json")) if directory else []


def _read(file: Path) -> Recording:
    content = json.loads(file.read_text(encoding="utf-8"))
    request = content.get("request", NOTHING)
    return Recording(
        name=file.stem,
        path=content["path"],
        release=release_of(content["date"]),
        status=content["status"],
        request=NOTHING if request in VARIABLES else request,
        response=content["response"],
    )
