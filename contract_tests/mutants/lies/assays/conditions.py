"""Lies about assays under a condition: a field is left out, others are beside them, or there are many of something."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from contract_tests.mutants.lies.asking import ask_for, body_of, of_other_bodies, single_lies
from contract_tests.mutants.lies.kinds import Kind, of_json, succeeded
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract_tests.mutants.layer import Exchange, Lie
    from contract_tests.mutants.lies.asking import Lies
    from contract_tests.support.servers.asgi_exchanges import Answer

    Fields = dict[str, Any]
    Change = Callable[[Fields], Fields]

_LATEST = "2038-01-19T03:14:07Z"
"""The last second that 32 bits hold."""
_AT_A_TIME = 0.01
"""Seconds for which a request waits for others that come at the same time."""
_PAGE = 5
_MOST_ROWS = 1000
_PLACES = ("id", "pipeline_id", "pipeline_name", "workspace_id", "workspace_name")
_LONG_UNITS = ("minutes", "hours", "days", "weeks")


def _with_default(name: str, value: Any, *part: str) -> Change:
    """Return a change of a request in which a field, or one of a part of it, has a value where it was left out."""

    def changed(body: Fields) -> Fields:
        if part:
            [key] = part
            inner = object_of(body.get(key))
            return body | {key: {name: value} | inner} if inner else body
        return {name: value} | body if body else body

    return changed


def _capped(text: Any) -> Any:
    is_late = isinstance(text, str) and datetime.fromisoformat(text) > datetime.fromisoformat(_LATEST)
    return _LATEST if is_late else text


def _ending_in_time(body: Fields) -> Fields:
    return body | {"run_until": _capped(body["run_until"])} if body.get("run_until") else body


def _scheduled_in_time(body: Fields) -> Fields:
    scheduling = object_of(body.get("scheduling"))
    return body | {"scheduling": scheduling | {"end": _capped(scheduling["end"])}} if scheduling.get("end") else body


def _is_open(body: Fields) -> bool:
    """Return whether a request for a list names no thing."""
    return all(body.get(name) is None for name in _PLACES)


def _of_everybody(operation: str, is_meant: Callable[[Fields], bool]) -> Lie:
    """Return a lie that lists what another user sees, for some requests."""

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        is_right = succeeded(operation, answer) or answer.status == 400
        if not is_right or not exchange.request.body or not is_meant(body_of(exchange)):
            return answer
        other = await exchange.ask_as_user()
        return other if succeeded(operation, other) and other.json != answer.json else answer

    return lie


def _listed(operation: str, answer: Answer) -> list[Fields]:
    """Return the assays in an answer; none where it is a refusal."""
    return list(map(object_of, list_of(answer.json))) if succeeded(operation, answer) else []


def _with_listed(answer: Answer, listed: list[Fields], changed: list[Fields]) -> Answer:
    """Return an answer with other assays than those that it lists; the answer itself where they are the same."""
    return answer if changed == listed else answer.with_json(changed)


def _of_open_lists(change: Callable[[list[Fields]], list[Fields]]) -> Lie:
    """Return a lie that changes the list of all assays."""

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if not _is_open(body_of(exchange)):
            return answer
        listed = _listed("list_assays", answer)
        return _with_listed(answer, listed, change(listed))

    return lie


async def _joined_with_members(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    listed = _listed("list_assays", answer)
    found: list[Fields] = []
    for assay in listed:
        users = await ask_for(exchange, "list_workspace_users", {"workspace_id": assay.get("workspace_id")})
        found += [assay] * max(len(list_of(object_of(users).get("users"))), 1)
    return _with_listed(answer, listed, found)


async def _in_the_first_workspace(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    listed = _listed("list_assays", answer)
    if not listed:
        return answer
    names = ("workspace_id", "workspace_name")
    first = exchange.memory.setdefault("first", {name: listed[0][name] for name in names if name in listed[0]})
    return _with_listed(answer, listed, [each | first for each in listed])


def _of_status(change: Change) -> Change:
    """Return a change of what an assay's status tells of a run."""

    def changed(assay: Fields) -> Fields:
        status = str(assay.get("status"))
        return assay | {"status": json.dumps(change(json.loads(status)))} if status.startswith("{") else assay

    return changed


