"""`wallaroo-ext list`: the workspaces, models, pipelines and deployments of an instance."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from wallaroo_ext.cli.completion import Workspace
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.parameters import parse_workspace
from wallaroo_ext.cli.printing import output
from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.cli.printing.tables import Column, show_table
from wallaroo_ext.resources.lookup import near_or_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wallaroo_mlops_client import Client

    from wallaroo_ext.resources.models import ModelInfo

    Row = dict[str, Any]
    Columns = dict[str, Callable[[Row], Any]]

list = App(name="list", help="List what an instance has.")  # noqa: A001 - the command's name
_FLAG = Parameter(negative=(), show_default=False)


@list.command
def workspaces(
    name: str | None = None, /, *, archived: Annotated[bool, _FLAG] = False, options: Options = DEFAULT_OPTIONS
) -> None:
    """List the workspaces that the user sees, with the numbers of their models and pipelines.

    For example: `wallaroo-ext list workspaces`

    Args:
        name: A part of the names to list; all by default.
        archived: List the archived ones, too.
        options: The instance, and how to answer.
    """
    from wallaroo_ext.resources.workspaces import list_workspaces

    columns: Columns = {
        "workspace": lambda row: row["name"],
        "id": lambda row: row["id"],
        "models": lambda row: len(row.get("models") or ()),
        "pipelines": lambda row: len(row.get("pipelines") or ()),
        "created": lambda row: _day(row.get("created_at")),
    }
    advice = "No workspaces: in Python, find_workspace(client, NAME, create=True) makes one."

    def rows(client: Client) -> Sequence[Row]:
        return [each.to_dict() for each in list_workspaces(client, archived=archived)]

    _show(rows, columns, name, advice, options)


@list.command
def models(name: str | None = None, /, *, workspace: Workspace = None, options: Options = DEFAULT_OPTIONS) -> None:
    """List models, with the newest version of each.

    With --json, each has all of its versions, the newest first.

    For example: `wallaroo-ext list models --workspace tumours`

    Args:
        name: A part of the names to list; all by default.
        workspace: The workspace, by its name or its id; all that the user sees by default.
        options: The instance, and how to answer.
    """
    from wallaroo_ext.resources.models import list_models

    columns: Columns = {
        "model": lambda row: row["name"],
        "id": lambda row: row["id"],
        "workspace": lambda row: row["workspace"],
        "versions": lambda row: len(row["versions"]),
        "newest version": lambda row: _newest(row).get("model_version"),
        "sha256": lambda row: (_newest(row).get("sha") or "-")[:12],
        "status": lambda row: _newest(row).get("status"),
    }
    advice = "No models: `wallaroo-ext upload FILE --name NAME` uploads one."

    def rows(client: Client) -> Sequence[Row]:
        return [_model_fields(each) for each in list_models(client, parse_workspace(workspace))]

    _show(rows, columns, name, advice, options)


@list.command
def pipelines(name: str | None = None, /, *, workspace: Workspace = None, options: Options = DEFAULT_OPTIONS) -> None:
    """List pipelines, and whether they are deployed.

    Releases before 2025 do not list them; the command then fails, and says which ids their workspaces tell.

    For example: `wallaroo-ext list pipelines --workspace tumours`

    Args:
        name: A part of the names to list; all by default.
        workspace: The workspace, by its name or its id; all that the user sees by default.
        options: The instance, and how to answer.
    """
    from wallaroo_ext.resources.pipelines import list_pipelines

    columns: Columns = {
        "pipeline": lambda row: row["name"],
        "id": lambda row: row["id"],
        "workspace": lambda row: row["workspace"],
        "newest version": lambda row: row["version"],
        "deployed": lambda row: None if row["deployed"] is None else "yes" if row["deployed"] else "no",
    }
    advice = "No pipelines: `wallaroo-ext deploy NAME --model MODEL` makes and deploys one."

    def rows(client: Client) -> Sequence[Row]:
        return [dataclasses.asdict(each) for each in list_pipelines(client, parse_workspace(workspace))]

    _show(rows, columns, name, advice, options)


@list.command
def deployments(name: str | None = None, /, *, workspace: Workspace = None, options: Options = DEFAULT_OPTIONS) -> None:
    """List the pipelines that are deployed, with their present states.

    Releases before 2025 do not list pipelines, and so not what is deployed of them. The exit code is 0 also if one is
    in Error; `wallaroo-ext status NAME` says why.

    For example: `wallaroo-ext list deployments`

    Args:
        name: A part of the pipelines' names to list; all by default.
        workspace: The workspace, by its name or its id; all that the user sees by default.
        options: The instance, and how to answer.
    """
    from wallaroo_ext.deployments.listing import list_deployments

    columns: Columns = {
        "pipeline": lambda row: row["pipeline"],
        "deployment": lambda row: row["name"],
        "id": lambda row: row["id"],
        "workspace": lambda row: row["workspace_id"],
        "status": lambda row: row["status"],
        "url": lambda row: row["url"],
    }
    advice = "No deployments: `wallaroo-ext deploy NAME --model MODEL` makes one."

    def rows(client: Client) -> Sequence[Row]:
        return [dataclasses.asdict(each) for each in list_deployments(client, parse_workspace(workspace))]

    _show(rows, columns, name, advice, options)


def _show(
    listing: Callable[[Client], Sequence[Row]], columns: Columns, part: str | None, empty: str, options: Options
) -> None:
    """Print what an instance lists: as one array of JSON, or as a table.

    Args:
        listing: Returns the rows.
        columns: The value of each column in a row, by its title; the first has the names.
        part: A part of the names to print; None for all.
        empty: The sentence for an empty list.
        options: The instance, and how to answer.
    """
    with options.report_errors():
        with options.connect() as client:
            rows = listing(client)
        rows = _named(rows, part, columns)
        if options.json:
            output.print_line(output.to_json(rows, machine=True))
        elif not rows:
            output.print_note(empty)
        else:
            show_table([_column(title, [value(row) for row in rows]) for title, value in columns.items()])


def _named(rows: Sequence[Row], part: str | None, columns: Columns) -> Sequence[Row]:
    """Return the rows whose names, which the first column has, have this part, in capitals or not.

    Raises:
        UsageError: None has it; the message has near names.
    """
    if part is None or not rows:
        return rows
    what, name_of = next(iter(columns.items()))
    found = [row for row in rows if part.casefold() in name_of(row).casefold()]
    if not found:
        raise UsageError(f"No {what} has {part!r} in its name. {near_or_all(part, [name_of(row) for row in rows])}")
    return found


def _model_fields(model: ModelInfo) -> Row:
    return {
        "id": model.id,
        "name": model.name,
        "workspace_id": model.workspace_id,
        "workspace": model.workspace,
        "versions": [version.to_dict() for version in model.versions],
    }


def _newest(row: Row) -> Row:
    return row["versions"][0] if row["versions"] else {}


def _day(time: str | None) -> str | None:
    return None if time is None else time[:10]


def _column(title: str, values: Sequence[Any]) -> Column:
    texts = ["-" if value is None or value == "" else str(value) for value in values]
    return Column(title, texts, right=all(isinstance(value, int) for value in values), states=title == "status")
