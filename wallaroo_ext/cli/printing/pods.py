"""Printing the status of a deployment: its pods and their models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.cli.printing import output
from wallaroo_ext.cli.printing.tables import Column, show_table, show_texts
from wallaroo_ext.deployments.status import details_of

if TYPE_CHECKING:
    from wallaroo_mlops_client.models import DeploymentStatus

_KINDS = {"engines": "engine", "engine_lbs": "load balancer", "sidekicks": "sidekick"}


def show_pods(status: DeploymentStatus) -> None:
    """Print the pods, their details and their models, if there are any."""
    fields = status.to_dict()
    pods = [object_of(pod) | {"kind": kind} for group, kind in _KINDS.items() for pod in list_of(fields.get(group))]
    if pods:
        output.print_line("")
        show_table(
            [
                Column("pod", _texts(pods, "name")),
                Column("kind", _texts(pods, "kind")),
                Column("status", _texts(pods, "status"), states=True),
            ]
        )
    details = details_of(status)
    if details:
        output.print_line("")
        show_texts(details)
    models = [object_of(model) for pod in pods for model in list_of(object_of(pod.get("model_statuses")).get("models"))]
    if models:
        output.print_line("")
        show_table(
            [
                Column("model", _texts(models, "name")),
                Column("version", _texts(models, "version")),
                Column("sha256", [sha[:12] for sha in _texts(models, "sha")]),
                Column("status", _texts(models, "status"), states=True),
            ]
        )


def _texts(rows: list[dict[str, Any]], name: str) -> list[str]:
    return [str(row.get(name) or "-") for row in rows]
