"""The car's turns of ISO 15118-20, external payment: AC and DC, Scheduled and Dynamic, with and without giving."""

from __future__ import annotations

import math

from hilbench_emulators.ccs.evcc import TABLES, Evcc, Hear, Turn
from hilbench_emulators.ccs.evcc_old import precharged, welded
from hilbench_emulators.ccs.events import Want
from hilbench_emulators.ccs.figures import Body, Limits, number, rational, read, signed
from hilbench_emulators.ccs.services import control_mode

DAY_S = 86400
NOTIFIED: dict[str, Want] = {
    "Terminate": "stop",
    "Pause": "pause",
    "ScheduleRenegotiation": "renegotiate",
    "ServiceRenegotiation": "service",
    "ExitStandby": "resume",
}


def _to(name: str) -> Hear:
    return lambda _evcc, _body: name


def _empty(_evcc: Evcc) -> Body:
    return {}


def _power(evcc: Evcc) -> str:
    return evcc.vehicle.service.power.upper()


def _set_up(evcc: Evcc) -> Body:
    return {"EVCCID": f"ZZHIL{evcc.vehicle.evcc_id.hex().upper()}"}


def _authorisations(evcc: Evcc, body: Body) -> str:
    if "EIM" not in body["AuthorizationServices"]:
        evcc.close("the station takes no external payment")
    return "AuthorizationReq"


def _authorise(_evcc: Evcc) -> Body:
    return {"SelectedAuthorizationService": "EIM", "EIM_AReqAuthorizationMode": {}}


def _authorised(_evcc: Evcc, body: Body) -> str:
    return "ServiceDiscoveryReq" if body["EVSEProcessing"] == "Finished" else "AuthorizationReq"


def _services(evcc: Evcc, body: Body) -> str:
    wanted = evcc.vehicle.service.id
    if wanted not in [service["ServiceID"] for service in body["EnergyTransferServiceList"]["Service"]]:
        evcc.close(f"the station does not offer service {wanted}")
    return "ServiceDetailReq"


def _detail(evcc: Evcc) -> Body:
    return {"ServiceID": evcc.vehicle.service.id}


def _details(evcc: Evcc, body: Body) -> str:
    wanted = evcc.vehicle.service.parameter_set
    sets = body["ServiceParameterList"]["ParameterSet"]
    fitting = [found["ParameterSetID"] for found in sets if control_mode(found) == wanted]
    if not fitting:
        evcc.close(f"the station offers no control mode {wanted}")
        return "ServiceSelectionReq"
    evcc.parameter_set = fitting[0]
    return "ServiceSelectionReq"


def _select(evcc: Evcc) -> Body:
    chosen = {"ServiceID": evcc.vehicle.service.id, "ParameterSetID": evcc.parameter_set}
    return {"SelectedEnergyTransferService": chosen}


def _selected(evcc: Evcc, _body: Body) -> str:
    return f"{_power(evcc)}_ChargeParameterDiscoveryReq"


def low(evcc: Evcc, name: str, value: float) -> tuple[str, Body]:
    """A limit of discharging, a size unless the car has the quirk of negative ones."""
    return (name, rational(value)) if evcc.vehicle.quirks.negative_limits else signed(name, value)


def _discharging(evcc: Evcc, low_a: float, low_w: float) -> Body:
    fields = (low(evcc, "EVMaximumDischargePower", low_w), low(evcc, "EVMaximumDischargeCurrent", low_a))
    return {**dict(fields), "EVMinimumDischargePower": rational(0.0)}


