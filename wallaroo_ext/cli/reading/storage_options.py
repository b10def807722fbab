"""The options `--storage-option` and `--storage-option-env`: how the file system of a URL is opened."""

from __future__ import annotations

import json
import os
from typing import Any, cast

from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.inference.files.opening.storage_options import is_secret


def parse_storage_options(
    plain: list[str] | None, from_environment: list[str] | None, name: str = "--storage-option"
) -> dict[str, Any] | None:
    """Return the options of a file system, as `infer` takes them; None if there are none.

    Args:
        plain: Each an option and its value, such as `anon=true`; a value may be JSON.
        from_environment: Each an option and the environment variable that has its value, such as
            `secret=MY_SECRET`.
        name: The option of the command line.

    Raises:
        UsageError: A text is no option with a value, a secret stands on the command line, or a variable is not set.
    """
    options: dict[str, Any] = {}
    for text in plain or []:
        option, value = _split(text, name, "anon=true")
        options[option] = _value(value)
        if hidden := _secret_in(option, options[option]):
            raise UsageError(
                f"{name}: {hidden!r} may be secret, and other users of this machine see what stands on a command line: "
                f"put it into an environment variable, and name that one, {name}-env {option}=VARIABLE."
            )
    for text in from_environment or []:
        option, variable = _split(text, f"{name}-env", "secret=VARIABLE")
        value = os.environ.get(variable)
        if not value:
            raise UsageError(f"{name}-env {option}: the environment variable that it names is not set, or empty.")
        options[option] = _object(value)
    return options or None


def _split(text: str, name: str, example: str) -> tuple[str, str]:
    option, sign, value = text.partition("=")
    if not sign or not option.strip() or not value:
        raise UsageError(f"{name}: write an option and its value, such as {example}.")
    return option.strip(), value


def _value(text: str) -> Any:
    """Return a value as JSON says it, or, if it is none, as a text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _object(text: str) -> Any:
    """Return the value of a variable: a text, or an object of JSON."""
    found = _value(text)
    return cast("Any", found) if isinstance(found, dict) else text


def _secret_in(name: str, value: Any) -> str | None:
    """Return the name of an option, or of one within it, whose value may be secret."""
    if isinstance(value, dict):
        within = [_secret_in(str(each), inner) for each, inner in cast("dict[Any, Any]", value).items()]
    elif isinstance(value, list):
        within = [_secret_in(name, each) for each in cast("list[Any]", value)]
    else:
        return name if is_secret(name, value) else None
    return next(filter(None, within), None)
