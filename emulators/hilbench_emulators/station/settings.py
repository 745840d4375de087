"""What differs between one make of station and the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from hilbench_emulators.dc_outlet.settings import DcSettings
from hilbench_emulators.personality import STANDARD, Personality
from hilbench_emulators.pilot.evse_watch import EvseTiming
from hilbench_emulators.smart_charging import Options, Version, options_for

_PLAIN_MODES = frozenset({"ChargingOnly"})
_LINKED_MODES = frozenset({"ChargingOnly", "CentralSetpoint", "CentralFrequency", "Idle"})
PILOT = EvseTiming(energise_s=0.0, open_s=0.0, retry_s=30.0)
"""A contactor that moves at once, and 30 s of x1 after a fault of the pilot (WARP, read-code), then a new attempt."""


@dataclass(frozen=True)
class StationSettings:
    """Behaviour of a station; the defaults are those of a well-behaved one.

    ``raise_spacing_s``, ``follow_s``: IEC 61851-1 gives a car 5 s to follow a changed duty cycle (recalled).
    ``pilot.force_s``: a station that withdraws its PWM opens the contactor after 6 s at the latest (IEC 61851-1 Table
    A.6 sequence 10, recalled). ``over_s``, ``over_offset_a``, ``over_factor``: policy-default. ``message_timeout_s``:
    OCPP 1.6 errata 3.83 (standard-text). The others are policy-default.
    """

    boot_s: float = 5.0
    """From supply to the first attempt to connect [s]."""
    vendor: str = "hilbench"
    model: str = "ac-outlet"
    firmware: str = "1"
    id_tag: str = ""
    """Tag that is presented at plug-in; empty: ``TAG-<role>``."""
    download_s: float = 30.0
    """Time to fetch firmware [s]."""
    install_s: float = 60.0
    """Time to install firmware, before the reboot [s]."""
    upload_s: float = 10.0
    """Time to upload a log [s]."""
    sample_interval_s: int = 60
    """MeterValueSampleInterval as delivered [s]."""
    heartbeat_s: int = 300
    """Heartbeat interval when the boot answer says 0 [s]."""
    boot_retry_s: float = 60.0
    """Next BootNotification after Pending or Rejected when the answer's interval is 0 [s]."""
    clock_step_s: float = 1.0
    """A clock that differs from the controller's by more than this is set [s]."""
    raise_spacing_s: float = 5.0
    pilot: EvseTiming = PILOT
    """What it makes of the car's side of its pilot; of its times, ``spacing_s`` and ``b1_s`` are not used here."""
    over_s: float = 7.0
    over_offset_a: float = 0.5
    over_factor: float = 1.10
    backoff_min_s: float = 1.0
    backoff_max_s: float = 30.0
    """Longest wait of OCPP 1.6 [s]."""
    backoff_range_s: float = 1.0
    """Random part of a wait of OCPP 2.x [s] (RetryBackOffRandomRange)."""
    backoff_repeats: int = 5
    """How often OCPP 2.x doubles its wait (RetryBackOffRepeatTimes)."""
    message_timeout_s: float = 30.0
    ping_interval_s: float = 900.0
    ping_timeout_s: float = 15.0
    boot_on_reconnect: bool = False
    max_profiles: int = 20
    max_stack_level: int = 10
    max_periods: int = 24
    queue_length: int = 1000
    """Meter values that are kept while offline; starts and stops are always kept."""
    transaction_attempts: int = 3
    connection_attempts: int = 3
    """How often one way to a controller is tried before the next."""
    transaction_retry_s: float = 60.0
    security_profile: int = 0
    """0 open, 1 password, 2 password in TLS, 3 client certificate in TLS (OCPP 2.0.1 A00, standard-text)."""
    password: str = ""
    """Of Basic authentication, with the identity as user; empty: none is sent."""
    ca_file: Path | None = None
    """CA that a server's certificate must be of; none: those of the machine."""
    certificate: Path | None = None
    """Its own certificate for profile 3, with ``key``."""
    key: Path | None = None
    iso15118: bool = False
    """It talks with the car over a link (ISO 15118): it tells the controller what the car needs (OCPP 2.x), and in 2.1
    it follows set points, also those that discharge a car which can."""
    link_s: float = 3.0
    """From authorisation to what the car needs, and from an order over the link to renegotiate it [s]."""
    compression: bool = False
    """Ask the controller for compressed messages (RFC 7692), which OCPP 2.x leaves to the station."""
    personality: Personality = STANDARD
    """Which make it is: how it treats profiles and what it reports."""
    dc: DcSettings | None = None
    """What is behind the outlet of a DC station; none: it is one for AC."""

    def options(self, version: Version) -> Options:
        """Knobs of its smart charging: what its make says, before these settings, before the text of ``version``."""
        base = replace(
            options_for(version),
            max_stack=self.max_stack_level,
            max_periods=self.max_periods,
            max_profiles=self.max_profiles,
            operation_modes=self.operation_modes(version),
        )
        return self.personality.options(base)

    def operation_modes(self, version: Version) -> frozenset[str]:
        """What a station with a link must follow (OCPP 2.1 Q01.FR.31, standard-text), and Idle; else charging only."""
        return _LINKED_MODES if self.iso15118 and version is Version.V21 else _PLAIN_MODES

    def sample_every(self, configured_s: float) -> float:
        """Seconds between meter values where ``configured_s`` is asked for; 0: none."""
        return self.personality.reporting.interval_s or configured_s
