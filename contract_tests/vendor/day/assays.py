"""Assays of a pipeline's outputs: a baseline, an interactive run, stored ones with their results; then the evening."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any
from uuid import UUID

import httpx
import pandas as pd

from contract_tests.vendor.day.calls import ABSENT, Calls, Day, among, equal

ASSAYS, EVENING = Calls(), Calls()
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
VALUES = [float(number % 10) for number in range(100)]
"""The outputs of the baseline's day, and of the next; those of the day after are ten times as large."""


def seed(day: Day) -> None:
    """Log inferences of three days, as the sandbox's control does."""
    rows: list[dict[str, Any]] = []
    for number, factor in enumerate((1.0, 1.0, 10.0)):
        for index, value in enumerate(VALUES):
            time = FIRST + number * DAY + index * timedelta(minutes=10)
            values = {"in.tensor": [value * factor, 0.0, 0.0], "out.total": [value * factor]}
            rows.append({"time": int(time.timestamp() * 1000), **values})
    entry = {"pipeline_id": day["pipeline"].id(), "model_name": "sums", "rows": rows}
    url = day.environment["WALLAROO_API_URL"] + "/_sandbox/seed"
    httpx.post(url, json={"inferences": [entry]}).raise_for_status()


def build(day: Day, name: str) -> Any:
    """Return the builder of an assay of the day's pipeline, with a window of a day."""
    builder = day.client.build_assay(
        assay_name=name,
        pipeline=day["pipeline"],
        model_name="sums",
        iopath="output total 0",
        baseline_start=FIRST,
        baseline_end=FIRST + DAY,
    )
    builder.add_run_until(FIRST + 3 * DAY)
    builder.window_builder().add_width(days=1).add_interval(days=1).add_start(FIRST + DAY)
    builder.add_alert_threshold(0.5)
    return builder


@ASSAYS.add("AssayBuilder.build()", "summarizes a baseline", "its count, mean, minimum and maximum")
def build_assay(day: Day) -> None:
    os.environ["ASSAYS_V2_ENABLED"] = "false"  # the SDK then asks for the first version of assays
    seed(day)
    day["config"] = build(day, "drift").build()
    static = day["config"].baseline.static
    equal((static["count"], static["mean"], static["min"], static["max"]), (100, 4.5, 0.0, 9.0))


@ASSAYS.add("AssayConfig.interactive_baseline_run()", "looks at the baseline", "the same figures, as a frame")
def interactive_baseline_run(day: Day) -> None:
    figures = day["config"].interactive_baseline_run().baseline_stats()["Baseline"]
    equal((figures["count"], figures["mean"], figures["min"], figures["max"]), (100, 4.5, 0.0, 9.0))


@ASSAYS.add("AssayBuilder.baseline_dataframe()", "reads the baseline's rows", "a hundred outputs, whose mean is 4.5")
def baseline_dataframe(day: Day) -> None:
    found = build(day, "rows").baseline_dataframe()
    equal((len(found), float(found["output_total_0"].mean())), (100, 4.5))


@ASSAYS.add("AssayBuilder.baseline_histogram(bins=5)", "draws the baseline", "five bars, of twenty outputs each")
def baseline_histogram(day: Day) -> None:
    plots = import_module("matplotlib.pyplot")
    plots.close("all")
    build(day, "rows").baseline_histogram(bins=5)
    [axes] = plots.gcf().axes
    equal([bar.get_height() for bar in axes.patches], [20.0] * 5)


@ASSAYS.add("AssayConfig.interactive_run()", "runs without being stored", "one window as the baseline, and an alert")
def interactive_run(day: Day) -> None:
    found = day["config"].interactive_run().to_dataframe()
    equal(next(round(score, 6) for score in found["score"]), 0.0)
    equal(list(found["status"]), ["Ok", "Alert"])
    equal(list(found["mean"]), [4.5, 45.0])


@ASSAYS.add("AssayAnalysis.compare_bins()", "compares a window's bins", "equal shares in the first window")
def compare_bins(day: Day) -> None:
    bins = day["config"].interactive_run()[0].compare_bins()
    equal(list(bins["b_aggregated_values"]), list(bins["w_aggregated_values"]))


@ASSAYS.add("AssayAnalysis.compare_basic_stats()", "compares a window's figures", "ten times the mean in the second")
def compare_basic_stats(day: Day) -> None:
    figures = day["config"].interactive_run()[1].compare_basic_stats()
    equal((figures["Baseline"]["mean"], figures["Window"]["mean"]), (4.5, 45.0))


@ASSAYS.add("AssayBuilder.upload()", "stores an assay", "its id, a number")
def upload(day: Day) -> None:
    day["assay"] = build(day, "drift").upload()
    equal(type(day["assay"]), int)


