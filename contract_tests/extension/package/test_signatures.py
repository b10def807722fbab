"""Do the public functions show their parameters, the same for threads and asyncio, with the defaults in force?"""

from __future__ import annotations

import asyncio
import inspect
import pickle
import pydoc
import re
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from functools import partial
from typing import TYPE_CHECKING, Any, assert_type

import httpx
import pyarrow as pa
import pytest
from wallaroo_mlops_client.models import Workspace

import wallaroo_ext
from wallaroo_ext import (
    Deployment,
    KeycloakAuth,
    PartSize,
    WallarooError,
    aio,
    connect,
    deploy_pipeline,
    find_workspace,
    infer,
    infer_batches,
    infer_dataset,
    upload_model,
)
from wallaroo_ext.cli.commands.batch import batch as batch_command
from wallaroo_ext.cli.commands.checking.conformance import conformance as conformance_command
from wallaroo_ext.cli.commands.deployments.deploy import deploy as deploy_command
from wallaroo_ext.cli.commands.infer import infer as infer_command
from wallaroo_ext.cli.commands.upload import upload as upload_command
from wallaroo_ext.conformance import plugin
from wallaroo_ext.conformance.options import CASES, SuiteOptions
from wallaroo_ext.engines.ray import infer_ray_dataset
from wallaroo_ext.engines.spark import infer_dataframe
from wallaroo_ext.settings import DEFAULT_CLIENT_ID
from wallaroo_ext.transport import response_limits

if TYPE_CHECKING:
    from pathlib import Path

    from wallaroo_mlops_client import Client

FUNCTIONS = {
    name: getattr(wallaroo_ext, name)
    for name in wallaroo_ext.__all__
    if inspect.isfunction(getattr(wallaroo_ext, name))
}
SENDING = {name: function for name, function in FUNCTIONS.items() if "client" in inspect.signature(function).parameters}
"""The functions that send something: they take a client."""
ENGINES = {"infer_ray_dataset": infer_ray_dataset, "infer_dataframe": infer_dataframe}
"""Their plans run on a cluster, so that they have no counterpart for asyncio."""
DESCRIBED = {**FUNCTIONS, **ENGINES, "KeycloakAuth": KeycloakAuth}

ENTRY = re.compile(r"^    (?=\S)", re.MULTILINE)
DEFAULT = re.compile(r"(?:`(?P<word>[^`]+)`|(?P<number>\d[\d,.]*)(?: s)?) by\s+default")

COMMANDS: list[tuple[Callable[..., Any], Callable[..., Any], dict[str, str]]] = [
    (deploy_command, deploy_pipeline, {"wait_timeout": "timeout"}),
    (upload_command, upload_model, {"wait_timeout": "timeout"}),
    (infer_command, infer, {}),
    (batch_command, infer_dataset, {"file_format": "format"}),
]


def parameters_of(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(function).parameters)


def descriptions(function: Any) -> dict[str, str]:
    """Return what the docstring says of each parameter, by its name."""
    _, _, rest = (inspect.getdoc(function) or "").partition("\nArgs:\n")
    section = re.split(r"^\S", rest, maxsplit=1, flags=re.MULTILINE)[0]
    entries = (entry.partition(":") for entry in ENTRY.split(section) if entry.strip())
    return {name: " ".join(text.split()) for name, _, text in entries}


def documented_defaults() -> list[tuple[str, str, str]]:
    """Return each default that a docstring states: of which function and parameter, and its text."""
    return [
        (name, parameter, found["word"] or found["number"].replace(",", ""))
        for name, function in DESCRIBED.items()
        for parameter, text in descriptions(function).items()
        for found in DEFAULT.finditer(text)
    ]


def texts_of(default: object) -> set[str]:
    """Return how a default may be written: itself, what a tuple contains, or the numbers of an object."""
    if isinstance(default, tuple):
        return {str(each) for each in default}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] - of any types
    fields = vars(default).values() if hasattr(default, "__dict__") else ()
    return {f"{each:g}" if isinstance(each, float) else str(each) for each in (default, *fields)}


def required(function: Callable[..., Any]) -> tuple[list[object], dict[str, object]]:
    """Return arguments that are enough for a call to begin."""
    empty = [found for found in parameters_of(function).values() if found.default is found.empty]
    by_name: dict[str, object] = {found.name: "x" for found in empty if found.kind is found.KEYWORD_ONLY}
    return ["x"] * (len(empty) - len(by_name)), by_name


