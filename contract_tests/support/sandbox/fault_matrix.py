"""The fault matrix: the outcome of every action of the client under every fault of a sandbox.

All actions meet a fault at the same time, each in an operation of its own, so that a slow fault takes its time only
once. Pauses between attempts take no time: the clock of the clients skips them.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from wallaroo_mlops_client.api.users import query_users
from wallaroo_mlops_client.api.workspaces import create_workspace, list_workspace_users
from wallaroo_mlops_client.models import CreateWorkspaceRequest, ListWorkspaceUsersRequest, QueryUsersRequest

from contract_tests.support.sandbox.deployments import WORKSPACE, deployed
from contract_tests.support.servers.forks.fork_server import running
from scripts.lib.written_tables import parse_arguments, write_or_check
from wallaroo_ext import (
    AnswerError,
    Clock,
    ConnectionFailedError,
    RequestTimeoutError,
    RetryPolicy,
    Timeouts,
    aio,
    call,
    connect,
    infer,
    upload_model,
    wait_until_running,
)
from wallaroo_ext.sandbox.control_client import Sandbox
from wallaroo_ext.sandbox.faults.kinds import EXPIRED_TOKEN, KINDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from wallaroo_mlops_client import Client

TABLE = Path(__file__).parent / "fault_matrix.md"
DEADLINE_SECONDS = 60.0
"""For all attempts of a request, on a clock that skips the pauses between them."""
IMPATIENT_SECONDS = 4.0
ONE_TIME_CODE = "code-of-a-redirect-5b1e"
ELSEWHERE = f"http://elsewhere.example.com/v1/api?code={ONE_TIME_CODE}"
"""The target of a redirect with a secret in its query."""
WIDTH = 29
ROWS = {"tensor": [[0.5] * WIDTH]}
OPERATIONS = {
    "token": "request_token",
    "list": "list_workspace_users",
    "create": "create_workspace",
    "upload": "upload_and_convert_model",
    "infer": "infer_pipeline",
    "wait": "get_deployment_status",
}
"""The operation that fails, by action."""
WRITES = ("create", "upload")
TIMES = ("once", "always")
MODES = ("sync", "async")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, and how long the client waits.

    Attributes:
        kind: The sandbox's name of the fault.
        note: What distinguishes it from others of its kind.
        options: The further fields of the sandbox's rule.
        read: How long the client waits for the next part of an answer, in seconds.
        read_always: The same if every request fails, so that no answer is expected.
        deadline: The time limit of all attempts, in seconds.
    """

    kind: str
    note: str = ""
    options: dict[str, Any] = field(default_factory=dict[str, Any], hash=False, repr=False)
    read: float = 30.0
    read_always: float = 30.0
    deadline: float = DEADLINE_SECONDS

    def __str__(self) -> str:
        return f"{self.kind}, {self.note}" if self.note else self.kind


FAULTS = (
    Fault("delay", "within the timeout", {"seconds": 0.05}),
    Fault(
        "delay",
        "past the timeout",
        {"seconds": 1.5 * IMPATIENT_SECONDS},
        read=IMPATIENT_SECONDS,
        read_always=IMPATIENT_SECONDS / 4,
    ),
    Fault("drop-before-answer"),
    Fault("drop-before-answer", "by a reset", {"reset": True}),
    Fault("drop-before-answer", "before the operation", {"handled": False}),
    Fault("drop-before-answer", "while it arrives", {"handled": False, "after_bytes": 1}),
    Fault("drop-during-answer"),
    Fault("drop-during-answer", "by a reset", {"reset": True}),
    Fault("slow-answer", "within the timeout", {"seconds": 0.05}),
    Fault(
        "slow-answer",
        "past the deadline",
        {"seconds_per_byte": 0.2},
        read=IMPATIENT_SECONDS / 4,
        read_always=IMPATIENT_SECONDS / 4,
        deadline=IMPATIENT_SECONDS / 4,
    ),
    Fault("too-many-requests", "for 5 s", {"retry_after": 5}),
    Fault("too-many-requests", "until a date", {"retry_after": 5, "form": "date"}),
    Fault("too-many-requests", "for an hour", {"retry_after": 3600}),
    Fault("service-unavailable", "for 5 s", {"retry_after": 5}),
    Fault("service-unavailable", "after the operation", {"handled": True}),
    Fault("bad-gateway", "after the operation", {"handled": True}),
    Fault("redirect", "307 to another origin", {"location": ELSEWHERE}),
    Fault("redirect", "302 to another origin", {"location": ELSEWHERE, "status": 302}),
)
"""The faults that need options, and variants of others."""


