"""Sends and checks the cases that schemathesis generates: the contract's examples, edge cases and random data.

Data that the instance has to accept is made from a copy of the contract with the run's own things in it. Data that it
has to refuse is made from the contract itself if an operation only reads, and else from a copy in which all names are
the run's.
"""

from __future__ import annotations

import copy
from contextlib import contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar, cast

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import FlakyReplay, FlakyStrategyDefinition, Unsatisfiable
from schemathesis import GenerationMode, checks
from schemathesis.config import SchemathesisConfig
from schemathesis.core import NOT_SET
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.hypothesis import examples as generation

from wallaroo_ext._util.arrow.files import MEDIA_TYPE as ARROW
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.conformance.cases.exclusions import has_good_edges, is_made_in_machine
from wallaroo_ext.conformance.cases.schema_binding import bound, bound_names, missing_things
from wallaroo_ext.conformance.cases.undeclared_methods import OWN_CHECKS
from wallaroo_ext.conformance.guard.effects import INFERENCE_LOG
from wallaroo_ext.conformance.guard.gateways import MOST_RUNS, NoAnswerError
from wallaroo_ext.conformance.guard.owned_resources import DOMAIN
from wallaroo_ext.conformance.guard.write_guard import SAFE_METHODS, WithheldError
from wallaroo_ext.conformance.resources import samples
from wallaroo_ext.conformance.rules import ANSWERED

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from wallaroo_ext.conformance.guard.effects import Effects, RequestName
    from wallaroo_ext.conformance.guard.interceptor import InterceptedSession, Interceptor
    from wallaroo_ext.conformance.guard.request_fields import RequestFields
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.results import Finding

T = TypeVar("T")

FILE = "application/octet-stream"
_PATIENCE_SECONDS = 30
_PROBING = "ignored_auth"
_REFUSAL, _ACCEPTANCE = "negative_data_rejection", "positive_data_acceptance"
_BOUND = {ParameterLocation.PATH, ParameterLocation.QUERY, ParameterLocation.BODY}
"""Where names of things stand in requests."""
_STEPS = 8
_DEPLOYMENT, _DEPLOYMENT_NAME = "deployment", "deployment name"


