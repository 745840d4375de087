"""Settings of the reference controller; every default says why it is what it is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hilbench.controller.dimming import DimmingSettings
from hilbench.controller.peaks import Hold
from hilbench.controller.planning.settings import PlanSettings
from hilbench.controller.signals.openadr2 import OpenAdr2Settings
from hilbench.controller.signals.port import OpenAdrSettings
from hilbench.site import MINIMUM_CURRENT_A, Branch, Integer, Model, Number, RelativePath, Seconds

REPORTS_S = 15.0
"""``raise_share`` is meant for reports as far apart as this (policy)."""

Policy = Literal["static", "dynamic", "coordinated", "v2g"]


class ControllerSettings(Model):
    """Keys of ``[controller]`` in a rig file, beside ``kind``, ``ocpp`` and ``defect``. Times in seconds.

    All defaults are policy: short enough for the limits of profile ``generic-v0``, long enough not to hunt.
    """

    policy: Policy = "dynamic"
    plan: PlanSettings = PlanSettings()
    """What coordinated charging and V2G plan with."""
    openadr: OpenAdrSettings | None = None
    """Which VTN is asked for limits of the site's import; none: nobody."""
    openadr2: OpenAdr2Settings | None = None
    """The same for a VTN of OpenADR 2.0b, in real time and with the extra of this name; none: nobody."""
    operator: DimmingSettings | None = None
    """Limits of the grid operator for all stations, told over HTTP with a heartbeat (section 14a EnWG); none: none."""
    meter_poll_s: Seconds = 1.0
    """How often the meter is asked, halfway between its samples; no use to be faster than it samples."""
    idle_poll_s: Seconds = 5.0
    """How often it is asked while no car wants current, at most ``stale_s`` / 2."""
    stale_s: Seconds = 10.0
    """Without a usable meter value for so long, every station goes to its fallback."""
    frozen_s: Seconds = 10.0
    """So long may all registers, energy and voltages included, stay bit for bit the same."""
    filter_s: Annotated[Number, Field(ge=0, le=60)] = 0.0
    """Currents are averaged over so long, 0: not at all. A step is half known after half of it and wholly after all of
    it, and so much longer lasts an excess over the budget; a sample above the service's rating counts as it is."""
    lease_s: Seconds = 30.0
    """A limit runs out after so long unless it is renewed: the dead-man of every output."""
    settle_s: Seconds = 10.0
    """A car may take 5 s to follow its pilot (IEC 61851-1 Annex A), slow ones 8 s (measured): then it has settled."""
    follow_s: Seconds = 4.0
    """After so long a reduction counts as made when the building is estimated: most cars take 2 to 3 s (measured on
    19 models), and a meter's sample is up to 1 s old. A slower one looks like more load for a moment: the safe side."""
    discover: Annotated[bool, Field(strict=True)] = True
    """Ask each station once what smart charging it has: which units, stack levels and periods."""
    reaction_s: Seconds = 10.0
    """A station that still draws more than its limit after so long does not obey it; at least ``settle_s``, or cars
    that are slow are taken for stations that do not obey."""
    verify_a: Annotated[Number, Field(ge=0)] = 4.0
    """A reduction by so much is checked after ``reaction_s`` by a report that is asked for, once, where none came by
    itself; 0: never."""
    readback_s: Annotated[Number, Field(ge=0, le=86_400)] = 300.0
    """How often a station where a car charges is asked which limits are in force (GetCompositeSchedule); 0: never."""
    stop_strays: Annotated[bool, Field(strict=True)] = True
    """The last resort: end the session of a station that does not obey where the budget cannot be kept in any other
    way, after it was not kept for ``reaction_s``."""
    believe_s: Seconds = 120.0
    """A station that did not obey is steered again when all its reports have been within its limit for so long."""
    unknown_a: Literal["fallback", "max"] = "fallback"
    """What a station may take that was not heard of since the start: its fallback, which stations keep through loss of
    power (OCPP 1.6 errata 3.37, 2.0.1 K01.FR.27; standard-text) and the commissioning checklist tries, or its
    nameplate, for sites where stations were never connected before or are known to forget."""
    raise_hold_s: Seconds = 45.0
    """Headroom counts once it has been there for so long; twice as long where loads were seen to come back later."""
    quick_hold_s: Seconds = 5.0
    """And after so long (at most ``raise_hold_s``) where the load that left it had run for ``steady_s`` and none was
    seen to come back lately: what one or two samples miss is no headroom."""
    steady_s: Seconds = 120.0
    """Longer than thermostats leave a cooktop or an oven on in one go; heavier loads that cycle run for longer."""
    raise_step_a: Annotated[Number, Field(gt=0)] = 8.0
    """Largest single raise of a station; the next one follows after ``settle_s``."""
    raise_share: Annotated[Number, Field(gt=0, le=1)] = 0.15
    """Raises that cars may not have followed yet, as a share of the service's limit: what could hide a load step. More
    in proportion where stations report more often than every 15 s, so that it is hidden for less time."""
    resume_hold_s: Seconds = 30.0
    """A car that was paused stays so for so long: contactors and cars dislike quick repeats."""
    recover_s: Seconds = 30.0
    """A meter that was lost is trusted again after so long of good values."""
    rotation_s: Seconds = 900.0
    """When not all cars can have 6 A, turns last so long (as in Tinkerforge's charge manager, read-code)."""
    most_wait_s: Seconds = 10_800.0
    """A car that waits has a turn after so long at the latest, before cars of a higher class: nobody starves."""
    random_delay_s: Annotated[Integer, Field(ge=0, le=1800)] = 0
    """Sessions and planned periods begin up to so much later, at random (UK SI 2021/1467 reg. 11 wants 600 s); a
    reduction never waits, and a boost skips it. 0: no delay."""
    margin_a: Annotated[Number, Field(ge=0)] = 2.0
    """Kept free below every limit: 1 % for a class 1 CT, and what a rising load gains while cars follow."""
    minimum_a: Annotated[Number, Field(ge=6)] = MINIMUM_CURRENT_A
    """Least current of a car that charges with AC; of others see ``least_a``."""
    sample_s: Annotated[Integer, Field(ge=1, le=3600)] = 15
    """MeterValueSampleInterval that stations are asked for."""
    heartbeat_s: Annotated[int, Field(ge=1, le=86_400)] = 900
    """Heartbeat interval that stations are told; pings and reports show sooner that one is gone."""
    allow_export: Annotated[bool, Field(strict=True)] = False
    """True where the site has generation: then negative power is no sign of a reversed CT."""
    ping_s: Seconds = 20.0
    """WebSocket ping interval; half of it is the time-out."""
    call_timeout_s: Seconds = 5.0
    """A station that does not answer for so long is treated as not having the limit."""
    state_file: RelativePath | None = None
    """SQLite file in which turns, last limits and leases survive a restart; none: they do not."""
    status_port: Annotated[Integer, Field(ge=0, le=65_535)] = 0
    """Port of the loopback address that answers what it does and why (HTTP); 0: none."""
    settings_token_file: RelativePath | None = None
    """Who may change limits there: lines ``user TOKEN`` or ``installer TOKEN``, readable by its owner only."""
    audit_file: RelativePath | None = None
    """Where every attempt to do so is put down."""
    security_profile: Annotated[Integer, Field(ge=0, le=3)] = 0
    """What stations must show: 1 a password, 2 the same in TLS, 3 a client certificate (OCPP 2.0.1 A00)."""
    certificate: RelativePath | None = None
    """PEM file of its own certificate, for profiles 2 and 3; ``key`` is its key."""
    key: RelativePath | None = None
    client_ca: RelativePath | None = None
    """PEM file of the CA that stations' certificates are of, for profile 3."""

    def least_a(self, branch: Branch) -> float:
        """Least current [A] of a car that charges at ``branch``: a pilot says no less than 6 A, DC knows no pilot."""
        return branch.minimum_a if branch.kind == "dc" else max(self.minimum_a, branch.minimum_a)

    @property
    def hold(self) -> Hold:
        """How long what the building drew keeps headroom from being used."""
        return Hold(self.raise_hold_s, min(self.quick_hold_s, self.raise_hold_s), self.steady_s)

    @property
    def raise_in_flight(self) -> float:
        """``raise_share``, or more of it where reports come often."""
        hidden_s = self.settle_s + self.sample_s
        return self.raise_share * max((self.settle_s + REPORTS_S) / hidden_s, 1.0)

    @property
    def plans(self) -> bool:
        """Its policy plans ahead: then it matters what cars need and how much they have got."""
        return self.policy in ("coordinated", "v2g")

    @property
    def exports(self) -> bool:
        """Power may flow into the grid here: negative power is no sign of a reversed CT."""
        return self.allow_export or self.policy == "v2g"

    @model_validator(mode="after")
    def _prices_have_a_source(self) -> ControllerSettings:
        if self.plan.price_signal and self.openadr is None:
            raise ValueError("plan.price_signal has nobody to ask; give openadr")
        return self

    @model_validator(mode="after")
    def _one_limit(self) -> ControllerSettings:
        if self.openadr is not None and self.openadr2 is not None:
            raise ValueError("openadr and openadr2 would give two limits of the import; give one of them")
        return self

    @model_validator(mode="after")
    def _changes_leave_a_trace(self) -> ControllerSettings:
        if self.settings_token_file is not None and (not self.status_port or self.audit_file is None):
            raise ValueError("settings_token_file needs status_port and audit_file")
        return self

    @model_validator(mode="after")
    def _files_of_profile(self) -> ControllerSettings:
        if self.security_profile >= 2 and (self.certificate is None or self.key is None):
            raise ValueError(f"security_profile {self.security_profile} has no certificate; give certificate and key")
        if self.security_profile == 3 and self.client_ca is None:
            raise ValueError("security_profile 3 has no CA for its stations; give client_ca")
        return self
