"""What schemathesis sends, and what it checks: the contract's examples, the edges of its schemas, and random data.

Data that the instance has to accept is made from the contract with the run's own things in it. Data that it has to
refuse is made from the contract itself where an operation only reads, and otherwise from one in which names are the
run's.
"""

from __future__ import annotations

import copy
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode, checks
from schemathesis.core import NOT_SET
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.hypothesis import examples as generation

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.conformance.cases.exclusions import has_good_edges, is_made_in_machine
from wallaroo_ext.conformance.cases.schema_binding import bound, bound_names
from wallaroo_ext.conformance.guard.write_guard import SAFE_METHODS, WithheldError
from wallaroo_ext.conformance.resources import samples
from wallaroo_ext.conformance.resources.owned import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wallaroo_ext.conformance.guard.effects import RequestName
    from wallaroo_ext.conformance.guard.interceptor import InterceptedSession, Interceptor
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.results import Finding

ARROW = "application/vnd.apache.arrow.file"
FILE = "application/octet-stream"
ANSWERED = "an_answer_comes"
"""The check that an answer comes at all."""

_PATIENCE_SECONDS = 30
_PROBING = "ignored_auth"
_REFUSAL, _ACCEPTANCE = "negative_data_rejection", "positive_data_acceptance"
_STEPS = 8


