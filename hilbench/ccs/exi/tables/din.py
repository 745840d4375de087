"""Messages of DIN 70121:2012 (secondary: schemas of the package ``iso15118`` 0.31.2)."""

from __future__ import annotations

from hilbench.ccs.exi.notation import Table

MSG_DEF = Table(
    "urn:din:70121:2012:MsgDef",
    complex="""
BodyType = BodyElement?
BodyBaseType =
V2G_MessageType = Header:MessageHeaderType, Body:BodyType
""",
    elements="""
V2G_Message, BodyElement:BodyBaseType
""",
)

MSG_HEADER = Table(
    "urn:din:70121:2012:MsgHeader",
    complex="""
MessageHeaderType = SessionID:sessionIDType, Notification:NotificationType?, Signature?
""",
)

MSG_BODY = Table(
    "urn:din:70121:2012:MsgBody",
    complex="""
SessionSetupReqType = ^BodyBaseType, EVCCID:evccIDType
SessionSetupResType = ^BodyBaseType, ResponseCode:responseCodeType, EVSEID:evseIDType, DateTimeNow:long?
ServiceDiscoveryReqType = ^BodyBaseType, ServiceScope:serviceScopeType?, ServiceCategory:serviceCategoryType?
ServiceDiscoveryResType = ^BodyBaseType, ResponseCode:responseCodeType, PaymentOptions:PaymentOptionsType,
    ChargeService:ServiceChargeType, ServiceList:ServiceTagListType?
ServiceDetailReqType = ^BodyBaseType, ServiceID:serviceIDType
ServiceDetailResType = ^BodyBaseType, ResponseCode:responseCodeType, ServiceID:serviceIDType,
    ServiceParameterList:ServiceParameterListType?
ServicePaymentSelectionReqType = ^BodyBaseType, SelectedPaymentOption:paymentOptionType,
    SelectedServiceList:SelectedServiceListType
ServicePaymentSelectionResType = ^BodyBaseType, ResponseCode:responseCodeType
PaymentDetailsReqType = ^BodyBaseType, ContractID:contractIDType, ContractSignatureCertChain:CertificateChainType
PaymentDetailsResType = ^BodyBaseType, ResponseCode:responseCodeType, GenChallenge:genChallengeType, DateTimeNow:long
ContractAuthenticationReqType = ^BodyBaseType, @Id:string?, GenChallenge:genChallengeType?
ContractAuthenticationResType = ^BodyBaseType, ResponseCode:responseCodeType, EVSEProcessing:EVSEProcessingType
ChargeParameterDiscoveryReqType = ^BodyBaseType, EVRequestedEnergyTransferType:EVRequestedEnergyTransferType,
    EVChargeParameter
ChargeParameterDiscoveryResType = ^BodyBaseType, ResponseCode:responseCodeType, EVSEProcessing:EVSEProcessingType,
    SASchedules, EVSEChargeParameter
PowerDeliveryReqType = ^BodyBaseType, ReadyToChargeState:boolean, ChargingProfile:ChargingProfileType?,
    EVPowerDeliveryParameter?
PowerDeliveryResType = ^BodyBaseType, ResponseCode:responseCodeType, EVSEStatus
ChargingStatusReqType = ^BodyBaseType
ChargingStatusResType = ^BodyBaseType, ResponseCode:responseCodeType, EVSEID:evseIDType, SAScheduleTupleID:SAIDType,
    EVSEMaxCurrent:PhysicalValueType?, MeterInfo:MeterInfoType?, ReceiptRequired:boolean,
    AC_EVSEStatus:AC_EVSEStatusType
MeteringReceiptReqType = ^BodyBaseType, @Id:string?, SessionID:sessionIDType, SAScheduleTupleID:SAIDType?,
    MeterInfo:MeterInfoType
MeteringReceiptResType = ^BodyBaseType, ResponseCode:responseCodeType, AC_EVSEStatus:AC_EVSEStatusType
SessionStopType = ^BodyBaseType
SessionStopResType = ^BodyBaseType, ResponseCode:responseCodeType
CertificateUpdateReqType = ^BodyBaseType, @Id:string?, ContractSignatureCertChain:CertificateChainType,
    ContractID:contractIDType, ListOfRootCertificateIDs:ListOfRootCertificateIDsType, DHParams:dHParamsType
CertificateUpdateResType = ^BodyBaseType, @Id:string, ResponseCode:responseCodeType,
    ContractSignatureCertChain:CertificateChainType, ContractSignatureEncryptedPrivateKey:privateKeyType,
    DHParams:dHParamsType, ContractID:contractIDType, RetryCounter:short
CertificateInstallationReqType = ^BodyBaseType, @Id:string?, OEMProvisioningCert:certificateType,
    ListOfRootCertificateIDs:ListOfRootCertificateIDsType, DHParams:dHParamsType
CertificateInstallationResType = ^BodyBaseType, @Id:string, ResponseCode:responseCodeType,
    ContractSignatureCertChain:CertificateChainType, ContractSignatureEncryptedPrivateKey:privateKeyType,
    DHParams:dHParamsType, ContractID:contractIDType
CableCheckReqType = ^BodyBaseType, DC_EVStatus:DC_EVStatusType
CableCheckResType = ^BodyBaseType, ResponseCode:responseCodeType, DC_EVSEStatus:DC_EVSEStatusType,
    EVSEProcessing:EVSEProcessingType
PreChargeReqType = ^BodyBaseType, DC_EVStatus:DC_EVStatusType, EVTargetVoltage:PhysicalValueType,
    EVTargetCurrent:PhysicalValueType
PreChargeResType = ^BodyBaseType, ResponseCode:responseCodeType, DC_EVSEStatus:DC_EVSEStatusType,
    EVSEPresentVoltage:PhysicalValueType
CurrentDemandReqType = ^BodyBaseType, DC_EVStatus:DC_EVStatusType, EVTargetCurrent:PhysicalValueType,
    EVMaximumVoltageLimit:PhysicalValueType?, EVMaximumCurrentLimit:PhysicalValueType?,
    EVMaximumPowerLimit:PhysicalValueType?, BulkChargingComplete:boolean?, ChargingComplete:boolean,
    RemainingTimeToFullSoC:PhysicalValueType?, RemainingTimeToBulkSoC:PhysicalValueType?,
    EVTargetVoltage:PhysicalValueType
CurrentDemandResType = ^BodyBaseType, ResponseCode:responseCodeType, DC_EVSEStatus:DC_EVSEStatusType,
    EVSEPresentVoltage:PhysicalValueType, EVSEPresentCurrent:PhysicalValueType, EVSECurrentLimitAchieved:boolean,
    EVSEVoltageLimitAchieved:boolean, EVSEPowerLimitAchieved:boolean, EVSEMaximumVoltageLimit:PhysicalValueType?,
    EVSEMaximumCurrentLimit:PhysicalValueType?, EVSEMaximumPowerLimit:PhysicalValueType?
WeldingDetectionReqType = ^BodyBaseType, DC_EVStatus:DC_EVStatusType
WeldingDetectionResType = ^BodyBaseType, ResponseCode:responseCodeType, DC_EVSEStatus:DC_EVSEStatusType,
    EVSEPresentVoltage:PhysicalValueType
""",
    elements="""
SessionSetupReq, SessionSetupRes, ServiceDiscoveryReq, ServiceDiscoveryRes, ServiceDetailReq, ServiceDetailRes,
    ServicePaymentSelectionReq, ServicePaymentSelectionRes, PaymentDetailsReq, PaymentDetailsRes,
    ContractAuthenticationReq, ContractAuthenticationRes, ChargeParameterDiscoveryReq, ChargeParameterDiscoveryRes,
    PowerDeliveryReq, PowerDeliveryRes, ChargingStatusReq, ChargingStatusRes, MeteringReceiptReq, MeteringReceiptRes,
    SessionStopReq:SessionStopType, SessionStopRes, CertificateUpdateReq, CertificateUpdateRes,
    CertificateInstallationReq, CertificateInstallationRes, CableCheckReq, CableCheckRes, PreChargeReq, PreChargeRes,
    CurrentDemandReq, CurrentDemandRes, WeldingDetectionReq, WeldingDetectionRes < BodyElement
""",
)

