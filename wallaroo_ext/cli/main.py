"""The commands, as one program."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import Any, cast

from cyclopts import App

from wallaroo_ext.cli import running
from wallaroo_ext.cli.assay import chart, results
from wallaroo_ext.cli.batch import batch
from wallaroo_ext.cli.call import call
from wallaroo_ext.cli.conformance import conformance
from wallaroo_ext.cli.deploy import deploy
from wallaroo_ext.cli.doctor import doctor
from wallaroo_ext.cli.drift import drift
from wallaroo_ext.cli.infer import infer
from wallaroo_ext.cli.operations import operations
from wallaroo_ext.cli.sandbox import sandbox
from wallaroo_ext.cli.status import status
from wallaroo_ext.cli.token import token
from wallaroo_ext.cli.undeploy import undeploy
from wallaroo_ext.cli.upload import upload

app = App(
    name="wallaroo-ext",
    help="Work with a Wallaroo instance, or run one on this machine.",
    version=lambda: metadata.version("wallaroo-ext"),
    version_format="plaintext",
)
cast("Any", app).register_install_completion_command(help="Let this shell complete the command's words.")
for command in (upload, deploy, status, infer, batch, undeploy, token, operations, call):
    app.command(command)
for command in (doctor, conformance, drift, sandbox):
    app.command(command)
assay = App(name="assay", help="Show what an assay found.")
for command in (chart, results):
    assay.command(command)
app.command(assay)


def main() -> None:
    """Run the command line."""
    running.run(app, sys.argv[1:])
