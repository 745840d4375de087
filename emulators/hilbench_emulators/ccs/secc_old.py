"""The station's steps of DIN 70121 and ISO 15118-2, external payment; what they share and where they differ."""

from __future__ import annotations

import math
from typing import Any

from hilbench_emulators.ccs import timeouts
from hilbench_emulators.ccs.figures import Body, number, physical, read
from hilbench_emulators.ccs.secc import TABLES, Secc, Step, Then

DC_MODES = ("DC_core", "DC_extended", "DC_combo_core", "DC_unique")
DAY_S = 86400
SERVICE = 1
"""The number of the charging service (ISO 15118-2 Table 105; recalled)."""
PRECHARGE_A = 2.0
"""The most current [A] of a pre-charge (IEC 61851-23; recalled)."""


def _din(secc: Secc) -> bool:
    return secc.progress.generation == "din"


def _to(*names: str) -> Then:
    return lambda _secc, _body: names


def _nothing(_secc: Secc, _body: Body) -> Body:
    return {}


def _ok(_secc: Secc, _body: Body) -> str:
    return "OK"


def dc_status(secc: Secc) -> Body:
    """DC_EVSEStatus; a supply that has ended is a shutdown."""
    if secc.want == "emergency":
        code = "EVSE_EmergencyShutdown"
    elif secc.stopping:
        code = "EVSE_Shutdown"
    elif not secc.progress.checked:
        code = "EVSE_IsolationMonitoringActive" if "cable check" in secc.progress.begun else "EVSE_NotReady"
    else:
        code = "EVSE_Ready"
    status = {"EVSEStatusCode": code, "NotificationMaxDelay": 0, "EVSENotification": notification(secc)}
    return {"EVSEIsolationStatus": "Valid", **status} if secc.progress.checked else status


def notification(secc: Secc) -> str:
    """EVSENotification; DIN 70121 knows no renegotiation (secondary: iso15118 0.31.2)."""
    if secc.stopping:
        return "StopCharging"
    return "ReNegotiation" if secc.want == "renegotiate" and not _din(secc) else "None"


def ac_status(secc: Secc) -> Body:
    """AC_EVSEStatus of ISO 15118-2."""
    return {"NotificationMaxDelay": 0, "EVSENotification": notification(secc), "RCD": secc.want == "emergency"}


def status(secc: Secc) -> Body:
    """The status under the name that it has."""
    return {"AC_EVSEStatus": ac_status(secc)} if secc.progress.power == "ac" else {"DC_EVSEStatus": dc_status(secc)}


def evse_id(secc: Secc) -> Any:
    """Bytes in DIN 70121, text later."""
    return secc.station.evse_id.encode()[:32] if _din(secc) else secc.station.evse_id


def join(secc: Secc, body: Body) -> str:
    """SessionSetupReq: the session that was paused, or a new one."""
    asked = body["Header"]["SessionID"]
    old = bool(secc.remembered) and asked == secc.remembered
    secc.progress.session_id = asked if old else secc.station.session_id
    return "OK_OldSessionJoined" if old else "OK_NewSessionEstablished"


def _modes(secc: Secc) -> list[str]:
    """Energy transfer modes that the station offers."""
    ac = ["AC_three_phase_core", "AC_single_phase_core"] if secc.station.phases == 3 else ["AC_single_phase_core"]
    found = ac if "ac" in secc.station.powers else []
    return found + (["DC_extended", "DC_core"] if "dc" in secc.station.powers else [])


def _services(secc: Secc, _body: Body) -> Body:
    tag = {"ServiceID": SERVICE, "ServiceCategory": "EVCharging"}
    pay = {"PaymentOption": ["ExternalPayment"]}
    if _din(secc):
        service: Body = {"ServiceTag": tag, "FreeService": False, "EnergyTransferType": "DC_extended"}
        return {"PaymentOptions": pay, "ChargeService": service}
    modes = {"EnergyTransferMode": _modes(secc)}
    service = {**tag, "FreeService": False, "SupportedEnergyTransferMode": modes}
    return {"PaymentOptionList": pay, "ChargeService": service}


