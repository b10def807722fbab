"""Is an assay kept as it was made, whatever happens to it, and to others beside it?"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.assays.result_forms import summarizer_of
from wallaroo_ext.conformance.resources.fixtures import assay_request, second_assay_request
from wallaroo_ext.conformance.resources.samples import INPUT, WIDTH
from wallaroo_ext.conformance.testing.assays.scenes import (
    SECOND,
    SUMMARIZER,
    Scene,
    baseline_of,
    instant,
    is_near,
    preview_of,
    request_of,
    results_v2,
    unlike,
    unlike_results,
)
from wallaroo_ext.conformance.testing.assays.unusual_requests import (
    ENDING,
    VALUES,
    unusual_assays,
    unusual_second_assays,
)
from wallaroo_ext.conformance.testing.read_back import changed_fields
from wallaroo_ext.conformance.testing.waiting import by_id, soon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.testing.api_calls import Api

pytestmark = [pytest.mark.thorough("what is kept of assays"), pytest.mark.counts_rows]

BETWEEN = "get_assay_results_between"
SOON = 2.0
"""Seconds after which a window is over that ends soon."""
OF_ITS_RUNS = ("active", "status", "last_run", "next_run", "updated_at")
"""What may change of an assay when it is switched."""
SHOWN_WHOLE = ("scheduling", "window", "targeting")
"""What is shown of an assay with all that was sent."""
CLOCK_DIFFERENCE = timedelta(minutes=2)
"""How far the clocks of an instance's parts may differ, and how long a request may take."""
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Made:
    """An assay that was made.

    Attributes:
        key: Its id, or its UUID.
        request: The request.
    """

    key: Any
    request: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """An assay that was switched off before its first window was over, and one beside it that stayed on.

    Attributes:
        key: The id, or the UUID, of the one that is off.
        control: That of the other.
        resumed: That of a third one, which was off and is on again.
        read: Reads the results of one of them.
        due: When the window is over, by `time.monotonic`.
    """

    key: Any
    control: Any
    resumed: Any
    read: Callable[[Any], list[dict[str, Any]]]
    due: float

    def is_in_time(self) -> bool:
        """Return whether it was switched off before the window was over, by the instance's clock, too."""
        return time.monotonic() < self.due - SOON / 2 and self.read(self.key) == []


@pytest.fixture(scope="session")
def switched_off() -> dict[str, SwitchedOff]:
    """Return the place for assays that are switched off, by the operation that answers their results."""
    return {}


@pytest.fixture(scope="module")
def first_made() -> list[Made]:
    """Return the place for the assays of the first version that the first test makes."""
    return []


@pytest.fixture(scope="module")
def second_made() -> list[Made]:
    """Return the place for those of the second version."""
    return []


@pytest.fixture
def assays(api: Api, fixtures: Fixtures, first_made: list[Made]) -> list[Made]:
    """Return assays of the first version that are not run, all of the run's pipeline."""
    made: list[Made] = []  # kept when all are made, because an answer may be lost in between
    for request in [] if first_made else unusual_assays(fixtures):
        body = request | {"name": f"{api.unused_name('a')}-{ENDING}"}
        answer = api.send("create_assay", body)
        if answer.is_success:
            made.append(Made(answer.json()["assay_id"], body))
    first_made += made
    if len(first_made) < 2:
        pytest.skip("The instance makes no such assays.")
    return first_made


@pytest.fixture
def second_assays(api: Api, fixtures: Fixtures, second_made: list[Made]) -> list[Made]:
    """Return assays of the second version that are switched off, all of the run's pipeline."""
    if not api.has("schedule_assay_v2"):
        pytest.skip("The release does not have it.")
    made: list[Made] = []
    for request in [] if second_made else unusual_second_assays(fixtures):
        body = request | {"name": f"{api.unused_name('a')}-{ENDING}"}
        answer = api.send("schedule_assay_v2", body)
        if answer.is_success:
            made.append(Made(answer.json(), body))
            api.call("set_assay_v2_active", {"assay_id": answer.json(), "active": False})
    second_made += made
    if len(second_made) < 2:
        pytest.skip("The instance makes no such assays.")
    return second_made


def listed(api: Api, fixtures: Fixtures, assays: list[Made]) -> dict[Any, dict[str, Any]]:
    """Return what the list of the run's pipeline shows of assays, by their ids."""
    found = api.call("list_assays", {"pipeline_id": fixtures.pipeline_id})
    return {made.key: by_id(found, made.key) for made in assays}


