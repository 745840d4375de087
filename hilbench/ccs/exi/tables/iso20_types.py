"""Types that all messages of ISO 15118-20 share (secondary: schema of the package ``iso15118`` 0.31.2)."""

from __future__ import annotations

from hilbench.ccs.exi.notation import Table

ISO20_TYPES = Table(
    "urn:iso:std:iso:15118:-20:CommonTypes",
    simple="""
numericIDType = 1..4294967295
sessionIDType = bytes 8
evseNotificationType = one of Pause ExitStandby Terminate ScheduleRenegotiation ServiceRenegotiation
    MeteringConfirmation
processingType = one of Finished Ongoing Ongoing_WaitingForCustomerInteraction
responseCodeType = one of OK OK_CertificateExpiresSoon OK_NewSessionEstablished OK_OldSessionJoined
    OK_PowerToleranceConfirmed WARNING_AuthorizationSelectionInvalid WARNING_CertificateExpired
    WARNING_CertificateNotYetValid WARNING_CertificateRevoked WARNING_CertificateValidationError
    WARNING_ChallengeInvalid WARNING_EIMAuthorizationFailure WARNING_eMSPUnknown WARNING_EVPowerProfileViolation
    WARNING_GeneralPnCAuthorizationError WARNING_NoCertificateAvailable WARNING_NoContractMatchingPCIDFound
    WARNING_PowerToleranceNotConfirmed WARNING_ScheduleRenegotiationFailed WARNING_StandbyNotAllowed WARNING_WPT
    FAILED FAILED_AssociationError FAILED_ContactorError FAILED_EVPowerProfileInvalid FAILED_EVPowerProfileViolation
    FAILED_MeteringSignatureNotValid FAILED_NoEnergyTransferServiceSelected FAILED_NoServiceRenegotiationSupported
    FAILED_PauseNotAllowed FAILED_PowerDeliveryNotApplied FAILED_PowerToleranceNotConfirmed
    FAILED_ScheduleRenegotiation FAILED_ScheduleSelectionInvalid FAILED_SequenceError FAILED_ServiceIDInvalid
    FAILED_ServiceSelectionInvalid FAILED_SignatureError FAILED_UnknownSession FAILED_WrongChargeParameter
percentValueType = 0..100
identifierType = text 255
nameType = text 80
descriptionType = text 160
meterIDType = text 32
meterSignatureType = bytes 64
""",
    complex="""
MessageHeaderType = SessionID:sessionIDType, TimeStamp:unsignedLong, Signature?
V2GMessageType = Header:MessageHeaderType
V2GRequestType = ^V2GMessageType
V2GResponseType = ^V2GMessageType, ResponseCode:responseCodeType
ChargeParameterDiscoveryReqType = ^V2GRequestType
ChargeParameterDiscoveryResType = ^V2GResponseType
ChargeLoopReqType = ^V2GRequestType, DisplayParameters:DisplayParametersType?, MeterInfoRequested:boolean
ChargeLoopResType = ^V2GResponseType, EVSEStatus:EVSEStatusType?, MeterInfo:MeterInfoType?, Receipt:ReceiptType?
CLReqControlModeType =
CLResControlModeType =
Scheduled_CLReqControlModeType = ^CLReqControlModeType, EVTargetEnergyRequest:RationalNumberType?,
    EVMaximumEnergyRequest:RationalNumberType?, EVMinimumEnergyRequest:RationalNumberType?
Scheduled_CLResControlModeType = ^CLResControlModeType
Dynamic_CLReqControlModeType = ^CLReqControlModeType, DepartureTime:unsignedInt?,
    EVTargetEnergyRequest:RationalNumberType, EVMaximumEnergyRequest:RationalNumberType,
    EVMinimumEnergyRequest:RationalNumberType
Dynamic_CLResControlModeType = ^CLResControlModeType, DepartureTime:unsignedInt?, MinimumSOC:percentValueType?,
    TargetSOC:percentValueType?, AckMaxDelay:unsignedShort?
DisplayParametersType = PresentSOC:percentValueType?, MinimumSOC:percentValueType?, TargetSOC:percentValueType?,
    MaximumSOC:percentValueType?, RemainingTimeToMinimumSOC:unsignedInt?, RemainingTimeToTargetSOC:unsignedInt?,
    RemainingTimeToMaximumSOC:unsignedInt?, ChargingComplete:boolean?, BatteryEnergyCapacity:RationalNumberType?,
    InletHot:boolean?
EVSEStatusType = NotificationMaxDelay:unsignedShort, EVSENotification:evseNotificationType
RationalNumberType = Exponent:byte, Value:short
MeterInfoType = MeterID:meterIDType, ChargedEnergyReadingWh:unsignedLong, BPT_DischargedEnergyReadingWh:unsignedLong?,
    CapacitiveEnergyReadingVARh:unsignedLong?, BPT_InductiveEnergyReadingVARh:unsignedLong?,
    MeterSignature:meterSignatureType?, MeterStatus:short?, MeterTimestamp:unsignedLong?
DetailedCostType = Amount:RationalNumberType, CostPerUnit:RationalNumberType
DetailedTaxType = TaxRuleID:numericIDType, Amount:RationalNumberType
ReceiptType = TimeAnchor:unsignedLong, EnergyCosts:DetailedCostType?, OccupancyCosts:DetailedCostType?,
    AdditionalServicesCosts:DetailedCostType?, OverstayCosts:DetailedCostType?, TaxCosts:DetailedTaxType[0..10]
ListOfRootCertificateIDsType = RootCertificateID:X509IssuerSerialType[1..20]
""",
    elements="""
CLReqControlMode, CLResControlMode
""",
    own_attributes=True,
)
