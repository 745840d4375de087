"""The car's turns of DIN 70121 and ISO 15118-2, external payment; what they share and where they differ."""

from __future__ import annotations

import math
from collections.abc import Callable

from hilbench_emulators.ccs import timeouts
from hilbench_emulators.ccs.evcc import DEAD_V, NEAR_V, TABLES, WELD_CHECKS, Evcc, Hear, Turn
from hilbench_emulators.ccs.figures import Body, Limits, number, physical, read
from hilbench_emulators.ccs.secc_old import PRECHARGE_A, SERVICE


def _din(evcc: Evcc) -> bool:
    return evcc.generation == "din"


def _ac(evcc: Evcc) -> bool:
    return evcc.generation == "iso2" and evcc.vehicle.service.power == "ac"


def _to(name: str) -> Hear:
    return lambda _evcc, _body: name


def _empty(_evcc: Evcc) -> Body:
    return {}


def _ev_status(evcc: Evcc) -> Body:
    soc = min(max(int(evcc.drive.cells.soc * 100.0), 0), 100)
    return {"EVReady": True, "EVErrorCode": "NO_ERROR", "EVRESSSOC": soc}


def _with_status(evcc: Evcc) -> Body:
    return {"DC_EVStatus": _ev_status(evcc)}


def _set_up(evcc: Evcc) -> Body:
    return {"EVCCID": evcc.vehicle.evcc_id[:6]}


def _was_set_up(evcc: Evcc, _body: Body) -> str:
    if _din(evcc):
        evcc.within("ready to charge", timeouts.seconds("ready to charge", "din"))
    return "ServiceDiscoveryReq"


def _mode(evcc: Evcc) -> str:
    if not _ac(evcc):
        return "DC_extended"
    return "AC_three_phase_core" if evcc.vehicle.on_board.phases == 3 else "AC_single_phase_core"


def _discovered(evcc: Evcc, body: Body) -> str | None:
    service = body["ChargeService"]
    if _din(evcc):
        offered = service["EnergyTransferType"].startswith("DC")
    else:
        offered = _mode(evcc) in service["SupportedEnergyTransferMode"]["EnergyTransferMode"]
    if not offered:
        evcc.close(f"the station does not offer {_mode(evcc)}")
    return "ServicePaymentSelectionReq" if _din(evcc) else "PaymentServiceSelectionReq"


def _select(_evcc: Evcc) -> Body:
    selected = {"SelectedService": [{"ServiceID": SERVICE}]}
    return {"SelectedPaymentOption": "ExternalPayment", "SelectedServiceList": selected}


def _until_finished(request: str, then: str) -> Hear:
    return lambda _evcc, body: then if body["EVSEProcessing"] == "Finished" else request


def _parameters(evcc: Evcc) -> Body:
    mode = {("EVRequestedEnergyTransferType" if _din(evcc) else "RequestedEnergyTransferMode"): _mode(evcc)}
    if _ac(evcc):
        board = evcc.vehicle.on_board
        return {
            **mode,
            "AC_EVChargeParameter": {
                "EAmount": physical(evcc.drive.wanted_wh(), "Wh"),
                "EVMaxVoltage": physical(board.nominal_v * 1.1, "V"),
                "EVMaxCurrent": physical(board.max_a, "A"),
                "EVMinCurrent": physical(board.min_a, "A"),
            },
        }
    car = evcc.vehicle.car
    return {
        **mode,
        "DC_EVChargeParameter": {
            "DC_EVStatus": _ev_status(evcc),
            "EVMaximumCurrentLimit": physical(car.max_a, "A"),
            "EVMaximumPowerLimit": physical(max(car.curve_w.y), "W"),
            "EVMaximumVoltageLimit": physical(car.max_v, "V"),
        },
    }


def _offered(evcc: Evcc, body: Body) -> str | None:
    if body["EVSEProcessing"] != "Finished":
        return "ChargeParameterDiscoveryReq"
    if evcc.vehicle.quirks.wants_schedules and "SAScheduleList" not in body:
        evcc.close("ChargeParameterDiscoveryRes is not valid: it has no schedules")
        return None
    evcc.schedule_w = _schedule_w(body)
    if _ac(evcc):
        return "PowerDeliveryReq"
    given = body.get("DC_EVSEChargeParameter")
    if given is None or number(given["EVSEMaximumVoltageLimit"]) < evcc.drive.voltage_v:
        evcc.close("the station cannot give the voltage of the battery")
    return "CableCheckReq"


def _schedule_w(body: Body) -> float:
    """The least power [W] of the first schedule."""
    tuples = body.get("SAScheduleList", {}).get("SAScheduleTuple", ())
    entries = [entry["PMax"] for found in tuples[:1] for entry in found["PMaxSchedule"]["PMaxScheduleEntry"]]
    return min((float(p) if isinstance(p, int) else number(p) for p in entries), default=math.inf)


def _precharge(evcc: Evcc) -> Body:
    return {
        **_with_status(evcc),
        "EVTargetVoltage": physical(evcc.drive.voltage_v, "V"),
        "EVTargetCurrent": physical(PRECHARGE_A, "A"),
    }


def precharged(request: str) -> Hear:
    """Go on once the outlet is near the battery's voltage."""

    def hear(evcc: Evcc, body: Body) -> str | None:
        if abs(number(body["EVSEPresentVoltage"]) - evcc.drive.voltage_v) > NEAR_V:
            return request
        evcc.switch(True)
        return "PowerDeliveryReq"

    return hear


