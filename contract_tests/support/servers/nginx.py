"""Runs a real nginx in front of a server, for tests that are skipped where there is none."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from contract_tests.support.servers.http_servers import unused

if TYPE_CHECKING:
    from collections.abc import Generator

MISSING = "There is no nginx on this machine; Debian has it in the package nginx-light."
_START_SECONDS = 30.0
_CONFIGURATION = """\
daemon off;
master_process off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    {settings}
    server {{
        listen 127.0.0.1:{port};
        location {prefix}/ {{
            proxy_pass {upstream}{slash};
            proxy_set_header Host $http_host;
            {of_location}
        }}
    }}
}}
"""


def program() -> str:
    """Return the path of nginx; empty where there is none."""
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin") or ""


@contextmanager
def nginx_before(upstream: str, *, settings: str = "", of_location: str = "", prefix: str = "") -> Generator[str]:
    """Run an nginx before a server for the time of a `with` block, and yield its URL.

    Args:
        upstream: The server's URL, without a path.
        settings: Directives for all of it, such as `client_max_body_size 1m;`.
        of_location: Directives for what it passes on.
        prefix: The beginning of the paths below which it has the server, such as `/ml`.
    """
    with tempfile.TemporaryDirectory(prefix="nginx-") as directory:
        port = urlsplit(unused()).port
        file = Path(directory) / "nginx.conf"
        text = _CONFIGURATION.format(
            directory=directory,
            settings=settings,
            port=port,
            upstream=upstream,
            prefix=prefix,
            slash="/" if prefix else "",
            of_location=of_location,
        )
        file.write_text(text, encoding="utf-8")
        command = [program(), "-c", str(file), "-e", f"{directory}/start.log"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait(f"http://127.0.0.1:{port}", process, Path(directory))
            yield f"http://127.0.0.1:{port}{prefix}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_START_SECONDS)


def _wait(url: str, process: subprocess.Popen[bytes], directory: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx.ConnectError):
            httpx.get(url, trust_env=False)
            return
        time.sleep(0.02)
    log = "".join(file.read_text("utf-8") for file in sorted(directory.glob("*.log")))
    raise TimeoutError(f"nginx did not start: {log}")