def shown_v2(api: Api, assays: list[Made]) -> dict[Any, dict[str, Any]]:
    """Return what is shown of assays of the second version, by their UUIDs."""
    return {made.key: api.call("get_assay_v2_by_id", {"id": made.key}) for made in assays}


def check_kept(made: Made, shown: dict[str, Any]) -> None:
    """Check that an assay is shown as it was made, and that nothing is there where null was sent."""
    request = {name: value for name, value in made.request.items() if name != "status"}
    assert list(changed_fields(request, shown)) == []
    whole = {name: value for name, value in request.items() if name in SHOWN_WHOLE}
    assert list(changed_fields(whole, shown, is_whole=True)) == []
    check_nothing_added(request, shown, ("warning_threshold", "run_until"))
    check_nothing_added(request["window"], shown["window"], ("start", "interval", "locations"))
    check_nothing_added(request["summarizer"], shown["summarizer"], ("bin_weights", "provided_edges"))


def check_nothing_added(given: dict[str, Any], shown: dict[str, Any], names: Iterable[str]) -> None:
    """Check that of some fields, those are null or empty that were sent so, or left out, and no others."""
    for name in names:
        assert (given.get(name) in (None, [])) is (shown.get(name) in (None, [])), name


def check_others(before: dict[Any, dict[str, Any]], after: dict[Any, dict[str, Any]], changed: Any) -> None:
    """Check that all assays but one are shown as they were, whole."""
    for key, shown in before.items():
        assert key == changed or after[key] == shown, "it is changed by what happens to another assay"


def check_switched(before: dict[str, Any], after: dict[str, Any], *, active: bool) -> None:
    """Check that an assay was switched, that nothing else of it changed, and that it says when that was."""
    assert after["active"] is active
    of_runs = {name: after[name] for name in OF_ITS_RUNS if name in after}
    assert after == before | of_runs, "switching it changes more than that"
    texts = [before["updated_at"], after["updated_at"]]
    if all("." in text for text in texts):  # else whole seconds may be told
        changed, again = map(datetime.fromisoformat, texts)
        assert changed < again, "it was changed, and updated_at was not"


