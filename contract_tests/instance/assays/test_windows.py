"""Are windows compared rightly, and their results stored? All figures are computed anew, by the contract's formulas."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.resources.fixtures import assay_request, second_assay_request
from wallaroo_ext.conformance.resources.samples import INPUT, WIDTH
from wallaroo_ext.conformance.testing.answer_forms import computed_at
from wallaroo_ext.conformance.testing.assays import formulas
from wallaroo_ext.conformance.testing.assays.figures import (
    FORMS,
    VALUES,
    check_elapsed,
    check_place,
    check_result,
    check_time,
)
from wallaroo_ext.conformance.testing.assays.scenes import (
    ORIGINS,
    SECOND,
    Scene,
    baseline_of,
    counts_in,
    instant,
    is_near,
    origin_field,
    request_of,
)
from wallaroo_ext.conformance.testing.waiting import soon

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet

    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.testing.api_calls import Api
    from wallaroo_ext.conformance.testing.assays.scenes import Kept
    from wallaroo_ext.conformance.testing.people import Person

    Array = np.ndarray[Any, np.dtype[Any]]

pytestmark = [pytest.mark.thorough("the figures of assays"), pytest.mark.counts_rows]

STAY_SECONDS = 1.5
"""How long after results were read they are read again, at least."""
STORED = ("get_assay_results", "get_assay_results_between")
V2 = "get_assay_results_v2"
OF_BASELINES = [
    pytest.param(name, marks=pytest.mark.touches(name))
    for name in (
        "run_interactive_assay",
        "run_interactive_assay_baseline",
        "summarize_assay_baseline",
        "preview_assay_baseline_v2",
    )
]
"""The operations that take a baseline of logged rows, each with a mark for itself."""
BINNED = ("type", "bin_mode", "aggregation", "metric", "num_bins")
"""What has to be said of how values are binned and compared; the rest may be left out."""
LEAST_WINDOWS, MOST_WINDOWS = 8, 110
"""How many windows of a second there are at least, and more than a page of most things has."""


def stored(*others: str) -> list[ParameterSet]:
    """Return the operations that answer stored results, each with a mark for itself and others.

    Not every release has both.
    """
    return [pytest.param(name, marks=pytest.mark.touches(name, *others)) for name in STORED]


def of_no_origin(fixtures: Fixtures, operation: str, origin: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a request whose baseline is the run's first rows, and the same with those of an origin that there is not.

    Args:
        fixtures: The things of the run.
        operation: One of `OF_BASELINES`.
        origin: One of `ORIGINS`.
        name: The name of the origin, which nothing has.
    """
    if operation == "preview_assay_baseline_v2":
        whole = second_assay_request(fixtures)
        body = baseline_of(whole)
        data_origin = body["targeting"]["data_origin"] | origin_field(origin, name, model="model_id")
        return body, body | {"targeting": body["targeting"] | {"data_origin": data_origin}}
    whole = assay_request(fixtures)
    fixed: dict[str, Any] = whole["baseline"]["calculated"]["fixed_window"]
    elsewhere = {"fixed_window": fixed | origin_field(origin, name)}
    if operation == "summarize_assay_baseline":
        body = {"baseline": {"fixed_window": fixed}, "summarizer": whole["summarizer"]}
        return body, body | {"baseline": elsewhere}
    return whole, whole | {"baseline": {"calculated": elsewhere}}


def summaries_of(answer: Any) -> list[dict[str, Any]]:
    """Return the distributions in one result, or in a list of them."""
    results = [object_of(result) for result in list_of(answer) or [answer]]
    return [result[name] for result in results for name in ("baseline_summary", "window_summary")]


def check_outliers(summaries: list[dict[str, Any]], *, asked: bool) -> None:
    """Check that there are bins for outliers, or none."""
    expected = {formulas.LEFT, formulas.RIGHT} if asked else set[str]()
    for summary in summaries:
        assert {formulas.LEFT, formulas.RIGHT} & set(summary["edge_names"]) == expected
        assert summary["count"] > 0


def windows_of(request: dict[str, Any], scene: Scene, values: tuple[Array, Array]) -> dict[datetime, Array]:
    """Return the values of the windows of an assay that have some and are over, by when they begin.

    Args:
        request: The request, whose `window` has a start; a length of time is a number of seconds.
        scene: The rows.
        values: The watched values of its many rows, and of its one.
    """
    window = request["window"]
    begin, width = instant(window["start"]), seconds(window["width"])
    found: dict[datetime, Array] = {}
    while begin + width <= scene.one.at + SECOND:
        inside = [
            of for at, of in zip((scene.many.at, scene.one.at), values, strict=True) if begin <= at < begin + width
        ]
        if inside:
            found[begin] = np.concatenate(inside)
        begin += seconds(window["interval"] or window["width"])
    return found


