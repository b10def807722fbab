"""What names may be, for the errors of instances that refuse one."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from wallaroo_ext.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Generator

Named = Literal["model", "pipeline", "workspace"]

_LONGEST = 63
_ALLOWED: dict[Named, str] = {
    "model": "letters, digits and dashes",
    "pipeline": f"at most {_LONGEST} letters, digits and dashes",
    "workspace": f"at most {_LONGEST} lower-case letters, digits and dashes",
}


@contextmanager
def explained_names(what: Named, name: str) -> Generator[None]:
    """Let an error of an instance that refuses a request say what names may be, where the name breaks that."""
    try:
        yield
    except InvalidRequestError as error:
        possible = possible_name(what, name)
        if possible != name:
            such = f": {possible!r} is one" if possible else ""
            error.advice = f"The name of a {what} has {_ALLOWED[what]}, and no dash at either end{such}."
        raise


def possible_name(what: Named, name: str) -> str:
    """Return a name as it may be, as near to the given one as can be; empty if nothing of it is left."""
    cased = name.lower() if what == "workspace" else name
    longest = None if what == "model" else _LONGEST
    return re.sub(r"[^A-Za-z0-9-]+", "-", cased).strip("-")[:longest].strip("-")