class TestAssays:
    @pytest.mark.touches("create_assay", "list_assays", if_there=("get_assay_by_id",))
    def test_unusual_values_are_kept(self, api: Api, fixtures: Fixtures, assays: list[Made]) -> None:
        shown = listed(api, fixtures, assays)
        for made in assays:
            check_kept(made, shown[made.key])
            assert shown[made.key]["status"] == "created", "it never ran, whatever was sent as its status"
            if api.has("get_assay_by_id"):
                found = api.call("get_assay_by_id", {"id": made.key})
                check_kept(made, found)
                assert found == found | shown[made.key], "it is found otherwise than it is listed"
            for name in ("workspace_id", "workspace_name"):
                assert shown[made.key].get(name) in {None, getattr(fixtures, name)}

    @pytest.mark.touches("create_assay", "list_assays", if_there=("set_assay_active",))
    def test_a_name_may_be_given_again(self, api: Api, fixtures: Fixtures) -> None:
        body = assay_request(fixtures, name=api.unused_name("a"), active=False)
        first = api.call("create_assay", body | {"active": True})["assay_id"]
        others = [body, body | {"alert_threshold": 0.75}]
        if fixtures.spare is not None:
            others.append(body | {"pipeline_id": fixtures.spare.pipeline_id, "pipeline_name": fixtures.spare.pipeline})
        made = {first: body | {"active": True}}
        for other in others:
            answer = api.send("create_assay", other)
            if answer.is_success:  # else names are taken, or the other pipeline is not the window's
                assert answer.json()["assay_id"] not in made, "it is an assay that was there"
                made[answer.json()["assay_id"]] = other
        for pipeline in {each["pipeline_id"] for each in made.values()}:
            found = api.call("list_assays", {"pipeline_id": pipeline})
            for number, request in made.items():
                if request["pipeline_id"] == pipeline:
                    shown = by_id(found, number)
                    for field in ("name", "alert_threshold", "active"):
                        assert shown[field] == request[field], field
        api.call("set_assay_active", {"id": first, "active": False})

    @pytest.mark.touches("create_assay", "list_assays", "set_assay_active", if_there=("get_assay_by_id",))
    def test_switching_an_assay_changes_nothing_else(self, api: Api, fixtures: Fixtures, assays: list[Made]) -> None:
        api.call("create_assay", assay_request(fixtures, name=api.unused_name("a"), active=False))
        before = listed(api, fixtures, assays)
        for made in (assays[0], assays[-1]):
            after, since = before, [api.call("get_assay_by_id", {"id": made.key})] if api.has("get_assay_by_id") else []
            for active in (True, False):
                api.call("set_assay_active", {"id": made.key, "active": active})
                after = listed(api, fixtures, assays)
                check_others(before, after, made.key)
                check_switched(before[made.key], after[made.key], active=active)
                for shown in since:
                    check_switched(shown, api.call("get_assay_by_id", {"id": made.key}), active=active)
            before = after

    @pytest.mark.touches("create_assay", "list_assays", "set_assay_active")
    def test_a_new_assay_changes_no_other(self, api: Api, fixtures: Fixtures, assays: list[Made], scene: Scene) -> None:
        made = assays[0].key
        api.call("set_assay_active", {"id": made, "active": True})
        before = listed(api, fixtures, assays)
        new = api.call("create_assay", assay_request(fixtures, name=api.unused_name("a")))["assay_id"]
        after = listed(api, fixtures, assays)
        check_others(before, after, made)
        assert after[made]["active"] is True, "it was switched off by another assay"
        api.call("set_assay_active", {"id": made, "active": False})
        found = by_id(api.call("list_assays", {"pipeline_id": fixtures.pipeline_id}), new)
        assert found["active"] is True, "it was switched off with another assay"
        assert abs(instant(found["updated_at"]) - scene.now) < CLOCK_DIFFERENCE
        api.call("set_assay_active", {"id": new, "active": False})

    @pytest.mark.touches("create_assay", "set_assay_active", "get_assay_v2")
    def test_it_is_listed_as_on_or_off_in_the_second_version(
        self, api: Api, fixtures: Fixtures, assays: list[Made]
    ) -> None:
        if not api.has("get_assay_v2"):
            pytest.skip("The release does not have it.")
        made, where = assays[0], {"pipeline_name": fixtures.name, "workspace_id": fixtures.workspace_id}
        for active in (True, False):
            api.call("set_assay_active", {"id": made.key, "active": active})
            listed = list_of(api.call("get_assay_v2", where))
            shown = [each["active"] for each in listed if each["name"] == made.request["name"]]
            assert shown in ([active], []), "one version shows it as the other does not"


