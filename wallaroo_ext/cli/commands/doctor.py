"""`wallaroo-ext doctor`: what is wrong with the way to an instance."""

from __future__ import annotations

import dataclasses
import os
import shutil
import ssl
import textwrap
import time
from typing import TYPE_CHECKING

import httpx

from wallaroo_ext.cli import checks
from wallaroo_ext.cli.checks import Check
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.printing import output
from wallaroo_ext.errors import ConfigurationError
from wallaroo_ext.redaction.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wallaroo_ext.settings import Settings

_COLOURS = {"ok": "32", "failed": "31", "skipped": "33"}


def doctor(*, options: Options = DEFAULT_OPTIONS) -> None:
    """Check the way to the instance: addresses, names, encryption, the token, clocks, what the caller may do.

    Each check is a line: what was found, and what to do about it. The exit code is 1 where one failed.
    """
    with options.reported():
        made: list[Check] = []
        for check in diagnosis(options):
            made.append(check)
            if not options.json:
                _show(check)
        passed = all(check.state != "failed" for check in made)
        if options.json:
            report = {"ok": passed, "checks": [dataclasses.asdict(check) for check in made]}
            output.print_line(output.to_json(report, machine=True))
        if not passed:
            raise SystemExit(output.EXIT_FAILED)


def diagnosis(options: Options) -> Iterator[Check]:
    """Yield the checks, one after the other; what depends on one that failed is skipped."""
    yield checks.check_versions()
    settings, check = checks.check_settings(options.environment())
    yield check
    if settings is None:
        yield _skipped("everything else", "It needs the settings.")
        return
    try:
        context = _tls_settings(settings)
    except ConfigurationError as error:
        yield Check("CA bundle", "failed", str(error))
        return
    reachable = True
    for check in _ways(settings, context):
        yield check
        reachable = reachable and check.state != "failed"
    if reachable:
        yield from _answers(options, settings, context)
    else:
        yield _skipped("API, token, clock, permissions", "They need a connection.")


def _origin(url: str) -> httpx.URL:
    return httpx.URL(url).copy_with(path="/", query=None)


def _tls_settings(settings: Settings) -> ssl.SSLContext:
    """Return the TLS settings that the client uses too."""
    context = httpx.create_ssl_context()
    if settings.ca_bundle is not None:
        try:
            context.load_verify_locations(settings.ca_bundle)
        except OSError as error:  # ssl's own error is one, too
            raise ConfigurationError(
                f"{settings.ca_bundle} holds no certificates in PEM form: {error.strerror or error}."
            ) from None
    return context


def _ways(settings: Settings, context: ssl.SSLContext) -> Iterator[Check]:
    """Yield the names, the connections and the encryption; a proxy does all that by itself."""
    names: dict[str, Check] = {}
    for url in dict.fromkeys(map(_origin, (settings.api_url, settings.auth_url))):
        proxy = checks.proxy_host(url)
        if proxy is not None:
            yield _skipped(f"DNS, connection, TLS {url.host}", f"Requests go through the proxy {proxy}.")
            continue
        if url.host not in names:
            names[url.host] = checks.check_name(url)
            yield names[url.host]
        if names[url.host].state == "ok":
            yield from checks.check_connection(url, context)


def _answers(options: Options, settings: Settings, context: ssl.SSLContext) -> Iterator[Check]:
    response, check = checks.check_api(settings.api_url, context)
    yield check
    with options.connect() as client:
        token, signed_in = checks.check_token(client, checks.answer_date(response) or time.time())
        yield signed_in
        yield checks.check_clock(response, token)
        if check.state == "failed" or token is None:
            yield _skipped("permissions", "They need the API and a token.")
        else:
            has_user = settings.token is not None or settings.username is not None
            yield checks.check_permissions(client, has_user=has_user)
    yield checks.check_release(response)


def _skipped(name: str, why: str) -> Check:
    return Check(name, "skipped", why)


def _show(check: Check) -> None:
    """Print a check; a line that is too long for the terminal goes on below its beginning."""
    text = printable(f"{check.name}: {check.detail} {check.advice}".rstrip())
    if not output.is_terminal():
        output.print_line(f"{check.state:8}{text}")
        return
    width = max(shutil.get_terminal_size().columns, 40)
    lines = textwrap.wrap(text, width - 8, break_long_words=False, break_on_hyphens=False)
    output.print_unchanged(f"{_coloured(check.state)}{lines[0]}")
    for line in lines[1:]:
        output.print_line(f"{'':8}{line}")


def _coloured(state: str) -> str:
    word = f"{state:8}"
    return word if os.environ.get("NO_COLOR") else f"\033[{_COLOURS[state]}m{word}\033[0m"