def seconds(text: str) -> timedelta:
    """Return a length of time such as `2 seconds`."""
    return int(text.split(maxsplit=1)[0]) * SECOND


def check_windows(
    results: list[dict[str, Any]],
    request: dict[str, Any],
    scene: Scene,
    baseline: Array,
    values: tuple[Array, Array] | None = None,
) -> dict[datetime, Array]:
    """Check that all windows with rows that are over have a result, and return the values of these windows.

    Args:
        results: The results; windows without rows, and later ones, may be among them.
        request: The request of the assay.
        scene: The rows.
        baseline: The values of the baseline.
        values: The watched values of the many rows and of the one; the outputs by default.
    """
    expected = windows_of(request, scene, values or (scene.many.outputs, scene.one.outputs))
    latest = scene.one.at + SECOND + timedelta(milliseconds=1)
    found = [result for result in results if instant(result["window_summary"]["end"]) <= latest]
    with_rows = [result for result in found if result["window_summary"]["count"]]
    assert len(with_rows) == len(expected), f"{len(with_rows)} windows in place of {[str(at) for at in expected]}"
    for result, begin in zip(with_rows, expected, strict=True):
        check_result(result, request, baseline, expected[begin], begin)
    return expected


class TestWindows:
    @pytest.mark.touches("run_interactive_assay")
    @pytest.mark.parametrize("form", FORMS)
    def test_windows_are_compared_with_logged_rows(self, form: str, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        request = request_of(fixtures, scene, scene.many.at, summarizer=FORMS[form])
        results = api.call("run_interactive_assay", request)
        assert len(check_windows(results, request, scene, scene.many.outputs)) == 2
        for result in results:
            check_time(computed_at(result), scene, scene.one.at)
            for name, at in (("start", scene.many.at), ("end", scene.many.at + SECOND)):
                assert is_near(instant(result["baseline_summary"][name]), at)

    @pytest.mark.touches("run_interactive_assay")
    @pytest.mark.parametrize("form", FORMS)
    def test_windows_are_compared_with_values(self, form: str, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        if fixtures.forms.fixed_baselines:
            pytest.skip("A baseline of the release is a time.")
        for values in (VALUES, VALUES / 8):  # with many outliers the second time
            baseline = {"calculated": {"vector": values.tolist()}}
            request = request_of(fixtures, scene, scene.many.at, summarizer=FORMS[form], baseline=baseline)
            check_windows(api.call("run_interactive_assay", request), request, scene, values)

    @pytest.mark.touches("run_interactive_assay")
    def test_windows_are_of_the_watched_value(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        for index in (0, WIDTH - 1):
            path = f"input {INPUT} {index}"
            request = request_of(fixtures, scene, scene.many.at)
            if fixtures.forms.fixed_baselines:
                request["iopath"] = path
            else:
                request["window"]["path"] = request["baseline"]["calculated"]["fixed_window"]["path"] = path
            many, one = (of.inputs[:, index] for of in (scene.many, scene.one))
            check_windows(api.call("run_interactive_assay", request), request, scene, many, (many, one))

    @pytest.mark.touches("run_interactive_assay")
    @pytest.mark.parametrize("origin", ORIGINS)
    def test_no_rows_come_from_an_origin_that_there_is_not(
        self, origin: str, api: Api, fixtures: Fixtures, scene: Scene
    ) -> None:
        if fixtures.forms.fixed_baselines:
            pytest.skip("The windows of the release have no places, and have to have a model.")
        request = request_of(fixtures, scene, scene.many.at, baseline={"calculated": {"vector": VALUES.tolist()}})
        check_windows(api.call("run_interactive_assay", request), request, scene, VALUES)
        name = api.unused_name("l")
        request["window"] |= origin_field(origin, name)
        answer = api.send("run_interactive_assay", request)
        assert not answer.is_success or answer.json() == [], f"rows are compared whatever their {origin} is"

    @pytest.mark.parametrize("origin", ORIGINS)
    @pytest.mark.parametrize("operation", OF_BASELINES)
    def test_no_baseline_comes_from_an_origin_that_there_is_not(
        self, operation: str, origin: str, api: Api, fixtures: Fixtures
    ) -> None:
        if fixtures.forms.fixed_baselines or not api.has(operation):
            pytest.skip("The baselines of the release have no places, or it does not have the operation.")
        request, elsewhere = of_no_origin(fixtures, operation, origin, api.unused_name("l"))
        assert any(counts_in(api.call(operation, request))) or operation == "run_interactive_assay"
        answer = api.send(operation, elsewhere)
        assert not answer.is_success or not any(counts_in(answer.json())), (
            f"rows are counted whatever their {origin} is"
        )

    @pytest.mark.touches("run_interactive_assay")
    def test_no_window_is_later_than_the_end_of_the_assay(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        until = scene.many.at + SECOND
        request = request_of(fixtures, scene, scene.many.at, run_until=until.isoformat())
        results = api.call("run_interactive_assay", request)
        assert [is_near(instant(result["window_summary"]["end"]), until) for result in results] == [True]

    @pytest.mark.parametrize("operation", OF_BASELINES[:3])
    def test_outliers_have_bins_only_if_they_are_asked_for(
        self, operation: str, api: Api, fixtures: Fixtures, scene: Scene
    ) -> None:
        if operation == "summarize_assay_baseline" and (fixtures.forms.fixed_baselines or not api.has(operation)):
            pytest.skip("The release does not have it.")
        ways: list[dict[str, Any]] = [{"add_outlier_edges": asked} for asked in (True, False, None)]
        for way in (*ways, {}):
            request = request_of(fixtures, scene, scene.many.at)
            request["summarizer"] = {name: request["summarizer"][name] for name in BINNED} | way
            if operation == "summarize_assay_baseline":
                request = {"baseline": request["baseline"]["calculated"], "summarizer": request["summarizer"]}
            answer = api.call(operation, request)
            summaries = [answer] if operation == "summarize_assay_baseline" else summaries_of(answer)
            check_outliers(summaries, asked=way.get("add_outlier_edges") is not False)

    @pytest.mark.touches("run_interactive_assay")
    def test_windows_begin_where_they_are_asked_to(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        asked: list[tuple[datetime, dict[str, str]]] = [
            (scene.one.at, {}),  # a row at the beginning of a window is of it
            (scene.one.at - SECOND, {}),  # and one at its end is not
            (scene.many.at, {"interval": "2 seconds"}),
            (scene.many.at, {"interval": "1 second", "width": "2 seconds"}),
            (scene.many.at.astimezone(timezone(timedelta(hours=-8))), {}),
            (scene.many.at.astimezone(timezone(timedelta(hours=5, minutes=30))), {}),
        ]
        for start, changes in asked:
            request = request_of(fixtures, scene, start)
            request["window"] |= changes
            results = api.call("run_interactive_assay", request)
            assert check_windows(results, request, scene, scene.many.outputs)

    @pytest.mark.touches("run_interactive_assay")
    def test_windows_follow_a_fixed_baseline(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        request = request_of(fixtures, scene, None)
        if not fixtures.forms.fixed_baselines:
            pytest.skip("Nobody says where the windows begin in the form of the release.")
        results = api.call("run_interactive_assay", request)
        request["window"] |= {"start": (scene.many.at + SECOND).isoformat()}
        assert check_windows(results, request, scene, scene.many.outputs)

    @pytest.mark.touches("run_interactive_assay")
    def test_a_status_follows_from_the_thresholds(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        request = request_of(fixtures, scene, scene.one.at)
        found = api.call("run_interactive_assay", request)
        less, more = found[0]["score"] * 0.999, found[0]["score"] * 1.001
        same = found[0]["score"]
        cases = (
            (None, more, "Ok"),
            (None, same, "Ok"),
            (more, more, "Ok"),
            (same, more, "Ok"),
            (less, more, "Warning"),
            (less, same, "Warning"),
            (None, less, "Alert"),
        )
        for warning, alert, expected in cases:
            changed = request | {"warning_threshold": warning, "alert_threshold": alert}
            results = api.call("run_interactive_assay", changed)
            assert results[0]["status"] == expected
            check_windows(results, changed, scene, scene.many.outputs)


class TestStoredResults:
    @pytest.mark.parametrize("operation", stored("create_assay", "run_interactive_assay"))
    def test_results_are_those_of_the_windows(
        self, operation: str, api: Api, fixtures: Fixtures, scene: Scene, kept: Kept
    ) -> None:
        baselines: list[tuple[Array, dict[str, Any]]] = [
            (
                scene.many.outputs,
                {"warning_threshold": 0.01, "alert_threshold": 100.0},
            ),  # the second window is a warning
            (scene.many.outputs, {"summarizer": FORMS["weighted"]}),
        ]
        if not fixtures.forms.fixed_baselines:
            few = VALUES / 8  # of which most values of the windows are outliers
            baselines.append((few, {"baseline": {"calculated": {"vector": few.tolist()}}}))
        for baseline, changes in baselines:
            request = request_of(fixtures, scene, scene.many.at, name=api.unused_name("a"), **changes)
            began = time.monotonic()
            assay_id = api.call("create_assay", request)["assay_id"]
            read = partial(results_of, api, operation, assay_id, scene.many.at - SECOND, scene.now + SECOND)
            found = read()
            if not found:
                pytest.skip("The instance has not run the assay yet.")
            kept.append((operation, read, found, time.monotonic()))
            check_windows(found, request, scene, baseline)
            for result in found:
                check_elapsed(result, began)
                assert (result["assay_id"], result["pipeline_id"]) == (assay_id, fixtures.pipeline_id)
                check_place(result, fixtures)
                check_time(result["created_at"], scene, scene.one.at)
                check_time(computed_at(result), scene, scene.one.at)
            assert len({result.get("id", number) for number, result in enumerate(found)}) == len(found)

    @pytest.mark.parametrize("operation", stored("create_assay"))
    def test_results_are_of_the_time_that_is_asked_for(
        self, operation: str, api: Api, fixtures: Fixtures, scene: Scene
    ) -> None:
        request = request_of(fixtures, scene, scene.many.at, name=api.unused_name("a"))
        assay_id = api.call("create_assay", request)["assay_id"]
        begin, between, end = scene.many.at - SECOND, scene.many.at + SECOND / 2, scene.now + SECOND
        spans = ((begin, end), (begin, between), (between, end))
        found, before, after = (results_of(api, operation, assay_id, *span) for span in spans)
        if len(found) < 2:
            pytest.skip("The instance has not run the assay yet.")
        by_window, by_analysis = (found[:1], found[1:]), (found[:0], found)
        assert (before, after) in (by_window, by_analysis), "by the time of the window, or by that of the analysis"
        reversed_ends = {"start": end.isoformat(), "end": begin.isoformat()}
        answer = api.send(operation, {"assay_id": assay_id} | reversed_ends)
        assert not answer.is_success or answer.json() == [], "the time ends before it begins, and has results"
        for hours in (-8, 5.5):
            zone = timezone(timedelta(hours=hours))
            ends = (at.astimezone(zone) for at in (begin, between))
            assert results_of(api, operation, assay_id, *ends) == before, "the times have other offsets"
        for limit in (1, 2) if operation == "get_assay_results" else ():
            limited = results_of(api, operation, assay_id, begin, end, limit=limit)
            assert len(limited) == limit
            assert [result for result in limited if result not in found] == []
        for inside, span in ((before, spans[1]), (after, spans[2])) if operation == "get_assay_results" else ():
            limited = results_of(api, operation, assay_id, *span, limit=1)
            assert len(limited) == min(1, len(inside)), "a limit counts what is in the time"
            assert [result for result in limited if result not in inside] == []
        if operation == "get_assay_results":
            assert results_of(api, operation, assay_id, begin, end, pipeline_id=fixtures.pipeline_id or 0) == found
            assert results_of(api, operation, assay_id, begin, end, limit=2**31 - 1) == found

    @pytest.mark.parametrize("operation", stored("create_assay"))
    def test_results_have_bins_for_outliers_only_if_they_are_asked_for(
        self, operation: str, api: Api, fixtures: Fixtures, scene: Scene
    ) -> None:
        changes = {"name": api.unused_name("a"), "summarizer": {"add_outlier_edges": False}}
        assay_id = api.call("create_assay", request_of(fixtures, scene, scene.many.at, **changes))["assay_id"]
        found = results_of(api, operation, assay_id, scene.many.at - SECOND, scene.now + SECOND)
        if not found:
            pytest.skip("The instance has not run the assay yet.")
        check_outliers(summaries_of(found), asked=False)

    @pytest.mark.thorough("what a second person sees")
    @pytest.mark.parametrize("operation", stored("create_assay"))
    def test_results_are_no_strangers(
        self, operation: str, stranger: Person, api: Api, fixtures: Fixtures, scene: Scene
    ) -> None:
        request = request_of(fixtures, scene, scene.many.at, name=api.unused_name("a"))
        assay_id = api.call("create_assay", request)["assay_id"]
        begin, end = scene.many.at - SECOND, scene.now + SECOND
        if not results_of(api, operation, assay_id, begin, end):
            pytest.skip("The instance has not run the assay yet.")
        span = {"start": begin.isoformat(), "end": end.isoformat()}
        answer = stranger.send(operation, {"assay_id": assay_id} | span)
        assert not answer.is_success or answer.json() == [], f"a stranger sees: {answer.text[:300]}"

    @pytest.mark.parametrize("operation", stored("create_assay", "set_assay_active"))
    def test_an_assay_that_is_off_is_not_run(self, operation: str, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        made = {"name": api.unused_name("a"), "active": False}
        assay_id = api.call("create_assay", request_of(fixtures, scene, scene.many.at, **made))["assay_id"]
        span = (scene.many.at - SECOND, scene.now + SECOND)
        assert results_of(api, operation, assay_id, *span) == []
        api.call("set_assay_active", {"id": assay_id, "active": True})
        assert len(results_of(api, operation, assay_id, *span)) in {0, 2}, "all windows, once it is run"


def results_of(
    api: Api, operation: str, assay_id: int, start: datetime, end: datetime, **more: int
) -> list[dict[str, Any]]:
    """Return the stored results of an assay in a time, the oldest first; skip where another operation has them."""
    span = {"start": start.isoformat(), "end": end.isoformat()}
    answer = api.send(operation, {"assay_id": assay_id} | span | more)
    if operation == STORED[0] and answer.status_code in {404, 500} and api.has(STORED[1]):
        pytest.skip(f"The instance has {STORED[1]} in its place.")
    assert answer.status_code == 200, f"{operation}: {answer.status_code} {answer.text[:500]}"
    return sorted(answer.json(), key=lambda result: instant(result["window_summary"]["start"]))


@pytest.mark.last
@pytest.mark.touches("run_interactive_assay", "create_assay", if_there=("get_assay_results_between",))
def test_many_windows_have_results(api: Api, fixtures: Fixtures, scene: Scene) -> None:
    assert fixtures.scored_at is not None
    begin = fixtures.scored_at - timedelta(hours=1)
    missing = fixtures.scored_at + (LEAST_WINDOWS + 1) * SECOND - scene.now
    time.sleep(max(0.0, missing / SECOND))  # a run of few operations gets here early
    windows = min(MOST_WINDOWS, int((scene.now - fixtures.scored_at) / SECOND) - 1)
    until = fixtures.scored_at + windows * SECOND  # each window that ends by then, but the first, has the first rows
    request = request_of(fixtures, scene, begin, run_until=until.isoformat(), name=api.unused_name("a"))
    request["window"] |= {"width": "1 hour", "interval": "1 second"}
    starts = sorted(at for at in map(begins_at, api.call("run_interactive_assay", request)) if at > begin)
    assert len(starts) == windows, f"{len(starts)} windows in place of {windows}"
    assert all(is_near(at, begin + number * SECOND) for number, at in enumerate(starts, 1))
    if not api.has("get_assay_results_between"):
        return
    number = api.call("create_assay", request)["assay_id"]
    span = begin - SECOND, scene.now + SECOND

    def kept_of() -> list[datetime]:
        results = results_of(api, "get_assay_results_between", number, *span)
        return sorted(at for at in map(begins_at, results) if at > begin)

    if kept_of():  # else the instance has not run the assay yet
        soon(lambda: len(kept_of()) >= windows, lambda: f"{len(kept_of())} windows in place of {windows} are kept")
        assert all(is_near(*each) for each in zip(kept_of(), starts, strict=True))
    api.call("set_assay_active", {"id": number, "active": False})


def begins_at(result: dict[str, Any]) -> datetime:
    """Return when the window of a result begins."""
    return instant(result["window_summary"]["start"])


@pytest.mark.last
@pytest.mark.parametrize("operation", [*stored(), pytest.param(V2, marks=pytest.mark.touches(V2))])
def test_results_stay(operation: str, kept: Kept) -> None:
    found = [(read, before, at) for name, read, before, at in kept if name == operation]
    if not found:
        pytest.skip("No stored results were read.")
    for read, before, at in found:
        time.sleep(max(0.0, at + STAY_SECONDS - time.monotonic()))
        again = {window_of(result) for result in read()}
        assert {window_of(result) for result in before} <= again, "results that were stored are gone"


def window_of(result: dict[str, Any]) -> tuple[Any, str]:
    """Return whose result it is, and the beginning of its window."""
    return result["assay_id"], result.get("window_start") or result["window_summary"]["start"]