class Properties:
    """Cases of each operation, sent and checked.

    Args:
        interceptor: What sees each exchange.
        session: What sends them.
        fixtures: What the run made first.
        base_url: The API's URL.
        authorization: Gives the header that a request of an operation is signed in with.
        first_seed: What random data is made from.
    """

    def __init__(
        self,
        interceptor: Interceptor,
        session: InterceptedSession,
        fixtures: Fixtures,
        *,
        base_url: str,
        authorization: Callable[[str], str],
        first_seed: int,
    ) -> None:
        checks.load_all_checks()
        schemathesis.openapi.media_type(ARROW, samples.arrow_files())
        schemathesis.openapi.media_type(FILE, samples.model_files())
        self._interceptor = interceptor
        self._session = session
        self._base_url = base_url
        self._authorization = authorization
        self._seed = first_seed
        self._probed: set[str] = set()
        self._requests: dict[str, dict[str, Any]] = {}
        self._numbers = count(1)
        document, effects = interceptor.rules.document, interceptor.guard.effects
        self._prefix = interceptor.guard.owned.prefix
        self._good = self._schema(bound(document, effects, fixtures, self._prefix))
        self._bad = self._schema(document)
        self._bad_writes = self._schema(bound_names(document, effects, fixtures, self._prefix))

    def _schema(self, document: dict[str, Any]) -> Any:
        """Return a contract as schemathesis has it, which tells what it checked."""
        schema: Any = schemathesis.openapi.from_dict(document)
        # Tokens have tests of their own; a bad one would keep all other bad data from being looked at.
        schema.config.generation.update(with_security_parameters=False)
        # What other methods change the contract does not say; these change nothing, by HTTP.
        schema.config.phases.coverage.unexpected_methods = {method.lower() for method in SAFE_METHODS}
        schema.config.phases.stateful.generation.modes = [GenerationMode.POSITIVE]
        schema.hooks.register_hook_with_name(self._count, "after_validate")
        _use_transport(schema, self._intercepted(schema.transport))
        return schema

    def _intercepted(self, transport: Any) -> Any:
        """Return a transport of schemathesis whose every request is sent by the run's session.

        Some checks send requests of their own, with a session of their own, which nobody would admit or count.
        """

        def send(case: Any, *, session: Any = None, **arguments: Any) -> Any:
            last = self._session.last
            try:
                return transport.send(case, session=self._session, **arguments)
            finally:
                if session is None:  # a check's own request, and what is found is about the one before
                    self._session.last = last

        intercepted = copy.copy(transport)
        intercepted.send = send
        return intercepted

    def examples(self, operation: str) -> None:
        """Send the contract's examples, with the run's own things in them."""
        for strategy in _operation(self._good, operation).get_strategies_from_examples():
            self.send(_one(strategy))

    def edges(self, operation: str, *, good: bool) -> None:
        """Send the edges of what the contract allows, or what is just beyond them.

        Args:
            operation: The contract's `operationId`.
            good: Whether the instance has to accept it.
        """
        if good and not has_good_edges(operation):
            return
        schema = self._of(operation, good=good)
        found = _operation(schema, operation)
        generation = schema.config.generation_for(operation=found, phase="coverage")
        for case in schema.iter_coverage_cases(
            found, generation_modes=[_mode(good=good)], generation_config=generation
        ):
            self.send(case)

    def random(self, operation: str, *, good: bool, cases: int) -> None:
        """Send random data.

        Args:
            operation: The contract's `operationId`.
            good: Whether the instance has to accept it.
            cases: How many requests.
        """
        found = _operation(self._of(operation, good=good), operation)

        @seed(self._seed)
        @_settings(cases)
        @given(case=found.as_strategy(generation_mode=_mode(good=good)))
        def run(case: Any) -> None:
            self.send(case)

        run()

    def walk(self, scenarios: int) -> None:
        """Follow the contract's links from operation to operation.

        Args:
            scenarios: How many times to begin.
        """
        self._machine().run(settings=settings(_settings(scenarios), stateful_step_count=_STEPS))

    def _machine(self) -> Any:
        """Return the state machine of the contract's links, whose steps are sent and checked as everything else is."""
        base: Any = self._good.as_state_machine()
        prepare, arguments, validated = self._freshen, self._call_arguments, self._validated
        checked = [check for name, check in _checks().items() if is_made_in_machine(name)]

        class Machine(base):
            def before_call(self, case: Any) -> None:
                prepare(case)

            def get_call_kwargs(self, case: Any) -> dict[str, Any]:
                return arguments(case)

            def call(self, case: Any, **arguments: Any) -> Any:
                try:
                    return base.call(self, case, **arguments)
                except WithheldError:
                    return _not_sent(case)

            def validate_response(self, response: Any, case: Any, **arguments: Any) -> None:
                if response.status_code != _NOT_SENT:
                    recorder = cast("Any", self).recorder
                    validated(
                        lambda: case.validate_response(
                            response, checks=checked, transport_kwargs=arguments, recorder=recorder
                        )
                    )

        return Machine

    def send(self, case: Any) -> None:
        """Send a case and check its answer; a request that may not be sent is left out."""
        self._freshen(case)
        arguments = self._call_arguments(case)
        try:
            self._validated(lambda: case.call_and_validate(**arguments, checks=self._checks(case)))
        except WithheldError:
            return
        except requests.RequestException as error:
            operation = _id(case.operation)
            message = f"No answer came: {error}."
            found = self._interceptor.found(ANSWERED, message, operation=operation, exchange=self._session.last)
            self._interceptor.run.checked(operation, ANSWERED, [found])

    def good_request(self, operation: str, *, is_new: bool = False) -> dict[str, Any]:
        """A request of an operation that the instance accepts, as httpx takes it, with the parameters of its path.

        Args:
            operation: The contract's `operationId`.
            is_new: Whether it is another one than before, with names that are not taken.
        """
        if is_new or operation not in self._requests:
            self._requests[operation] = self._good_request(operation)
        return self._requests[operation]

    def _good_request(self, operation: str) -> dict[str, Any]:
        found = _operation(self._good, operation)
        case = _one(found.as_strategy(generation_mode=GenerationMode.POSITIVE))
        self._freshen(case)
        sent = requests.Request(**case.as_transport_kwargs(base_url=self._base_url)).prepare()
        named: list[str] = list(case.headers or ())
        declared = {name.lower() for name in named} | {"content-type", "cookie"}
        kept = {name: value for name, value in sent.headers.items() if name.lower() in declared}
        query = dict(case.query or {})
        body: Any = sent.body or b""
        return {"path": dict(case.path_parameters or {}), "params": query, "content": body, "headers": kept}

    def _call_arguments(self, case: Any) -> dict[str, Any]:
        return {
            "base_url": self._base_url,
            "session": self._session,
            "headers": {"Authorization": self._authorization(_id(case.operation))},
            "timeout": _PATIENCE_SECONDS,
        }

    @staticmethod
    def _validated(validation: Callable[[], object]) -> None:
        """Check an answer; what is wrong with it is counted by then."""
        try:
            validation()
        except FailureGroup:
            return

    def _of(self, operation: str, *, good: bool) -> Any:
        if good:
            return self._good
        return self._bad_writes if self._interceptor.guard.writes(operation) else self._bad

    def _checks(self, case: Any) -> list[Any]:
        """The checks to make: whether a token is asked for is found out once an operation, not after each success."""
        done = _id(case.operation) in self._probed
        return [check for name, check in _checks().items() if not (done and name == _PROBING)]

    def _freshen(self, case: Any) -> None:
        """Give a good request names that nobody has, where it makes something of a name that may not be taken."""
        if _is_undeclared(case):
            _empty(case)
        elif _is_good(case):
            for name in self._interceptor.guard.effects[_id(case.operation)].names:
                if name.origin == "unused":
                    self._name_anew(case, name)

    def _name_anew(self, case: Any, name: RequestName) -> None:
        fresh = f"{self._prefix}-{next(self._numbers)}" + (DOMAIN if name.thing.endswith(" email") else "")
        where, *way = name.place
        if where == "body":
            case.body = _with_value(case.body, way, fresh)
        else:
            found: dict[str, Any] = {"path": case.path_parameters, "query": case.query, "header": case.headers}
            found[where][way[0]] = fresh

    def _count(self, context: Any, case: Any, response: Any, results: list[Any]) -> None:  # noqa: ARG002 - as schemathesis calls it
        """Count what schemathesis checked, with what it found."""
        operation = _id(case.operation)
        for result in results:
            self._interceptor.run.checked(operation, result.name, self._findings(operation, response, result))
            if result.name == _PROBING and response.status_code == self._interceptor.rules.success(operation):
                self._probed.add(operation)

    def _findings(self, operation: str, response: Any, result: Any) -> list[Finding]:
        if result.failure is None:
            return []
        place = self._place(operation, response, result.name)
        message = _message(result.failure)
        exchange = self._session.last
        return [self._interceptor.found(result.name, message, operation=operation, exchange=exchange, place=place)]

    def _place(self, operation: str, response: Any, check: str) -> tuple[str, ...]:
        """Return where the rule stands that a check found broken."""
        rules = self._interceptor.rules
        if check in {_REFUSAL, _ACCEPTANCE} and "requestBody" in rules.operations[operation]:
            return (*rules.places[operation], "requestBody")
        kind = next(iter(response.headers.get("content-type", ())), "")
        broken = rules.broken(operation, response.status_code, kind, response.content or b"")
        return next((found.pointer for found in broken if found.check == check), ())


