"""The messages that the security whitepaper adds to OCPP 1.6: triggers, logs, signed firmware."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hilbench.certificates import Authority
from tests.station_bench import Bench, stamp


def test_extended_triggers_send_what_they_name() -> None:
    """Each message that it may name comes once; another connector is Rejected."""
    bench = Bench("1.6")
    bench.answers["SignCertificate"] = {"status": "Accepted"}
    names = (
        *("Heartbeat", "StatusNotification", "MeterValues", "BootNotification"),
        *("LogStatusNotification", "FirmwareStatusNotification", "SignChargePointCertificate"),
    )

    async def body(b: Bench) -> list[str]:
        before = len(b.log)
        for name in names:
            assert (await b.ask("ExtendedTriggerMessage", requested_message=name)).status == "Accepted"
            await asyncio.sleep(1)
        answer = await b.ask("ExtendedTriggerMessage", requested_message="MeterValues", connector_id=2)
        assert answer.status == "Rejected"
        await asyncio.sleep(1)
        return b.actions()[before:]

    assert bench.run(body) == [
        *("Heartbeat", "StatusNotification", "MeterValues", "BootNotification"),
        *("LogStatusNotification", "SignedFirmwareStatusNotification", "SignCertificate"),
    ]
    assert bench.sent("SignedFirmwareStatusNotification") == [{"status": "Idle"}]


def test_a_log_is_uploaded_with_the_number_of_its_request() -> None:
    """Uploading, then Uploaded, or UploadFailure for nowhere; a second request cancels the first."""
    bench = Bench("1.6")

    async def ask(b: Bench, location: str, number: int) -> Any:
        return await b.ask("GetLog", log={"remote_location": location}, log_type="SecurityLog", request_id=number)

    async def body(b: Bench) -> None:
        first = await ask(b, "ftp://example.org/a", 1)
        assert (first.status, first.filename) == ("Accepted", "cp-1-SecurityLog.log")
        assert (await ask(b, "ftp://example.org/a", 2)).status == "AcceptedCanceled"
        await asyncio.sleep(20)
        assert (await ask(b, "nowhere", 3)).status == "Accepted"
        await asyncio.sleep(20)
        assert (await b.ask("TriggerMessage", requested_message="DiagnosticsStatusNotification")).status == "Accepted"
        await asyncio.sleep(1)

    bench.run(body)
    told = [(one["request_id"], one["status"]) for one in bench.sent("LogStatusNotification")]
    assert told == [(1, "Uploading"), (2, "Uploading"), (2, "Uploaded"), (3, "Uploading"), (3, "UploadFailure")]
    assert bench.sent("DiagnosticsStatusNotification") == [{"status": "Idle"}]


@pytest.mark.parametrize("profile", [0, 1])
def test_signed_firmware_tells_each_step(profile: int, tmp_path: Path) -> None:
    """An unusable signer is InvalidCertificate; a good one leads to a boot with the new version; profile 1 says so."""
    bench = Bench("1.6", security_profile=profile, password="sixteen letters!")
    signer = Authority(tmp_path).pair.certificate.read_text()
    firmware = {"location": "https://example.org/v2", "retrieve_date_time": stamp_later(), "signature": "c2ln"}

    async def body(b: Bench) -> None:
        bad = firmware | {"signing_certificate": "rubbish"}
        assert (await b.ask("SignedUpdateFirmware", request_id=4, firmware=bad)).status == "InvalidCertificate"
        good = firmware | {"signing_certificate": signer, "retrieve_date_time": stamp()}
        assert (await b.ask("SignedUpdateFirmware", request_id=5, firmware=good)).status == "Accepted"
        await asyncio.sleep(150)

    bench.run(body)
    told = bench.sent("SignedFirmwareStatusNotification")
    assert {one["request_id"] for one in told} == {5}
    assert [one["status"] for one in told] == [
        *("Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed")
    ]
    assert bench.sent("BootNotification")[-1]["firmware_version"] == "v2"
    kinds = [one["type"] for one in bench.sent("SecurityEventNotification")]
    assert kinds == ["InvalidFirmwareSigningCertificate", "FirmwareUpdated"] * profile


def stamp_later() -> str:
    """A date far ahead."""
    return "2079-01-01T00:00:00Z"