class GeneratedCases:
    """Generates cases of each operation, sends them and checks the answers.

    Args:
        interceptor: Admits requests and keeps exchanges.
        session: The session that sends requests.
        fixtures: The things that the run made first.
        base_url: The API's URL.
        authorization: Returns the header `Authorization` of an operation.
        wait_for_start: Waits until a deployment runs, which is named.
        skip_reason: Returns why the run cannot try an operation; an empty text where it can.
        first_seed: The seed of random data.
    """

    def __init__(
        self,
        interceptor: Interceptor,
        session: InterceptedSession,
        fixtures: Fixtures,
        *,
        base_url: str,
        authorization: Callable[[str], str],
        wait_for_start: Callable[[str], object],
        skip_reason: Callable[[str], str],
        first_seed: int,
    ) -> None:
        checks.load_all_checks()
        schemathesis.openapi.media_type(ARROW, samples.arrow_files())
        schemathesis.openapi.media_type(FILE, samples.model_files())
        self._interceptor = interceptor
        self._fixtures = fixtures
        self._session = session
        session.check = self._check_spared
        self._base_url = base_url
        self._authorization = authorization
        self._wait_for_start = wait_for_start
        self._skip_reason = skip_reason
        self._seed = first_seed
        self._probed: set[str] = set()
        self._good_requests: dict[str, tuple[Any, dict[str, Any]]] = {}  # by operation, with the cases that they are of
        self._spared: dict[str, dict[str, Any]] = {}
        self._numbers = count(1)
        self._started: set[str] = set()  # the deployments that were waited for since the newest step that may start one
        document, effects = interceptor.rules.document, interceptor.guard.effects
        self._prefix = interceptor.guard.owned.prefix
        good = bound(document, effects, fixtures, self._prefix)
        self._good = self._schema(good)
        self._impossible = list(missing_things(good))
        self._bad = self._schema(document)
        self._bad_writes = self._schema(bound_names(document, effects, fixtures, self._prefix))

    def _check_spared(self, operation: str, request: RequestFields) -> None:
        """Check that a case changes nothing that later tests need: a link leads from anything that is listed to it.

        Raises:
            WithheldError: It does.
        """
        guard = self._interceptor.guard
        if operation not in self._spared:
            self._spared[operation] = self._fixtures.spared_by(guard.effects[operation])
        guard.check_spared(operation, request, self._spared[operation])

    def continue_in_child(self) -> None:
        """Go on in a forked process, with connections of its own."""
        self._session.close()
        self._started.clear()
        self._good_requests.clear()  # their names are the other process's

    def _schema(self, document: dict[str, Any]) -> Any:
        """Return schemathesis's schema of a contract, whose checks are counted."""
        schema: Any = schemathesis.openapi.from_dict(document, config=SchemathesisConfig())  # by no file that lies here
        # Tokens have tests of their own; with a bad one, an instance would not look at the other bad data.
        schema.config.generation.update(with_security_parameters=False)
        # The contract does not say what other methods change; these change nothing, according to HTTP.
        schema.config.phases.coverage.unexpected_methods = {method.lower() for method in SAFE_METHODS}
        schema.config.phases.stateful.generation.modes = [GenerationMode.POSITIVE]
        schema.hooks.register_hook_with_name(self._count, "after_validate")
        _use_transport(schema, self._intercepted(schema.transport))
        return schema

    def _intercepted(self, transport: Any) -> Any:
        """Return a transport of schemathesis that sends every request by the run's session.

        Some checks send requests of their own, for which they would use a session that is not intercepted.
        """

        def send(case: Any, *, session: Any = None, **arguments: Any) -> Any:
            last = self._session.last
            arguments["verify"] = self._session.verify  # which schemathesis would take from a configuration of its own
            try:
                return transport.send(case, session=self._session, **arguments)
            finally:
                if session is None:  # it is a check's own request, and findings are about the one before
                    self._session.last = last

        intercepted = copy.copy(transport)
        intercepted.send = send
        return intercepted

    def examples(self, operation: str) -> None:
        """Send the contract's examples, with the run's own things in them."""
        with _some_data():
            for strategy in self._operation(self._good, operation).get_strategies_from_examples():
                self.send(_one(strategy))

    def edges(self, operation: str, *, good: bool) -> None:
        """Send the edge cases of the schemas.

        Args:
            operation: The contract's `operationId`.
            good: Whether to send those that the instance has to accept, or those that it has to refuse.
        """
        if good and not has_good_edges(operation):
            return
        schema = self._schema_for(operation, good=good)
        found = self._operation(schema, operation)
        generation = schema.config.generation_for(operation=found, phase="coverage")
        for case in schema.iter_coverage_cases(
            found, generation_modes=[_mode(good=good)], generation_config=generation
        ):
            self.send(case)

    def random(self, operation: str, *, good: bool, cases: int) -> None:
        """Send random data.

        Args:
            operation: The contract's `operationId`.
            good: Whether to send data that the instance has to accept, or data that it has to refuse.
            cases: The number of requests.
        """
        found = self._operation(self._schema_for(operation, good=good), operation)

        @seed(self._seed)
        @_settings(cases)
        @given(case=found.as_strategy(generation_mode=_mode(good=good)))
        def run(case: Any) -> None:
            self.send(case)

        with _some_data():
            run()

    def follow_links(self, scenarios: int) -> None:
        """Follow the contract's links from operation to operation.

        What a step draws depends on what the steps before it were answered, which need not be the same when hypothesis
        begins another scenario in the same way. It then goes no further; the scenarios that are left begin anew.

        Args:
            scenarios: The number of times to start.
        """
        machine, begun = self._state_machine(), 0
        while begun < scenarios:
            machine.begun = 0
            run = settings(_settings(scenarios - begun), stateful_step_count=_STEPS)
            with suppress(FlakyStrategyDefinition, FlakyReplay):
                seed(self._seed + begun)(machine).run(settings=run)
                return
            begun += machine.begun

    def _state_machine(self) -> Any:
        """Return the state machine of the contract's links, which sends and checks its steps like all other cases."""
        possible = self._good.exclude(operation_id=self._impossible) if self._impossible else self._good
        base: Any = possible.as_state_machine()
        check_step = self._check_step
        send_step, repeat = self._send_step, self._repeat

        class Machine(base):
            begun = 0

            def __init__(self) -> None:
                Machine.begun += 1
                inner: Any = super()
                inner.__init__()

            def call(self, case: Any, **_: Any) -> Any:
                try:
                    return send_step(case)
                except (WithheldError, NoAnswerError):
                    return _not_sent(case)

            def validate_response(self, response: Any, case: Any, **_: Any) -> None:
                if response.status_code != _NOT_SENT:
                    recorder = cast("Any", self).recorder
                    with suppress(WithheldError, NoAnswerError):  # of the requests that checks send themselves
                        repeat(lambda: check_step(response, case, recorder))

        return Machine

    def _send_step(self, case: Any) -> Any:
        """Send a step of the state machine. Returns the answer.

        Raises:
            NoAnswerError: The instance did not answer.
            WithheldError: The request may not be sent.
        """
        effects = self._interceptor.guard.effects[_id(case.operation)]
        if INFERENCE_LOG in effects.writes:
            self._wait_for_deployments(case, effects)

        def send() -> Any:
            self._prepare(case)
            return case.call(**self._call_arguments(case))

        try:
            return self._repeat(send)
        finally:
            if _DEPLOYMENT in effects.writes:
                self._started.clear()

    def _wait_for_deployments(self, case: Any, effects: Effects) -> None:
        """Wait until the deployments of a step's rows run, which a step before may have started."""
        given: dict[tuple[str, ...], str] = {("path", name): value for name, value in case.path_parameters.items()}
        locations = [name.location for name in effects.names if name.thing == _DEPLOYMENT_NAME]
        for deployment in {given[location] for location in locations if location in given} - self._started:
            self._started.add(deployment)
            self._wait_for_start(deployment)

    def _check_step(self, response: Any, case: Any, recorder: Any) -> None:
        """Check the answer to a step of the state machine.

        Raises:
            NoAnswerError: The instance did not answer a request of a check's own.
            WithheldError: Such a request may not be sent.
        """
        checked = [check for name, check in _checks().items() if is_made_in_machine(name)]
        arguments = self._call_arguments(case)
        self._validate(
            lambda: case.validate_response(response, checks=checked, transport_kwargs=arguments, recorder=recorder)
        )

    def send(self, case: Any) -> None:
        """Send a case and check its answer, unless the request may not be sent."""
        with suppress(NoAnswerError):
            self._repeat(lambda: self._send_once(case))

    def _repeat(self, send: Callable[[], T]) -> T:
        """Do something until all of its requests are answered, and return what it returns.

        Args:
            send: What to do; it takes new names each time.

        Raises:
            NoAnswerError: There was no answer, and it is noted.
        """
        for number in range(1, MOST_RUNS + 1):
            try:
                return send()
            except NoAnswerError as error:
                if not error.may_be_repeated or number == MOST_RUNS:
                    self._interceptor.give_up(error, is_lasting=number == MOST_RUNS or error.is_lasting)
                    raise
        raise AssertionError("it is sent at least once")

    def _send_once(self, case: Any) -> None:
        """Send a case, with new names where it needs unused ones.

        Raises:
            NoAnswerError: The instance did not answer.
        """
        self._prepare(case)
        arguments = self._call_arguments(case)
        try:
            self._validate(lambda: case.call_and_validate(**arguments, checks=self._checks(case)))
        except WithheldError:
            return
        except requests.RequestException as error:
            operation = _id(case.operation)
            message = f"No answer came: {error}."
            last = self._session.last
            finding = self._interceptor.make_finding(ANSWERED, message, operation=operation, exchange=last)
            self._interceptor.run.add_check(operation, ANSWERED, [finding])

    def good_request(self, operation: str, *, is_new: bool = False) -> dict[str, Any]:
        """Return a request that the instance has to accept, as arguments of `Api.send`.

        Args:
            operation: The contract's `operationId`.
            is_new: Whether to make a new one, with names that are not taken.
        """
        if is_new or operation not in self._good_requests:
            self._good_requests[operation] = self._good_request(operation)
        return self._good_requests[operation][1]

    def unused_request(self, operation: str) -> dict[str, Any]:
        """Return a request that the instance has to accept now, also after it accepted the last one."""
        names = self._interceptor.guard.effects[operation].names
        return self.good_request(operation, is_new=any(name.origin == "unused" for name in names))

    def _good_request(self, operation: str) -> tuple[Any, dict[str, Any]]:
        """Return a case, drawn for the first request only, and a request of it with unused names."""
        found = self._operation(self._good, operation)
        if operation in self._good_requests:
            case, _ = self._good_requests[operation]
        else:
            with _some_data():
                case = _one(found.as_strategy(generation_mode=GenerationMode.POSITIVE))
        self._prepare(case)
        sent = requests.Request(**case.as_transport_kwargs(base_url=self._base_url)).prepare()
        named: list[str] = list(case.headers or ())
        declared = {name.lower() for name in named} | {"content-type", "cookie"}
        headers = {name: value for name, value in sent.headers.items() if name.lower() in declared}
        query = dict(case.query or {})
        body: Any = sent.body or b""
        return case, {"path": dict(case.path_parameters or {}), "params": query, "content": body, "headers": headers}

    def _call_arguments(self, case: Any) -> dict[str, Any]:
        return {
            "base_url": self._base_url,
            "session": self._session,
            "headers": {"Authorization": self._authorization(_id(case.operation))},
            "timeout": _PATIENCE_SECONDS,
        }

    @staticmethod
    def _validate(validation: Callable[[], object]) -> None:
        """Check an answer. The hook `_count` has counted the failures by the time they are raised."""
        try:
            validation()
        except FailureGroup:
            return

    def _operation(self, schema: Any, operation: str) -> Any:
        """Return an operation of a schema.

        Raises:
            WithheldError: The run cannot try it, as is known since the run has made its things.
        """
        reason = self._skip_reason(operation)
        if reason:
            raise WithheldError(reason)
        return next(found for item in schema.get_all_operations() if _id(found := item.ok()) == operation)

    def _schema_for(self, operation: str, *, good: bool) -> Any:
        if good:
            return self._good
        return self._bad_writes if self._interceptor.guard.writes(operation) else self._bad

    def _checks(self, case: Any) -> list[Any]:
        """Return the checks of a case; the check for ignored tokens sends requests, and is made once an operation."""
        left_out = {_PROBING} if _id(case.operation) in self._probed else set[str]()
        if self._is_allowed(case):
            left_out.add(_REFUSAL)
        return [check for name, check in _checks().items() if name not in left_out]

    def _is_allowed(self, case: Any) -> bool:
        """Return whether a case that is bad by the bound contract is good by the contract.

        It may name a thing that the run made and that is none of those to which its data are bound.
        """
        operation, rules = _id(case.operation), self._interceptor.rules
        bad = [location for location, part in _parts(case).items() if part.mode.is_negative]
        if not bad or not _BOUND.issuperset(bad) or not self._interceptor.guard.writes(operation):
            return False
        return all(
            rules.allows_body(operation, case.media_type or "", case.body)
            if location == ParameterLocation.BODY
            else rules.allows_parameters(operation, str(location.value), case.get_container(location) or {})
            for location in bad
        )

    def _prepare(self, case: Any) -> None:
        """Give a good request unused names where the operation needs them.

        A request with an undeclared method gets no body, and names in its path what the run has, if anything: it may
        not be sent where it could be about something of others.
        """
        if _is_undeclared(case):
            _empty(case)
            if case.path_parameters:
                case.path_parameters = dict(self.good_request(_id(case.operation))["path"])
        elif _is_good(case):
            for name in self._interceptor.guard.effects[_id(case.operation)].names:
                if name.origin == "unused":
                    self._set_unused_name(case, name)

    def _set_unused_name(self, case: Any, name: RequestName) -> None:
        unused = f"{self._interceptor.guard.owned.name_prefix}-{next(self._numbers)}" + (
            DOMAIN if name.thing.endswith(" email") else ""
        )
        part, *keys = name.location
        if part == "body":
            case.body = _with_value(case.body, keys, unused)
        else:
            parts: dict[str, Any] = {"path": case.path_parameters, "query": case.query, "header": case.headers}
            parts[part][keys[0]] = unused

    def _count(self, context: Any, case: Any, response: Any, results: list[Any]) -> None:  # noqa: ARG002 - as schemathesis calls it
        """Count the checks that schemathesis made, and add their findings."""
        operation = _id(case.operation)
        for result in results:
            self._interceptor.run.add_check(operation, result.name, self._findings(operation, response, result))
            if result.name == _PROBING and self._interceptor.rules.is_success(operation, response.status_code):
                self._probed.add(operation)

    def _findings(self, operation: str, response: Any, result: Any) -> list[Finding]:
        if result.failure is None:
            return []
        location = self._location(operation, response, result.name)
        message = _message(result.failure)
        exchange = self._session.last
        return [
            self._interceptor.make_finding(
                result.name, message, operation=operation, exchange=exchange, location=location
            )
        ]

    def _location(self, operation: str, response: Any, check: str) -> tuple[str, ...]:
        """Return the location of the rule that a check found broken."""
        rules = self._interceptor.rules
        if check in {_REFUSAL, _ACCEPTANCE} and "requestBody" in rules.operations[operation]:
            return (*rules.locations[operation], "requestBody")
        kind = next(iter(response.headers.get("content-type", ())), "")
        violations = rules.violations(operation, response.status_code, kind, response.content or b"")
        return next((found.location for found in violations if found.check == check), ())


