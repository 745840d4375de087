"""Limits change at run time only for those who may, only so far, and never without a trace."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from hilbench import clock
from hilbench.controller.audit import Audit, broken
from hilbench.controller.changes import Changes, read_tokens
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.status import Activity, Status
from hilbench.controller.web import Request
from hilbench.errors import InputError
from tests.controller_toy import Toy, site

USER, INSTALLER = "user-token-0123456789", "installer-token-0123456789"


class Place:
    """Three cars on 40 A of a 60 A service, whose limits may be changed."""

    def __init__(self, folder: Path) -> None:
        self.audit = folder / "audit.jsonl"
        self.toy = Toy(site(3, 40.0, rating_a=60.0, fallback_a=6.0))
        self.restart()
        self.toy.connect()
        self.toy.plug("s0", "s1", "s2")
        self.toy.run(2)

    def restart(self) -> None:
        """Read the audit file, as at the start of the controller."""
        changes = Changes(self.toy.core, {USER: "user", INSTALLER: "installer"}, Audit(self.audit))
        self.status = Status(self.toy.core, Activity(), lambda: self.toy.t, changes)

    def post(self, token: str | None, body: Any, method: str = "POST") -> int:
        """The status code of an attempt; ``body`` is JSON unless it is bytes."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()

        async def ask() -> int:
            return self.status.handle(Request(method, "/settings", headers, data)).status

        return clock.run(ask())

    @property
    def limits(self) -> tuple[float, ...]:
        """The budget, and the caps of all stations."""
        core = self.toy.core
        return (float(core.tree.limits[0]), *(station.cap_a for station in core.stations.values()))

    def lines(self) -> list[dict[str, Any]]:
        """The audit file."""
        return [json.loads(line) for line in self.audit.read_text().splitlines()]


def test_a_lower_budget_is_obeyed(tmp_path: Path) -> None:
    """A user lowers the budget to 25 A: soon all cars together draw no more, and the audit says who and from what."""
    place = Place(tmp_path)
    place.toy.run(200)
    assert max(place.toy.totals[-10:]) > 30.0
    assert place.post(USER, {"budget_a": 25}) == 200
    place.toy.run(30)
    assert max(place.toy.totals[-10:]) <= 25.0
    (line,) = place.lines()
    assert (line["role"], line["accepted"], line["was"], line["now"]) == (
        "user",
        True,
        {"budget_a": 40},
        {"budget_a": 25},
    )


def test_a_lower_cap_of_a_station_is_obeyed(tmp_path: Path) -> None:
    """A station that is capped at 8 A has no more, and the others have what it leaves."""
    place = Place(tmp_path)
    assert place.post(USER, {"cap_a.s1": 8}) == 200
    place.toy.run(300)
    targets = place.toy.targets()
    assert targets["s1"] == 8.0
    assert min(targets["s0"], targets["s2"]) > 13.0


@pytest.mark.parametrize("key", ["budget_a", "cap_a.s0", "cap_a.s2"])
def test_a_user_cannot_raise_a_limit(key: str, tmp_path: Path) -> None:
    """Not above the rig's, and not back to the rig's after it was lowered; the attempt is put down."""
    place = Place(tmp_path)
    before = place.limits
    rig = 40.0 if key == "budget_a" else 32.0
    assert place.post(USER, {key: rig + 1}) in (403, 422)
    assert place.limits == before
    assert place.post(USER, {key: 20}) == 200
    lowered = place.limits
    assert place.post(USER, {key: rig}) == 403
    assert place.post(USER, {key: 20.01}) == 403
    assert place.limits == lowered
    assert [line["accepted"] for line in place.lines()] == [False, True, False, False]


def test_an_installer_raises_up_to_what_the_breaker_bears(tmp_path: Path) -> None:
    """48 A are 80 % of 60 A: an installer may set that, nobody more; a station never more than the rig says."""
    place = Place(tmp_path)
    assert place.post(INSTALLER, {"budget_a": 48}) == 200
    assert place.limits[0] == 48.0
    assert place.post(INSTALLER, {"budget_a": 48.1}) == 422
    assert place.post(INSTALLER, {"cap_a.s0": 33}) == 422
    assert place.limits == (48.0, 32.0, 32.0, 32.0)


