"""What shells complete: names of things of the instance, and files."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from wallaroo_ext._util.files.user_paths import user_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cyclopts.completion import CompletionContext
    from wallaroo_mlops_client import Client

_SECONDS = 3.0
"""How long a shell waits for the instance in all; it then completes nothing."""


def workspace_names(context: CompletionContext) -> Iterable[str]:
    """Return the names of the workspaces."""
    return _asked(context, _workspaces)


def model_names(context: CompletionContext) -> Iterable[str]:
    """Return the names of the models, in the workspace that is given or in all."""
    return _asked(context, _models)


def pipeline_names(context: CompletionContext) -> Iterable[str]:
    """Return the names of the pipelines, in the workspace that is given or in all."""
    return _asked(context, _pipelines)


def at_files(context: CompletionContext) -> Iterable[str]:
    """Return the files that @FILE may name."""
    if not context.incomplete.startswith("@"):
        return []
    directory, slash, _ = context.incomplete[1:].rpartition("/")
    try:
        with os.scandir(user_path(f"{directory}{slash}" or ".")) as found:
            return sorted(f"@{directory}{slash}{each.name}{'/' if each.is_dir() else ''}" for each in found)
    except OSError:
        return []


FileOrUrl = str | Path
"""A text, which shells complete as a path."""

ModelName = Annotated[str, Parameter(completer=model_names)]
"""The name of a model."""

PipelineName = Annotated[str, Parameter(completer=pipeline_names)]
"""The name of a pipeline, or what else leads to its deployment."""

Workspace = Annotated[str | None, Parameter(completer=workspace_names)]
"""The name or the id of a workspace."""


def _asked(context: CompletionContext, names: Callable[[Client, str | int | None], Iterable[str]]) -> Iterable[str]:
    """Return names that the instance tells, at once or not at all: completing is no place for errors."""
    found: list[str] = []

    def ask() -> None:
        from wallaroo_ext.cli.parameters import parse_workspace
        from wallaroo_ext.errors import WallarooError

        with suppress(WallarooError, OSError, ValueError), _connected(context) as client:
            found.extend(sorted(set(names(client, parse_workspace(_given(context, "workspace"))))))

    # A thread, because each of many requests has a time of its own, and so have signing in and looking up names.
    asking = threading.Thread(target=ask, name="wallaroo-completion", daemon=True)
    asking.start()
    asking.join(_SECONDS)
    return [] if asking.is_alive() else found


def _connected(context: CompletionContext) -> Client:
    from wallaroo_ext.cli.options import Options
    from wallaroo_ext.client import connect
    from wallaroo_ext.transport.retry import RetryPolicy

    options: dict[str, Any] = {field.name: _given(context, field.name) for field in fields(Options)}
    text = {name: value for name, value in options.items() if value is not None and name not in {"json", "verbose"}}
    text.pop("timeout", None)
    for name in ("credentials", "ca_bundle"):
        if name in text:
            text[name] = user_path(text[name])
    retries = RetryPolicy(attempts=1, deadline=_SECONDS)
    return connect(environment=Options(**text).environment(), timeout=_SECONDS, retries=retries)


def _given(context: CompletionContext, name: str) -> str | None:
    found = context.get(name.replace("_", "-"))
    return None if found is None else found.raw


def _workspaces(client: Client, _: str | int | None) -> Iterable[str]:
    from wallaroo_ext.resources.workspaces import list_workspaces

    return (found.name for found in list_workspaces(client))


def _models(client: Client, workspace: str | int | None) -> Iterable[str]:
    from wallaroo_ext.operations import run
    from wallaroo_ext.resources.models import models_steps
    from wallaroo_ext.resources.workspaces import searched_steps

    for searched in run(client, searched_steps(workspace)):
        if searched.models != []:
            yield from (model.name for model in run(client, models_steps(searched.id)))


def _pipelines(client: Client, workspace: str | int | None) -> Iterable[str]:
    from wallaroo_ext.resources.pipelines import list_pipelines

    return (found.name for found in list_pipelines(client, workspace))
