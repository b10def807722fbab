"""Sets up a deployment on a sandbox of its own, with rows for it, for the measurements of inference."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scripts.lib.bench.model import WIDTH, authorization, deploy_model
from scripts.lib.bench.vendor import sdk as vendor_sdk
from wallaroo_ext import connect
from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext.inference.inputs.rows import to_table
from wallaroo_ext.inference.media_types import arrow_media_type
from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from contextlib import ExitStack

    import httpx
    import pyarrow as pa
    from wallaroo_mlops_client import Client

    from wallaroo_ext import Deployment

TIMEOUT = 600
"""Seconds for a request with very many rows."""


@dataclass(frozen=True)
class Setup:
    """A deployment on a sandbox of its own, with rows for it.

    Attributes:
        client: A client of the sandbox.
        deployment: The deployment.
        columns: The rows as numpy arrays.
        table: The rows as a table.
        content: The rows as an Arrow file.
        headers: The headers of a bare request with these rows.
        vendor: The vendor's SDK.
        file: The rows as a file, for the vendor's SDK.
    """

    client: Client
    deployment: Deployment
    columns: dict[str, np.ndarray[Any, Any]]
    table: pa.Table
    content: bytes
    headers: dict[str, str]
    vendor: vendor_sdk.Vendor
    file: Path

    def post(self, http: httpx.Client) -> bytes:
        """Send the rows with a bare request. Returns the body of the answer."""
        answer = http.post(self.deployment.url, content=self.content, headers=self.headers, timeout=TIMEOUT)
        return answer.raise_for_status().content

    def by_vendor(self, form: str, url: str | None = None) -> float:
        """Return the seconds that the vendor's SDK takes for these rows.

        Args:
            form: How the rows are passed: as a `table` or a `data frame`.
            url: Where it sends them; None for the deployment's own URL.

        Raises:
            VendorError: It does not run.
        """
        answer = self.vendor.do(
            do="infer", deployment=self.deployment.pipeline, file=str(self.file), form=form, url=url
        )
        if answer["rows"] != len(self.table):
            raise vendor_sdk.VendorError(f"it gave {answer['rows']} of {len(self.table)} rows")
        return answer["seconds"]


def set_up(stack: ExitStack, rows: int, *, with_vendor: bool) -> Setup:
    """Return a deployment that lives as long as the stack."""
    environment = stack.enter_context(running())
    client = stack.enter_context(connect(environment=environment))
    columns = {"dense_input": np.random.default_rng(1).normal(size=(rows, WIDTH)).astype(np.float32)}
    content = to_file(to_table(columns)).to_pybytes()
    file = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "rows.arrow"
    file.write_bytes(content)
    media_type = arrow_media_type()
    return Setup(
        client=client,
        deployment=deploy_model(client),
        columns=columns,
        table=to_table(columns),
        content=content,
        headers={"Content-Type": media_type, "Accept": media_type, "Authorization": authorization(client)},
        vendor=stack.enter_context(vendor_sdk.vendor(environment, wanted=with_vendor)),
        file=file,
    )
