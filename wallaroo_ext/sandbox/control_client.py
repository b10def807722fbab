"""Steering a sandbox from a program or a test: making it new, filling it, its clock, and what fails in it."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Self

import httpx

from wallaroo_ext._util.after_fork import PerProcess
from wallaroo_ext._util.arrow_files import to_file
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.inference.media_types import arrow_media_type
from wallaroo_ext.inference.rows import to_table
from wallaroo_ext.sandbox.paths import CONTROL
from wallaroo_ext.transport.process_connections import detach_connections_in_children

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

_TIMEOUT_SECONDS = 60.0


class SandboxControlError(Exception):
    """The sandbox did not do what it was told, and says why, or it does not answer."""


class Sandbox:
    """A sandbox that answers, and how to steer it.

    Args:
        environment: The variables that it printed, as `wallaroo_ext.sandbox.process.running` gives them.
        control_secret: Its control secret, for a sandbox on another machine.

    Attributes:
        environment: The variables, for `wallaroo_ext.connect`.
        url: Its URL.
    """

    def __init__(self, environment: Mapping[str, str], *, control_secret: str | None = None) -> None:
        self.environment = environment
        self.url = environment["WALLAROO_API_URL"]
        verify = ssl.create_default_context(cafile=environment.get("WALLAROO_CA_BUNDLE"))
        self._http = PerProcess(lambda: self._client(control_secret, verify))

    def _client(self, control_secret: str | None, verify: ssl.SSLContext) -> httpx.Client:
        client = httpx.Client(
            base_url=self.url + CONTROL,
            headers={} if control_secret is None else {"Authorization": f"Bearer {control_secret}"},
            timeout=_TIMEOUT_SECONDS,
            trust_env=False,  # a proxy stands between machines, and a sandbox is on this one
            verify=verify,
        )
        return detach_connections_in_children(client)

    def __repr__(self) -> str:
        return f"Sandbox({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to it; the sandbox goes on."""
        self._http.get().close()

    def reset(self) -> None:
        """Make it new: what a client needs to go on is left, the default user, the credentials and the tokens.

        Raises:
            SandboxControlError: It refuses.
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
        """Put all of this into it, or nothing; the ids of each, in order.

        Args:
            users: `{"email", "password"}` of each.
            workspaces: `{"name"}` of each, and `owner`, a user's address, where it is not the default user's.
            pipelines: `{"name", "workspace_id"}` of each.
            inferences: `{"pipeline_id", "model_name", "rows"}` of each; a row has `time`, in milliseconds since 1970,
                and `in.…` and `out.…`.

        Raises:
            SandboxControlError: It refuses, and nothing was put into it.
        """
        given = {"users": users, "workspaces": workspaces, "pipelines": pipelines, "inferences": inferences}
        return self._send("POST", "seed", json={name: value for name, value in given.items() if value is not None})

    def seed_rows(self, rows: Any, *, pipeline_id: int, model_name: str) -> int:
        """Log many rows as if a model had scored them for a pipeline; the id of the entry of the log.

        Args:
            rows: A table of pandas, pyarrow, polars or duckdb, or a mapping of numpy arrays, with the columns `time`,
                `in.…` and `out.…`.
            pipeline_id: The pipeline.
            model_name: The model.

        Raises:
            SandboxControlError: It refuses.
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
        """What is in it: how many of everything, the newest of each, its clock, transitions, faults and requests."""
        return self._send("GET", "state")

    def advance_clock(self, seconds: float) -> dict[str, Any]:
        """Set its clock forward and run the assays that are due by then; the time, and what was run.

        Args:
            seconds: How far; negative to set it back.

        Raises:
            SandboxControlError: No clock can show that time.
        """
        return self._send("POST", "clock", json={"advance": seconds})

    def set_clock(self, now: str) -> dict[str, Any]:
        """Set its clock to a time and run the assays that are due by then; the time, and what was run.

        Args:
            now: The time as RFC 3339 writes it, such as `2023-01-31T12:00:00Z`.

        Raises:
            SandboxControlError: It is no time, or one that no clock can show.
        """
        return self._send("POST", "clock", json={"now": now})

    def set_transitions(
        self, *, deployments: dict[str, Any] | None = None, models: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Say how what begins from now on comes to its end; what is valid then.

        Args:
            deployments: `seconds` that starting takes at the least, `status` that it ends with (`Running`, `Error`, or
                `Starting` for ever), and the `reason` of an error; what is left out is as in a new sandbox.
            models: The same of converting models, which ends in `ready` or `error`.

        Raises:
            SandboxControlError: It refuses.
        """
        given = {"deployments": deployments, "models": models}
        return self._send("POST", "transitions", json={name: value for name, value in given.items() if value})

    def add_faults(self, *rules: dict[str, Any]) -> list[dict[str, Any]]:
        """Let requests fail by these rules, too; all rules, with how often each was `applied`.

        Args:
            *rules: Each with `operation`, an `operationId` or `*`, `kind`, and what else
                `wallaroo_ext.sandbox.faults.rules` lists.

        Raises:
            SandboxControlError: A rule is wrong, and none was added.
        """
        return self._send("POST", "faults", json={"rules": list(rules)})["rules"]

    def faults(self) -> list[dict[str, Any]]:
        """Return the rules, with how often each was `applied`."""
        return self._send("GET", "faults")["rules"]

    def clear_faults(self) -> None:
        """Let no request fail any more."""
        self._send("DELETE", "faults")

    def _send(self, method: str, what: str, **content: Any) -> dict[str, Any]:
        try:
            answer = self._http.get().request(method, f"/{what}", **content)
        except httpx.TransportError as error:
            raise SandboxControlError(f"The sandbox at {self.url} does not answer: {error}") from error
        if not answer.is_success:
            raise SandboxControlError(_message(answer))
        return object_of(answer.json())


def _message(answer: httpx.Response) -> str:
    """Return what the sandbox says, or what else answered."""
    try:
        said = object_of(answer.json()).get("msg")
    except ValueError:
        said = None
    return said or f"{answer.url} answered {answer.status_code}, which no sandbox does."
