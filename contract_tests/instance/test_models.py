"""Are the versions of a model kept apart, and is each shown as it was uploaded, converted and configured?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wallaroo_ext.conformance.testing.waiting import failed_version

if TYPE_CHECKING:
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.testing.api_calls import Api


@pytest.mark.touches("get_model_upload_logs", "upload_and_convert_model")
def test_the_lines_of_a_conversion_are_the_newest_in_their_order(api: Api, fixtures: Fixtures) -> None:
    version = failed_version(api, fixtures.workspace_id)
    if version is None or not api.has("get_model_upload_logs"):
        pytest.skip("This instance logs no conversion of a file that is no model.")
    which = {"model_version_id": version["id"]}
    logged: list[str] = api.call("get_model_upload_logs", which)["logs"]
    told = {
        lines: api.call("get_model_upload_logs", which | {"lines": lines})["logs"]
        for lines in {1, 2, len(logged) - 1, len(logged), len(logged) + 1} - {-1, 0}
    }
    if api.call("get_model_upload_logs", which | {"lines": None})["logs"] != logged:
        pytest.skip("The log still grows.")
    assert told == {lines: logged[-lines:] for lines in told}
    assert not [line for line in logged if "\n" in line.rstrip("\n")], "an item is a line"
    times = [line.partition(" ")[0] for line in logged]
    if times and len({len(time) for time in times}) == 1 and all(time.endswith("Z") for time in times):
        assert times[0] <= times[-1], "the newest line is the last"