def _use_transport(schema: Any, transport: Any) -> None:
    """Make a schema send its requests by a transport; schemathesis has no option for that."""
    kind: Any = schema.__class__
    schema.__class__ = type("InterceptedSchema", (kind,), {"transport": property(lambda _: transport)})


def _checks() -> dict[str, Any]:
    """Return all checks of schemathesis, some of which are made in another way."""
    registry = cast("Any", checks).CHECKS
    return {name: OWN_CHECKS.get(name, registry.get_one(name)) for name in registry.get_all_names()}


_NOT_SENT = 0


def _not_sent(case: Any) -> Any:
    """Return an answer for a request that may not be sent, which no link follows."""
    from schemathesis.core.transport import Response

    request = requests.Request(case.method, "http://localhost/").prepare()
    return Response(
        status_code=_NOT_SENT,
        headers={},
        content=b"",
        request=request,
        elapsed=0.0,
        verify=True,
    )


def _settings(examples: int) -> settings:
    """Return settings of hypothesis for so many cases, without shrinking: every case is counted."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(cast("Iterable[Any]", HealthCheck)),
    )


@contextmanager
def _some_data() -> Generator[None]:
    """Withhold the requests of an operation for which there is no data, as where a thing is missing that it names.

    Raises:
        WithheldError: There is none.
    """
    try:
        yield
    except Unsatisfiable as error:
        raise WithheldError(f"No request can be made of what the run has: {error}") from error


def _one(strategy: Any) -> Any:
    """Return one case of a strategy."""
    return cast("Any", generation).generate_one(strategy)


def _mode(*, good: bool) -> GenerationMode:
    return GenerationMode.POSITIVE if good else GenerationMode.NEGATIVE


def _is_undeclared(case: Any) -> bool:
    """Return whether a case has a method that the contract does not have for its path."""
    return case.method.lower() != case.operation.method.lower()


def _empty(case: Any) -> None:
    """Remove everything from a case but the parameters of its path."""
    case.body, case.media_type = NOT_SET, None
    case.query, case.cookies = {}, {}


def _with_value(body: Any, keys: list[str], value: Any) -> Any:
    """Return a body with another value at these keys, if it has them."""
    fields = object_of(body)
    if not keys or keys[0] not in fields:
        return body
    inner = value if len(keys) == 1 else _with_value(fields[keys[0]], keys[1:], value)
    return fields | {keys[0]: inner}


def _is_good(case: Any) -> bool:
    return case.meta is None or case.meta.generation.mode.is_positive


def _parts(case: Any) -> dict[ParameterLocation, Any]:
    """Return how the parts of a case were generated, by where they stand in the request."""
    return {} if case.meta is None else case.meta.components


def _id(operation: Any) -> str:
    return operation.definition.raw["operationId"]


def _message(failure: Any) -> str:
    """Return the message of a failure of schemathesis, without line breaks."""
    text = f"{failure.title}. {failure.message}"
    return " ".join(line.strip() for line in text.splitlines() if line.strip())