@ASSAYS.add("Client.list_assays()", "lists assays", "the one that was stored, which is active")
def list_assays(day: Day) -> None:
    day["listed"] = list(day.client.list_assays())
    equal([(assay._id, assay._name, assay._active) for assay in day["listed"]], [(day["assay"], "drift", True)])


@ASSAYS.add("Client.get_assay_info(id)", "looks at an assay", "its name, pipeline and path", old=ABSENT)
def get_assay_info(day: Day) -> None:
    found = day.client.get_assay_info(day["assay"])
    equal(isinstance(found, pd.DataFrame), True)
    equal((found["name"][0], found["pipeline_name"][0], found["iopath"][0]), ("drift", "scoring", "output total 0"))


@ASSAYS.add("Client.get_assay_results(id, start, end)", "reads results", "the two windows, with an alert")
def get_assay_results(day: Day) -> None:
    found = day.client.get_assay_results(day["assay"], FIRST, FIRST + 4 * DAY)
    equal([analysis.status for analysis in found], ["Ok", "Alert"])
    equal([analysis.window_summary["mean"] for analysis in found], [4.5, 45.0])


@ASSAYS.add("Assay.turn_off()", "stops an assay", "an assay that is not active")
def turn_off(day: Day) -> None:
    day["listed"][0].turn_off()
    equal([assay._active for assay in day.client.list_assays()], [False])


@ASSAYS.add("Client.set_assay_active(id, True)", "lets it go on", "an assay that is active", old=ABSENT)
def set_assay_active(day: Day) -> None:
    day.client.set_assay_active(day["assay"], active=True)
    equal([assay._active for assay in day.client.list_assays()], [True])


@ASSAYS.add(
    "AssayBuilder.build(), second version", "summarizes a baseline", "its count and mean", needs="AssayV2", old=ABSENT
)
def build_second_version(day: Day) -> None:
    os.environ["ASSAYS_V2_ENABLED"] = "true"
    day["config"] = build(day, "drift-2").build()
    equal((day["config"].baseline.static["count"], day["config"].baseline.static["mean"]), (100, 4.5))


@ASSAYS.add(
    "AssayConfig.interactive_run(), second version",
    "previews windows",
    "both, with an alert",
    needs="AssayV2",
    old=ABSENT,
)
def preview(day: Day) -> None:
    found = day["config"].interactive_run().to_dataframe()
    equal(list(found["mean"]), [4.5, 45.0])
    equal(list(found["status"]), ["Ok", "Alert"])


@ASSAYS.add(
    "AssayBuilder.upload(), second version", "schedules an assay", "its id, a UUID", needs="AssayV2", old=ABSENT
)
def schedule(day: Day) -> None:
    day["uuid"] = build(day, "drift-2").upload()
    equal(str(UUID(day["uuid"])), day["uuid"])


@ASSAYS.add(
    "Client.list_assays(), second version",
    "lists assays",
    "the one just stored among them",
    needs="AssayV2",
    old=ABSENT,
)
def list_second_version(day: Day) -> None:
    among((day["uuid"], "drift-2", True), [(each.id, each.name, each.active) for each in day.client.list_assays()])


@ASSAYS.add(
    "Client.get_assay_results(UUID, start, end)",
    "reads results",
    "both windows, with their means",
    needs="AssayV2",
    old=ABSENT,
)
def second_version_results(day: Day) -> None:
    found = day.client.get_assay_results(day["uuid"], FIRST, FIRST + 4 * DAY).to_dataframe()
    equal(list(found["mean"]), [4.5, 4.5, 45.0])


@ASSAYS.add("AssayV2.pause()", "stops it", "an assay that is not active", old=ABSENT)
def pause(day: Day) -> None:
    assay = import_module("wallaroo.assays_v2").AssayV2(day.client, day["uuid"])
    equal((assay.pause().active, assay.resume().active), (False, True))


@ASSAYS.add("api.assays.get_next_run.sync_detailed(…)", "asks for the next run", "the last one, in 2026", old=ABSENT)
def next_run(day: Day) -> None:
    asked = import_module("wallaroo.wallaroo_ml_ops_api_client.api.assays.get_next_run")
    found = asked.sync_detailed(client=day.client.mlops(), body=asked.GetNextRunBody(UUID(day["uuid"]))).parsed
    equal(found.last_run.astimezone(UTC).year, 2026)


@EVENING.add("Pipeline.undeploy()", "undeploys in the evening", "no deployment that runs")
def undeploy(day: Day) -> None:
    day["pipeline"].undeploy()
    equal([each.name() for each in day.client.list_deployments() if each.deployed()], [])


@EVENING.add("Pipeline.status()", "looks at what is gone", "an error that names the deployment")
def status_of_undeployed(day: Day) -> None:
    try:
        day["pipeline"].status()
    except Exception as error:  # noqa: BLE001 - the two releases raise different ones
        among("scoring", str(error))
    else:
        raise AssertionError("there is a status")
