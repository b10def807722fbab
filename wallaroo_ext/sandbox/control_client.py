"""Controlling a sandbox from a program or a test: resetting and seeding it, its clock, and its faults."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Self

import httpx

from wallaroo_ext._util.after_fork import PerProcess
from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext._util.notebook_tables import table_of
from wallaroo_ext.errors import WallarooError
from wallaroo_ext.inference.inputs.rows import to_table
from wallaroo_ext.inference.media_types import arrow_media_type
from wallaroo_ext.sandbox.paths import CONTROL
from wallaroo_ext.transport.connections.tls import unused_tls_context
from wallaroo_ext.transport.process_connections import detach_connections_in_children

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from wallaroo_mlops_client import Client

_TIMEOUT_SECONDS = 60.0
_LONGEST_TEXT = 500  # characters of an answer in plain text


class SandboxControlError(WallarooError):
    """The sandbox refused a command, or did not answer; the message says why."""


class Sandbox:
    """A running sandbox: what steers it, and a client of it.

    Args:
        environment: The variables that the sandbox printed, or that `wallaroo_ext.sandbox.process.running` yields.
        control_secret: The control secret, for a sandbox on another machine.

    Attributes:
        environment: The variables, for `wallaroo_ext.connect`.
        url: The URL of the sandbox.
    """

    def __init__(self, environment: Mapping[str, str], *, control_secret: str | None = None) -> None:
        self.environment = environment
        self.url = environment["WALLAROO_API_URL"]
        is_plain = self.url.startswith("http:")
        ca_bundle = environment.get("WALLAROO_CA_BUNDLE")
        verify = unused_tls_context() if is_plain else ssl.create_default_context(cafile=ca_bundle)
        self._http = PerProcess(lambda: self._control_client(control_secret, verify))
        self._clients: PerProcess[list[Client]] = PerProcess(list)

    @property
    def client(self) -> Client:
        """A client of the sandbox that is signed in as its default user, for threads and for asyncio.

        It is made when it is first asked for, and closed with this object. `wallaroo_ext.connect` makes others.
        """
        from wallaroo_ext.client import connect

        clients = self._clients.get()
        if not clients:
            clients.append(connect(environment=self.environment))
        return clients[0]

    def _control_client(self, control_secret: str | None, verify: ssl.SSLContext) -> httpx.Client:
        client = httpx.Client(
            base_url=self.url + CONTROL,
            headers={} if control_secret is None else {"Authorization": f"Bearer {control_secret}"},
            timeout=_TIMEOUT_SECONDS,
            trust_env=False,  # a sandbox is usually on this machine, where no proxy is needed
            verify=verify,
        )
        return detach_connections_in_children(client)

    def __repr__(self) -> str:
        return f"Sandbox({self.url!r})"

    def _repr_html_(self) -> str:
        return table_of(self, url=self.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the sandbox, which keeps running; those of an event loop are closed by `aclose`."""
        self._http.get().close()
        for client in self._clients.get():
            client.get_httpx_client().close()

    async def aclose(self) -> None:
        """Close the connections to the sandbox, those of the running event loop included."""
        for client in self._clients.get():
            await client.get_async_httpx_client().aclose()
        self.close()

    def reset(self) -> None:
        """Remove everything but what clients need to go on: the default user, the credentials and the tokens.

        Raises:
            SandboxControlError: The sandbox refused.
        """
        self._send("POST", "reset")

    def seed(
        self,
        *,
        users: list[dict[str, Any]] | None = None,
        workspaces: list[dict[str, Any]] | None = None,
        pipelines: list[dict[str, Any]] | None = None,
        inferences: list[dict[str, Any]] | None = None,
    ) -> dict[str, list[Any]]:
        """Add all of these records, or none, and return their ids in order, by kind.

        Args:
            users: Objects of `email` and `password`.
            workspaces: Objects of `name` and, unless the default user owns the workspace, `owner`, a user's address.
            pipelines: Objects of `name` and `workspace_id`.
            inferences: Objects of `pipeline_id`, `model_name` and `rows`; a row has `time`, in milliseconds since 1970,
                and fields `in.…` and `out.…`.

        Raises:
            SandboxControlError: The sandbox refused, and added nothing.
        """
        given = {"users": users, "workspaces": workspaces, "pipelines": pipelines, "inferences": inferences}
        return self._send("POST", "seed", json=_without_none(given))

    def seed_rows(self, rows: Any, *, pipeline_id: int, model_name: str) -> int:
        """Log many rows as if a model had scored them for a pipeline, and return the id of the log entry.

        Args:
            rows: A table of pandas, pyarrow, polars or duckdb, or a mapping of numpy arrays, with the columns `time`,
                `in.…` and `out.…`.
            pipeline_id: The id of the pipeline.
            model_name: The name of the model.

        Raises:
            SandboxControlError: The sandbox refused.
        """
        answer = self._send(
            "POST",
            "seed",
            params={"pipeline_id": pipeline_id, "model_name": model_name},
            headers={"Content-Type": arrow_media_type()},
            content=to_file(to_table(rows)).to_pybytes(),
        )
        return int(answer["inferences"][0])

    def state(self) -> dict[str, Any]:
        """Return the numbers of records, the newest of each kind, the clock, transitions, faults and request counts."""
        return self._send("GET", "state")

    def advance_clock(self, seconds: float) -> dict[str, Any]:
        """Advance the clock, run the assays that are due, and return the new time and what was run.

        Args:
            seconds: By how much; negative to set the clock back.

        Raises:
            SandboxControlError: The resulting time is out of range.
        """
        return self._send("POST", "clock", json={"advance": seconds})

    def set_clock(self, now: str) -> dict[str, Any]:
        """Set the clock, run the assays that are due, and return the new time and what was run.

        Args:
            now: The time in the form of RFC 3339, such as `2023-01-31T12:00:00Z`.

        Raises:
            SandboxControlError: The text is no such time, or the time is out of range.
        """
        return self._send("POST", "clock", json={"now": now})

    def set_transitions(
        self, *, deployments: dict[str, Any] | None = None, models: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Set how future deployments and model conversions end, and return the settings.

        Args:
            deployments: The minimum `seconds` of starting, the final `status` (`Running`, `Error`, or `Starting` for
                ever), and the `reason` of an error. Omitted fields get the defaults of a new sandbox.
            models: The same for model conversions, which end in `ready` or `error`.

        Raises:
            SandboxControlError: The sandbox refused.
        """
        given = {"deployments": deployments, "models": models}
        return self._send("POST", "transitions", json=_without_none(given))

    def add_faults(self, *rules: dict[str, Any]) -> list[dict[str, Any]]:
        """Add fault rules, and return all rules with how often each was `applied`.

        Args:
            *rules: Objects of `operation`, an `operationId` or `*`, `kind`, and the other fields that
                `wallaroo_ext.sandbox.faults.rule_parser` describes.

        Raises:
            SandboxControlError: A rule is invalid, and none was added.
        """
        return self._send("POST", "faults", json={"rules": list(rules)})["rules"]

    def faults(self) -> list[dict[str, Any]]:
        """Return the fault rules, with how often each was `applied`."""
        return self._send("GET", "faults")["rules"]

    def clear_faults(self) -> None:
        """Remove all fault rules."""
        self._send("DELETE", "faults")

    def _send(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        try:
            answer = self._http.get().request(method, f"/{path}", **content)
        except httpx.TransportError as error:
            raise SandboxControlError(f"The sandbox at {self.url} does not answer: {error}") from error
        answered = _json(answer)
        if answered is None or not answer.is_success:
            raise SandboxControlError(_message(answer, answered))
        return answered


def _without_none(given: dict[str, Any]) -> dict[str, Any]:
    """Return what was given; an empty object says something, too."""
    return {name: value for name, value in given.items() if value is not None}


def _json(answer: httpx.Response) -> dict[str, Any] | None:
    """Return the JSON object of an answer, or None if it is none."""
    try:
        content: Any = answer.json()
    except ValueError:
        return None
    return object_of(content) if isinstance(content, dict) else None


def _message(answer: httpx.Response, content: dict[str, Any] | None) -> str:
    """Return the message of an error answer, or a note that something else than a sandbox answered."""
    message = object_of(content).get("msg")
    if message:
        return str(message)
    if answer.is_error and answer.headers.get("Content-Type", "").startswith("text/plain") and answer.text.strip():
        text = answer.text.strip()[:_LONGEST_TEXT]  # the sandbox's server refuses what is no proper HTTP in plain text
        return f"{answer.url} answered {answer.status_code}: {text}"
    how = "" if answer.is_error else " without a JSON object"
    return f"{answer.url} answered {answer.status_code}{how}, which no sandbox does."
