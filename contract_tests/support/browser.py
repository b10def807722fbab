"""Drives a headless Chromium through chromedriver's protocol, WebDriver: JSON over HTTP.

Debian's `chromium` and `chromium-driver` are enough; it needs no Python package and downloads nothing.
"""

from __future__ import annotations

import re
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

_CHROMIUM = Path("/usr/bin/chromium")
_CHROMEDRIVER = Path("/usr/bin/chromedriver")
_ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",  # root, the user of containers, cannot use it
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--proxy-server=direct://",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # tests reach only loopback
    "--window-size=1280,1600",
]
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver's key for the id of an element
_TIMEOUT_SECONDS = 30.0


class Browser:
    """A session of the browser, which waits for each element to appear.

    Args:
        http: A client of the session's URL.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._send("POST", "timeouts", {"implicit": 1000 * _TIMEOUT_SECONDS})

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._http.request(method, path, json=body)
        value = answer.json()["value"]
        assert answer.is_success, f"{path}: {value['error']}, {value['message']}"
        return value

    def _element(self, selector: str) -> str:
        using = "xpath" if selector.startswith("/") else "css selector"
        return self._send("POST", "element", {"using": using, "value": selector})[_ELEMENT]

    def open(self, url: str) -> None:
        """Load a page."""
        self._send("POST", "url", {"url": "about:blank"})  # to change only the fragment would not load the page again
        self._send("POST", "url", {"url": url})

    def click(self, selector: str) -> None:
        """Click on the first element of a CSS selector or an XPath."""
        self._send("POST", f"element/{self._element(selector)}/click", {})

    def type(self, selector: str, text: str) -> None:
        """Type into an element."""
        self._send("POST", f"element/{self._element(selector)}/value", {"text": text})

    def text(self, selector: str) -> str:
        """Return the visible text of an element."""
        return self._send("GET", f"element/{self._element(selector)}/text")

    def run(self, script: str, *arguments: Any) -> Any:
        """Run the body of a JavaScript function. Returns its result."""
        return self._send("POST", "execute/sync", {"script": script, "args": arguments})

    def wait_until(self, script: str, *arguments: Any) -> None:
        """Wait until the body of a JavaScript function returns a true value."""
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while not self.run(script, *arguments):
            assert time.monotonic() < deadline, f"it did not become true: {script}"
            time.sleep(0.05)

    def devtools(self, command: str, **parameters: Any) -> Any:
        """Run a command of the DevTools protocol, such as `Emulation.setEmulatedMedia`. Returns its result."""
        return self._send("POST", "goog/cdp/execute", {"cmd": command, "params": parameters})

    def complaints(self) -> list[str]:
        """Return the console's warnings and errors since the last call."""
        entries = self._send("POST", "se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in {"WARNING", "SEVERE"}]


@contextmanager
def browsing(directory: Path) -> Generator[Browser]:
    """Run a browser while a `with` block runs; skip the test if there is none.

    Args:
        directory: An empty directory for its profile.
    """
    if not (_CHROMIUM.exists() and _CHROMEDRIVER.exists()):
        pytest.skip("Chromium is missing: apt-get install chromium chromium-driver")
    command = [str(_CHROMEDRIVER), "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as driver:
        try:
            assert driver.stdout is not None
            url = f"http://127.0.0.1:{_port(driver.stdout)}/session"
            with httpx.Client(timeout=2 * _TIMEOUT_SECONDS, trust_env=False) as http:
                yield from _session(http, url, directory)
        finally:
            driver.terminate()


def _port(output: IO[str]) -> int:
    for line in output:
        found = re.search(r"started successfully on port (\d+)", line)
        if found is not None:
            return int(found[1])
    raise AssertionError("chromedriver did not start")


def _session(http: httpx.Client, url: str, directory: Path) -> Generator[Browser]:
    options = {"binary": str(_CHROMIUM), "args": [*_ARGUMENTS, f"--user-data-dir={directory}"]}
    capabilities = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
    answer = http.post(url, json={"capabilities": {"alwaysMatch": capabilities}})
    assert answer.is_success, answer.text
    session = f"{url}/{answer.json()['value']['sessionId']}"
    http.base_url = session
    try:
        yield Browser(http)
    finally:
        http.delete(session).raise_for_status()  # this ends Chromium's processes
