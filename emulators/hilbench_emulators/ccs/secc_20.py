"""The station's steps of ISO 15118-20, external payment: AC and DC, Scheduled and Dynamic, with and without giving."""

from __future__ import annotations

import math

from hilbench_emulators.ccs import timeouts
from hilbench_emulators.ccs.figures import Body, Limits, number, rational, read, signed
from hilbench_emulators.ccs.secc import TABLES, Secc, Step, Then
from hilbench_emulators.ccs.secc_old import (
    authorise,
    check_cable,
    give,
    idle,
    join,
    precharge,
    processing,
    scheduled,
    stop,
    wait_for_schedule,
    watch_voltage,
    weld,
)
from hilbench_emulators.ccs.services import Service, parameters

DAY_S = 86400
NOTIFIED = {
    "stop": "Terminate",
    "emergency": "Terminate",
    "pause": "Pause",
    "renegotiate": "ScheduleRenegotiation",
    "service": "ServiceRenegotiation",
    "resume": "ExitStandby",
}
"""What a station's wish is called; a car goes into standby by itself."""


def _to(*names: str) -> Then:
    return lambda _secc, _body: names


def _nothing(_secc: Secc, _body: Body) -> Body:
    return {}


def _ok(_secc: Secc, _body: Body) -> str:
    return "OK"


def _notified(secc: Secc) -> Body:
    want = "stop" if secc.supply.ended else secc.want
    if want not in NOTIFIED:
        return {}
    return {"EVSEStatus": {"NotificationMaxDelay": 0, "EVSENotification": NOTIFIED[want]}}


def _offered(secc: Secc) -> list[Service]:
    return [service for service in secc.station.services if service.power == secc.progress.power]


def _authorisations(_secc: Secc, _body: Body) -> Body:
    return {
        "AuthorizationServices": ["EIM"],
        "CertificateInstallationService": False,
        "EIM_ASResAuthorizationMode": {},
    }


def _authorise(secc: Secc, body: Body) -> str:
    if body["SelectedAuthorizationService"] != "EIM":
        return "WARNING_AuthorizationSelectionInvalid"
    return authorise(secc, body)


def _authorised_then(secc: Secc, body: Body) -> tuple[str, ...]:
    known = secc.authorised and body["SelectedAuthorizationService"] == "EIM"
    return ("ServiceDiscoveryReq",) if known else ("AuthorizationReq",)


def _services(secc: Secc, body: Body) -> Body:
    wanted = set(body.get("SupportedServiceIDs", {}).get("ServiceID", ()))
    ids = sorted({service.id for service in _offered(secc)})
    shown = [number for number in ids if not wanted or number in wanted] or ids
    listed = [{"ServiceID": number, "FreeService": False} for number in shown]
    return {"ServiceRenegotiationSupported": True, "EnergyTransferServiceList": {"Service": listed}}


def _detail(secc: Secc, body: Body) -> str:
    return "OK" if any(s.id == body["ServiceID"] for s in _offered(secc)) else "FAILED_ServiceIDInvalid"


def _details(secc: Secc, body: Body) -> Body:
    sets = [parameters(service) for service in _offered(secc) if service.id == body.get("ServiceID")]
    listed = sets or [parameters(Service(secc.progress.power))]
    return {"ServiceID": body.get("ServiceID", 0), "ServiceParameterList": {"ParameterSet": listed}}


def _select(secc: Secc, body: Body) -> str:
    chosen = body["SelectedEnergyTransferService"]
    for service in _offered(secc):
        if (service.id, service.parameter_set) == (chosen["ServiceID"], chosen["ParameterSetID"]):
            secc.progress.service = service
            return "OK"
    known = any(service.id == chosen["ServiceID"] for service in _offered(secc))
    return "FAILED_ServiceSelectionInvalid" if known else "FAILED_NoEnergyTransferServiceSelected"


def _selected_then(secc: Secc, _body: Body) -> tuple[str, ...]:
    return (f"{secc.progress.power.upper()}_ChargeParameterDiscoveryReq",)


def _discover(secc: Secc, body: Body) -> str:
    prefix = "BPT_" if secc.progress.service.giving else ""
    given = body.get(f"{prefix}{secc.progress.power.upper()}_CPDReqEnergyTransferMode")
    if given is None:
        return "FAILED_WrongChargeParameter"
    low, high = number(given["EVMinimumChargePower"]), number(given["EVMaximumChargePower"])
    volts = read(given, "EVMaximumVoltage", secc.limits().min_v)
    sound = 0.0 <= low <= high and high > 0.0 and volts >= secc.limits().min_v
    return "OK" if sound else "FAILED_WrongChargeParameter"


