"""What takes a station a while: new firmware and logs, as states that follow each other in loop time."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from hilbench_emulators.station.expecting import ExpectingStation
from hilbench_emulators.station.tokens import moment_of

_SCHEMES = ("http", "https", "ftp", "ftps", "sftp")


@dataclass(frozen=True)
class Update:
    """New firmware: where it is, and from when (UTC [s]) it is fetched and installed."""

    location: str
    retrieve_at: float
    install_at: float = 0.0
    request_id: int | None = None
    signed: bool = False

    @property
    def version(self) -> str:
        """Its version, which is the name of its file."""
        return urlsplit(self.location).path.rsplit("/", 1)[-1][:50] or "unknown"


def reachable(location: str) -> bool:
    """Whether the bench takes the address for one that a station can use; nothing is really sent there."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.netloc)


class ManagedStation(ExpectingStation):
    """``firmware`` is the version that runs; ``firmware_status`` and ``log_status`` what was told last."""

    firmware: str
    firmware_status: tuple[str, int | None]
    log_status: tuple[str, int | None]
    tells_cancelled = True
    """There is a status for a log that another takes the place of (OCPP 2.x)."""
    vendor_hook: Callable[[str, str | None, Any], tuple[str, Any]] | None = None
    """Answers DataTransfer: status and data for vendor, message id and data."""
    _installed: int | None
    _jobs: dict[str, asyncio.Task[None]]

    @abstractmethod
    def firmware_message(self) -> Any:
        """FirmwareStatusNotification of now."""

    @abstractmethod
    def log_message(self) -> Any:
        """DiagnosticsStatusNotification or LogStatusNotification of now."""

    @abstractmethod
    def security_event(self, kind: str) -> None:
        """Something that matters to security has happened."""

    def reset_jobs(self) -> None:
        """Nothing is under way."""
        self.firmware = self.settings.firmware
        self.firmware_status = self.log_status = ("Idle", None)
        self._installed = None
        self._jobs = {}

    def saved(self) -> dict[str, Any]:
        """See :class:`AcStation`; ``installed`` is set between an installation and the boot after it."""
        return super().saved() | {"firmware": self.firmware, "installed": self._installed}

    def restore(self, data: dict[str, Any]) -> None:
        """See :class:`AcStation`."""
        super().restore(data)
        self.firmware, self._installed = data["firmware"], data["installed"]

    def came_online(self) -> None:
        """See :class:`AcStation`; new firmware is installed when the station runs with it."""
        super().came_online()
        if self._installed is not None:
            request_id, self._installed = self._installed, None
            self.tell_firmware("Installed", None if request_id < 0 else request_id)
            self.security_event("FirmwareUpdated")
            self.save()

    def data_transfer(self, vendor: str, message: str | None, data: Any) -> tuple[str, Any]:
        """Answer to DataTransfer."""
        return ("UnknownVendorId", None) if self.vendor_hook is None else self.vendor_hook(vendor, message, data)

    def tell_firmware(self, status: str, request_id: int | None) -> None:
        """Report a state of the update."""
        self.firmware_status = (status, request_id)
        self._uplink.say(self.firmware_message())

    def tell_log(self, status: str, request_id: int | None) -> None:
        """Report a state of the upload."""
        self.log_status = (status, request_id)
        self._uplink.say(self.log_message())

    def busy(self, name: str) -> bool:
        """Whether a job, ``firmware`` or ``log``, is under way."""
        return name in self._jobs and not self._jobs[name].done()

    def update_firmware(self, update: Update) -> bool:
        """Begin, in place of one that is under way; whether there was one."""
        return self._begin_job("firmware", self._update(update))

    def upload_log(self, location: str, request_id: int | None) -> bool:
        """Begin, in place of one that is under way; whether there was one, which is told."""
        cancelled = self.busy("log")
        if cancelled and self.tells_cancelled and request_id is not None:
            self.tell_log("AcceptedCanceled", self.log_status[1])
        self._begin_job("log", self._upload(location, request_id))
        return cancelled

    def _begin_job(self, name: str, work: Any) -> bool:
        cancelled = self.busy(name)
        if cancelled:
            self._jobs[name].cancel()
        self._jobs[name] = self._spawn(work)
        return cancelled

    async def _upload(self, location: str, request_id: int | None) -> None:
        """OCPP 1.6 section 6.16 ff., 2.0.1 N01; standard-text."""
        self.tell_log("Uploading", request_id)
        await asyncio.sleep(self.settings.upload_s)
        self.tell_log("Uploaded" if reachable(location) else self._upload_failed(request_id), request_id)

    def _upload_failed(self, request_id: int | None) -> str:
        """DiagnosticsStatus, which has no request, calls it otherwise."""
        return "UploadFailed" if request_id is None else "UploadFailure"

    async def _update(self, update: Update) -> None:
        """OCPP 1.6 sections 5.18 and 6.19, 2.0.1 L01 and L02 (standard-text): installed while nobody charges."""
        if not await self._fetch(update):
            return
        if update.signed:
            self.tell_firmware("SignatureVerified", update.request_id)
        await self._until("InstallScheduled", update.install_at, update.request_id)
        if self.charging_allowed and update.request_id is not None:
            self.tell_firmware("InstallScheduled", update.request_id)
        while self.charging_allowed:
            await asyncio.sleep(1.0)
        self.tell_firmware("Installing", update.request_id)
        await asyncio.sleep(self.settings.install_s)
        self._new_firmware(update)

    async def _fetch(self, update: Update) -> bool:
        await self._until("DownloadScheduled", update.retrieve_at, update.request_id)
        self.tell_firmware("Downloading", update.request_id)
        await asyncio.sleep(self.settings.download_s)
        good = reachable(update.location)
        self.tell_firmware("Downloaded" if good else "DownloadFailed", update.request_id)
        return good

    async def _until(self, status: str, utc: float, request_id: int | None) -> None:
        """Wait; a station of 2.x says so."""
        left = utc - self._utc()
        if left > 0:
            if request_id is not None:
                self.tell_firmware(status, request_id)
            await asyncio.sleep(left)

    def _new_firmware(self, update: Update) -> None:
        if update.request_id is not None:
            self.tell_firmware("InstallRebooting", update.request_id)
        self.firmware = update.version
        self._installed = -1 if update.request_id is None else update.request_id
        self.reboot("Reboot", "FirmwareUpdate")


def moment_or(text: str | None, otherwise: float) -> float:
    """UTC [s] of a date that may be missing or unusable."""
    try:
        return otherwise if text is None else moment_of(text)
    except ValueError:
        return otherwise
