"""Is an assay kept as it was made, whatever happens to it, and to others beside it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.conformance.resources.fixtures import assay_request, second_assay_request
from wallaroo_ext.conformance.testing.read_back import changed_fields
from wallaroo_ext.conformance.testing.unusual_assays import (
    ENDING,
    VALUES,
    unusual_assays,
    unusual_second_assays,
)
from wallaroo_ext.conformance.testing.waiting import by_id

if TYPE_CHECKING:
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.testing.api_calls import Api

pytestmark = pytest.mark.thorough("what is kept of assays")

OF_ITS_RUNS = ("active", "status", "last_run", "next_run", "updated_at")
"""What may change of an assay when it is switched."""
A_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Made:
    """An assay that was made.

    Attributes:
        key: Its id, or its UUID.
        request: The request.
    """

    key: Any
    request: dict[str, Any]


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
    for request in [] if first_made else unusual_assays(fixtures):
        body = request | {"name": f"{api.unused_name('a')}-{ENDING}"}
        answer = api.send("create_assay", body)
        if answer.is_success:
            first_made.append(Made(answer.json()["assay_id"], body))
    if len(first_made) < 2:
        pytest.skip("The instance makes no such assays.")
    return first_made


@pytest.fixture
def second_assays(api: Api, fixtures: Fixtures, second_made: list[Made]) -> list[Made]:
    """Return assays of the second version that are switched off, all of the run's pipeline."""
    if not api.has("schedule_assay_v2"):
        pytest.skip("The release does not have it.")
    for request in [] if second_made else unusual_second_assays(fixtures):
        body = request | {"name": f"{api.unused_name('a')}-{ENDING}"}
        answer = api.send("schedule_assay_v2", body)
        if answer.is_success:
            second_made.append(Made(answer.json(), body))
            api.call("set_assay_v2_active", {"assay_id": answer.json(), "active": False})
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
    for name in ("warning_threshold", "run_until"):
        assert name not in request or (request[name] is None) is (shown.get(name) is None), name


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
            if api.has("get_assay_by_id"):
                check_kept(made, api.call("get_assay_by_id", {"id": made.key}))

    @pytest.mark.touches("create_assay", "list_assays")
    def test_a_name_may_be_given_again(self, api: Api, fixtures: Fixtures) -> None:
        body = assay_request(fixtures, name=api.unused_name("a"), active=False)
        first = api.call("create_assay", body)["assay_id"]
        others = [body, body | {"alert_threshold": 0.75}]
        if fixtures.spare is not None:
            others.append(body | {"pipeline_id": fixtures.spare.pipeline_id, "pipeline_name": fixtures.spare.pipeline})
        made = {first: body}
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
                    assert (shown["name"], shown["alert_threshold"]) == (request["name"], request["alert_threshold"])

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
    def test_a_new_assay_changes_no_other(self, api: Api, fixtures: Fixtures, assays: list[Made]) -> None:
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
        api.call("set_assay_active", {"id": new, "active": False})


class TestSecondVersion:
    @pytest.mark.touches("schedule_assay_v2", "get_assay_v2_by_id", "set_assay_v2_active", if_there=("get_assay_v2",))
    def test_unusual_values_are_kept(self, api: Api, second_assays: list[Made]) -> None:
        for key, shown in shown_v2(api, second_assays).items():
            [made] = [each for each in second_assays if each.key == key]
            check_kept(made, shown)
            thresholds = shown["targeting"]["iopath"][0]["thresholds"]
            assert not list(changed_fields(made.request["targeting"]["iopath"][0]["thresholds"], thresholds))
            summaries = object_of(object_of(shown["baseline"]).get("Summary"))
            if "Vector" in made.request["baseline"]:
                assert {object_of(each)["statistics"]["count"] for each in summaries.values()} <= {len(VALUES)}
            if api.has("get_assay_v2"):
                assert api.first(api.call("get_assay_v2", {"id": key})) == shown

    @pytest.mark.touches("schedule_assay_v2", "get_assay_v2_by_id", "set_assay_v2_active", if_there=("get_assay_v2",))
    def test_switching_an_assay_changes_nothing_else(
        self, api: Api, fixtures: Fixtures, second_assays: list[Made]
    ) -> None:
        made = second_assays[0]
        new = api.call("schedule_assay_v2", second_assay_request(fixtures) | {"name": api.unused_name("a")})
        before = shown_v2(api, second_assays)
        for active in (True, False):
            api.call("set_assay_v2_active", {"assay_id": made.key, "active": active})
            after = shown_v2(api, second_assays)
            check_others(before, after, made.key)
            check_switched(before[made.key], after[made.key], active=active)
        assert api.call("get_assay_v2_by_id", {"id": new})["active"] is True, "it was switched off with another assay"
        api.call("set_assay_v2_active", {"assay_id": new, "active": False})