def _use_transport(schema: Any, transport: Any) -> None:
    """Have a contract's requests sent by a transport; schemathesis has no other way to choose it."""
    kind: Any = schema.__class__
    schema.__class__ = type("InterceptedSchema", (kind,), {"transport": property(lambda _: transport)})


def _checks() -> dict[str, Any]:
    """Return all checks of schemathesis."""
    registry = cast("Any", checks).CHECKS
    return {name: registry.get_one(name) for name in registry.get_all_names()}


_NOT_SENT = 0


def _not_sent(case: Any) -> Any:
    """Return an answer in place of one to a request that may not be sent, from which no link leads on."""
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
    """Random data without shrinking: every case is counted, and the report shows the shortest that fails."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(cast("Iterable[Any]", HealthCheck)),
    )


def _one(strategy: Any) -> Any:
    """Return the case of a strategy that has only one."""
    return cast("Any", generation).generate_one(strategy)


def _mode(*, good: bool) -> GenerationMode:
    return GenerationMode.POSITIVE if good else GenerationMode.NEGATIVE


def _is_undeclared(case: Any) -> bool:
    """Return whether a case has a method that the contract does not have for its path."""
    return case.method.lower() != case.operation.method.lower()


def _empty(case: Any) -> None:
    """Take everything out of a case but what its path needs."""
    case.body, case.media_type = NOT_SET, None
    case.query, case.cookies = {}, {}


def _with_value(body: Any, way: list[str], value: Any) -> Any:
    """Return a body with another value at a place that it has."""
    fields = object_of(body)
    if not way or way[0] not in fields:
        return body
    inner = value if len(way) == 1 else _with_value(fields[way[0]], way[1:], value)
    return fields | {way[0]: inner}


def _is_good(case: Any) -> bool:
    return case.meta is None or case.meta.generation.mode.is_positive


def _id(operation: Any) -> str:
    return operation.definition.raw["operationId"]


def _operation(schema: Any, operation: str) -> Any:
    return next(found for item in schema.get_all_operations() if _id(found := item.ok()) == operation)


def _message(failure: Any) -> str:
    """Return what a check of schemathesis says, without the empty lines."""
    text = f"{failure.title}. {failure.message}"
    return " ".join(line.strip() for line in text.splitlines() if line.strip())