def _parameters_dc(evcc: Evcc) -> Body:
    car, drive = evcc.vehicle.car, evcc.drive
    mode = {
        "EVMaximumChargePower": rational(max(car.curve_w.y)),
        "EVMinimumChargePower": rational(0.0),
        "EVMaximumChargeCurrent": rational(car.max_a),
        "EVMinimumChargeCurrent": rational(0.0),
        "EVMaximumVoltage": rational(car.max_v),
        "EVMinimumVoltage": rational(car.discharge.min_v if car.discharge else 0.0),
    }
    if not evcc.vehicle.service.giving:
        return {"DC_CPDReqEnergyTransferMode": mode}
    mode |= _discharging(evcc, drive.low_a, drive.low_a * drive.voltage_v)
    mode["EVMinimumDischargeCurrent"] = rational(0.0)
    return {"BPT_DC_CPDReqEnergyTransferMode": mode}


def _parameters_ac(evcc: Evcc) -> Body:
    board = evcc.vehicle.on_board
    mode = {
        "EVMaximumChargePower": rational(board.max_a * board.volts),
        "EVMinimumChargePower": rational(board.min_a * board.volts),
    }
    if not evcc.vehicle.service.giving:
        return {"AC_CPDReqEnergyTransferMode": mode}
    mode |= _giving_ac(evcc)
    return {"BPT_AC_CPDReqEnergyTransferMode": mode}


def _giving_ac(evcc: Evcc) -> Body:
    board = evcc.vehicle.on_board
    fields = dict((low(evcc, "EVMaximumDischargePower", -board.giving_a * board.volts),))
    return {**fields, "EVMinimumDischargePower": rational(0.0)}


def _offered_dc(evcc: Evcc, body: Body) -> str:
    given = body.get("BPT_DC_CPDResEnergyTransferMode") or body.get("DC_CPDResEnergyTransferMode")
    if given is None or number(given["EVSEMaximumVoltage"]) < evcc.drive.voltage_v:
        evcc.close("the station cannot give the voltage of the battery")
    return "ScheduleExchangeReq"


def _energy(evcc: Evcc) -> Body:
    wanted = rational(evcc.drive.wanted_wh())
    return {
        "EVTargetEnergyRequest": wanted,
        "EVMaximumEnergyRequest": wanted,
        "EVMinimumEnergyRequest": rational(0.0),
    }


def _exchange(evcc: Evcc) -> Body:
    points = {"MaximumSupportingPoints": 12}
    if evcc.vehicle.service.dynamic:
        return {**points, "Dynamic_SEReqControlMode": {"DepartureTime": DAY_S, **_energy(evcc)}}
    return {**points, "Scheduled_SEReqControlMode": {"DepartureTime": DAY_S, **_energy(evcc)}}


def _exchanged(evcc: Evcc, body: Body) -> str:
    if body["EVSEProcessing"] != "Finished":
        return "ScheduleExchangeReq"
    tuples = body.get("Scheduled_SEResControlMode", {}).get("ScheduleTuple", ())
    entries = [
        entry
        for found in tuples[:1]
        for entry in found["ChargingSchedule"]["PowerSchedule"]["PowerScheduleEntries"]["PowerScheduleEntry"]
    ]
    evcc.schedule_w = min((number(entry["Power"]) for entry in entries), default=math.inf)
    evcc.schedule_id = tuples[0]["ScheduleTupleID"] if tuples else 1
    again = evcc.looping
    return "PowerDeliveryReq" if evcc.vehicle.service.power == "ac" or again else "DC_CableCheckReq"


def _precharge(evcc: Evcc) -> Body:
    volts = rational(evcc.drive.voltage_v)
    return {"EVProcessing": "Ongoing", "EVPresentVoltage": volts, "EVTargetVoltage": volts}


def _cable_checked(_evcc: Evcc, body: Body) -> str:
    return "DC_PreChargeReq" if body["EVSEProcessing"] == "Finished" else "DC_CableCheckReq"


def _most_w(evcc: Evcc) -> float:
    board, car = evcc.vehicle.on_board, evcc.vehicle.car
    return board.max_a * board.volts if evcc.vehicle.service.power == "ac" else max(car.curve_w.y)


PROGRESS: dict[Want | None, str] = {
    None: "Start",
    "resume": "Start",
    "standby": "Standby",
    "renegotiate": "ScheduleRenegotiation",
}