def _detail(_secc: Secc, body: Body) -> str:
    return "OK" if body["ServiceID"] == SERVICE else "FAILED_ServiceIDInvalid"


def _select(secc: Secc, body: Body) -> str:
    chosen = [service["ServiceID"] for service in body["SelectedServiceList"]["SelectedService"]]
    if body["SelectedPaymentOption"] != "ExternalPayment":
        return "FAILED_PaymentSelectionInvalid"
    if SERVICE not in chosen:
        return "FAILED_ServiceSelectionInvalid" if _din(secc) else "FAILED_NoChargeServiceSelected"
    return "OK" if set(chosen) == {SERVICE} else "FAILED_ServiceSelectionInvalid"


def authorise(secc: Secc, _body: Body) -> str:
    """FAILED for a user who is refused, or for whom no decision comes."""
    if secc.authorised is False:
        return "FAILED"
    most_s = timeouts.seconds("ongoing, of the station", "iso2")
    return secc.ongoing("authorisation", most_s, secc.authorised is not None)


def processing(secc: Secc, _body: Body) -> Body:
    """Ongoing until the user is known."""
    return {"EVSEProcessing": "Finished" if secc.authorised else "Ongoing"}


def _authorised_then(secc: Secc, _body: Body) -> tuple[str, ...]:
    if secc.authorised:
        return ("ChargeParameterDiscoveryReq",)
    return ("ContractAuthenticationReq" if _din(secc) else "AuthorizationReq",)


def _discover(secc: Secc, body: Body) -> str:
    din = _din(secc)
    mode = body["EVRequestedEnergyTransferType" if din else "RequestedEnergyTransferMode"]
    power = "dc" if mode in DC_MODES else "ac"
    allowed = DC_MODES if din else (*_modes(secc), *(DC_MODES if "dc" in secc.station.powers else ()))
    if mode not in allowed:
        return "FAILED_WrongEnergyTransferType" if din else "FAILED_WrongEnergyTransferMode"
    secc.progress.power = "dc" if power == "dc" else "ac"
    given = body.get(f"{power.upper()}_EVChargeParameter")
    if given is None or not _sound(secc, given):
        return "FAILED_WrongChargeParameter"
    return wait_for_schedule(secc)


def wait_for_schedule(secc: Secc) -> str:
    """The code of a request that is repeated until there is a schedule."""
    return secc.ongoing("schedule", timeouts.seconds("ongoing, of the station", "iso2"), scheduled(secc))


def scheduled(secc: Secc) -> bool:
    """Whether there is one."""
    return secc.since("schedule") >= secc.station.schedule_s


def _sound(secc: Secc, given: Body) -> bool:
    """Whether a car's limits can be served at all."""
    if "EVMaxCurrent" in given:
        return number(given["EVMaxVoltage"]) > 0.0 and 0.0 < number(given["EVMinCurrent"]) <= number(
            given["EVMaxCurrent"]
        )
    volts, amps = number(given["EVMaximumVoltageLimit"]), number(given["EVMaximumCurrentLimit"])
    return amps > 0.0 and volts >= secc.limits().min_v


def most_w(secc: Secc) -> float:
    """The power [W] of the schedule: what the limits come to now."""
    limits, station = secc.limits(), secc.station
    volts = station.nominal_v * station.phases if secc.progress.power == "ac" else limits.max_v
    return max(min(limits.max_w, limits.max_a * volts), 0.0)