def all_faults() -> list[Fault]:
    """Return every kind of fault of the sandbox, alone if it needs no options, and with its variants."""
    return [
        fault
        for kind, about in KINDS.items()
        for fault in chain(
            [] if about.required or "seconds_per_byte" in about.options else [Fault(kind)],
            (variant for variant in FAULTS if variant.kind == kind and variant != Fault(kind)),
        )
    ]


@dataclass(slots=True)
class Cell:
    """The outcome of an action.

    Attributes:
        outcome: `result`, or the name of the error's class.
        requests: The number of requests that the instance got for the action's operation.
        writes: How often the instance carried out the write in the end; None for an action that writes nothing.
        seconds: How long it took.
        attempts: The number of attempts according to the error; None for a result.
        error: The error.
    """

    outcome: str
    seconds: float
    attempts: int | None = None
    error: Exception | None = field(default=None, repr=False)
    requests: int = 0
    writes: int | None = None

    def __str__(self) -> str:
        written = "" if self.writes is None else f", {self.writes} written"
        return f"{self.outcome}, {self.requests} sent{written}"


@dataclass(frozen=True, slots=True)
class Case:
    """A case of the matrix.

    Attributes:
        fault: The fault.
        times: How often the fault happens: `once` or `always`.
        action: The action.
        mode: `sync` or `async`.
    """

    fault: Fault
    times: str
    action: str
    mode: str