class TestSecondVersion:
    @pytest.mark.touches("schedule_assay_v2", "get_assay_v2_by_id", "set_assay_v2_active", if_there=("get_assay_v2",))
    def test_unusual_values_are_kept(self, api: Api, second_assays: list[Made]) -> None:
        for key, shown in shown_v2(api, second_assays).items():
            [made] = [each for each in second_assays if each.key == key]
            check_kept(made, shown)
            way = made.request["summarizer"]
            assert list(changed_fields(way, shown["summarizer"], is_whole=True)) == []
            asked, watched = (each["targeting"]["iopath"][0] for each in (made.request, shown))
            assert (watched.get("indexes") is None) is (asked["indexes"] is None), "null is all indexes, and no other"
            assert (watched["thresholds"].get("warning") is None) is (asked["thresholds"]["warning"] is None)
            summaries = object_of(object_of(shown["baseline"]).get("Summary"))
            if "Vector" in made.request["baseline"]:
                assert {object_of(each)["statistics"]["count"] for each in summaries.values()} <= {len(VALUES)}
            if api.has("get_assay_v2"):
                assert api.first(api.call("get_assay_v2", {"id": key})) == shown

    @pytest.mark.touches("get_assay_v2", "schedule_assay_v2", "get_assay_v2_by_id", "set_assay_v2_active")
    def test_an_assay_is_listed_as_it_is_found(self, api: Api, fixtures: Fixtures, second_assays: list[Made]) -> None:
        if not api.has("get_assay_v2"):
            pytest.skip("The release does not have it.")
        where = {"pipeline_name": fixtures.name, "workspace_id": fixtures.workspace_id}
        listed = list_of(api.call("get_assay_v2", where | {"active": "InactiveOnly"}))
        for key, shown in shown_v2(api, second_assays).items() if listed else ():  # one assay may be told, and no list
            assert by_id(listed, key) == shown, "it is listed otherwise than it is found"
        made = second_assays[0].key
        for active in (True, False):
            api.call("set_assay_v2_active", {"assay_id": made, "active": active})
            for chosen, is_listed in (("ActiveOnly", active), ("InactiveOnly", not active)):
                found = list_of(api.call("get_assay_v2", where | {"active": chosen}))
                assert not listed or (made in {each["id"] for each in found}) is is_listed, chosen

    @pytest.mark.touches("schedule_assay_v2", "get_assay_v2_by_id", "set_assay_v2_active")
    def test_a_name_may_be_given_again(self, api: Api, fixtures: Fixtures) -> None:
        if not api.has("schedule_assay_v2"):
            pytest.skip("The release does not have it.")
        body = second_assay_request(fixtures) | {"name": api.unused_name("a"), "baseline": {"Vector": VALUES}}
        made: dict[Any, dict[str, Any]] = {}
        for width in (7, 11, 11):
            request = body | {"window": {"width": {"seconds": width}}}
            answer = api.send("schedule_assay_v2", request)
            if answer.is_success:  # else the name is taken
                assert answer.json() not in made, "it is an assay that was there"
                made[answer.json()] = request
        assert made, "no assay is made"
        for number, request in made.items():
            shown = api.call("get_assay_v2_by_id", {"id": number})
            assert (shown["name"], shown["window"], shown["active"]) == (request["name"], request["window"], True)
            api.call("set_assay_v2_active", {"assay_id": number, "active": False})

    @pytest.mark.touches("schedule_assay_v2", "get_assay_v2_by_id", "set_assay_v2_active", if_there=("get_assay_v2",))
    def test_switching_an_assay_changes_nothing_else(
        self, api: Api, fixtures: Fixtures, second_assays: list[Made], scene: Scene
    ) -> None:
        made = second_assays[0]
        new = api.call("schedule_assay_v2", second_assay_request(fixtures) | {"name": api.unused_name("a")})
        shown = api.call("get_assay_v2_by_id", {"id": new})
        for name in ("created_at", "updated_at"):
            assert abs(instant(shown[name]) - scene.now) < CLOCK_DIFFERENCE, name
        before = shown_v2(api, second_assays)
        for active in (True, False):
            api.call("set_assay_v2_active", {"assay_id": made.key, "active": active})
            after = shown_v2(api, second_assays)
            check_others(before, after, made.key)
            check_switched(before[made.key], after[made.key], active=active)
        assert api.call("get_assay_v2_by_id", {"id": new})["active"] is True, "it was switched off with another assay"
        api.call("set_assay_v2_active", {"assay_id": new, "active": False})

    @pytest.mark.touches("set_assay_v2_active", "schedule_assay_v2", "list_assays")
    def test_it_is_listed_as_on_or_off_in_the_first_version(
        self, api: Api, fixtures: Fixtures, second_assays: list[Made]
    ) -> None:
        made = second_assays[0]
        for active in (True, False):
            api.call("set_assay_v2_active", {"assay_id": made.key, "active": active})
            listed = api.call("list_assays", {"pipeline_id": fixtures.pipeline_id})
            shown = [each["active"] for each in listed if each["name"] == made.request["name"]]
            assert shown in ([active], []), "one version shows it as the other does not"