def _schedules(secc: Secc) -> Body:
    watts, din = most_w(secc), _din(secc)
    secc.progress.offered_w = watts
    if secc.station.quirks.no_schedules:
        secc.progress.offered_w = math.inf
        return {"SASchedules": {}}
    entry: Body = {"RelativeTimeInterval": {"start": 0, "duration": DAY_S}}
    entry["PMax"] = int(min(watts, 32767)) if din else physical(watts, "W")
    schedule: Body = {"PMaxScheduleEntry": [entry]}
    if din:
        schedule["PMaxScheduleID"] = 1
    return {"SAScheduleList": {"SAScheduleTuple": [{"SAScheduleTupleID": 1, "PMaxSchedule": schedule}]}}


def _parameters(secc: Secc, _body: Body) -> Body:
    limits, station = secc.limits(), secc.station
    answer = {"EVSEProcessing": "Finished" if scheduled(secc) else "Ongoing", **_schedules(secc)}
    if secc.progress.power == "ac":
        answer["AC_EVSEChargeParameter"] = {
            "AC_EVSEStatus": ac_status(secc),
            "EVSENominalVoltage": physical(station.nominal_v, "V"),
            "EVSEMaxCurrent": physical(most_ac_a(secc), "A"),
        }
        return answer
    answer["DC_EVSEChargeParameter"] = {
        "DC_EVSEStatus": dc_status(secc),
        "EVSEMaximumCurrentLimit": physical(max(limits.max_a, 0.0), "A"),
        "EVSEMaximumPowerLimit": physical(max(limits.max_w, 0.0), "W"),
        "EVSEMaximumVoltageLimit": physical(limits.max_v, "V"),
        "EVSEMinimumCurrentLimit": physical(0.0, "A"),
        "EVSEMinimumVoltageLimit": physical(limits.min_v, "V"),
        "EVSEPeakCurrentRipple": physical(1.0, "A"),
    }
    return answer


def _discovered_then(secc: Secc, _body: Body) -> tuple[str, ...]:
    if not scheduled(secc):
        return ("ChargeParameterDiscoveryReq",)
    secc.progress.begun.pop("cable check", None)
    return ("PowerDeliveryReq",) if secc.progress.power == "ac" else ("CableCheckReq",)


def check_cable(secc: Secc, _body: Body) -> str:
    """A cable check takes its time; it fails when it takes too long, or when the station has been stopped."""
    if secc.stopping:
        return "FAILED"
    done = secc.since("cable check") >= secc.station.cable_check_s
    secc.progress.checked = done
    secc.switch(True)
    secc.set(0.0 if done else min(500.0, secc.limits().max_v), 0.0)
    return secc.ongoing("cable check", timeouts.seconds("cable check, of the station", "iso2"), done)


def checked(secc: Secc, _body: Body) -> Body:
    """Ongoing until the cable check is over."""
    return {"DC_EVSEStatus": dc_status(secc), "EVSEProcessing": "Finished" if secc.progress.checked else "Ongoing"}


def _checked_then(secc: Secc, _body: Body) -> tuple[str, ...]:
    return ("PreChargeReq",) if secc.progress.checked else ("CableCheckReq",)


def _precharge(secc: Secc, body: Body) -> str:
    return precharge(secc, number(body["EVTargetVoltage"]))


def precharge(secc: Secc, target_v: float) -> str:
    """Head for a voltage within the limits, without current; a station that has been stopped fails."""
    if secc.stopping:
        return "FAILED"
    volts = max(target_v, 0.0) * secc.station.quirks.overshoot
    secc.set(min(volts, secc.limits().max_v), 0.0)
    return "OK"


def _precharged(secc: Secc, _body: Body) -> Body:
    return {"DC_EVSEStatus": dc_status(secc), "EVSEPresentVoltage": physical(secc.voltage_v, "V")}


def _progress(secc: Secc, body: Body) -> str:
    if _din(secc):
        return "Start" if body["ReadyToChargeState"] else "Stop"
    return str(body["ChargeProgress"])