class TestTwins:
    def test_asyncio_has_every_function_that_sends_something(self) -> None:
        assert {*SENDING, "call", "connect", "run", "sandbox"} == set(aio.__all__)
        assert len(SENDING) >= 10

    @pytest.mark.parametrize("name", SENDING)
    def test_they_have_the_same_parameters_and_defaults(self, name: str) -> None:
        assert parameters_of(SENDING[name]) == parameters_of(getattr(aio, name))

    @pytest.mark.parametrize("name", SENDING)
    def test_they_return_the_same_and_it_is_awaited(self, name: str) -> None:
        one, twin = (inspect.signature(each).return_annotation for each in (SENDING[name], getattr(aio, name)))
        if name in {"infer_batches", "pipeline_log_batches"}:
            assert (one, twin) == ("Generator[pa.RecordBatch]", "AsyncGenerator[pa.RecordBatch]")
        else:
            assert one == twin
            assert "Steps" not in one
            made = getattr(aio, name)(*required(SENDING[name])[0], **required(SENDING[name])[1])
            made.close()
            assert isinstance(made, Coroutine)

    @pytest.mark.parametrize("name", ["call", *SENDING])
    @pytest.mark.parametrize("module", [wallaroo_ext, aio])
    def test_they_are_found_by_name(self, module: Any, name: str) -> None:
        function = getattr(module, name)
        assert function.__name__ == name
        assert function.__doc__
        assert pickle.loads(pickle.dumps(function)) is function  # noqa: S301 - it is our own


async def not_awaited(*_: object) -> None:
    """Do nothing."""


def takes_four(_: object, __: object, ___: object, ____: object) -> None:
    """Do nothing."""


REPORTING = [name for name, function in FUNCTIONS.items() if "progress" in parameters_of(function)]
WAITING = [name for name, function in FUNCTIONS.items() if "timeout" in parameters_of(function)]
WRONG_PROGRESS = [1, "bar", object(), [print], not_awaited, partial(not_awaited, 1), lambda: None]
WRONG_TIMEOUTS = ["5", True, -1, float("nan"), 10**400, [1]]


