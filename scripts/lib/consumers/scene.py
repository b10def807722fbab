"""A sandbox with a deployment, for the clients that other tools generate, and what a client has to find there."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.csv

from wallaroo_ext import connect, deploy_pipeline, find_workspace, infer, upload_model
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

SAMPLES = Path(__file__).parents[2] / "samples"
SECONDS = 900.0
"""How long a program may take: the first build of a generated client downloads what it needs."""

_EXACT = 1e-6
"""How far the output of a client may be from that of this library, as numbers of 32 bits are written."""

_MILLISECONDS = 1_500_000_000_000
"""A time in milliseconds since 1970 that is over; what was cut to 32 bits is smaller."""

_ROW = 4
"""A row of the sample of which the model is not sure, so that no rounded or missing number looks right."""


class ConsumerError(Exception):
    """A tool failed, or what it made did; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What client programs are told in their environment, and what they have to answer.

    Attributes:
        variables: The environment variables for a client.
        output: What the model gives for the row.
        sha: The SHA-256 of the model's file.
        settings: How to connect to the sandbox.
    """

    variables: Mapping[str, str]
    output: float
    sha: str
    settings: Mapping[str, str]

    def check(self, printed: str, *, upload: bool = True) -> None:
        """Check what a client found: `workspaces`, `model`, `output`, `time` and `baseline`, as JSON in the last line.

        Args:
            printed: The output of the client's program.
            upload: Whether it has uploaded the model.

        Raises:
            ConsumerError: It is something else than what is there.
        """
        try:
            found: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
        except (IndexError, ValueError):
            raise ConsumerError(f"the client printed no JSON: {printed[-300:]!r}") from None
        if self.variables["WORKSPACE"] not in found["workspaces"]:
            raise ConsumerError(f"the client found the workspaces {found['workspaces']}")
        if abs(found["output"] - self.output) > _EXACT:
            raise ConsumerError(f"the client read the output {found['output']} in place of {self.output}")
        if found["time"] < _MILLISECONDS:
            raise ConsumerError(f"the client read the time {found['time']}, which is cut")
        row: dict[str, Any] = found["baseline"]
        lost = [name for name in ("time", "in.tensor", "out.malignant", "metadata.last_model") if not row.get(name)]
        if lost or row["time"] < _MILLISECONDS:
            raise ConsumerError(f"the client read a row of the baseline without {', '.join(lost) or 'its whole time'}")
        if upload:
            self._check_upload(found["model"])

    def _check_upload(self, model: int) -> None:
        from wallaroo_mlops_client.api.models import get_model_version_by_id
        from wallaroo_mlops_client.models import GetModelVersionByIdRequest

        with connect(environment=self.settings) as client:
            answer = get_model_version_by_id.sync(
                client=client, body=GetModelVersionByIdRequest(model_version_id=model)
            )
        version = object_of(object_of(object_of(answer and answer.to_dict()).get("model_version")).get("model_version"))
        if object_of(version.get("file_info")).get("sha") != self.sha:
            raise ConsumerError(f"the uploaded model {model} has not the file's SHA-256")


@contextmanager
def scene() -> Generator[Scene]:
    """Run a sandbox with a deployed model and a logged row for the duration of a `with` block."""
    file = SAMPLES / "breast-cancer.onnx"
    row = pyarrow.csv.read_csv(SAMPLES / "breast-cancer.csv").drop_columns("malignant").slice(_ROW, 1)
    with running() as settings:
        with connect(environment=settings) as client:
            workspace = find_workspace(client, "consumers", create=True)
            deployment = deploy_pipeline(
                client, "tumours", upload_model(client, file, name="tumours", workspace=workspace.id)
            )
            scored = infer(client, deployment.url, row, vector=True)
        features = [float(column[0].as_py()) for column in row.columns]
        variables = settings | {
            "WORKSPACE": "consumers",
            "WORKSPACE_ID": str(workspace.id),
            "MODEL_FILE": str(file),
            "DEPLOYMENT": deployment.name,
            "PIPELINE": "tumours",
            "ROW": json.dumps([{"features": features}]),
        }
        sha = hashlib.sha256(file.read_bytes()).hexdigest()
        yield Scene(variables, float(scored.column("out.malignant")[0].as_py()[0]), sha, settings)


def run(*command: str, cwd: Path, variables: Mapping[str, str] | None = None) -> str:
    """Run a program, and return what it printed.

    Raises:
        ConsumerError: It failed, or took longer than `SECONDS`.
    """
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=os.environ | (variables or {}),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise ConsumerError(f"{command[0]} took longer than {SECONDS:.0f} s") from None
    except OSError as error:
        raise ConsumerError(f"{command[0]} could not be run: {error.strerror}") from None
    if done.returncode:
        output = (done.stderr.strip() or done.stdout.strip())[-1500:]
        raise ConsumerError(f"{Path(command[0]).name} failed: {output}")
    return done.stdout