def _power_delivery(evcc: Evcc) -> Body:
    progress = PROGRESS.get(evcc.leaving, "Stop")
    body: Body = {"EVProcessing": "Finished", "ChargeProgress": progress}
    if progress == "Start":
        watts = rational(min(evcc.schedule_w, _most_w(evcc)))
        entries = {"EVPowerProfileEntry": [{"Duration": DAY_S, "Power": watts}]}
        mode: Body = {"Dynamic_EVPPTControlMode": {}}
        if not evcc.vehicle.service.dynamic:
            # the schema lets the acceptance out, iso15118 0.31.2 does not (read-code)
            accepted = {"PowerToleranceAcceptance": "PowerToleranceConfirmed"}
            mode = {"Scheduled_EVPPTControlMode": {"SelectedScheduleTupleID": evcc.schedule_id, **accepted}}
        body["EVPowerProfile"] = {"TimeAnchor": evcc.unix_s, **mode, "EVPowerProfileEntries": entries}
        if evcc.vehicle.service.giving:
            body["BPT_ChannelSelection"] = "Charge"
    return body


def _delivered(evcc: Evcc, body: Body) -> str:
    progress = PROGRESS.get(evcc.leaving, "Stop")
    loop = f"{_power(evcc)}_ChargeLoopReq"
    if progress == "Standby" and body["ResponseCode"] == "WARNING_StandbyNotAllowed":
        progress = "Start"
    if progress in ("Start", "Standby"):
        evcc.standby, evcc.looping, evcc.leaving = progress == "Standby", True, None
        evcc.switch(True)
        evcc.drive.begin(evcc.now_s)
        if evcc.standby:
            evcc.drive.wind_down()
        return loop
    if progress == "ScheduleRenegotiation":
        evcc.leaving = None
        return "ScheduleExchangeReq"
    evcc.looping = False
    evcc.switch(False)
    return "SessionStopReq" if evcc.vehicle.service.power == "ac" else "DC_WeldingDetectionReq"


def _loop(evcc: Evcc) -> Body:
    soc = min(max(int(evcc.drive.cells.soc * 100.0), 0), 100)
    shown = {"PresentSOC": soc, "ChargingComplete": bool(evcc.drive.finished)}
    return {"DisplayParameters": shown, "MeterInfoRequested": False}


def _mode_name(evcc: Evcc, side: str) -> str:
    service = evcc.vehicle.service
    control = "Dynamic" if service.dynamic else "Scheduled"
    return f"{'BPT_' if service.giving else ''}{control}_{_power(evcc)}_CL{side}ControlMode"


def _loop_dc(evcc: Evcc) -> Body:
    drive, car, service = evcc.drive, evcc.vehicle.car, evcc.vehicle.service
    most_a = drive.own_a
    mode = {
        **(_energy(evcc) if service.dynamic else {}),
        "EVMaximumChargePower": rational(most_a * drive.voltage_v),
        "EVMinimumChargePower": rational(0.0),
        "EVMaximumChargeCurrent": rational(most_a),
        "EVMaximumVoltage": rational(drive.told_max_v),
        "EVMinimumVoltage": rational(car.discharge.min_v if car.discharge else 0.0),
    }
    if not service.dynamic:
        mode |= {"EVTargetCurrent": rational(drive.target_a), "EVTargetVoltage": rational(drive.target_v)}
    if service.giving:
        mode |= _discharging(evcc, drive.low_a, drive.low_a * drive.voltage_v)
    return {**_loop(evcc), "EVPresentVoltage": rational(drive.voltage_v), _mode_name(evcc, "Req"): mode}