def _parameters_dc(secc: Secc, _body: Body) -> Body:
    limits, giving = secc.limits(), secc.progress.service.giving
    mode = {
        "EVSEMaximumChargePower": rational(max(limits.max_w, 0.0)),
        "EVSEMinimumChargePower": rational(0.0),
        "EVSEMaximumChargeCurrent": rational(max(limits.max_a, 0.0)),
        "EVSEMinimumChargeCurrent": rational(0.0),
        "EVSEMaximumVoltage": rational(limits.max_v),
        "EVSEMinimumVoltage": rational(limits.min_v),
    }
    if not giving:
        return {"DC_CPDResEnergyTransferMode": mode}
    mode |= dict((_low_w(limits), _low_a(limits)))
    mode |= {"EVSEMinimumDischargePower": rational(0.0), "EVSEMinimumDischargeCurrent": rational(0.0)}
    return {"BPT_DC_CPDResEnergyTransferMode": mode}


def _low_w(limits: Limits) -> tuple[str, Body]:
    return signed("EVSEMaximumDischargePower", min(limits.low_w, 0.0))


def _low_a(limits: Limits) -> tuple[str, Body]:
    return signed("EVSEMaximumDischargeCurrent", min(limits.low_a, 0.0))


def _volts(secc: Secc) -> float:
    """What a current per phase is multiplied with."""
    return secc.station.nominal_v * secc.station.phases


def _most_w(secc: Secc) -> float:
    limits = secc.limits()
    volts = _volts(secc) if secc.progress.power == "ac" else limits.max_v
    return max(min(limits.max_w, limits.max_a * volts), 0.0)


def _least_w(secc: Secc) -> float:
    limits = secc.limits()
    volts = _volts(secc) if secc.progress.power == "ac" else limits.max_v
    return min(max(limits.low_w, limits.low_a * volts), 0.0)


def _parameters_ac(secc: Secc, _body: Body) -> Body:
    mode = {
        "EVSEMaximumChargePower": rational(_most_w(secc)),
        "EVSEMinimumChargePower": rational(0.0),
        "EVSENominalFrequency": rational(50.0),
    }
    if not secc.progress.service.giving:
        return {"AC_CPDResEnergyTransferMode": mode}
    mode |= dict((signed("EVSEMaximumDischargePower", _least_w(secc)),))
    mode["EVSEMinimumDischargePower"] = rational(0.0)
    return {"BPT_AC_CPDResEnergyTransferMode": mode}


def _exchange(secc: Secc, body: Body) -> str:
    dynamic = "Dynamic_SEReqControlMode" in body
    if dynamic != secc.progress.service.dynamic:
        return "FAILED_ScheduleRenegotiation"
    return wait_for_schedule(secc)


def _schedule(secc: Secc, watts: float) -> Body:
    """A day of one power and one price level; the schema lets prices out, iso15118 0.31.2 does not (read-code)."""
    power = {"PowerScheduleEntry": [{"Duration": DAY_S, "Power": rational(watts)}]}
    level = {"PriceLevelScheduleEntry": [{"Duration": DAY_S, "PriceLevel": 0}]}
    prices = {"TimeAnchor": secc.unix_s, "PriceScheduleID": 1, "NumberOfPriceLevels": 1}
    return {
        "PowerSchedule": {"TimeAnchor": secc.unix_s, "PowerScheduleEntries": power},
        "PriceLevelSchedule": {**prices, "PriceLevelScheduleEntries": level},
    }


def _exchanged(secc: Secc, _body: Body) -> Body:
    processing_ = {"EVSEProcessing": "Finished" if scheduled(secc) else "Ongoing"}
    if secc.progress.service.dynamic:
        return {**processing_, "Dynamic_SEResControlMode": {}}
    secc.progress.offered_w = _most_w(secc)
    offer: Body = {"ScheduleTupleID": 1, "ChargingSchedule": _schedule(secc, secc.progress.offered_w)}
    if secc.progress.service.giving:
        offer["DischargingSchedule"] = _schedule(secc, -_least_w(secc))
    return {**processing_, "Scheduled_SEResControlMode": {"ScheduleTuple": [offer]}}


def _exchanged_then(secc: Secc, _body: Body) -> tuple[str, ...]:
    if not scheduled(secc):
        return ("ScheduleExchangeReq",)
    begin = ("DC_CableCheckReq",) if secc.progress.power == "dc" else ("PowerDeliveryReq",)
    return (*begin, "PowerDeliveryReq") if secc.progress.renegotiating else begin


def _checked(secc: Secc, _body: Body) -> Body:
    return {"EVSEProcessing": "Finished" if secc.progress.checked else "Ongoing"}