class SkippingClock(Clock):
    """The machine's clock, except that pauses end at once."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def now(self) -> float:
        return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        self._skipped += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)


class Matrix:
    """Measures the matrix on a sandbox.

    Args:
        sandbox: The sandbox.
        model: A model with 29 inputs.
        see: Is called with each client when its action has ended.
    """

    def __init__(self, sandbox: Sandbox, model: bytes, see: Callable[[Client], object]) -> None:
        self._sandbox = sandbox
        self._model = model
        self._see = see
        self._verify = ssl.create_default_context()
        self._url = deployed(dict(sandbox.environment), model)
        [deployment] = sandbox.state()["deployments"]
        self._deployment = f"{deployment['deploy_id']}-{deployment['id']}"
        self._names: dict[Case, str] = {}
        self._made: dict[tuple[str, int], str] = {}

    def measure(self, faults: Iterable[Fault]) -> dict[Case, Cell]:
        """Return the outcomes of all cases of some faults."""
        cells: dict[Case, Cell] = {}
        for fault, times, mode in product(faults, TIMES, MODES):
            actions = [action for action in OPERATIONS if fault.kind != EXPIRED_TOKEN or action != "token"]
            cells |= self._round([Case(fault, times, action, mode) for action in actions])
        self._count_writes(cells)
        return cells

    def _round(self, cases: list[Case]) -> dict[Case, Cell]:
        """Return the outcomes of all actions under one fault."""
        self._names |= {case: f"m{len(self._names) + number}" for number, case in enumerate(cases)}
        measured = self._measured_async(cases) if cases[0].mode == "async" else self._measured(cases)
        before, cells = measured
        for case, cell in cells.items():
            cell.requests = self._requests_since(before, case.action, cell.attempts or 1)
        self._sandbox.clear_faults()
        self._remember_created()
        return cells

    def _measured(self, cases: list[Case]) -> tuple[dict[str, int], dict[Case, Cell]]:
        clients = [self._client(case) for case in cases]
        with ThreadPoolExecutor(len(cases)) as threads:
            list(threads.map(self._signed_in, cases, clients))
            before = self._add_faults(cases)
            cells = dict(zip(cases, threads.map(self._cell, cases, clients), strict=True))
        for client in clients:
            self._see(client)
            client.get_httpx_client().close()
        return before, cells

    def _measured_async(self, cases: list[Case]) -> tuple[dict[str, int], dict[Case, Cell]]:
        async def main() -> tuple[dict[str, int], dict[Case, Cell]]:
            clients = [self._client(case) for case in cases]
            await asyncio.gather(*map(self._signed_in_async, cases, clients))
            before = self._add_faults(cases)
            cells = await asyncio.gather(*map(self._cell_async, cases, clients))
            for client in clients:
                self._see(client)
                await client.get_async_httpx_client().aclose()
            return before, dict(zip(cases, cells, strict=True))

        return asyncio.run(main())

    def _client(self, case: Case) -> Client:
        return connect(
            environment=self._sandbox.environment,
            timeout=Timeouts(read=case.fault.read if case.times == "once" else case.fault.read_always),
            retries=RetryPolicy(deadline=case.fault.deadline),
            clock=SkippingClock(),
            verify=self._verify,
        )

    def _signed_in(self, case: Case, client: Client) -> object:
        """Sign a client in, unless the token request is the one to fail."""
        while case.action != "token":
            with suppress(RequestTimeoutError):  # from an impatient client
                return call(query_users, client=client, body=QueryUsersRequest())
        return None

    async def _signed_in_async(self, case: Case, client: Client) -> object:
        while case.action != "token":
            with suppress(RequestTimeoutError):
                return await aio.call(query_users, client=client, body=QueryUsersRequest())
        return None

    def _add_faults(self, cases: list[Case]) -> dict[str, int]:
        """Make each action's operation fail, and return the number of requests that each operation had before."""
        self._sandbox.add_faults(
            *(
                {"operation": OPERATIONS[case.action], "kind": case.fault.kind}
                | case.fault.options
                | ({"count": 1} if case.times == "once" else {})
                for case in cases
            )
        )
        return self._requests()

    def _requests_since(self, before: dict[str, int], action: str, least: int) -> int:
        """Return the number of requests of an action; an abandoned one may take a moment to be counted."""
        operation, deadline = OPERATIONS[action], time.monotonic() + 10
        while True:
            count = self._requests().get(operation, 0) - before.get(operation, 0)
            if count >= least or time.monotonic() > deadline:
                return count
            time.sleep(0.01)

    def _requests(self) -> dict[str, int]:
        counts = self._sandbox.state()["requests"]
        return {operation: sum(by_status.values()) for operation, by_status in counts.items()}

    def _cell(self, case: Case, client: Client) -> Cell:
        started = time.monotonic()
        try:
            self._act(case, client)
        except Exception as error:  # noqa: BLE001 - it is the outcome
            return _failed(error, time.monotonic() - started)
        return Cell("result", time.monotonic() - started)

    async def _cell_async(self, case: Case, client: Client) -> Cell:
        started = time.monotonic()
        try:
            await self._act_async(case, client)
        except Exception as error:  # noqa: BLE001 - it is the outcome
            return _failed(error, time.monotonic() - started)
        return Cell("result", time.monotonic() - started)

    def _act(self, case: Case, client: Client) -> object:
        name = self._names[case]
        actions: dict[str, Callable[[], object]] = {
            "token": lambda: call(query_users, client=client, body=QueryUsersRequest()),
            "list": lambda: call(list_workspace_users, client=client, body=ListWorkspaceUsersRequest(WORKSPACE)),
            "create": lambda: call(create_workspace, client=client, body=CreateWorkspaceRequest(name)),
            "upload": lambda: upload_model(client, self._model, name=name, workspace=WORKSPACE),
            "infer": lambda: infer(client, self._url, ROWS),
            "wait": lambda: wait_until_running(client, self._deployment, timeout=case.fault.deadline),
        }
        return actions[case.action]()

    def _act_async(self, case: Case, client: Client) -> Awaitable[object]:
        name = self._names[case]
        actions: dict[str, Callable[[], Awaitable[object]]] = {
            "token": lambda: aio.call(query_users, client=client, body=QueryUsersRequest()),
            "list": lambda: aio.call(list_workspace_users, client=client, body=ListWorkspaceUsersRequest(WORKSPACE)),
            "create": lambda: aio.call(create_workspace, client=client, body=CreateWorkspaceRequest(name)),
            "upload": lambda: aio.upload_model(client, self._model, name=name, workspace=WORKSPACE),
            "infer": lambda: aio.infer(client, self._url, ROWS),
            "wait": lambda: aio.wait_until_running(client, self._deployment, timeout=case.fault.deadline),
        }
        return actions[case.action]()

    def _remember_created(self) -> None:
        """Remember what the actions created, because the sandbox's state lists only the newest hundred items."""
        state = self._sandbox.state()
        for kind in ("workspaces", "models"):
            self._made |= {(kind, made["id"]): made["name"] for made in state[kind]}

    def _count_writes(self, cells: dict[Case, Cell]) -> None:
        """Count the writes by what was seen after each round: a delayed one is seen after a later round, if at all."""
        made = Counter(self._made.values())
        for case, cell in cells.items():
            if case.action in WRITES:
                cell.writes = made[self._names[case]]


