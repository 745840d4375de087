"""The reference controller's end of OCPP on its own: a central system for tests that gives limits when told to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from hilbench.controller.csms import Csms
from hilbench.controller.dc_readings import DcReport
from hilbench.controller.readings import Counted
from hilbench.controller.runtime import speak
from hilbench.controller.settings import ControllerSettings


class Heard:
    """What the controller would be told of its stations."""

    def __init__(self) -> None:
        self.online: list[str] = []
        self.offline: list[str] = []
        self.statuses: list[tuple[str, str]] = []
        self.reports: list[tuple[str, dict[str, float]]] = []
        self.needs: list[tuple[str, dict[str, Any]]] = []
        self.confirmed: list[tuple[str, float]] = []
        self.dc_reports: list[tuple[str, DcReport]] = []

    @property
    def peak_a(self) -> float:
        """Highest current that any station has reported [A]."""
        return max((amps for _, currents in self.reports for amps in currents.values()), default=0.0)

    def on_online(self, role: str) -> None:
        """See ``hilbench.controller.conversation.Listener``."""
        self.online.append(role)

    def on_offline(self, role: str) -> None:
        """See ``hilbench.controller.conversation.Listener``."""
        self.offline.append(role)

    def on_status(self, role: str, status: str) -> None:
        """See ``hilbench.controller.conversation.Listener``."""
        self.statuses.append((role, status))

    def on_counted(self, role: str, counted: Counted) -> None:
        """See ``hilbench.controller.conversation.Listener``."""

    def on_needs(self, role: str, needs: Mapping[str, Any]) -> bool:
        """See ``hilbench.controller.conversation.Listener``."""
        self.needs.append((role, dict(needs)))
        return False

    def on_report(self, role: str, currents: Mapping[str, float]) -> None:
        """See ``hilbench.controller.conversation.Listener``."""
        self.reports.append((role, dict(currents)))

    def on_dc_report(self, role: str, report: DcReport) -> None:
        """See ``hilbench.controller.conversation.Listener``."""
        self.dc_reports.append((role, report))

    def on_site_meter(self, meter_value: list[dict[str, Any]]) -> None:
        """See ``hilbench.controller.csms.Listener``."""

    def on_confirmed(self, role: str, limit_a: float, lease_s: float) -> None:  # noqa: ARG002 - as the controller says it
        """See ``hilbench.controller.conversation.Listener``."""
        self.confirmed.append((role, limit_a))

    def on_refused(self, role: str, fallback: bool) -> None:
        """See ``hilbench.controller.conversation.Listener``."""

    def on_unanswered(self, role: str, limit_a: float, lease_s: float) -> None:
        """See ``hilbench.controller.conversation.Listener``."""

    def on_stopped(self, role: str) -> None:
        """See ``hilbench.controller.conversation.Listener``."""

    def on_said(self, role: str, said: Any) -> None:
        """See ``hilbench.controller.conversation.Listener``."""


@asynccontextmanager
async def central(identities: Iterable[str], port: int, fallback_a: float = 8.0) -> AsyncIterator[tuple[Csms, Heard]]:
    """A central system that knows ``identities`` and lets each have ``fallback_a`` [A]."""
    heard = Heard()
    csms = Csms(ControllerSettings(), {name: name for name in identities}, lambda _role: fallback_a, heard, speak)
    async with AsyncExitStack() as stack:
        await csms.serve("127.0.0.1", port, stack)
        yield csms, heard
