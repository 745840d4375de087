"""The judge of what stations send finds each kind of fault."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.schema_tap import Tap

STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": "2024-06-04T16:00:00.000Z"}
PERIOD = {"startPeriod": 0, "limit": 16.1}


def judged(*frames: Any, asked: str = "Reset", version: str = "1.6") -> list[str]:
    """What is wrong with frames that a station sends after it was asked for something."""
    tap = Tap(version)
    tap.see("in", json.dumps([2, "q", asked, {}]))
    for frame in frames:
        tap.see("out", json.dumps(frame))
    return [fault.partition(": [")[0] for fault in tap.faults]


def composite(limit: float) -> list[Any]:
    """An answer with a schedule of one limit."""
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [PERIOD | {"limit": limit}]}
    return [3, "q", {"status": "Accepted", "chargingSchedule": schedule}]


def test_what_is_right_is_left_alone() -> None:
    """Calls, a result, an error, a limit of one decimal."""
    assert judged([2, "1", "StatusNotification", STATUS], [2, "2", "Heartbeat", {}]) == []
    assert judged(composite(16.1), asked="GetCompositeSchedule") == []
    assert judged([4, "q", "NotSupported", "", {}]) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"nonsense": 1}, "Additional properties"),
        ({"info": "x" * 51}, "too long"),
        ({"status": "Idle"}, "is not one of"),
        ({"timestamp": "2024-06-04 16:00:00Z"}, "is not a 'date-time'"),
        ({"timestamp": "2024-13-04T16:00:00Z"}, "is not a 'date-time'"),
        ({"connectorId": "1"}, "is not of type"),
    ],
)
def test_a_wrong_field_is_found(change: dict[str, Any], words: str) -> None:
    """Unknown, too long, no member of its list, no date, of another type."""
    (fault,) = judged([2, "1", "StatusNotification", STATUS | change])
    assert words in fault


def test_a_missing_field_and_a_limit_too_fine_are_found() -> None:
    """Required fields, and the step of 0.1 that limits of 1.6 have."""
    (missing,) = judged([2, "1", "StatusNotification", {"connectorId": 1, "status": "Available"}])
    assert "'errorCode' is a required property" in missing
    (fine,) = judged(composite(16.15), asked="GetCompositeSchedule")
    assert "multiple of" in fine


@pytest.mark.parametrize(
    ("frames", "fault"),
    [
        ([[2, "1", "Heartbeat", {}], [2, "1", "Heartbeat", {}]], "message id used before"),
        ([[2, "x" * 37, "Heartbeat", {}]], "message id"),
        ([[2, "1", "NotifyReport", {}]], "no message of this version"),
        ([[4, "q", "FormatViolation", "", {}]], "no error code of this version"),
        ([[4, "q", "NotSupported", "x" * 256, {}]], "description or details"),
        ([[6, "1", "Heartbeat", {}]], "message type 6"),
    ],
)
def test_a_wrong_frame_is_found(frames: list[Any], fault: str) -> None:
    """Ids, actions and error codes of another version, frames of another type."""
    assert judged(*frames) == [fault]
