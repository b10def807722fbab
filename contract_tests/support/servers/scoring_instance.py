"""An instance that adds up the numbers of each row, and answers in the form of a release of one's choice."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs

import httpx

from contract_tests.support.servers.http_servers import serving
from wallaroo_ext import RetryPolicy, connect
from wallaroo_ext._util.arrow.files import MEDIA_TYPE, from_file, to_file

if TYPE_CHECKING:
    from collections.abc import Generator
    from http.server import BaseHTTPRequestHandler

    from wallaroo_mlops_client import Client

pa: Any = import_module("pyarrow")

Form = Literal["nested", "flat", "flat times", "nested JSON", "flat JSON", "older nested", "older JSON", "2022.4"]
Step = Literal["single", "shadow", "split", "split texts"]
FORMS: tuple[Form, ...] = ("nested", "flat", "flat times", "nested JSON", "flat JSON", "older nested", "older JSON")

SCORED: dict[Step, list[str]] = {
    "single": ["out.total"],
    "shadow": ["out.total", "out_other.1.total"],
    "split": ["out._model_split", "out.total"],
    "split texts": ["out._model_split", "out.total"],
}
"""The columns with outputs, by the step of the pipeline."""

API = "https://api.example.com"
PATH = "/v1/api/pipelines/infer/adding-1/adding"
URL = f"{API}{PATH}"
TIME = 1_712_345_678_901
ROWS = {"tensor": [[1.0, 2.5], [3.0, 4.25], [0.5, 0.0]]}
SUMS = [3.5, 7.25, 0.5]
MODELS = [
    {"name": name, "version": f"version-of-{name}", "sha": sha * 64}
    for name, sha in (("adding", "a"), ("other.1", "b"))
]
_STATUS: dict[str, Any] = {
    "status": "Running",
    "engines": [
        {"status": "Running", "model_statuses": {"models": [model | {"status": "Running"} for model in MODELS]}}
    ],
}


@dataclass
class Adding:
    """The instance.

    Attributes:
        form: How it answers: in Arrow or JSON, nested or flat, and by the names of older releases.
        step: Whether one model scores a row, or a shadow beside it, or one of two.
        queries: The parameters of the requests that it got.
        headers: The headers of these requests.
    """

    form: Form = "nested"
    step: Step = "single"
    queries: list[dict[str, list[str]]] = field(default_factory=list[dict[str, list[str]]])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    def client(self) -> Client:
        """Return a client of the instance."""
        policy = RetryPolicy(first_pause=0.001, longest_pause=0.001)
        return connect(API, token="t-51f0c9d2", transport=httpx.MockTransport(self), retries=policy, environment={})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a client in this process."""
        if not request.url.path.startswith("/v1/api/pipelines/infer"):
            return httpx.Response(200, json=_STATUS)
        kind, body = self.answer(request.url.query.decode(), dict(request.headers), request.read())
        return httpx.Response(200, content=body, headers={"Content-Type": kind})

    async def later(self, request: httpx.Request) -> httpx.Response:
        """Answer a client in asyncio."""
        await request.aread()
        return self(request)

    @contextmanager
    def serving(self) -> Generator[str]:
        """Run the instance as a server of this machine. Yields the deployment's URL."""

        def respond(handler: BaseHTTPRequestHandler, number: int) -> None:
            path, _, query = handler.path.partition("?")
            kind, body = "application/json", json.dumps(_STATUS).encode()
            if path == PATH:
                kind, body = self.answer(query, dict(handler.headers), seen.bodies[number])
            handler.send_response(200)
            handler.send_header("Content-Type", kind)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        with serving(respond) as seen:
            yield f"{seen.url}{PATH}"

    def answer(self, query: str, headers: dict[str, str], body: bytes) -> tuple[str, bytes]:
        """Return the media type and the body of the answer to a request."""
        asked = parse_qs(query)
        self.queries.append(asked)
        self.headers.append({name.lower(): value for name, value in headers.items()})
        sent: Any = from_file(body).column("tensor").to_pylist()
        rows = [list(map(float, row)) for row in sent]
        if self.form == "2022.4":
            return "application/json", json.dumps([self._oldest(rows)]).encode()
        excluded = asked.get("dataset.exclude[]", [])
        records = [
            {part: value for part, value in self._record(number, row).items() if part not in excluded}
            for number, row in enumerate(rows)
        ]
        if "JSON" in self.form:
            flat = self.form.startswith("flat")
            return "application/json", json.dumps([flattened(each) if flat else each for each in records]).encode()
        return MEDIA_TYPE, to_file(self._table(records)).to_pybytes()

    def _record(self, number: int, row: list[float]) -> dict[str, Any]:
        total = sum(row)
        record: dict[str, Any] = {"time": TIME, "in": {"tensor": row}, "out": {"total": [total]}}
        if self.step == "shadow":
            record["out_other.1"] = {"total": [-total]}
        if self.step.startswith("split"):
            model: Any = MODELS[number % 2]
            record["out"] = {"_model_split": [json.dumps(model) if "texts" in self.step else model]} | record["out"]
        record |= (
            {"check_failures": ["total < 7"] if total > 7 else []}
            if "older" in self.form
            else {"anomaly": {"count": int(total > 7)}}
        )
        return record | {"metadata": {"last_model": "{}", "pipeline_version": "v", "elapsed": [1, 2], "dropped": []}}

    def _table(self, records: list[dict[str, Any]]) -> Any:
        schema = pa.schema(
            [
                pa.field(name, pa.int64() if name == "time" else kind, nullable=False)
                for name, kind in self._types().items()
                if all(name in record for record in records)
            ]
        )
        table = pa.Table.from_pylist(records, schema)
        if not self.form.startswith("flat"):
            return table
        columns: dict[str, tuple[Any, Any]] = {}
        for each, column in zip(table.schema, table.columns, strict=True):
            if not pa.types.is_struct(each.type):
                columns[each.name] = (each, column)
                continue
            for number, values in enumerate(column.flatten()):
                inner = each.type.field(number)
                columns[f"{each.name}.{inner.name}"] = (inner.with_name(f"{each.name}.{inner.name}"), values)
        if "times" in self.form and "time" in columns:
            columns["time"] = (pa.field("time", pa.timestamp("ms")), table.column("time").cast(pa.timestamp("ms")))
        return pa.Table.from_arrays(
            [c for _, c in columns.values()], schema=pa.schema([f for f, _ in columns.values()])
        )

    def _types(self) -> dict[str, Any]:
        numbers = pa.list_(pa.field("inner", pa.float32(), nullable=False))
        total = pa.field("total", numbers, nullable=False, metadata={"tensor_type": '{"shape":[1]}'})
        split = pa.string() if "texts" in self.step else pa.struct([(name, pa.string()) for name in MODELS[0]])
        outputs = [pa.field("_model_split", pa.list_(split)), total] if self.step.startswith("split") else [total]
        sent = pa.field("tensor", pa.list_(pa.float32()), nullable=False, metadata={"tensor_type": '{"shape":[2]}'})
        texts, times = pa.list_(pa.string()), pa.list_(pa.field("steps", pa.uint64(), nullable=False))
        metadata = {"last_model": pa.string(), "pipeline_version": pa.string(), "elapsed": times, "dropped": texts}
        return {
            "time": pa.int64(),
            "in": pa.struct([sent]),
            "out": pa.struct(outputs),
            "out_other.1": pa.struct([total]),
            "check_failures": texts,
            "anomaly": pa.struct([pa.field("count", pa.uint32(), nullable=False)]),
            "metadata": pa.struct(list(metadata.items())),
        }

    def _oldest(self, rows: list[list[float]]) -> dict[str, Any]:
        sums = [sum(row) for row in rows]
        shadow = {"other.1": [_tensor([-total for total in sums])]} if self.step == "shadow" else {}
        return {
            "model_name": "adding",
            "model_version": "version-of-adding",
            "pipeline_name": "adding",
            "outputs": [_tensor(sums)],
            "elapsed": [10, 20],
            "time": TIME,
            "original_data": {"tensor": rows},
            "check_failures": [],
            "shadow_data": shadow,
        }


def _tensor(values: list[float]) -> dict[str, Any]:
    return {"Float": {"v": 1, "dim": [len(values), 1], "data": values}}


def flattened(record: dict[str, Any]) -> dict[str, Any]:
    """Return a nested record with a field for each field of its parts."""
    flat: dict[str, Any] = {}
    for part, value in record.items():
        fields: Any = value
        flat |= {f"{part}.{name}": each for name, each in fields.items()} if isinstance(value, dict) else {part: value}
    return flat
