"""DC charging messages of ISO 15118-20 (secondary: schema of the package ``iso15118`` 0.31.2)."""

from __future__ import annotations

from hilbench.ccs.exi.notation import Table

ISO20_DC = Table(
    "urn:iso:std:iso:15118:-20:DC",
    complex="""
DC_ChargeParameterDiscoveryReqType = ^ChargeParameterDiscoveryReqType, DC_CPDReqEnergyTransferMode
DC_ChargeParameterDiscoveryResType = ^ChargeParameterDiscoveryResType, DC_CPDResEnergyTransferMode
DC_CableCheckReqType = ^V2GRequestType
DC_CableCheckResType = ^V2GResponseType, EVSEProcessing:processingType
DC_PreChargeReqType = ^V2GRequestType, EVProcessing:processingType, EVPresentVoltage:RationalNumberType,
    EVTargetVoltage:RationalNumberType
DC_PreChargeResType = ^V2GResponseType, EVSEPresentVoltage:RationalNumberType
DC_ChargeLoopReqType = ^ChargeLoopReqType, EVPresentVoltage:RationalNumberType, CLReqControlMode
DC_ChargeLoopResType = ^ChargeLoopResType, EVSEPresentCurrent:RationalNumberType,
    EVSEPresentVoltage:RationalNumberType, EVSEPowerLimitAchieved:boolean, EVSECurrentLimitAchieved:boolean,
    EVSEVoltageLimitAchieved:boolean, CLResControlMode
DC_WeldingDetectionReqType = ^V2GRequestType, EVProcessing:processingType
DC_WeldingDetectionResType = ^V2GResponseType, EVSEPresentVoltage:RationalNumberType
DC_CPDReqEnergyTransferModeType = EVMaximumChargePower:RationalNumberType, EVMinimumChargePower:RationalNumberType,
    EVMaximumChargeCurrent:RationalNumberType, EVMinimumChargeCurrent:RationalNumberType,
    EVMaximumVoltage:RationalNumberType, EVMinimumVoltage:RationalNumberType, TargetSOC:percentValueType?
DC_CPDResEnergyTransferModeType = EVSEMaximumChargePower:RationalNumberType,
    EVSEMinimumChargePower:RationalNumberType, EVSEMaximumChargeCurrent:RationalNumberType,
    EVSEMinimumChargeCurrent:RationalNumberType, EVSEMaximumVoltage:RationalNumberType,
    EVSEMinimumVoltage:RationalNumberType, EVSEPowerRampLimitation:RationalNumberType?
BPT_DC_CPDReqEnergyTransferModeType = ^DC_CPDReqEnergyTransferModeType, EVMaximumDischargePower:RationalNumberType,
    EVMinimumDischargePower:RationalNumberType, EVMaximumDischargeCurrent:RationalNumberType,
    EVMinimumDischargeCurrent:RationalNumberType
BPT_DC_CPDResEnergyTransferModeType = ^DC_CPDResEnergyTransferModeType, EVSEMaximumDischargePower:RationalNumberType,
    EVSEMinimumDischargePower:RationalNumberType, EVSEMaximumDischargeCurrent:RationalNumberType,
    EVSEMinimumDischargeCurrent:RationalNumberType
Scheduled_DC_CLReqControlModeType = ^Scheduled_CLReqControlModeType, EVTargetCurrent:RationalNumberType,
    EVTargetVoltage:RationalNumberType, EVMaximumChargePower:RationalNumberType?,
    EVMinimumChargePower:RationalNumberType?, EVMaximumChargeCurrent:RationalNumberType?,
    EVMaximumVoltage:RationalNumberType?, EVMinimumVoltage:RationalNumberType?
Scheduled_DC_CLResControlModeType = ^Scheduled_CLResControlModeType, EVSEMaximumChargePower:RationalNumberType?,
    EVSEMinimumChargePower:RationalNumberType?, EVSEMaximumChargeCurrent:RationalNumberType?,
    EVSEMaximumVoltage:RationalNumberType?
BPT_Scheduled_DC_CLReqControlModeType = ^Scheduled_DC_CLReqControlModeType,
    EVMaximumDischargePower:RationalNumberType?, EVMinimumDischargePower:RationalNumberType?,
    EVMaximumDischargeCurrent:RationalNumberType?
BPT_Scheduled_DC_CLResControlModeType = ^Scheduled_DC_CLResControlModeType,
    EVSEMaximumDischargePower:RationalNumberType?, EVSEMinimumDischargePower:RationalNumberType?,
    EVSEMaximumDischargeCurrent:RationalNumberType?, EVSEMinimumVoltage:RationalNumberType?
Dynamic_DC_CLReqControlModeType = ^Dynamic_CLReqControlModeType, EVMaximumChargePower:RationalNumberType,
    EVMinimumChargePower:RationalNumberType, EVMaximumChargeCurrent:RationalNumberType,
    EVMaximumVoltage:RationalNumberType, EVMinimumVoltage:RationalNumberType
Dynamic_DC_CLResControlModeType = ^Dynamic_CLResControlModeType, EVSEMaximumChargePower:RationalNumberType,
    EVSEMinimumChargePower:RationalNumberType, EVSEMaximumChargeCurrent:RationalNumberType,
    EVSEMaximumVoltage:RationalNumberType
BPT_Dynamic_DC_CLReqControlModeType = ^Dynamic_DC_CLReqControlModeType, EVMaximumDischargePower:RationalNumberType,
    EVMinimumDischargePower:RationalNumberType, EVMaximumDischargeCurrent:RationalNumberType,
    EVMaximumV2XEnergyRequest:RationalNumberType?, EVMinimumV2XEnergyRequest:RationalNumberType?
BPT_Dynamic_DC_CLResControlModeType = ^Dynamic_DC_CLResControlModeType, EVSEMaximumDischargePower:RationalNumberType,
    EVSEMinimumDischargePower:RationalNumberType, EVSEMaximumDischargeCurrent:RationalNumberType,
    EVSEMinimumVoltage:RationalNumberType
""",
    elements="""
DC_ChargeParameterDiscoveryReq, DC_ChargeParameterDiscoveryRes, DC_CableCheckReq, DC_CableCheckRes, DC_PreChargeReq,
    DC_PreChargeRes, DC_ChargeLoopReq, DC_ChargeLoopRes, DC_WeldingDetectionReq, DC_WeldingDetectionRes,
    DC_CPDReqEnergyTransferMode, DC_CPDResEnergyTransferMode
BPT_DC_CPDReqEnergyTransferMode < DC_CPDReqEnergyTransferMode
BPT_DC_CPDResEnergyTransferMode < DC_CPDResEnergyTransferMode
Scheduled_DC_CLReqControlMode, Dynamic_DC_CLReqControlMode < CLReqControlMode
Scheduled_DC_CLResControlMode, Dynamic_DC_CLResControlMode < CLResControlMode
BPT_Scheduled_DC_CLReqControlMode < Scheduled_DC_CLReqControlMode
BPT_Scheduled_DC_CLResControlMode < Scheduled_DC_CLResControlMode
BPT_Dynamic_DC_CLReqControlMode < Dynamic_DC_CLReqControlMode
BPT_Dynamic_DC_CLResControlMode < Dynamic_DC_CLResControlMode
""",
    own_attributes=True,
)