def _checked_then(secc: Secc, _body: Body) -> tuple[str, ...]:
    return ("DC_PreChargeReq",) if secc.progress.checked else ("DC_CableCheckReq",)


def _precharge(secc: Secc, body: Body) -> str:
    return precharge(secc, number(body["EVTargetVoltage"]))


def _voltage(secc: Secc, _body: Body) -> Body:
    return {"EVSEPresentVoltage": rational(secc.voltage_v)}


def _deliver(secc: Secc, body: Body) -> str:
    progress = body["ChargeProgress"]
    if progress == "ScheduleRenegotiation" and not secc.progress.looping:
        return "FAILED_SequenceError"
    if _undecided(body):
        most_s = timeouts.seconds("ongoing", "iso20")
        return "FAILED_PowerDeliveryNotApplied" if secc.stopping else secc.ongoing("power profile", most_s, False)
    secc.progress.begun.pop("power profile", None)
    secc.progress.standby = progress == "Standby"
    if progress == "Start":
        bad = _wrong_profile(secc, body)
        if bad or secc.stopping:
            return bad or "FAILED_PowerDeliveryNotApplied"
        secc.progress.looping, secc.progress.renegotiating = True, False
        secc.fulfilled("resume")
        secc.switch(True)
        return "OK"
    secc.progress.renegotiating = progress == "ScheduleRenegotiation"
    if progress == "ScheduleRenegotiation":
        secc.fulfilled("renegotiate")
        secc.progress.begun.pop("schedule", None)
        return "OK"
    secc.progress.looping = progress == "Standby"
    idle(secc)
    return "OK"


def _undecided(body: Body) -> bool:
    """Whether a car that wants to start is still at work on its power profile."""
    return bool(body["ChargeProgress"] == "Start" and body["EVProcessing"] != "Finished")


def _wrong_profile(secc: Secc, body: Body) -> str:
    profile = body.get("EVPowerProfile")
    if profile is None:
        return "" if secc.progress.service.dynamic else "FAILED_EVPowerProfileInvalid"
    scheduled = profile.get("Scheduled_EVPPTControlMode")
    if (scheduled is None) != secc.progress.service.dynamic:
        return "FAILED_EVPowerProfileInvalid"
    if scheduled is None:
        return ""
    if scheduled["SelectedScheduleTupleID"] != 1:
        return "FAILED_ScheduleSelectionInvalid"
    powers = [number(entry["Power"]) for entry in profile["EVPowerProfileEntries"]["EVPowerProfileEntry"]]
    return "FAILED_EVPowerProfileViolation" if any(power > secc.progress.offered_w for power in powers) else ""


def _delivered_then(secc: Secc, body: Body) -> tuple[str, ...]:
    progress = body["ChargeProgress"]
    if _undecided(body):
        return ("PowerDeliveryReq",)
    if progress in ("Start", "Standby"):
        return (f"{secc.progress.power.upper()}_ChargeLoopReq", "PowerDeliveryReq")
    if progress == "ScheduleRenegotiation":
        return ("ScheduleExchangeReq",)
    return ("DC_WeldingDetectionReq", "SessionStopReq") if secc.progress.power == "dc" else ("SessionStopReq",)


def _mode(secc: Secc, power: str) -> str:
    """Of a message of AC or DC, whatever the session is: a refusal must be a message too."""
    service = secc.progress.service
    return f"{'BPT_' if service.giving else ''}{'Dynamic' if service.dynamic else 'Scheduled'}_{power}"


def _loop_dc(secc: Secc, body: Body) -> str:
    mode = body.get(f"{_mode(secc, 'DC')}_CLReqControlMode")
    if mode is None:
        return "FAILED"
    watch_voltage(secc, read(mode, "EVMaximumVoltage", math.inf))
    volts = number(body["EVPresentVoltage"])
    if volts > 0.0 and secc.setpoint.voltage_v > 0.0:
        secc.set(min(volts, secc.limits().max_v), secc.setpoint.current_a)
    secc.asked_a = _dynamic_a(secc, mode) if secc.progress.service.dynamic else number(mode["EVTargetCurrent"])
    if not secc.progress.service.giving:
        secc.asked_a = max(secc.asked_a, 0.0)
    give(secc, 0.0 if secc.progress.standby else secc.asked_a)
    return "OK"


def _dynamic_a(secc: Secc, mode: Body) -> float:
    """The current [A] that the station decides on, within what the car can do."""
    limits, volts = secc.limits(), max(secc.voltage_v, 1.0)
    wanted = limits.max_a if limits.target_w is None else limits.target_w / volts
    high = min(number(mode["EVMaximumChargeCurrent"]), number(mode["EVMaximumChargePower"]) / volts)
    low = max(read(mode, "EVMaximumDischargeCurrent", 0.0), read(mode, "EVMaximumDischargePower", 0.0) / volts)
    return max(min(wanted, max(high, 0.0)), low)


