"""One run of the suite, from the contract and the instance to the teardown."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from wallaroo_ext import contract, wait_until_running
from wallaroo_ext._util.urls import parse_http_url
from wallaroo_ext.auth.token_endpoint import OPERATION as TOKEN_REQUEST
from wallaroo_ext.auth.token_endpoint import basic_header
from wallaroo_ext.conformance.cases.exclusions import all_exclusions
from wallaroo_ext.conformance.conditions.own_contract import check_contract
from wallaroo_ext.conformance.conditions.surroundings import check_assertions, check_temporary_files
from wallaroo_ext.conformance.guard.effects import effects_of
from wallaroo_ext.conformance.guard.gateways import BASIC, TOO_LARGE, NoAnswerError
from wallaroo_ext.conformance.guard.inference_urls import named_origins, origin_of
from wallaroo_ext.conformance.guard.interceptor import Interceptor, RateLimit
from wallaroo_ext.conformance.guard.owned_resources import OwnedResources
from wallaroo_ext.conformance.guard.write_guard import WriteGuard
from wallaroo_ext.conformance.instance import Instance, sandbox
from wallaroo_ext.conformance.recordings.pytest_hooks import recorded_environment
from wallaroo_ext.conformance.release import HeldTo, release_of_instance
from wallaroo_ext.conformance.results import OperationRow, Run, Subject, Verdict, verdict
from wallaroo_ext.conformance.rules import FIXTURES, Rules
from wallaroo_ext.errors import ConfigurationError, WallarooError
from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS
from wallaroo_ext.settings import Settings
from wallaroo_ext.transport import basic_challenges
from wallaroo_ext.transport.retry.clock import SYSTEM_CLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wallaroo_mlops_client import Client

    from wallaroo_ext.auth.tokens import Token
    from wallaroo_ext.conformance.cases.generated import GeneratedCases
    from wallaroo_ext.conformance.options import SuiteOptions
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.transport.retry.clock import Clock

_PREFIX = "conformance"
_START_SECONDS = 60.0
_REFUSED = "the instance refused to make one."
_NOT_FOUND = "reading alone finds none on this instance."
_NOTHING_TO_ASK_BY = (
    "The run has a token (WALLAROO_TOKEN), and neither a client's secret nor a password to ask for any."
)
_NOT_ASKED_FOR = "The run was told to look at other operations (--operation)."


_ADVICE = {
    "429": "Try it with --rate, which limits the requests a second.",
    BASIC: basic_challenges.ADVICE,
    TOO_LARGE: "The gateway's limit, such as nginx's client_max_body_size, has to be 4 MB at least.",
}
"""What to do about answers that never came, by parts of what came in their place."""


class NoFixturesError(Exception):
    """What the run needs could not be made; the message says why."""


class Suite:
    """A run of the suite. The things that it needs are made at their first use, and ended by `close`.

    Args:
        options: The options of the run.
        held: The release that the instance is held to; None for what the options say, without asking the instance.
        clock: The clock of the pauses before a request is sent again.

    Attributes:
        options: The options of the run.
        held: The release that the instance is held to.
        rules: The rules of the contract.
        owned: The things that the run made.
        guard: Decides which requests may be sent.
        run: The results.
        interceptor: Admits requests and checks answers.

    Raises:
        OSError: The contract cannot be read.
        ValueError: The file is no contract, or the overlay does not fit it.
        ConfigurationError: The contract, or the release, lacks an operation that the options name.
    """

    def __init__(self, options: SuiteOptions, held: HeldTo | None = None, clock: Clock = SYSTEM_CLOCK) -> None:
        self.options = options
        self.held = held or HeldTo.by_options(options) or HeldTo(None, "the instance was not asked")
        document = contract.load(file=options.contract)
        if options.contract is not None:
            check_contract(document)
        self._every = Rules(document)
        self.rules = self._of_release()
        self.owned = OwnedResources(f"{_PREFIX}-{secrets.token_hex(3)}" if options.instance == "live" else _PREFIX)
        effects = effects_of(self.rules.document)
        effects |= effects_of(self._every.document, without=effects)
        self.guard = WriteGuard(
            effects,
            self.owned,
            read_only=options.read_only,
            user_changes=options.allow_user_changes or options.instance != "live",
            alone=options.instance != "live",
        )
        self.run = Run(
            self._subject(),
            self._rows(),
            time.time(),
            exclusions=all_exclusions(),
            least_successes=options.least_successes,
        )
        self.interceptor = Interceptor(
            self.run, self.rules, self.guard, RateLimit(options.rate), self._every.locations, clock=clock
        )
        self._open = ExitStack()
        self._fixtures: Fixtures | NoFixturesError | None = None
        self._is_closed = False

    def _of_release(self) -> Rules:
        """Return the rules of the contract with the overlay of the release.

        Raises:
            OverlayError: The overlay does not fit the contract.
            ConfigurationError: The contract, or the release, lacks an operation that the options name.
        """
        for name in self.options.operations:
            if name not in self._every.operations:
                near = ", ".join(get_close_matches(name, self._every.operations, n=3, cutoff=0.5))
                advice = f"did you mean {near}?" if near else "`wallaroo-ext operations` lists those that there are."
                raise ConfigurationError(f"The contract has no operation {name!r}: {advice}")
        if self.held.release is None:
            return self._every
        rules = Rules(contract.load(self.held.release, file=self.options.contract))
        missing = [name for name in self.options.operations if name in self._every.operations.keys() - rules.operations]
        if missing:
            raise ConfigurationError(
                f"Release {self.held.release} does not have {', '.join(missing)}: leave it out of --operation, or name "
                "another release by --release."
            )
        return rules

    def _subject(self) -> Subject:
        info = self.rules.document.get("info", {})
        file = self.options.contract or contract.path()
        return Subject(
            instance=self.options.instance,
            url="",
            contract=f"{info.get('title', 'a contract')} {info.get('version', '')}".strip(),
            contract_sha=contract.digest(file),
            prefix=self.owned.prefix,
            seed=self.options.seed,
            options=self.options.shown(),
            release=self.held.release or "",
            release_known_by=self.held.known_by,
        )

    def _rows(self) -> list[OperationRow]:
        return [
            OperationRow(
                id=name,
                tag=next(iter(operation.get("tags", ())), ""),
                summary=operation.get("summary", ""),
                path=self._every.locations[name][1],
                not_exercised=self._not_exercised(name),
                is_described=not self.guard.undescribed(name),
                is_in_release=name in self.rules.operations,
                is_asked_for=not self.options.operations or name in self.options.operations,
            )
            for name, operation in self._every.operations.items()
        ]

    def _not_exercised(self, operation: str) -> str:
        if operation not in self.rules.operations:
            return f"Release {self.held.release} does not have it."
        if operation == TOKEN_REQUEST and self._only_has_token():
            return _NOTHING_TO_ASK_BY
        is_asked_for = not self.options.operations or operation in self.options.operations
        return self.guard.forbids(operation) or ("" if is_asked_for else _NOT_ASKED_FOR)

    def _only_has_token(self) -> bool:
        """Return whether a run on a live instance has nothing that a request for a token could name."""
        if self.options.instance != "live":
            return False
        try:
            settings = Settings.resolve(self._environment())
        except ConfigurationError:  # which the first use of the instance raises
            return False
        return settings.token is not None and settings.client_secret is None and settings.password is None

    def skip_reason(self, operation: str) -> str:
        """Return why the run may not or cannot try an operation; empty where it can.

        A test of several operations tries all of them, even if the options name only one of them.
        """
        reason = next((row.not_exercised for row in self.run.operations if row.id == operation), "No such operation.")
        return "" if reason == _NOT_ASKED_FOR else reason

    @cached_property
    def instance(self) -> Instance:
        """The instance; a sandbox is started at the first use.

        Raises:
            ConfigurationError: The environment lacks a setting, or contradicts itself.
        """
        options = self.options
        instance = Instance(
            kind=options.instance,
            environment=self._environment(),
            prefix=self.owned.prefix,
            allows_user_changes=self.guard.user_changes,
            read_only=options.read_only,
            inference_hosts=options.inference_hosts,
        )
        settings = instance.settings
        roots = [urlsplit(url).path.rstrip("/") for url in (settings.api_url, settings.auth_url)]
        sign_in = contract.operation("request_token").path
        self.interceptor.sign_in_url = settings.auth_url.rstrip("/") + sign_in
        urls = [settings.api_url, settings.auth_url]
        if options.drift_url and "://" in options.drift_url:  # otherwise it is relative to the instance's
            urls.append(str(parse_http_url(options.drift_url, "--drift-url")))
        named = named_origins(options.inference_hosts, settings.api_url)
        self.interceptor.origins = frozenset(map(origin_of, urls)) | named
        self.interceptor.signer_of = self._signer_of
        self.interceptor.inference.home = settings.api_url.rstrip("/")
        self.interceptor.roots = tuple(dict.fromkeys(["", *roots]))
        self.run.subject = replace(self.run.subject, url=settings.api_url)
        return instance

    def _environment(self) -> Mapping[str, str]:
        options = self.options
        if options.instance == "sandbox":
            release = self.held.release or DEFAULT_OPTIONS.release
            return self._open.enter_context(sandbox(release)) if options.running is None else options.running
        if options.instance == "recorded":
            return recorded_environment()
        return dict(os.environ) if options.environment is None else options.environment

    @cached_property
    def client(self) -> Client:
        """A client of the instance."""
        return self._open.enter_context(self.instance.connect(self.interceptor))

    @property
    def fixtures(self) -> Fixtures:
        """The things that the run makes first. Operations that need a missing one are not tried.

        Raises:
            NoFixturesError: The instance refused a request; it is tried only once.
        """
        if self._fixtures is None:
            self._fixtures = self._make_fixtures()
        if isinstance(self._fixtures, NoFixturesError):
            raise self._fixtures
        return self._fixtures

    def prepare_reading(self) -> None:
        """Find the things that a run with `--read-only` can read, before the first test needs them."""
        if self.options.read_only and self.has_fixtures:
            with suppress(NoFixturesError):
                _ = self.fixtures

    @property
    def has_fixtures(self) -> bool:
        """Whether the run has the things that it needs, or has not tried to make them yet."""
        return not isinstance(self._fixtures, NoFixturesError)

    @property
    def has_made_fixtures(self) -> bool:
        """Whether the run has made, or found, the things that it needs."""
        return self._fixtures is not None and self.has_fixtures

    def continue_in_child(self, part: str) -> None:
        """Go on with the run in a forked process, which signs in by itself and gives names of its own.

        Args:
            part: What the names that this process gives begin with, after the run's prefix.
        """
        if hasattr(self._auth, "forget"):  # a refresh token can be used by one process only
            self._auth.forget()
        if "cases" in self.__dict__:
            self.cases.continue_in_child()
        self.owned.name_prefix = f"{self.owned.prefix}-{part}"
        self.interceptor.take_news()

    def _make_fixtures(self) -> Fixtures | NoFixturesError:
        from wallaroo_ext.conformance.cases.schema_binding import bound, missing_things
        from wallaroo_ext.conformance.resources.fixtures import Forms, changed_by_name, find_fixtures, make_fixtures

        try:
            _ = self.first_token  # nobody has to wait until it has expired, where it is asked for this early
            if self.options.read_only:
                fixtures = find_fixtures(self.client)
            else:
                expendable = changed_by_name(self.guard.effects)
                user_changes = self.guard.user_changes
                fixtures = make_fixtures(
                    self.client,
                    self.owned,
                    user_changes=user_changes,
                    expendable=expendable,
                    forms=Forms.of(self.rules.document),
                )
        except NoAnswerError as error:
            return self._no_answer(error)
        except ConfigurationError as error:
            return self._rows_go_elsewhere(error)
        except (WallarooError, AssertionError, LookupError, TypeError, ValueError) as error:
            return self._no_fixtures(error)
        if fixtures.refused is not None:
            self._no_fixtures(fixtures.refused)
        missing = missing_things(bound(self.rules.document, self.guard.effects, fixtures, self.owned.prefix))
        found = f"the run may not make it: {fixtures.withheld}" if fixtures.withheld else _NOT_FOUND
        found = _REFUSED if fixtures.refused is not None else found
        for number, row in enumerate(self.run.operations):
            if row.id in missing and not row.not_exercised:
                reason = f"It needs `{missing[row.id]}`, and {found}"
                self.run.operations[number] = replace(row, not_exercised=reason)
        return fixtures

    def _no_answer(self, error: NoAnswerError) -> NoFixturesError:
        """Note that the run could not find out whether what it needs can be made: no answer came."""
        self.interceptor.give_up(error, is_lasting=True)
        return NoFixturesError(f"What the run needs could not be made: {error}")

    def _rows_go_elsewhere(self, error: ConfigurationError) -> NoFixturesError:
        """Note that the token may not be sent to where the instance takes rows, unless that is no inference URL."""
        base = self.interceptor.inference.base_of(self.interceptor.inference.newest_url)
        if base is None or self.interceptor.allows(base.url):
            return self._no_fixtures(error)
        host = urlsplit(base.url).netloc
        self.run.could_not_run = (
            f"The instance takes rows at {origin_of(base.url)}, which is not the API's origin, and no token is sent "
            f"there unasked: if it is the instance's own, give --inference-host {host}."
        )
        return NoFixturesError(self.run.could_not_run)

    def _no_fixtures(self, error: Exception) -> NoFixturesError:
        """Add a finding about the error that kept the run from making what it needs: a refusal, or a bad answer."""
        operation = str(getattr(error, "operation", None) or "")
        exchanges = [found for found in reversed(self.run.exchanges) if found.operation]
        last = next((found for found in exchanges if not operation or found.operation == operation), None)
        operation = operation or ("" if last is None else last.operation)
        reason = f"the newest answer lacks what belongs there ({type(error).__name__}: {error})."
        message = f"What the run needs could not be made: {error if isinstance(error, WallarooError) else reason}"
        finding = self.interceptor.make_finding(FIXTURES, message, operation=operation, exchange=last)
        self.run.add_check(operation, FIXTURES, [finding])
        return NoFixturesError(message)

    @property
    def _auth(self) -> Any:
        return self.client.get_httpx_client().auth

    @cached_property
    def first_token(self) -> Token:
        """The user's first token of the run, which may have expired by now."""
        return self._auth.token()

    @cached_property
    def cases(self) -> GeneratedCases:
        """The cases that schemathesis generates."""
        from wallaroo_ext.conformance.cases.generated import GeneratedCases

        return GeneratedCases(
            self.interceptor,
            self._open.enter_context(self.instance.session(self.interceptor)),
            self.fixtures,
            base_url=self.instance.settings.api_url,
            authorization=self.authorization,
            wait_for_start=self._wait_for_start,
            skip_reason=self.skip_reason,
            first_seed=self.options.seed,
        )

    def _wait_for_start(self, deployment: str) -> None:
        """Wait until a deployment runs; whatever it does in place of that, the next answer shows."""
        with suppress(WallarooError, NoAnswerError):
            wait_until_running(self.client, deployment, timeout=_START_SECONDS)

    def authorization(self, operation: str) -> str:
        """Return the header `Authorization` of an operation: a token, or for a token request the client's secret."""
        if self.rules.takes_token(operation):
            return self.user_authorization()
        settings = self.instance.settings
        return basic_header(settings.client_id, settings.client_secret or "")

    def user_authorization(self) -> str:
        """Return the header with the user's token, one that does not expire while a request is on its way."""
        return f"Bearer {self._auth.young_token().access}"

    def _signer_of(self, authorization: str) -> Callable[[], str] | None:
        """Return what gives a header with a new token in place of one with the user's; None where it has another."""
        is_users = "client" in self.__dict__ and self._auth.has_signed(authorization)
        return self.user_authorization if is_users else None

    @property
    def _writes(self) -> bool:
        return not self.options.read_only and self.options.instance != "recorded"

    def close(self) -> None:
        """End the things of the run, and list those that are left."""
        from wallaroo_ext.conformance.resources.teardown import tear_down

        try:
            if "client" in self.__dict__ and self._writes and not self._is_closed:
                self._is_closed = True
                self.run.left_behind += tear_down(self.client, self.owned)
            self._note_gaps()
        finally:
            self._open.close()
            self.run.seconds = time.time() - self.run.started

    def _note_gaps(self) -> None:
        """Note what a gateway answered in place of the instance, and what could not be found out because of it."""
        run = self.run
        run.note_gaps()
        run.note_slowness()
        if run.unanswered and not run.could_not_run and verdict(run) is Verdict.COULD_NOT_RUN:
            listed = "; ".join(f"{name or 'another request'}: {reason}" for name, reason in run.unanswered.items())
            advice = "".join(f" {text}" for what, text in _ADVICE.items() if what in listed)
            run.could_not_run = f"Some answers of the instance never came, so that it is not known ({listed}).{advice}"


def suite_for(options: SuiteOptions) -> Suite:
    """Return the suite of a run; the instance is asked for its release where the options do not say it.

    Raises:
        OSError: The contract cannot be read.
        ValueError: The file is no contract, or the overlay does not fit it.
        WallarooError: The settings are wrong, or the instance cannot be reached, or gives no token.
        WithheldError: The run may not sign in.
    """
    check_assertions()
    check_temporary_files()
    held = HeldTo.by_options(options)
    if held is None:
        asking = Suite(replace(options, read_only=True))
        try:
            held = release_of_instance(asking.client, asking.instance.settings.api_url)
        finally:
            asking.close()
    return Suite(options, held)
