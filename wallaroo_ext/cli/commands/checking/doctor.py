"""`wallaroo-ext doctor`: find what is wrong with the connection to an instance."""

from __future__ import annotations

import dataclasses
import textwrap
import time
from typing import TYPE_CHECKING

import httpx

from wallaroo_ext.cli import checks
from wallaroo_ext.cli.checks import Check
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.printing import output
from wallaroo_ext.cli.printing.tables import colour, terminal_width
from wallaroo_ext.errors import ConfigurationError
from wallaroo_ext.redaction.terminal_text import printable
from wallaroo_ext.transport.connections.tls import new_tls_context, shared_tls_context, unused_tls_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from wallaroo_ext.settings import Settings

_STATE_WIDTH = 8


def doctor(*, options: Options = DEFAULT_OPTIONS) -> None:
    """Check the connection to the instance: addresses, names, encryption, the token, clocks, what the caller may do.

    Each check prints a line: what was found, and what to do about it. The exit code is 1 if one failed.
    """
    with options.report_errors():
        results: list[Check] = []
        for check in run_checks(options):
            results.append(check)
            if not options.json:
                _show(check)
        passed = all(check.state != "failed" for check in results)
        if options.json:
            report = {"ok": passed, "checks": [dataclasses.asdict(check) for check in results]}
            output.print_line(output.to_json(report, machine=True))
        if not passed:
            raise SystemExit(output.EXIT_FAILED)


def run_checks(options: Options) -> Iterator[Check]:
    """Yield the results of the checks, one after the other; those that depend on a failed one are skipped."""
    yield checks.check_versions()
    settings, check = checks.check_settings(options.environment())
    yield check
    if settings is None:
        yield _skip("everything else", "It needs the settings.")
        return
    try:
        context = _tls_settings(settings)
    except ConfigurationError as error:
        yield Check("CA certificates", "failed", str(error))
        return
    reachable = True
    for check in _check_connections(settings, context):
        yield check
        reachable = reachable and check.state != "failed"
    if reachable:
        yield from _check_answers(options, settings, context)
    else:
        yield _skip("API, token, clock, permissions", "They need a connection.")


def _origin(url: str) -> httpx.URL:
    return httpx.URL(url).copy_with(path="/", query=None)


def _tls_settings(settings: Settings) -> ssl.SSLContext:
    """Return the TLS settings that the client uses."""
    urls = (settings.api_url, settings.auth_url)
    is_used = settings.ca_bundle is not None or any(_origin(url).scheme == "https" for url in urls)
    if not is_used:
        return unused_tls_context()
    return shared_tls_context(verify=True) if settings.ca_bundle is None else new_tls_context(settings.ca_bundle)


def _check_connections(settings: Settings, context: ssl.SSLContext) -> Iterator[Check]:
    """Yield the checks of names, connections and encryption, unless a proxy takes care of them."""
    names: dict[str, Check] = {}
    for url in dict.fromkeys(map(_origin, (settings.api_url, settings.auth_url))):
        proxy = checks.proxy_host(url)
        if proxy is not None:
            yield _skip(f"DNS, connection, TLS {url.host}", f"Requests go through the proxy {proxy}.")
            continue
        if url.host not in names:
            names[url.host] = checks.check_name(url)
            yield names[url.host]
        if names[url.host].state == "ok":
            yield from checks.check_connection(url, context)


def _check_answers(options: Options, settings: Settings, context: ssl.SSLContext) -> Iterator[Check]:
    response, check = checks.check_api(settings.api_url, context)
    answered_at = time.time()
    yield check
    with options.connect() as client:
        token, signed_in = checks.check_token(client, checks.answer_date(response) or time.time())
        yield signed_in
        yield checks.check_clock(response, answered_at, token)
        if check.state == "failed" or token is None:
            yield _skip("permissions", "They need the API and a token.")
        else:
            has_user = settings.token is not None or settings.username is not None
            yield checks.check_permissions(client, has_user=has_user)
    yield checks.check_release(response)


def _skip(name: str, why: str) -> Check:
    return Check(name, "skipped", why)


def _show(check: Check) -> None:
    """Print a check; what is too long for a line of the terminal continues below its beginning."""
    text = printable(f"{check.name}: {check.detail} {check.advice}".rstrip())
    width = terminal_width()
    lines = [text] if width is None else _wrap(text, width - _STATE_WIDTH)
    output.print_unchanged(f"{colour(f'{check.state:{_STATE_WIDTH}}', check.state)}{lines[0]}")
    for line in lines[1:]:
        output.print_line(f"{'':{_STATE_WIDTH}}{line}")


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