class TestProgressAndWaiting:
    @pytest.fixture
    def refuse(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        """Return a function that calls another one, and sees it refuse an argument before anything is sent."""
        sent: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            sent.append(request.url.path)
            return httpx.Response(500)

        monkeypatch.chdir(tmp_path)
        (tmp_path / "x.csv").write_bytes(b"a\n1\n")

        def call(name: str, **wrong: object) -> None:
            function, twin = FUNCTIONS[name], getattr(aio, name)
            options: dict[str, Any] = {"api_url": "http://a.example.com", "token": "t", "environment": {}}
            with connect(**options, transport=httpx.MockTransport(answer)) as client:
                positional, named = required(function)
                given: list[Any] = [client, *["x.csv" for _ in positional[1:]]]
                with pytest.raises(WallarooError, match="|".join(wrong)):
                    function(*given, **named, **wrong)
                with pytest.raises(WallarooError, match="|".join(wrong)):
                    asyncio.run(twin(*given, **named, **wrong))
            assert sent == []

        return call

    def test_each_function_that_takes_long_shows_its_progress(self) -> None:
        assert set(REPORTING) == {"deploy_pipeline", "infer_dataset", "upload_model", "wait_until_running"}

    @pytest.mark.parametrize("name", REPORTING)
    def test_a_wrong_progress_is_refused_before_anything_is_sent(self, name: str, refuse: Callable[..., None]) -> None:
        for wrong in (*WRONG_PROGRESS, takes_four):
            refuse(name, progress=wrong)

    @pytest.mark.parametrize("name", REPORTING)
    def test_true_means_the_same(self, name: str) -> None:
        described = descriptions(FUNCTIONS[name])["progress"]
        assert described.startswith("A function that is called with")
        assert re.search(r"; or True for a (bar|spinner), or lines where none can be shown", described)

    @pytest.mark.parametrize("name", [name for name in WAITING if name in SENDING and name != "infer_batches"])
    def test_a_wrong_timeout_is_refused_before_anything_is_sent(self, name: str, refuse: Callable[..., None]) -> None:
        for wrong in WRONG_TIMEOUTS:
            refuse(name, timeout=wrong)


class TestKeywords:
    @pytest.mark.parametrize("name", sorted({*DESCRIBED} - {"attempts_of", "call"}))
    def test_each_is_shown_and_described(self, name: str) -> None:
        parameters = parameters_of(DESCRIBED[name])
        open_kinds = {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}
        assert not [found.name for found in parameters.values() if found.kind in open_kinds]
        assert not [found.name for found in parameters.values() if found.annotation is found.empty]
        assert list(descriptions(DESCRIBED[name])) == list(parameters)

    @pytest.mark.parametrize("module", [wallaroo_ext, aio])
    @pytest.mark.parametrize("name", ["connect", *SENDING])
    def test_one_that_is_misspelt_is_an_error(self, module: Any, name: str) -> None:
        function = getattr(module, name)
        arguments, named = required(function)

        async def called() -> None:
            result = function(*arguments, time_out=5, **named)
            if inspect.isawaitable(result):
                await result

        with pytest.raises(TypeError, match="'time_out'"):
            asyncio.run(called())

    def test_help_shows_them(self) -> None:
        for function in (infer, aio.infer):
            shown = pydoc.plain(pydoc.render_doc(function))
            assert "wire: 'Wire' = 'arrow'" in shown
            assert "-> 'pa.Table'" in shown
            assert "Score rows." in shown


class TestDefaults:
    @pytest.mark.parametrize(("name", "parameter", "text"), documented_defaults())
    def test_what_a_docstring_says_is_in_force(self, name: str, parameter: str, text: str) -> None:
        assert text in texts_of(parameters_of(DESCRIBED[name])[parameter].default)

    def test_there_are_some(self) -> None:
        stated = {parameter for _, parameter, _ in documented_defaults()}
        assert {"timeout", "in_flight", "max_errors", "limits", "framework"} <= stated

    def test_what_stands_for_none(self) -> None:
        part, mib = PartSize(), response_limits.MIB
        assert f"{part.rows:,} rows or {part.seconds:g} s" in descriptions(infer_dataset)["part_size"]
        assert f"`{DEFAULT_CLIENT_ID}`" in descriptions(connect)["client_id"]
        limits = f"{response_limits.ARROW_LIMIT // mib} MiB in Arrow and {response_limits.LIMIT // mib} MiB otherwise"
        assert limits in descriptions(connect)["answer_limit"]

    @pytest.mark.parametrize(("command", "function", "renamed"), COMMANDS)
    def test_a_command_has_those_of_its_function(
        self, command: Callable[..., Any], function: Callable[..., Any], renamed: dict[str, str]
    ) -> None:
        of_command = {renamed.get(name, name): found.default for name, found in parameters_of(command).items()}
        of_function = {name: found.default for name, found in parameters_of(function).items()}
        shared = {name for name in of_command if name in of_function and of_command[name] is not None}
        assert {"timeout", "wire"} & shared
        assert {name: of_command[name] for name in shared} == {name: of_function[name] for name in shared}

    def test_those_of_a_data_set_that_a_command_splits(self) -> None:
        assert parameters_of(batch_command)["part_rows"].default == PartSize().rows

    def test_the_suite_has_one_number_of_cases(self) -> None:
        assert parameters_of(conformance_command)["cases"].default == SuiteOptions().cases == CASES
        added: dict[str, Any] = {}

        class Group:
            def addoption(self, name: str, **settings: Any) -> None:
                added[name] = settings.get("default")

        class Parser:
            def getgroup(self, *_: object) -> Group:
                return Group()

        parser: Any = Parser()
        plugin.pytest_addoption(parser)
        assert added["--cases"] == CASES


def check_types(client: Client, batches: list[pa.RecordBatch]) -> None:
    """Not run: pyright reads here that callers see the types of arguments and results."""
    assert_type(find_workspace(client, "a", create=True), Workspace)
    assert_type(deploy_pipeline(client=client, name="a", models=5, timeout=1), Deployment)
    assert_type(infer_batches(client, "a", batches, in_flight=4), Generator[pa.RecordBatch])
    infer(client, "a", [], time_out=5)  # pyright: ignore[reportCallIssue]
    infer(client, "a", [], wire="xml")  # pyright: ignore[reportArgumentType]
    upload_model(client, b"")  # pyright: ignore[reportCallIssue]
    connect(time_out=5)  # pyright: ignore[reportCallIssue]


async def check_types_of_aio(client: Client, batches: AsyncGenerator[pa.RecordBatch]) -> None:
    """Not run either."""
    assert_type(await aio.find_workspace(client, "a", create=True), Workspace)
    assert_type(await aio.deploy_pipeline(client=client, name="a", models=5, timeout=1), Deployment)
    assert_type(aio.infer_batches(client, "a", batches, in_flight=4), AsyncGenerator[pa.RecordBatch])
    async with aio.deploy_pipeline(client, "a", 5) as deployment, aio.find_deployment(client, "a") as found:
        assert_type(deployment, Deployment)
        assert_type(found, Deployment)
    aio.deploy_pipeline(client, "a", 5, time_out=1)  # pyright: ignore[reportCallIssue]
    await aio.infer(client, "a", [], time_out=5)  # pyright: ignore[reportCallIssue]
    await aio.upload_model(client, b"")  # pyright: ignore[reportCallIssue]