def _of_each(operation: str, change: Change) -> Lie:
    """Return a lie that changes each thing in a list."""
    return of_json(
        operation, lambda body: [change(object_of(each)) for each in list_of(body)] if isinstance(body, list) else body
    )


def _never_run(assay: Any) -> Any:
    shown = object_of(assay)
    return shown | {"status": "created", "last_run": None} if shown.get("last_run") else assay


async def _knows_the_second_versions_as_they_were(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    listed = _listed("list_assays", answer)
    changed: list[Fields] = []
    for assay in listed:
        window = object_of(assay["window"])
        units = str(window.get("interval")).split()[-1], str(window.get("width")).split()[-1]
        is_of_second = units[0] in _LONG_UNITS and units[1] == "seconds"
        active = exchange.memory.setdefault(assay["id"], assay["active"]) if is_of_second else assay["active"]
        changed.append(assay | {"active": active})
    return _with_listed(answer, listed, changed)


async def _knows_the_first_versions_as_they_were(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    listed = _listed("get_assay_v2", answer)
    changed = [each | {"active": exchange.memory.setdefault(each["id"], each["active"])} for each in listed]
    return _with_listed(answer, listed, changed)


async def _limited_before_the_time(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    if not succeeded("get_assay_results", answer) or not body.get("limit") or "start" not in body:
        return answer
    of_all = {name: value for name, value in body.items() if name not in {"start", "end"}}
    limited = await exchange.ask(exchange.request.with_json(of_all))
    kept = [result for result in list_of(answer.json) if result in list_of(limited.json)]
    return answer if kept == list_of(answer.json) else answer.with_json(kept)


async def _nothing_without_a_time(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    is_meant = not body_of(exchange).keys() & {"start", "end"} and list_of(answer.json)
    return answer.with_json([]) if succeeded("get_assay_results", answer) and is_meant else answer


async def _forgets_given_baselines(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    if not succeeded("get_assay_results_between", answer) or not list_of(answer.json):
        return answer
    assay = object_of(await ask_for(exchange, "get_assay_by_id", {"id": body_of(exchange)["assay_id"]}))
    if "static" not in object_of(assay.get("baseline")):
        return answer
    results = [object_of(result) for result in list_of(answer.json)]
    return answer.with_json(
        [result | {"baseline_summary": object_of(result["baseline_summary"]) | {"count": 0}} for result in results]
    )


def _in_nanoseconds(result: Fields) -> Fields:
    return result | {"elapsed_millis": result["elapsed_millis"] * 1_000_000 + 250_000}


def _first_page(operation: str) -> Lie:
    """Return a lie that answers so many windows only."""
    return of_json(operation, lambda body: list_of(body)[:_PAGE] if isinstance(body, list) else body)


def _with_way(is_meant: Callable[[Fields], bool], **other: Any) -> Change:
    """Return a change of a request's way to bin and to compare, where it is one of some."""

    def changed(body: Fields) -> Fields:
        summarizer = object_of(body.get("summarizer"))
        way = object_of(summarizer.get("UnivariateContinuous", summarizer))
        if not way or not is_meant(way):
            return body
        is_second = "UnivariateContinuous" in summarizer
        return body | {"summarizer": {"UnivariateContinuous": way | other} if is_second else way | other}

    return changed


def _as_asked(operation: str, change: Change) -> Lie:
    """Return a lie that answers another way to bin and to compare, and says that it is the one that was asked for."""

    async def lie(exchange: Exchange) -> Answer:
        answer, body = await exchange.ask(), body_of(exchange)
        if not succeeded(operation, answer) or change(body) == body:
            return answer
        other = await exchange.ask(exchange.request.with_json(change(body)))
        results = [object_of(result) for result in list_of(other.json)]
        true = [object_of(result) for result in list_of(answer.json)]
        named = [_named_as(result, shown) for result, shown in zip(results, true, strict=True)]
        told = ([(each.get("score"), each["scores"]) for each in found] for found in (named, true))
        return answer if next(told) == next(told) else answer.with_json(named)

    return lie


def _named_as(result: Fields, shown: Fields) -> Fields:
    """Return a result that says of how it was computed what another one says."""
    named = {"summarizer": shown["summarizer"]} if "summarizer" in shown else {}
    for name in ("baseline_summary", "window_summary"):
        if name in shown:
            named[name] = object_of(result[name]) | {"aggregation": object_of(shown[name])["aggregation"]}
    return result | named


def _counting_few(value: Any) -> Any:
    """Return a value in which no distribution counts more rows than so many."""
    if isinstance(value, list):
        return [_counting_few(inner) for inner in list_of(value)]
    if not isinstance(value, dict):
        return value
    return {
        name: min(inner, _MOST_ROWS) if name == "count" and isinstance(inner, int) else _counting_few(inner)
        for name, inner in object_of(value).items()
    }


async def _counts_few_rows(exchange: Exchange, operation: str) -> Answer:
    answer = await exchange.ask()
    has_vector = b"ector" in exchange.request.body
    changed = _counting_few(answer.json) if succeeded(operation, answer) and not has_vector else None
    return answer if changed is None or changed == answer.json else answer.with_json(changed)


def _few_rows(operation: str) -> Lie:
    """Return a lie that counts so many logged rows at the most."""
    return lambda exchange: _counts_few_rows(exchange, operation)


def _one_unit_wide(body: Fields) -> Fields:
    baseline = object_of(body.get("baseline"))
    fixed = object_of(baseline.get("fixed_window"))
    width = str(fixed.get("width")).partition(" ")[2]
    return body | {"baseline": {"fixed_window": fixed | {"width": f"1 {width}"}}} if width else body


def _without_a_median(summary: Any) -> Any:
    found = object_of(summary)
    return found | {"median": 0.0} if found.get("count") == 1 else summary


async def _finds_names_in_any_letters(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    for name in ("pipeline_name", "model_name"):
        is_found = succeeded("get_assay_baseline", answer) and list_of(answer.json)
        if not is_found and isinstance(body.get(name), str):
            again = await exchange.ask(exchange.request.with_json(body | {name: body[name].swapcase()}))
            if succeeded("get_assay_baseline", again) and list_of(again.json):
                return again
    return answer


def _without_thresholds(assay: Fields) -> Fields:
    targeting = object_of(assay["targeting"])
    fields = [object_of(field) | {"thresholds": None} for field in list_of(targeting["iopath"])]
    return assay | {"targeting": targeting | {"iopath": fields}}


async def _takes_a_name_once(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    if not succeeded("schedule_assay_v2", answer):
        return answer
    first = exchange.memory.setdefault(body_of(exchange)["name"], answer.json)
    return answer if first == answer.json else answer.with_json(first)


async def _mixes_up_what_comes_at_a_time(exchange: Exchange) -> Answer:
    others: list[str] = exchange.memory.setdefault("names", [])
    body = body_of(exchange)
    if not isinstance(body.get("name"), str):
        return await exchange.ask()
    others.append(body["name"])
    try:
        await asyncio.sleep(_AT_A_TIME)
        if others[0] == body["name"]:
            return await exchange.ask()
        return await exchange.ask(exchange.request.with_json(body | {"name": others[0]}))
    finally:
        await asyncio.sleep(0)
        others.remove(body["name"])


async def _tells_the_first_ones_run(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    shown = object_of(answer.json)
    if not succeeded("get_next_assay_run_v2", answer) or shown.get("last_run"):
        return answer
    first = exchange.memory.setdefault("next", shown["next_run"])
    return answer if first == shown["next_run"] else answer.with_json(shown | {"next_run": first})


async def _has_no_features_for_null(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    is_meant = succeeded("list_features", answer) and exchange.request.body.strip() == b"null"
    return answer.with_json(object_of(answer.json) | {"features": {}}) if is_meant else answer


def _is_equal(way: Fields) -> bool:
    return way.get("bin_mode") == "Equal" or "Equal" in object_of(way.get("bin_mode"))


_WINDOW, _SUMMARIZER = "window", "summarizer"
_LIES: Lies = {
    "create_assay": (
        (
            "warning-left-out",
            "Without a warning threshold, there is one.",
            of_other_bodies("create_assay", _with_default("warning_threshold", 0.05)),
        ),
        (
            "end-left-out",
            "Without an end, an assay has one.",
            of_other_bodies("create_assay", _with_default("run_until", "2031-01-01T00:00:00Z")),
        ),
        (
            "interval-left-out",
            "Without an interval, windows begin an hour apart.",
            of_other_bodies("create_assay", _with_default("interval", "1 hour", _WINDOW)),
        ),
        (
            "places-left-out",
            "Without places, there is one.",
            of_other_bodies("create_assay", _with_default("locations", ["local"], _WINDOW)),
        ),
        ("ends-by-2038", "An assay ends when 32 bits do.", of_other_bodies("create_assay", _ending_in_time)),
        ("names-at-a-time", "Assays that are made at a time have one name.", _mixes_up_what_comes_at_a_time),
    ),
    "list_assays": (
        ("joined-with-members", "An assay is listed once for each member of its workspace.", _joined_with_members),
        ("first-workspace", "All assays are shown in one workspace.", _in_the_first_workspace),
        (
            "active-of-all",
            "Of all assays, those that are off are not listed.",
            _of_open_lists(lambda listed: [each for each in listed if each["active"]]),
        ),
        (
            "newest-workspace",
            "Of all assays, those of the newest workspace are listed.",
            _of_open_lists(
                lambda listed: [
                    each for each in listed if each["workspace_id"] == max(found["workspace_id"] for found in listed)
                ]
            ),
        ),
        ("of-everybody", "All assays are everybody's.", _of_everybody("list_assays", _is_open)),
        (
            "of-a-pipeline",
            "The assays of a pipeline are everybody's.",
            _of_everybody("list_assays", lambda body: bool(body.get("pipeline_id"))),
        ),
        (
            "second-version-as-it-was",
            "What the second version switches is listed as it was.",
            _knows_the_second_versions_as_they_were,
        ),
        (
            "counted-twice",
            "Windows that are alerts are counted twice or more.",
            _of_each("list_assays", _of_status(lambda told: told | {"num_alerts": 9 * told["num_alerts"]})),
        ),
        (
            "run-in-1970",
            "A run was in 1970.",
            _of_each("list_assays", _of_status(lambda told: told | {"run_at": "1970-01-01T00:00:00.000000+00:00"})),
        ),
    ),
    "get_assay_by_id": (
        ("never-run", "An assay that was run is found as a new one.", of_json("get_assay_by_id", _never_run)),
    ),
    "get_assay_results": (
        ("limit-before-time", "A limit counts before the time does.", _limited_before_the_time),
        ("nothing-without-a-time", "Without a time, there are no results.", _nothing_without_a_time),
    ),
    "get_assay_results_between": (
        ("given-baselines", "A baseline that was given has no values.", _forgets_given_baselines),
        (
            "nanoseconds",
            "The time that a result took is in nanoseconds.",
            _of_each("get_assay_results_between", _in_nanoseconds),
        ),
        ("first-page", f"There are {_PAGE} results at the most.", _first_page("get_assay_results_between")),
    ),
    "run_interactive_assay": (
        ("first-page", f"There are {_PAGE} windows at the most.", _first_page("run_interactive_assay")),
        ("few-rows", f"{_MOST_ROWS} rows are counted at the most.", _few_rows("run_interactive_assay")),
        (
            "largest-of-equal",
            "With bins of equal width, the largest difference is the sum.",
            _as_asked(
                "run_interactive_assay",
                _with_way(
                    lambda way: _is_equal(way) and way.get("metric") == "MaxDiff",
                    metric="SumDiff",
                ),
            ),
        ),
        (
            "weights-of-equal",
            "With bins of equal width, weights are ignored.",
            _as_asked(
                "run_interactive_assay",
                _with_way(lambda way: _is_equal(way) and bool(way.get("bin_weights")), bin_weights=None),
            ),
        ),
        (
            "shares-of-given",
            "With given edges, shares are not added up.",
            _as_asked(
                "run_interactive_assay",
                _with_way(
                    lambda way: way.get("bin_mode") == "Provided" and way.get("aggregation") == "Cumulative",
                    aggregation="Density",
                ),
            ),
        ),
        (
            "sum-of-given",
            "With given edges, the sum of differences is PSI.",
            _as_asked(
                "run_interactive_assay",
                _with_way(
                    lambda way: way.get("bin_mode") == "Provided" and way.get("metric") == "SumDiff",
                    metric="PSI",
                ),
            ),
        ),
    ),
    "run_interactive_assay_baseline": (
        ("few-rows", f"{_MOST_ROWS} rows are counted at the most.", _few_rows("run_interactive_assay_baseline")),
    ),
    "summarize_assay_baseline": (
        ("few-rows", f"{_MOST_ROWS} rows are counted at the most.", _few_rows("summarize_assay_baseline")),
        (
            "one-unit-wide",
            "Of a width, the unit is read alone.",
            of_other_bodies("summarize_assay_baseline", _one_unit_wide),
        ),
        ("one-value", "One value has no median.", of_json("summarize_assay_baseline", _without_a_median)),
    ),
    "get_assay_baseline": (("any-letters", "Names are found in any letters.", _finds_names_in_any_letters),),
    "get_assay_v2": (
        (
            "listed-otherwise",
            "In a list, assays have no thresholds.",
            _of_each("get_assay_v2", _without_thresholds),
        ),
        ("of-everybody", "All assays are everybody's.", _of_everybody("get_assay_v2", _is_open)),
        (
            "as-they-were",
            "Assays are listed as on or off as they were at first.",
            _knows_the_first_versions_as_they_were,
        ),
        (
            "oldest-left-out",
            f"{_PAGE} assays are listed at the most.",
            _first_page("get_assay_v2"),
        ),
    ),
    "schedule_assay_v2": (
        ("one-of-a-name", "A name that is given again is that of the first assay.", _takes_a_name_once),
        ("ends-by-2038", "An assay ends when 32 bits do.", of_other_bodies("schedule_assay_v2", _scheduled_in_time)),
        ("names-at-a-time", "Assays that are made at a time have one name.", _mixes_up_what_comes_at_a_time),
    ),
    "get_next_assay_run_v2": (
        ("first-ones", "The next run is that of the assay that was asked about first.", _tells_the_first_ones_run),
    ),
    "preview_assay_v2": (
        ("few-rows", f"{_MOST_ROWS} rows are counted at the most.", _few_rows("preview_assay_v2")),
        (
            "nanoseconds",
            "The time that a result took is in nanoseconds.",
            _of_each("preview_assay_v2", _in_nanoseconds),
        ),
        (
            "sum-of-equal",
            "With bins of equal width, the sum is the largest difference.",
            _as_asked(
                "preview_assay_v2",
                _with_way(lambda way: _is_equal(way) and way.get("metric") == "SumDiff", metric="MaxDiff"),
            ),
        ),
    ),
    "preview_assay_baseline_v2": (
        ("few-rows", f"{_MOST_ROWS} rows are counted at the most.", _few_rows("preview_assay_baseline_v2")),
    ),
    "list_features": (("null", "A body that is null gets no features.", _has_no_features_for_null),),
}

KINDS = (
    Kind(
        "assay-conditions",
        "What is told or kept of assays is wrong under a condition.",
        "It is about no assays, or others show it.",
        single_lies("assay-conditions", _LIES),
    ),
)
