"""AC charging messages of ISO 15118-20 (secondary: schema of the package ``iso15118`` 0.31.2)."""

from __future__ import annotations

from hilbench.ccs.exi.notation import Table

ISO20_AC = Table(
    "urn:iso:std:iso:15118:-20:AC",
    complex="""
AC_ChargeParameterDiscoveryReqType = ^ChargeParameterDiscoveryReqType, AC_CPDReqEnergyTransferMode
AC_ChargeParameterDiscoveryResType = ^ChargeParameterDiscoveryResType, AC_CPDResEnergyTransferMode
AC_ChargeLoopReqType = ^ChargeLoopReqType, CLReqControlMode
AC_ChargeLoopResType = ^ChargeLoopResType, EVSETargetFrequency:RationalNumberType?, CLResControlMode
AC_CPDReqEnergyTransferModeType = EVMaximumChargePower:RationalNumberType,
    EVMaximumChargePower_L2:RationalNumberType?, EVMaximumChargePower_L3:RationalNumberType?,
    EVMinimumChargePower:RationalNumberType, EVMinimumChargePower_L2:RationalNumberType?,
    EVMinimumChargePower_L3:RationalNumberType?
AC_CPDResEnergyTransferModeType = EVSEMaximumChargePower:RationalNumberType,
    EVSEMaximumChargePower_L2:RationalNumberType?, EVSEMaximumChargePower_L3:RationalNumberType?,
    EVSEMinimumChargePower:RationalNumberType, EVSEMinimumChargePower_L2:RationalNumberType?,
    EVSEMinimumChargePower_L3:RationalNumberType?, EVSENominalFrequency:RationalNumberType,
    MaximumPowerAsymmetry:RationalNumberType?, EVSEPowerRampLimitation:RationalNumberType?,
    EVSEPresentActivePower:RationalNumberType?, EVSEPresentActivePower_L2:RationalNumberType?,
    EVSEPresentActivePower_L3:RationalNumberType?
BPT_AC_CPDReqEnergyTransferModeType = ^AC_CPDReqEnergyTransferModeType, EVMaximumDischargePower:RationalNumberType,
    EVMaximumDischargePower_L2:RationalNumberType?, EVMaximumDischargePower_L3:RationalNumberType?,
    EVMinimumDischargePower:RationalNumberType, EVMinimumDischargePower_L2:RationalNumberType?,
    EVMinimumDischargePower_L3:RationalNumberType?
BPT_AC_CPDResEnergyTransferModeType = ^AC_CPDResEnergyTransferModeType, EVSEMaximumDischargePower:RationalNumberType,
    EVSEMaximumDischargePower_L2:RationalNumberType?, EVSEMaximumDischargePower_L3:RationalNumberType?,
    EVSEMinimumDischargePower:RationalNumberType, EVSEMinimumDischargePower_L2:RationalNumberType?,
    EVSEMinimumDischargePower_L3:RationalNumberType?
Scheduled_AC_CLReqControlModeType = ^Scheduled_CLReqControlModeType, EVMaximumChargePower:RationalNumberType?,
    EVMaximumChargePower_L2:RationalNumberType?, EVMaximumChargePower_L3:RationalNumberType?,
    EVMinimumChargePower:RationalNumberType?, EVMinimumChargePower_L2:RationalNumberType?,
    EVMinimumChargePower_L3:RationalNumberType?, EVPresentActivePower:RationalNumberType,
    EVPresentActivePower_L2:RationalNumberType?, EVPresentActivePower_L3:RationalNumberType?,
    EVPresentReactivePower:RationalNumberType?, EVPresentReactivePower_L2:RationalNumberType?,
    EVPresentReactivePower_L3:RationalNumberType?
Scheduled_AC_CLResControlModeType = ^Scheduled_CLResControlModeType, EVSETargetActivePower:RationalNumberType?,
    EVSETargetActivePower_L2:RationalNumberType?, EVSETargetActivePower_L3:RationalNumberType?,
    EVSETargetReactivePower:RationalNumberType?, EVSETargetReactivePower_L2:RationalNumberType?,
    EVSETargetReactivePower_L3:RationalNumberType?, EVSEPresentActivePower:RationalNumberType?,
    EVSEPresentActivePower_L2:RationalNumberType?, EVSEPresentActivePower_L3:RationalNumberType?
BPT_Scheduled_AC_CLReqControlModeType = ^Scheduled_AC_CLReqControlModeType,
    EVMaximumDischargePower:RationalNumberType?, EVMaximumDischargePower_L2:RationalNumberType?,
    EVMaximumDischargePower_L3:RationalNumberType?, EVMinimumDischargePower:RationalNumberType?,
    EVMinimumDischargePower_L2:RationalNumberType?, EVMinimumDischargePower_L3:RationalNumberType?
BPT_Scheduled_AC_CLResControlModeType = ^Scheduled_AC_CLResControlModeType
Dynamic_AC_CLReqControlModeType = ^Dynamic_CLReqControlModeType, EVMaximumChargePower:RationalNumberType,
    EVMaximumChargePower_L2:RationalNumberType?, EVMaximumChargePower_L3:RationalNumberType?,
    EVMinimumChargePower:RationalNumberType, EVMinimumChargePower_L2:RationalNumberType?,
    EVMinimumChargePower_L3:RationalNumberType?, EVPresentActivePower:RationalNumberType,
    EVPresentActivePower_L2:RationalNumberType?, EVPresentActivePower_L3:RationalNumberType?,
    EVPresentReactivePower:RationalNumberType, EVPresentReactivePower_L2:RationalNumberType?,
    EVPresentReactivePower_L3:RationalNumberType?
Dynamic_AC_CLResControlModeType = ^Dynamic_CLResControlModeType, EVSETargetActivePower:RationalNumberType,
    EVSETargetActivePower_L2:RationalNumberType?, EVSETargetActivePower_L3:RationalNumberType?,
    EVSETargetReactivePower:RationalNumberType?, EVSETargetReactivePower_L2:RationalNumberType?,
    EVSETargetReactivePower_L3:RationalNumberType?, EVSEPresentActivePower:RationalNumberType?,
    EVSEPresentActivePower_L2:RationalNumberType?, EVSEPresentActivePower_L3:RationalNumberType?
BPT_Dynamic_AC_CLReqControlModeType = ^Dynamic_AC_CLReqControlModeType, EVMaximumDischargePower:RationalNumberType,
    EVMaximumDischargePower_L2:RationalNumberType?, EVMaximumDischargePower_L3:RationalNumberType?,
    EVMinimumDischargePower:RationalNumberType, EVMinimumDischargePower_L2:RationalNumberType?,
    EVMinimumDischargePower_L3:RationalNumberType?, EVMaximumV2XEnergyRequest:RationalNumberType?,
    EVMinimumV2XEnergyRequest:RationalNumberType?
BPT_Dynamic_AC_CLResControlModeType = ^Dynamic_AC_CLResControlModeType
""",
    elements="""
AC_ChargeParameterDiscoveryReq, AC_ChargeParameterDiscoveryRes, AC_ChargeLoopReq, AC_ChargeLoopRes,
    AC_CPDReqEnergyTransferMode, AC_CPDResEnergyTransferMode
BPT_AC_CPDReqEnergyTransferMode < AC_CPDReqEnergyTransferMode
BPT_AC_CPDResEnergyTransferMode < AC_CPDResEnergyTransferMode
Scheduled_AC_CLReqControlMode, Dynamic_AC_CLReqControlMode < CLReqControlMode
Scheduled_AC_CLResControlMode, Dynamic_AC_CLResControlMode < CLResControlMode
BPT_Scheduled_AC_CLReqControlMode < Scheduled_AC_CLReqControlMode
BPT_Scheduled_AC_CLResControlMode < Scheduled_AC_CLResControlMode
BPT_Dynamic_AC_CLReqControlMode < Dynamic_AC_CLReqControlMode
BPT_Dynamic_AC_CLResControlMode < Dynamic_AC_CLResControlMode
""",
    own_attributes=True,
)