def _power_delivery(evcc: Evcc) -> Body:
    start = evcc.leaving is None
    if _din(evcc):
        status = {**_with_status(evcc), "ChargingComplete": not start}
        return {"ReadyToChargeState": start, "DC_EVPowerDeliveryParameter": status}
    kind = "Start" if start else "Renegotiate" if evcc.leaving == "renegotiate" else "Stop"
    body: Body = {"ChargeProgress": kind, "SAScheduleTupleID": 1}
    if start:
        most_w = min(evcc.schedule_w, evcc.vehicle.on_board.max_a * evcc.vehicle.on_board.volts)
        watts = most_w if _ac(evcc) else min(evcc.schedule_w, max(evcc.vehicle.car.curve_w.y))
        entry = {"ChargingProfileEntryStart": 0, "ChargingProfileEntryMaxPower": physical(watts, "W")}
        body["ChargingProfile"] = {"ProfileEntry": [entry]}
    if not _ac(evcc):
        body["DC_EVPowerDeliveryParameter"] = {**_with_status(evcc), "ChargingComplete": not start}
    return body


def _delivered(evcc: Evcc, _body: Body) -> str:
    evcc.done("ready to charge")
    if evcc.leaving is None:
        evcc.looping = True
        evcc.drive.begin(evcc.now_s)
        evcc.switch(True)
        return "ChargingStatusReq" if _ac(evcc) else "CurrentDemandReq"
    evcc.looping = False
    evcc.switch(False)
    if evcc.leaving == "renegotiate" and not _din(evcc):
        evcc.leaving = None
        return "ChargeParameterDiscoveryReq"
    return "SessionStopReq" if _ac(evcc) else "WeldingDetectionReq"


def _demand(evcc: Evcc) -> Body:
    drive, car = evcc.drive, evcc.vehicle.car
    return {
        **_with_status(evcc),
        "EVTargetCurrent": physical(drive.target_a, "A"),
        "EVMaximumVoltageLimit": physical(drive.told_max_v, "V"),
        "EVMaximumCurrentLimit": physical(car.max_a, "A"),
        "BulkChargingComplete": drive.cells.soc >= 0.8,
        "ChargingComplete": bool(drive.finished),
        "EVTargetVoltage": physical(drive.target_v, "V"),
    }


def _demanded(evcc: Evcc, body: Body) -> str:
    limits = Limits(
        read(body, "EVSEMaximumCurrentLimit", math.inf),
        read(body, "EVSEMaximumPowerLimit", math.inf),
        read(body, "EVSEMaximumVoltageLimit", math.inf),
    )
    evcc.drive.exchange_dc(evcc.now_s, limits, number(body["EVSEPresentCurrent"]))
    status = body["DC_EVSEStatus"]
    code = status["EVSEStatusCode"]
    if not evcc.vehicle.quirks.stays_after_shutdown:
        if code in ("EVSE_EmergencyShutdown", "EVSE_Malfunction"):
            evcc.leave("emergency")
        elif code == "EVSE_Shutdown":
            evcc.leave("stop")
        _heed(evcc, status["EVSENotification"])
    return evcc.loop("CurrentDemandReq")


def _heed(evcc: Evcc, notification: str) -> None:
    if notification == "StopCharging" and not evcc.vehicle.quirks.stays_after_shutdown:
        evcc.leave("stop")
    elif notification == "ReNegotiation" and not _din(evcc):
        evcc.leave("renegotiate")


def _charged(evcc: Evcc, body: Body) -> str:
    board = evcc.vehicle.on_board
    most_a = read(body, "EVSEMaxCurrent", board.max_a)
    evcc.drive.exchange_ac(evcc.now_s, most_a * board.volts)
    evcc.draw(evcc.drive.power_w)
    status = body["AC_EVSEStatus"]
    if status["RCD"]:
        evcc.leave("emergency")
    _heed(evcc, status["EVSENotification"])
    return evcc.loop("ChargingStatusReq")


def welded(request: str) -> Hear:
    """Ask until the inlet is dead, a few times at most."""

    def hear(evcc: Evcc, body: Body) -> str:
        evcc.checks += 1
        dead = number(body["EVSEPresentVoltage"]) < DEAD_V
        return "SessionStopReq" if dead or evcc.checks >= WELD_CHECKS else request

    return hear


def _stop(evcc: Evcc) -> Body:
    return {} if _din(evcc) else {"ChargingSession": "Pause" if evcc.leaving == "pause" else "Terminate"}


def _stopped(evcc: Evcc, _body: Body) -> None:
    evcc.paused = evcc.leaving == "pause" and not _din(evcc)


def _table(payment: str, authorisation: str) -> dict[str, Turn]:
    build: Callable[[Evcc], Body] = _with_status
    finished = _until_finished(authorisation, "ChargeParameterDiscoveryReq")
    return {
        "SessionSetupReq": Turn(_set_up, _was_set_up),
        "ServiceDiscoveryReq": Turn(_empty, _discovered),
        payment: Turn(_select, _to(authorisation)),
        authorisation: Turn(_empty, finished),
        "ChargeParameterDiscoveryReq": Turn(_parameters, _offered),
        "CableCheckReq": Turn(build, _until_finished("CableCheckReq", "PreChargeReq")),
        "PreChargeReq": Turn(_precharge, precharged("PreChargeReq")),
        "PowerDeliveryReq": Turn(_power_delivery, _delivered),
        "CurrentDemandReq": Turn(_demand, _demanded),
        "ChargingStatusReq": Turn(_empty, _charged),
        "WeldingDetectionReq": Turn(build, welded("WeldingDetectionReq")),
        "SessionStopReq": Turn(_stop, _stopped),
    }


TABLES["din"] = _table("ServicePaymentSelectionReq", "ContractAuthenticationReq")
TABLES["iso2"] = _table("PaymentServiceSelectionReq", "AuthorizationReq")