class TestRuns:
    @pytest.mark.touches("set_assay_active", "create_assay", "get_assay_results_between")
    def test_an_assay_is_switched_off_before_it_is_run(
        self, api: Api, fixtures: Fixtures, scene: Scene, switched_off: dict[str, SwitchedOff]
    ) -> None:
        if not api.has(BETWEEN):
            pytest.skip("The release does not have it.")
        seconds, end = to_come(scene)
        request = request_of(fixtures, scene, end - seconds * SECOND, run_until=(end + HOUR).isoformat())
        request["window"] |= {"width": f"{seconds} seconds"}
        span = {"start": (scene.many.at - HOUR).isoformat(), "end": (end + HOUR).isoformat()}
        due = time.monotonic() + SOON
        ways = ({"name": api.unused_name("a"), "active": active} for active in (True, True, False))
        key, control, resumed = (api.call("create_assay", request | way)["assay_id"] for way in ways)
        api.call("set_assay_active", {"id": key, "active": False})
        for active in (True, False, True):
            api.call("set_assay_active", {"id": resumed, "active": active})
        made = SwitchedOff(key, control, resumed, lambda number: api.call(BETWEEN, {"assay_id": number} | span), due)
        if made.is_in_time():
            switched_off[BETWEEN] = made

    @pytest.mark.touches("set_assay_v2_active", "schedule_assay_v2", "get_assay_results_v2")
    def test_one_of_the_second_version_is_switched_off_before_it_is_run(
        self, api: Api, fixtures: Fixtures, scene: Scene, switched_off: dict[str, SwitchedOff]
    ) -> None:
        if not api.has("set_assay_v2_active"):
            pytest.skip("The release does not have it.")
        seconds, end = to_come(scene)
        request = second_assay_request(fixtures) | {
            "baseline": {"Vector": VALUES},
            "window": {"width": {"seconds": seconds}},
        }
        request["scheduling"] |= {"first_run": end.isoformat(), "end": (end + HOUR).isoformat()}
        due, names = time.monotonic() + SOON, map(api.unused_name, "abc")
        key, control, resumed = (api.call("schedule_assay_v2", request | {"name": name}) for name in names)
        api.call("set_assay_v2_active", {"assay_id": key, "active": False})
        for active in (False, True):
            api.call("set_assay_v2_active", {"assay_id": resumed, "active": active})
        made = SwitchedOff(key, control, resumed, partial(results_v2, api), due)
        if made.is_in_time():
            switched_off["get_assay_results_v2"] = made

    @pytest.mark.last
    @pytest.mark.parametrize(
        "operation",
        [
            pytest.param(name, marks=pytest.mark.touches(name, *others))
            for name, others in (
                ("get_assay_results_between", ("set_assay_active", "create_assay")),
                ("get_assay_results_v2", ("set_assay_v2_active", "schedule_assay_v2")),
            )
        ],
    )
    def test_an_assay_that_was_switched_off_is_not_run(
        self, operation: str, api: Api, switched_off: dict[str, SwitchedOff]
    ) -> None:
        if operation not in switched_off:
            pytest.skip("No assay was switched off in time.")
        made = switched_off[operation]
        time.sleep(max(0.0, made.due - time.monotonic()))
        has_run = made.read(made.control) != []
        assert made.read(made.key) == [], "it was run after it was switched off"
        if has_run:
            soon(lambda: made.read(made.resumed), lambda: "it is not run any more, though it was switched on again")
        is_first = operation == BETWEEN
        for number in (made.control, made.resumed):
            active = {"id" if is_first else "assay_id": number, "active": False}
            api.call("set_assay_active" if is_first else "set_assay_v2_active", active)
        if not has_run:
            pytest.skip("The instance has not run the other one yet.")


def to_come(scene: Scene) -> tuple[int, datetime]:
    """Return a window that has all rows of the scene and is over soon: its seconds, and when it ends."""
    end = scene.now + timedelta(seconds=SOON / 2)
    return int((end - scene.many.at) / SECOND) + 2, end