def _deliver(secc: Secc, body: Body) -> str:
    progress = _progress(secc, body)
    if progress == "Renegotiate" and not secc.progress.looping:
        return "FAILED_SequenceError"
    if progress != "Start":
        secc.progress.looping = False
        idle(secc)
        return "OK"
    bad = _wrong_schedule(secc, body)
    if bad or secc.stopping:
        return bad or "FAILED_PowerDeliveryNotApplied"
    secc.progress.looping = True
    secc.switch(True)
    return "OK"


def idle(secc: Secc) -> None:
    """No current; an AC contactor opens."""
    secc.asked_a = 0.0
    if secc.progress.power == "ac":
        secc.off()
    else:
        secc.set(secc.setpoint.voltage_v, 0.0)


def _wrong_schedule(secc: Secc, body: Body) -> str:
    profile = body.get("ChargingProfile")
    tuple_id = body.get("SAScheduleTupleID", (profile or {}).get("SAScheduleTupleID", 1))
    if tuple_id != 1:
        return "FAILED_TariffSelectionInvalid"
    entries = profile["ProfileEntry"] if profile else []
    wanted = [entry["ChargingProfileEntryMaxPower"] for entry in entries]
    watts = [float(power) if isinstance(power, int) else number(power) for power in wanted]
    return "FAILED_ChargingProfileInvalid" if any(power > secc.progress.offered_w for power in watts) else ""


def _delivered(secc: Secc, _body: Body) -> Body:
    return status(secc)


def _delivered_then(secc: Secc, body: Body) -> tuple[str, ...]:
    progress = _progress(secc, body)
    ac = secc.progress.power == "ac"
    if progress == "Start":
        return ("ChargingStatusReq" if ac else "CurrentDemandReq", "PowerDeliveryReq")
    if progress == "Renegotiate":
        secc.fulfilled("renegotiate")
        secc.progress.begun.pop("schedule", None)
        return ("ChargeParameterDiscoveryReq",)
    return ("SessionStopReq",) if ac else ("WeldingDetectionReq", "SessionStopReq")


def _demand(secc: Secc, body: Body) -> str:
    secc.asked_a = number(body["EVTargetCurrent"])
    watch_voltage(secc, read(body, "EVMaximumVoltageLimit", math.inf))
    give(secc, max(secc.asked_a, 0.0))
    return "OK"


def give(secc: Secc, asked_a: float) -> None:
    """Head for what is asked, as far as the limits of this moment let; the battery keeps its voltage."""
    secc.limits()
    amps = 0.0 if secc.stopping else secc.supply.give(secc.now_s, secc.voltage_v, asked_a)
    amps = _delivered_a(secc, amps)
    if secc.closed is None:
        secc.set(secc.setpoint.voltage_v, amps)


def _delivered_a(secc: Secc, amps: float) -> float:
    """What the outlet really heads for [A]; a station that gives less than it offers may lose patience with the car."""
    quirks = secc.station.quirks
    if quirks.delivers_a is None or amps <= quirks.delivers_a:
        secc.progress.begun.pop("less than asked", None)
        return amps
    if quirks.resets_after_s is not None and secc.since("less than asked") >= quirks.resets_after_s:
        secc.close("the station broke the connection: the car asks for more than it gets")
    return quirks.delivers_a


def watch_voltage(secc: Secc, most_v: float) -> None:
    """A station that does so ends a session whose voltage has been above the car's highest for too long."""
    most_s = secc.station.quirks.ends_above_maximum_s
    if most_s is None or secc.voltage_v <= most_v:
        secc.progress.begun.pop("above the car's highest voltage", None)
    elif secc.since("above the car's highest voltage") >= most_s:
        secc.end()