def model() -> bytes:
    """Return a model of `dense_input` float32 [N, 29] to `dense_1` float32 [N, 1]."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["dense_input", "w"], ["dense_1"])],
        "matrix",
        [helper.make_tensor_value_info("dense_input", TensorProto.FLOAT, ["N", WIDTH])],
        [helper.make_tensor_value_info("dense_1", TensorProto.FLOAT, ["N", 1])],
        [numpy_helper.from_array(np.ones((WIDTH, 1), np.float32), "w")],
    )
    made: Any = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return made.SerializeToString()


def _failed(error: Exception, seconds: float) -> Cell:
    attempts = len(error.attempts) if isinstance(error, AnswerError | ConnectionFailedError) else None
    return Cell(type(error).__name__, seconds, attempts, error)


def measured(faults: Iterable[Fault] | None = None, see: Callable[[Client], object] = repr) -> dict[Case, Cell]:
    """Return the matrix, measured on a new sandbox.

    Args:
        faults: The faults to measure; all of them by default.
        see: Is called with each client when its action has ended.
    """
    with running() as environment, Sandbox(environment) as sandbox:
        return Matrix(sandbox, model(), see).measure(all_faults() if faults is None else faults)


def page(cells: dict[Case, Cell]) -> str:
    """Return the matrix as a table, with equal outcomes of both kinds of client in one row."""
    lines = [
        "# What becomes of a fault",
        "",
        "Written by `scripts/fault-matrix`. Every fault of the sandbox meets every kind of action, once or with every",
        "request, with the synchronous and with the asynchronous client, which give the same. A cell has the outcome,",
        "how many requests the instance got for it, and, of what writes, how many were written.",
        "",
        f"| fault | requests | {' | '.join(OPERATIONS)} |",
        f"| --- | --- |{' --- |' * len(OPERATIONS)}",
    ]
    for fault, times in product(all_faults(), TIMES):
        row = (_shown(cells, fault, times, action) for action in OPERATIONS)
        lines.append(f"| {fault} | {times} | {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


def _shown(cells: dict[Case, Cell], fault: Fault, times: str, action: str) -> str:
    found = (cells.get(Case(fault, times, action, mode)) for mode in MODES)
    return " / ".join(dict.fromkeys(str(cell) for cell in found if cell is not None)) or "-"


def main() -> int:
    """Write the table, or check it with `--check`. Returns 1 if it differs."""
    check = parse_arguments("scripts/fault-matrix", __doc__).check
    return write_or_check(TABLE, page(measured()), [], script="scripts/fault-matrix", check=check)


if __name__ == "__main__":
    sys.exit(main())