class TestResults:
    @pytest.mark.parametrize(
        "operation",
        [
            pytest.param(
                name,
                marks=pytest.mark.touches(
                    *(name, "create_assay", "list_assays", "set_assay_active"), if_there=("get_assay_by_id",)
                ),
            )
            for name in ("get_assay_results", "get_assay_results_between")
        ],
    )
    def test_each_assay_has_its_own(self, operation: str, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        span = {"start": (scene.many.at - SECOND).isoformat(), "end": (scene.now + SECOND).isoformat()}

        def read(number: int) -> list[dict[str, Any]]:
            answer = api.send(operation, {"assay_id": number} | span)
            if not answer.is_success and operation == "get_assay_results" and api.has("get_assay_results_between"):
                pytest.skip("The instance has the other one in its place.")
            assert answer.is_success, answer.text[:300]
            return answer.json()

        made: dict[int, dict[str, Any]] = {}
        for alert, bins in ((100.0, 4), (-1.0, 3)):
            own = {"name": api.unused_name("a"), "warning_threshold": None, "alert_threshold": alert}
            request = request_of(fixtures, scene, scene.many.at, summarizer={"num_bins": bins}, **own)
            made[api.call("create_assay", request)["assay_id"]] = request
        found = {number: read(number) for number in made}
        check_own(found)
        for number, results in found.items():
            for result in results:
                assert result["alert_threshold"] == made[number]["alert_threshold"]
                assert result["status"] == ("Alert" if result["alert_threshold"] < 0 else "Ok")
                assert summarizer_of(result)["num_bins"] == made[number]["summarizer"]["num_bins"]
        of_pipeline = {"pipeline_id": fixtures.pipeline_id}
        windows = int((scene.one.at + SECOND - scene.many.at) / SECOND)

        def has_come_of(number: int) -> bool:
            shown = [by_id(api.call("list_assays", of_pipeline), number)]
            if api.has("get_assay_by_id"):
                shown.append(api.call("get_assay_by_id", {"id": number}))
            is_told = all(tells_of_run(each, found[number][0]["status"], most=windows) for each in shown)
            assert not is_told or abs(instant(shown[-1]["last_run"]) - scene.now) < CLOCK_DIFFERENCE
            return is_told

        for number in () if fixtures.forms.fixed_baselines else made:  # before, what becomes of the status is not known
            soon(partial(has_come_of, number), lambda: "what came of the runs is not shown")
        for active in (False, True, False):
            api.call("set_assay_active", {"id": next(iter(made)), "active": active})
            check_still_there(found, {number: read(number) for number in made})

    @pytest.mark.touches("get_assay_results_between", "create_assay", "run_interactive_assay", "set_assay_active")
    def test_they_are_those_of_a_run_now(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        if not api.has("get_assay_results_between"):
            pytest.skip("The release does not have it.")
        span = {"start": (scene.many.at - SECOND).isoformat(), "end": (scene.now + SECOND).isoformat()}
        for changes in runs(api, fixtures, scene):
            request = request_of(fixtures, scene, scene.many.at, name=api.unused_name("a"), **changes)
            expected = by_start(api.call("run_interactive_assay", request))
            number = api.call("create_assay", request)["assay_id"]
            found = by_start(api.call("get_assay_results_between", {"assay_id": number} | span))
            api.call("set_assay_active", {"id": number, "active": False})
            if not found:
                pytest.skip("The instance has not run the assay yet.")
            assert found.keys() == expected.keys()
            for at, result in found.items():
                assert unlike_results(result, expected[at]) == []
                for name in ("baseline_summary", "warning_threshold", "alert_threshold"):
                    assert list(unlike(result[name], expected[at][name], name)) == []

    @pytest.mark.touches("get_assay_results")
    def test_one_end_of_a_time_is_enough(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        request = request_of(fixtures, scene, scene.many.at, name=api.unused_name("a"))
        of = {"assay_id": api.call("create_assay", request)["assay_id"]}
        answers = [api.send("get_assay_results", of | more) for more in (*one_end(scene), {})]
        if not all(answer.is_success for answer in answers):
            pytest.skip("The instance wants both ends.")
        *of_times, everything = (answer.json() for answer in answers)
        check_ends(of_times)
        assert everything == of_times[0], "without a time, there are others"
        for end in one_end(scene)[:2]:
            limited = api.call("get_assay_results", of | end | {"limit": 1})
            assert len(limited) == 1
            assert limited[0] in everything


class TestResultsOfTheSecondVersion:
    @pytest.mark.touches(
        "schedule_assay_v2", "get_assay_results_v2", "get_next_assay_run_v2", if_there=("set_assay_v2_active",)
    )
    def test_each_assay_has_its_own(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        if not api.has("schedule_assay_v2"):
            pytest.skip("The release does not have it.")
        usual = second_assay_request(fixtures) | {"baseline": {"Vector": VALUES}}
        usual["scheduling"] |= {
            "first_run": (scene.many.at + SECOND).isoformat(),
            "end": (scene.many.at + 30 * SECOND).isoformat(),
        }
        made: dict[str, tuple[float | None, float, str]] = {}
        for warning, alert, status in ((None, 1000.0, "Ok"), (None, -1.0, "Alert"), (-1.0, 1000.0, "Warning")):
            watched = usual["targeting"]["iopath"][0] | {"thresholds": {"warning": warning, "alert": alert}}
            request = usual | {"targeting": usual["targeting"] | {"iopath": [watched]}, "name": api.unused_name("a")}
            made[api.call("schedule_assay_v2", request)] = warning, alert, status
        found = {number: results_v2(api, number) for number in made}
        check_own(found)
        told = ("warning_threshold", "alert_threshold", "status")
        for number, expected in made.items():
            assert {tuple(result[name] for name in told) for result in found[number]} == {expected}

        def has_ended() -> bool:
            return api.call("get_next_assay_run_v2", {"assay_id": next(iter(made))})["next_run"] is None

        soon(has_ended, lambda: "a run is told that would be after the end")
        number = next(iter(made))
        check_ends([results_v2(api, number, **more) for more in one_end(scene)])
        nothing = {"start": None, "end": None, "workspace_id": None}
        its_workspace = {"workspace_id": fixtures.workspace_id}
        check_ends([results_v2(api, number, **more, **its_workspace) for more in one_end(scene)])
        for more in (nothing, its_workspace):
            check_still_there({number: found[number]}, {number: results_v2(api, number, **more)})
        for active in (False, True, False) if api.has("set_assay_v2_active") else ():
            api.call("set_assay_v2_active", {"assay_id": number, "active": active})
            check_still_there(found, {number: results_v2(api, number) for number in made})

    @pytest.mark.touches(
        "schedule_assay_v2",
        "get_assay_results_v2",
        "preview_assay_v2",
        "preview_assay_baseline_v2",
        if_there=("get_assay_v2_by_id", "set_assay_v2_active"),
    )
    def test_they_are_those_of_a_preview(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        if not api.has("preview_assay_v2") or not api.has("schedule_assay_v2"):
            pytest.skip("The release does not have it.")
        end = scene.many.at + SECOND
        for changes in previews(api, fixtures, scene):
            request = preview_of(fixtures, scene) | changes
            request["scheduling"] |= {"first_run": (end - 4 * MINUTE).isoformat(), "end": (end + MINUTE).isoformat()}
            [expected] = api.call("preview_assay_v2", request)
            names = request.keys() - {"preview_start", "preview_end"}
            body = {name: request[name] for name in names} | {"name": api.unused_name("a")}
            number = api.call("schedule_assay_v2", body)
            found = [each for each in results_v2(api, number) if is_near(instant(each["window_end"]), end)]
            has_it = api.has("get_assay_v2_by_id")
            shown: dict[str, Any] = api.call("get_assay_v2_by_id", {"id": number}) if has_it else {}
            check_baseline(shown, api.call("preview_assay_baseline_v2", baseline_of(request)))
            if api.has("set_assay_v2_active"):
                api.call("set_assay_v2_active", {"assay_id": number, "active": False})
            if not found:
                pytest.skip("The instance has not run the assay yet.")
            [result] = found
            assert unlike_results(result, expected | {"status": result["status"]}) == []

    @pytest.mark.touches("schedule_assay_v2", "get_assay_results_v2", if_there=("set_assay_v2_active",))
    def test_an_assay_is_run_as_often_as_it_is_asked_to(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        if not api.has("schedule_assay_v2"):
            pytest.skip("The release does not have it.")
        end = scene.many.at + SECOND
        for quantity, is_run in ((3, True), (2, False)):
            request = second_assay_request(fixtures) | {"baseline": {"Vector": VALUES}, "name": api.unused_name("a")}
            request["scheduling"] = {
                "first_run": (end - 3 * MINUTE).isoformat(),
                "end": (end + 30 * SECOND).isoformat(),
                "run_frequency": {"SimpleRunFrequency": {"quantity": quantity, "unit": "Minute"}},
            }
            number = api.call("schedule_assay_v2", request)
            ends = [instant(result["window_end"]) for result in results_v2(api, number)]
            if api.has("set_assay_v2_active"):
                api.call("set_assay_v2_active", {"assay_id": number, "active": False})
            if is_run and not ends:
                pytest.skip("The instance has not run the assay yet.")
            assert any(is_near(at, end) for at in ends) is is_run, f"every {quantity} minutes"


def runs(api: Api, fixtures: Fixtures, scene: Scene) -> list[dict[str, Any]]:
    """Return changes of a request of the first version, each with other windows, bins, values or a given baseline."""
    window: dict[str, Any] = request_of(fixtures, scene, scene.many.at)["window"]
    path = f"input {INPUT} {WIDTH - 1}"
    watched = {"iopath": path} if fixtures.forms.fixed_baselines else {"window": window | {"path": path}}
    calculated = {"vector": (scene.many.outputs / 2).tolist()}
    overlapping = {"width": "2 seconds", "interval": "1 second", "start": (scene.many.at - SECOND).isoformat()}
    edges = {"bin_mode": "Provided", "num_bins": 2, "provided_edges": [-0.001, 0.0, 0.002], "metric": "MaxDiff"}
    found: list[dict[str, Any]] = [
        {"window": window | overlapping, "alert_threshold": -1.0},
        watched | {"summarizer": {"aggregation": "Cumulative", "num_bins": 3}, "warning_threshold": None},
        {"summarizer": edges},
    ]
    if api.has("summarize_assay_baseline"):
        given = api.call("summarize_assay_baseline", {"summarizer": SUMMARIZER, "baseline": calculated})
        found.append({"baseline": {"static": given}})
    return found


def previews(api: Api, fixtures: Fixtures, scene: Scene) -> list[dict[str, Any]]:
    """Return changes of a preview, each with another value, baseline, or other bins."""
    usual = preview_of(fixtures, scene, {"bin_mode": {"Equal": 3}, "metric": "SumDiff", "bin_weights": [4, 1, 0, 2, 3]})
    values = {"baseline": {"Vector": (scene.many.outputs / 2).tolist()}}
    given = api.call("preview_assay_baseline_v2", baseline_of(preview_of(fixtures, scene) | values))
    inputs = preview_of(fixtures, scene, field=f"in.{INPUT}", indexes=[WIDTH - 1])
    provided = preview_of(fixtures, scene, {"bin_mode": {"Provided": [-0.001, 0.0, 0.002]}, "metric": "MaxDiff"})
    return [
        {"summarizer": usual["summarizer"]} | values,
        {"summarizer": provided["summarizer"]} | values,
        {"baseline": {"Summary": given}},
        {"targeting": inputs["targeting"]},
    ]


def by_start(results: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the results of windows that have inferences, by when these begin."""
    summaries = [result["window_summary"] for result in results]
    found = zip(summaries, results, strict=True)
    return {instant(summary["start"]).isoformat(): result for summary, result in found if summary["count"]}


def check_baseline(shown: dict[str, Any], expected: dict[str, Any]) -> None:
    """Check that an assay's baseline, if it is shown as a distribution, is the one that was computed before."""
    for key, summary in object_of(object_of(shown.get("baseline")).get("Summary")).items():
        for name in ("statistics", "bins", "aggregated_values", "aggregation"):
            assert list(unlike(object_of(summary)[name], expected[key][name], name)) == []


def tells_of_run(shown: dict[str, Any], status: str, *, most: int) -> bool:
    """Return whether an assay is shown as run, with windows of one status and of no other, and not too many."""
    if shown["last_run"] is None or not shown["status"].startswith("{"):
        return False
    counted = json.loads(shown["status"])
    assert abs(instant(counted["run_at"]) - instant(shown["last_run"])) < timedelta(milliseconds=1)
    counts = {"Ok": counted.get("num_ok"), "Warning": counted.get("num_warnings"), "Alert": counted.get("num_alerts")}
    assert sum(count or 0 for count in counts.values()) <= most, "more windows are counted than there are"
    return {name for name, count in counts.items() if count} == {status}


def one_end(scene: Scene) -> list[dict[str, str]]:
    """Return times with one end and other offsets than UTC's: two that have all results, then two that have none."""
    past = (scene.many.at - HOUR).astimezone(timezone(5.5 * HOUR)).isoformat()
    future = (scene.now + HOUR).astimezone(timezone(-8 * HOUR)).isoformat()
    return [{"start": past}, {"end": future}, {"start": future}, {"end": past}]


def check_ends(answers: list[list[dict[str, Any]]]) -> None:
    """Check the results of the times that `one_end` returns."""
    since, until, later, earlier = answers
    if not since and not until:
        pytest.skip("The instance has not run the assay yet.")
    assert since == until
    assert (later, earlier) == ([], [])


def check_own(found: dict[Any, list[dict[str, Any]]]) -> None:
    """Check that results are of the assays that were asked for, and that no two of them have one id."""
    if not all(found.values()):
        pytest.skip("The instance has not run the assays yet.")
    for number, results in found.items():
        assert {result["assay_id"] for result in results} == {number}
    ids = [result["id"] for results in found.values() for result in results if "id" in result]
    assert len(set(ids)) == len(ids), "two results have one id"


def check_still_there(before: dict[Any, list[dict[str, Any]]], after: dict[Any, list[dict[str, Any]]]) -> None:
    """Check that results that were read are there again, whole and once; others may have come."""
    for number, results in before.items():
        again = after[number]
        assert [result for result in results if result not in again] == [], "what was stored is gone, or changed"
        assert [result for result in again if again.count(result) > 1] == [], "a result is stored twice"
        starts = [result.get("window_start") or result["window_summary"]["start"] for result in again]
        assert len(set(starts)) == len(starts), "a window has two results"