def _demanded(secc: Secc, _body: Body) -> Body:
    """The limits of this very moment, and whether the car asks for more."""
    limits = secc.limits()
    max_a, max_w = (0.0, 0.0) if secc.stopping else (max(limits.max_a, 0.0), max(limits.max_w, 0.0))
    answer: Body = {
        "DC_EVSEStatus": dc_status(secc),
        "EVSEPresentVoltage": physical(secc.voltage_v, "V"),
        "EVSEPresentCurrent": physical(secc.current_a, "A"),
        "EVSECurrentLimitAchieved": secc.asked_a >= max_a,
        "EVSEVoltageLimitAchieved": secc.voltage_v >= limits.max_v,
        "EVSEPowerLimitAchieved": secc.asked_a * secc.voltage_v >= max_w,
        "EVSEMaximumVoltageLimit": physical(limits.max_v, "V"),
        "EVSEMaximumCurrentLimit": physical(max_a, "A"),
        "EVSEMaximumPowerLimit": physical(max_w, "W"),
    }
    return answer if _din(secc) else {**answer, "EVSEID": secc.station.evse_id, "SAScheduleTupleID": 1}


def most_ac_a(secc: Secc) -> float:
    """The most AC current [A] per phase."""
    limits, station = secc.limits(), secc.station
    return max(min(limits.max_a, limits.max_w / (station.nominal_v * station.phases)), 0.0)


def _charging(secc: Secc, _body: Body) -> Body:
    return {
        "EVSEID": secc.station.evse_id,
        "SAScheduleTupleID": 1,
        "EVSEMaxCurrent": physical(0.0 if secc.stopping else most_ac_a(secc), "A"),
        "AC_EVSEStatus": ac_status(secc),
    }


def weld(secc: Secc, _body: Body) -> str:
    """The outlet goes off, so that the car can see whether its contactor has opened."""
    secc.off()
    return "OK"


def _welded(secc: Secc, _body: Body) -> Body:
    return {"DC_EVSEStatus": dc_status(secc), "EVSEPresentVoltage": physical(secc.voltage_v, "V")}


def stop(secc: Secc, _body: Body) -> str:
    """SessionStopReq."""
    secc.off()
    return "OK"


LOOP_DC, LOOP_AC = ("CurrentDemandReq", "PowerDeliveryReq"), ("ChargingStatusReq", "PowerDeliveryReq")
AFTER_SERVICES = _to("ServiceDetailReq", "PaymentServiceSelectionReq")
SHARED = {
    "ServiceDiscoveryReq": Step(_ok, _services, AFTER_SERVICES),
    "ChargeParameterDiscoveryReq": Step(_discover, _parameters, _discovered_then),
    "CableCheckReq": Step(check_cable, checked, _checked_then),
    "PreChargeReq": Step(_precharge, _precharged, _to("PreChargeReq", "PowerDeliveryReq")),
    "PowerDeliveryReq": Step(_deliver, _delivered, _delivered_then),
    "CurrentDemandReq": Step(_demand, _demanded, _to(*LOOP_DC)),
    "WeldingDetectionReq": Step(weld, _welded, _to("WeldingDetectionReq", "SessionStopReq")),
    "SessionStopReq": Step(stop, _nothing, _to()),
}
AUTHORISATION = Step(authorise, processing, _authorised_then)
SETUP = Step(join, lambda secc, _body: {"EVSEID": evse_id(secc)}, _to("ServiceDiscoveryReq"))
TABLES["din"] = {
    **SHARED,
    "SessionSetupReq": SETUP,
    "ServiceDiscoveryReq": Step(_ok, _services, _to("ServicePaymentSelectionReq")),
    "ServicePaymentSelectionReq": Step(_select, _nothing, _to("ContractAuthenticationReq")),
    "ContractAuthenticationReq": AUTHORISATION,
}
TABLES["iso2"] = {
    **SHARED,
    "SessionSetupReq": SETUP,
    "ServiceDetailReq": Step(_detail, lambda _secc, body: {"ServiceID": body["ServiceID"]}, AFTER_SERVICES),
    "PaymentServiceSelectionReq": Step(_select, _nothing, _to("AuthorizationReq")),
    "AuthorizationReq": AUTHORISATION,
    "ChargingStatusReq": Step(_ok, _charging, _to(*LOOP_AC)),
}