def _looped_dc(secc: Secc, _body: Body) -> Body:
    limits = secc.limits()
    max_a, max_w = (0.0, 0.0) if secc.stopping else (max(limits.max_a, 0.0), max(limits.max_w, 0.0))
    mode = {
        "EVSEMaximumChargePower": rational(max_w),
        "EVSEMinimumChargePower": rational(0.0),
        "EVSEMaximumChargeCurrent": rational(max_a),
        "EVSEMaximumVoltage": rational(limits.max_v),
    }
    if secc.progress.service.giving:
        mode |= dict((_low_w(limits), _low_a(limits)))
        mode |= {"EVSEMinimumDischargePower": rational(0.0), "EVSEMinimumVoltage": rational(limits.min_v)}
    return {
        **_notified(secc),
        "EVSEPresentCurrent": rational(secc.current_a),
        "EVSEPresentVoltage": rational(secc.voltage_v),
        "EVSEPowerLimitAchieved": secc.asked_a * secc.voltage_v >= max_w,
        "EVSECurrentLimitAchieved": secc.asked_a >= max_a,
        "EVSEVoltageLimitAchieved": secc.voltage_v >= limits.max_v,
        f"{_mode(secc, 'DC')}_CLResControlMode": mode,
    }


def _loop_ac(secc: Secc, body: Body) -> str:
    return "OK" if f"{_mode(secc, 'AC')}_CLReqControlMode" in body else "FAILED"


def target_w(secc: Secc) -> float:
    """The AC set point [W] of this moment: the wanted power within the limits, or the most."""
    if secc.stopping or secc.progress.standby:
        return 0.0
    wanted, most = secc.limits().target_w, _most_w(secc)
    low = _least_w(secc) if secc.progress.service.giving else 0.0
    return most if wanted is None else max(min(wanted, most), low)


def _looped_ac(secc: Secc, _body: Body) -> Body:
    mode = {"EVSETargetActivePower": rational(target_w(secc))}
    return {**_notified(secc), f"{_mode(secc, 'AC')}_CLResControlMode": mode}


def _stopped_then(_secc: Secc, body: Body) -> tuple[str, ...]:
    return ("ServiceDiscoveryReq",) if body["ChargingSession"] == "ServiceRenegotiation" else ()


def _stop(secc: Secc, body: Body) -> str:
    secc.fulfilled("service")
    secc.progress.begun.clear()
    secc.progress.checked = False
    return stop(secc, body)


def _loop_then(power: str) -> Then:
    return _to(f"{power}_ChargeLoopReq", "PowerDeliveryReq")


TABLES["iso20"] = {
    "SessionSetupReq": Step(join, lambda secc, _body: {"EVSEID": secc.station.evse_id}, _to("AuthorizationSetupReq")),
    "AuthorizationSetupReq": Step(_ok, _authorisations, _to("AuthorizationReq")),
    "AuthorizationReq": Step(_authorise, processing, _authorised_then),
    "ServiceDiscoveryReq": Step(_ok, _services, _to("ServiceDetailReq")),
    "ServiceDetailReq": Step(_detail, _details, _to("ServiceDetailReq", "ServiceSelectionReq")),
    "ServiceSelectionReq": Step(_select, _nothing, _selected_then),
    "DC_ChargeParameterDiscoveryReq": Step(_discover, _parameters_dc, _to("ScheduleExchangeReq")),
    "AC_ChargeParameterDiscoveryReq": Step(_discover, _parameters_ac, _to("ScheduleExchangeReq")),
    "ScheduleExchangeReq": Step(_exchange, _exchanged, _exchanged_then),
    "DC_CableCheckReq": Step(check_cable, _checked, _checked_then),
    "DC_PreChargeReq": Step(_precharge, _voltage, _to("DC_PreChargeReq", "PowerDeliveryReq")),
    "PowerDeliveryReq": Step(_deliver, lambda secc, _body: _notified(secc), _delivered_then),
    "DC_ChargeLoopReq": Step(_loop_dc, _looped_dc, _loop_then("DC")),
    "AC_ChargeLoopReq": Step(_loop_ac, _looped_ac, _loop_then("AC")),
    "DC_WeldingDetectionReq": Step(weld, _voltage, _to("DC_WeldingDetectionReq", "SessionStopReq")),
    "SessionStopReq": Step(_stop, _nothing, _stopped_then),
}