DATA_TYPES = Table(
    "urn:din:70121:2012:MsgDataTypes",
    simple="""
valueType = one of bool byte short int physicalValue string
meterStatusType = short
PMaxType = short
percentValueType = 0..100
faultMsgType = text 64
EVSEProcessingType = one of Finished Ongoing
EVSENotificationType = one of None StopCharging ReNegotiation
serviceNameType = text 32
serviceCategoryType = one of EVCharging Internet ContractCertificate OtherCustom
serviceScopeType = text 32
EVSESupportedEnergyTransferType = one of AC_single_phase_core AC_three_phase_core DC_core DC_extended DC_combo_core
    DC_dual AC_core1p_DC_extended AC_single_DC_core AC_single_phase_three_phase_core_DC_extended AC_core3p_DC_extended
EVRequestedEnergyTransferType = one of AC_single_phase_core AC_three_phase_core DC_core DC_extended DC_combo_core
    DC_unique
genChallengeType = string
certificateType = bytes 1200
rootCertificateIDType = text 40
dHParamsType = bytes 256
privateKeyType = bytes 128
sigMeterReadingType = bytes 32
sessionIDType = bytes 8
evccIDType = bytes 8
evseIDType = bytes 32
serviceIDType = unsignedShort
contractIDType = text 24
meterIDType = text 32
SAIDType = short
tariffDescriptionType = text 32
costKindType = one of relativePricePercentage RenewableGenerationPercentage CarbonDioxideEmission
paymentOptionType = one of Contract ExternalPayment
faultCodeType = one of ParsingError NoTLSRootCertificatAvailable UnknownError
responseCodeType = one of OK OK_NewSessionEstablished OK_OldSessionJoined OK_CertificateExpiresSoon FAILED
    FAILED_SequenceError FAILED_ServiceIDInvalid FAILED_UnknownSession FAILED_ServiceSelectionInvalid
    FAILED_PaymentSelectionInvalid FAILED_CertificateExpired FAILED_SignatureError FAILED_NoCertificateAvailable
    FAILED_CertChainError FAILED_ChallengeInvalid FAILED_ContractCanceled FAILED_WrongChargeParameter
    FAILED_PowerDeliveryNotApplied FAILED_TariffSelectionInvalid FAILED_ChargingProfileInvalid
    FAILED_EVSEPresentVoltageToLow FAILED_MeteringSignatureNotValid FAILED_WrongEnergyTransferType
unitMultiplierType = -3..3
unitSymbolType = one of h m s A Ah V VA W W/s Wh
DC_EVSEStatusCodeType = one of EVSE_NotReady EVSE_Ready EVSE_Shutdown EVSE_UtilityInterruptEvent
    EVSE_IsolationMonitoringActive EVSE_EmergencyShutdown EVSE_Malfunction Reserved_8 Reserved_9 Reserved_A Reserved_B
    Reserved_C
isolationLevelType = one of Invalid Valid Warning Fault
DC_EVErrorCodeType = one of NO_ERROR FAILED_RESSTemperatureInhibit FAILED_EVShiftPosition
    FAILED_ChargerConnectorLockFault FAILED_EVRESSMalfunction FAILED_ChargingCurrentdifferential
    FAILED_ChargingVoltageOutOfRange Reserved_A Reserved_B Reserved_C FAILED_ChargingSystemIncompatibility NoData
""",
    complex="""
ServiceType = ServiceTag:ServiceTagType, FreeService:boolean
ServiceTagListType = Service:ServiceType+
ServiceTagType = ServiceID:serviceIDType, ServiceName:serviceNameType?, ServiceCategory:serviceCategoryType,
    ServiceScope:serviceScopeType?
SelectedServiceListType = SelectedService:SelectedServiceType+
SelectedServiceType = ServiceID:serviceIDType, ParameterSetID:short?
ServiceParameterListType = ParameterSet:ParameterSetType+
ParameterSetType = ParameterSetID:short, Parameter:ParameterType+
ParameterType = @Name:string, @ValueType:valueType, (boolValue:boolean | byteValue:byte | shortValue:short |
    intValue:int | physicalValue:PhysicalValueType | stringValue:string)
ServiceChargeType = ^ServiceType, EnergyTransferType:EVSESupportedEnergyTransferType
CertificateChainType = Certificate:certificateType, SubCertificates:SubCertificatesType?
SubCertificatesType = Certificate:certificateType+
ListOfRootCertificateIDsType = RootCertificateID:rootCertificateIDType+
MeterInfoType = MeterID:meterIDType, MeterReading:PhysicalValueType?, SigMeterReading:sigMeterReadingType?,
    MeterStatus:meterStatusType?, TMeter:long?
PhysicalValueType = Multiplier:unitMultiplierType, Unit:unitSymbolType?, Value:short
NotificationType = FaultCode:faultCodeType, FaultMsg:faultMsgType?
SASchedulesType =
SAScheduleListType = ^SASchedulesType, SAScheduleTuple:SAScheduleTupleType+
SAScheduleTupleType = SAScheduleTupleID:SAIDType, PMaxSchedule:PMaxScheduleType, SalesTariff:SalesTariffType?
SalesTariffType = @Id:string, SalesTariffID:SAIDType, SalesTariffDescription:tariffDescriptionType?,
    NumEPriceLevels:unsignedByte, SalesTariffEntry+
PMaxScheduleType = PMaxScheduleID:SAIDType, PMaxScheduleEntry+
EntryType = TimeInterval
SalesTariffEntryType = ^EntryType, EPriceLevel:unsignedByte, ConsumptionCost:ConsumptionCostType*
PMaxScheduleEntryType = ^EntryType, PMax:PMaxType
IntervalType =
RelativeTimeIntervalType = ^IntervalType, start:unsignedInt, duration:unsignedInt?
ConsumptionCostType = startValue:unsignedInt, Cost:CostType*
CostType = costKind:costKindType, amount:unsignedInt, amountMultiplier:unitMultiplierType?
EVSEStatusType =
AC_EVSEStatusType = ^EVSEStatusType, PowerSwitchClosed:boolean, RCD:boolean, NotificationMaxDelay:unsignedInt,
    EVSENotification:EVSENotificationType
EVStatusType =
DC_EVSEStatusType = ^EVSEStatusType, EVSEIsolationStatus:isolationLevelType?, EVSEStatusCode:DC_EVSEStatusCodeType,
    NotificationMaxDelay:unsignedInt, EVSENotification:EVSENotificationType
DC_EVStatusType = ^EVStatusType, EVReady:boolean, EVCabinConditioning:boolean?, EVRESSConditioning:boolean?,
    EVErrorCode:DC_EVErrorCodeType, EVRESSSOC:percentValueType
EVChargeParameterType =
AC_EVChargeParameterType = ^EVChargeParameterType, DepartureTime:unsignedInt, EAmount:PhysicalValueType,
    EVMaxVoltage:PhysicalValueType, EVMaxCurrent:PhysicalValueType, EVMinCurrent:PhysicalValueType
DC_EVChargeParameterType = ^EVChargeParameterType, DC_EVStatus:DC_EVStatusType,
    EVMaximumCurrentLimit:PhysicalValueType, EVMaximumPowerLimit:PhysicalValueType?,
    EVMaximumVoltageLimit:PhysicalValueType, EVEnergyCapacity:PhysicalValueType?, EVEnergyRequest:PhysicalValueType?,
    FullSOC:percentValueType?, BulkSOC:percentValueType?
EVSEChargeParameterType =
AC_EVSEChargeParameterType = ^EVSEChargeParameterType, AC_EVSEStatus:AC_EVSEStatusType,
    EVSEMaxVoltage:PhysicalValueType, EVSEMaxCurrent:PhysicalValueType, EVSEMinCurrent:PhysicalValueType
DC_EVSEChargeParameterType = ^EVSEChargeParameterType, DC_EVSEStatus:DC_EVSEStatusType,
    EVSEMaximumCurrentLimit:PhysicalValueType, EVSEMaximumPowerLimit:PhysicalValueType?,
    EVSEMaximumVoltageLimit:PhysicalValueType, EVSEMinimumCurrentLimit:PhysicalValueType,
    EVSEMinimumVoltageLimit:PhysicalValueType, EVSECurrentRegulationTolerance:PhysicalValueType?,
    EVSEPeakCurrentRipple:PhysicalValueType, EVSEEnergyToBeDelivered:PhysicalValueType?
EVPowerDeliveryParameterType =
DC_EVPowerDeliveryParameterType = ^EVPowerDeliveryParameterType, DC_EVStatus:DC_EVStatusType,
    BulkChargingComplete:boolean?, ChargingComplete:boolean
ChargingProfileType = SAScheduleTupleID:SAIDType, ProfileEntry:ProfileEntryType+
ProfileEntryType = ChargingProfileEntryStart:unsignedInt, ChargingProfileEntryMaxPower:PMaxType
PaymentOptionsType = PaymentOption:paymentOptionType+
""",
    elements="""
ServiceCharge, SASchedules, Entry, TimeInterval:IntervalType, EVSEStatus, EVStatus, EVChargeParameter,
    EVSEChargeParameter, EVPowerDeliveryParameter
SAScheduleList < SASchedules
SalesTariffEntry, PMaxScheduleEntry < Entry
RelativeTimeInterval < TimeInterval
AC_EVSEStatus, DC_EVSEStatus < EVSEStatus
DC_EVStatus < EVStatus
AC_EVChargeParameter, DC_EVChargeParameter < EVChargeParameter
AC_EVSEChargeParameter, DC_EVSEChargeParameter < EVSEChargeParameter
DC_EVPowerDeliveryParameter < EVPowerDeliveryParameter
""",
)