@pytest.mark.parametrize(
    ("token", "body", "code"),
    [
        (None, {"budget_a": 20}, 401),
        ("", {"budget_a": 20}, 401),
        ("wrong-token-0123456789", {"budget_a": 20}, 401),
        (USER[:-1], {"budget_a": 20}, 401),
        (USER + "\xe9", {"budget_a": 20}, 401),
        (USER, {"margin_a": 0}, 422),
        (USER, {"cap_a.nobody": 8}, 422),
        (USER, {"budget_a": 17.9}, 422),  # three fallbacks of 6 A
        (USER, {"cap_a.s0": 5}, 422),
        (USER, {"budget_a": -1}, 422),
        (USER, {"budget_a": True}, 422),
        (USER, {"budget_a": "20"}, 422),
        (USER, {"budget_a": None}, 422),
        (USER, {"budget_a": 20, "margin_a": 0}, 422),
        (USER, b'{"budget_a": NaN}', 422),
        (USER, b'{"budget_a": 1e999}', 422),
        (USER, {"budget_a": 10**400}, 422),
        (USER, b"{", 400),
        (USER, b"[" * 4000, 400),
        (USER, b"\xff", 400),
        (USER, [], 400),
        (USER, {}, 400),
    ],
)
def test_what_may_not_be_changed_is_refused_and_put_down(
    token: str | None, body: Any, code: int, tmp_path: Path
) -> None:
    """Without a good token, for other keys or values, nothing changes, not even in part; a line says why."""
    place = Place(tmp_path)
    before = place.limits
    assert place.post(token, body) == code
    assert place.limits == before
    (line,) = place.lines()
    assert not line["accepted"]
    assert line["reason"]
    assert USER[:-1] not in place.audit.read_text()


def test_reading_is_not_changing(tmp_path: Path) -> None:
    """GET /settings is no method of it, and without tokens there is no such path."""
    place = Place(tmp_path)
    assert place.post(INSTALLER, {}, method="GET") == 405
    closed = Status(place.toy.core, Activity(), lambda: 0.0)
    assert closed.handle(Request("POST", "/settings", {"authorization": f"Bearer {INSTALLER}"}, b"{}")).status == 404


def test_a_change_survives_a_restart(tmp_path: Path) -> None:
    """What was accepted last is in force when the controller starts again; what was refused is not."""
    place = Place(tmp_path)
    place.post(USER, {"budget_a": 30, "cap_a.s1": 10})
    place.post(INSTALLER, {"budget_a": 35})
    place.post(USER, {"budget_a": 36})
    place.toy = Toy(place.toy.site)
    place.restart()
    assert place.limits == (35.0, 32.0, 10.0, 32.0)


def test_a_file_that_was_tampered_with_raises_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where the chain is broken a warning says so, and what was lowered stays so, but nothing goes above the rig's."""
    place = Place(tmp_path)
    place.post(USER, {"budget_a": 30})
    place.audit.write_text(place.audit.read_text().replace('"budget_a": 30.0', '"budget_a": 48.0'))
    place.post(USER, {"cap_a.s0": 12})
    place.toy = Toy(place.toy.site)
    with caplog.at_level(logging.WARNING):
        place.restart()
    assert "chain is broken" in caplog.text
    assert place.limits == (40.0, 12.0, 32.0, 32.0)


def test_the_chain_shows_a_line_that_was_changed_or_taken_out(tmp_path: Path) -> None:
    """Each attempt follows from the one before; an edit or a removal breaks it at the next line."""
    place = Place(tmp_path)
    for budget in (39, 38, 41, 37):
        place.post(USER, {"budget_a": budget})
    lines = place.audit.read_bytes().splitlines()
    assert len(lines) == 4
    assert list(broken(lines)) == []
    assert list(broken([lines[0], lines[1].replace(b"38", b"39"), *lines[2:]])) == [3]
    assert list(broken([lines[0], *lines[2:]])) == [2]
    assert list(broken(lines[1:])) == [1]


def test_a_torn_line_is_kept_and_the_chain_goes_on(tmp_path: Path) -> None:
    """After a power cut in the middle of a line the next one stands alone and follows from the torn one."""
    path = tmp_path / "audit"
    Audit(path).append({"n": 1})
    path.write_bytes(path.read_bytes() + b'{"n": 2, "prev')
    Audit(path).append({"n": 3})
    lines = path.read_bytes().splitlines()
    assert lines[1] == b'{"n": 2, "prev'
    assert list(broken(lines)) == [2]


def test_without_a_trace_nothing_changes(tmp_path: Path) -> None:
    """When the audit file cannot be written the change is refused."""
    place = Place(tmp_path)
    place.audit.mkdir()
    before = place.limits
    assert place.post(USER, {"budget_a": 20}) == 503
    assert place.limits == before


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        (f"user {USER}", 0o644, "others may read it"),
        (f"admin {USER}", 0o600, "line 1"),
        (f"user {USER}\ninstaller short", 0o600, "line 2"),
    ],
)
def test_tokens_that_others_could_know_are_refused(text: str, mode: int, words: str, tmp_path: Path) -> None:
    """A file that others can read, another role, or a token that can be guessed stops the start."""
    path = tmp_path / "tokens"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(InputError, match=words):
        read_tokens(path)


def test_tokens_are_read(tmp_path: Path) -> None:
    """Empty lines are nothing; each token has its role. Without an audit file there are no changes."""
    path = tmp_path / "tokens"
    path.write_text(f"user {USER}\n\ninstaller {INSTALLER}\n")
    path.chmod(0o600)
    assert read_tokens(path) == {USER: "user", INSTALLER: "installer"}
    with pytest.raises(ValueError, match="needs status_port and audit_file"):
        ControllerSettings(settings_token_file=path, status_port=9180)