def _looped_dc(evcc: Evcc, body: Body) -> str | None:
    mode = body.get(_mode_name(evcc, "Res"))
    if mode is None:
        evcc.close("the station answers in another control mode")
        return None
    limits = Limits(
        read(mode, "EVSEMaximumChargeCurrent", math.inf),
        read(mode, "EVSEMaximumChargePower", math.inf),
        read(mode, "EVSEMaximumVoltage", math.inf),
        low_a=read(mode, "EVSEMaximumDischargeCurrent", 0.0),
        low_w=read(mode, "EVSEMaximumDischargePower", 0.0),
    )
    evcc.drive.exchange_dc(evcc.now_s, limits, number(body["EVSEPresentCurrent"]))
    return _looped(evcc, body, "DC_ChargeLoopReq")


def _loop_ac(evcc: Evcc) -> Body:
    board, service = evcc.vehicle.on_board, evcc.vehicle.service
    mode = {
        **(_energy(evcc) if service.dynamic else {}),
        "EVMaximumChargePower": rational(board.max_a * board.volts),
        "EVMinimumChargePower": rational(board.min_a * board.volts),
        "EVPresentActivePower": rational(evcc.drive.power_w),
    }
    if service.dynamic:
        mode["EVPresentReactivePower"] = rational(0.0)
    if service.giving:
        mode |= _giving_ac(evcc)
    return {**_loop(evcc), _mode_name(evcc, "Req"): mode}


def _looped_ac(evcc: Evcc, body: Body) -> str | None:
    mode = body.get(_mode_name(evcc, "Res"))
    if mode is None:
        evcc.close("the station answers in another control mode")
        return None
    watts = read(mode, "EVSETargetActivePower", _most_w(evcc))
    evcc.drive.exchange_ac(evcc.now_s, watts if evcc.vehicle.service.giving else max(watts, 0.0))
    evcc.draw(evcc.drive.power_w)
    return _looped(evcc, body, "AC_ChargeLoopReq")


def _looped(evcc: Evcc, body: Body, request: str) -> str:
    want = NOTIFIED.get(body.get("EVSEStatus", {}).get("EVSENotification", ""))
    stays = evcc.vehicle.quirks.stays_after_shutdown and want in ("stop", "pause")
    if want is not None and not stays and (want != "resume" or evcc.standby):
        evcc.leave(want)
    return evcc.loop(request)


def _weld(_evcc: Evcc) -> Body:
    return {"EVProcessing": "Ongoing"}


ENDS: dict[Want | None, str] = {"pause": "Pause", "service": "ServiceRenegotiation"}


def _stop(evcc: Evcc) -> Body:
    return {"ChargingSession": ENDS.get(evcc.leaving, "Terminate")}


def _stopped(evcc: Evcc, _body: Body) -> str | None:
    if evcc.leaving == "service":
        evcc.leaving, evcc.checks = None, 0
        return "ServiceDiscoveryReq"
    evcc.paused = evcc.leaving == "pause"
    return None


TABLES["iso20"] = {
    "SessionSetupReq": Turn(_set_up, _to("AuthorizationSetupReq")),
    "AuthorizationSetupReq": Turn(_empty, _authorisations),
    "AuthorizationReq": Turn(_authorise, _authorised),
    "ServiceDiscoveryReq": Turn(_empty, _services),
    "ServiceDetailReq": Turn(_detail, _details),
    "ServiceSelectionReq": Turn(_select, _selected),
    "DC_ChargeParameterDiscoveryReq": Turn(_parameters_dc, _offered_dc),
    "AC_ChargeParameterDiscoveryReq": Turn(_parameters_ac, _to("ScheduleExchangeReq")),
    "ScheduleExchangeReq": Turn(_exchange, _exchanged),
    "DC_CableCheckReq": Turn(_empty, _cable_checked),
    "DC_PreChargeReq": Turn(_precharge, precharged("DC_PreChargeReq")),
    "PowerDeliveryReq": Turn(_power_delivery, _delivered),
    "DC_ChargeLoopReq": Turn(_loop_dc, _looped_dc),
    "AC_ChargeLoopReq": Turn(_loop_ac, _looped_ac),
    "DC_WeldingDetectionReq": Turn(_weld, welded("DC_WeldingDetectionReq")),
    "SessionStopReq": Turn(_stop, _stopped),
}
