"""Messages of ISO 15118-2:2013 (secondary: schemas of the package ``iso15118`` 0.31.2)."""

from __future__ import annotations

from hilbench.ccs.exi.notation import Table

MSG_DEF = Table(
    "urn:iso:15118:2:2013:MsgDef",
    complex="""
V2G_MessageType = Header:MessageHeaderType, Body:BodyType
""",
    elements="""
V2G_Message
""",
    own_attributes=True,
)

MSG_HEADER = Table(
    "urn:iso:15118:2:2013:MsgHeader",
    complex="""
MessageHeaderType = SessionID:sessionIDType, Notification:NotificationType?, Signature?
""",
    own_attributes=True,
)

MSG_BODY = Table(
    "urn:iso:15118:2:2013:MsgBody",
    complex="""
BodyType = BodyElement?
BodyBaseType =
SessionSetupReqType = ^BodyBaseType, EVCCID:evccIDType
SessionSetupResType = ^BodyBaseType, ResponseCode:responseCodeType, EVSEID:evseIDType, EVSETimeStamp:long?
ServiceDiscoveryReqType = ^BodyBaseType, ServiceScope:serviceScopeType?, ServiceCategory:serviceCategoryType?
ServiceDiscoveryResType = ^BodyBaseType, ResponseCode:responseCodeType, PaymentOptionList:PaymentOptionListType,
    ChargeService:ChargeServiceType, ServiceList:ServiceListType?
ServiceDetailReqType = ^BodyBaseType, ServiceID:serviceIDType
ServiceDetailResType = ^BodyBaseType, ResponseCode:responseCodeType, ServiceID:serviceIDType,
    ServiceParameterList:ServiceParameterListType?
PaymentServiceSelectionReqType = ^BodyBaseType, SelectedPaymentOption:paymentOptionType,
    SelectedServiceList:SelectedServiceListType
PaymentServiceSelectionResType = ^BodyBaseType, ResponseCode:responseCodeType
PaymentDetailsReqType = ^BodyBaseType, eMAID:eMAIDType, ContractSignatureCertChain:CertificateChainType
PaymentDetailsResType = ^BodyBaseType, ResponseCode:responseCodeType, GenChallenge:genChallengeType,
    EVSETimeStamp:long
AuthorizationReqType = ^BodyBaseType, @Id:string?, GenChallenge:genChallengeType?
AuthorizationResType = ^BodyBaseType, ResponseCode:responseCodeType, EVSEProcessing:EVSEProcessingType
ChargeParameterDiscoveryReqType = ^BodyBaseType, MaxEntriesSAScheduleTuple:unsignedShort?,
    RequestedEnergyTransferMode:EnergyTransferModeType, EVChargeParameter
ChargeParameterDiscoveryResType = ^BodyBaseType, ResponseCode:responseCodeType, EVSEProcessing:EVSEProcessingType,
    SASchedules?, EVSEChargeParameter
PowerDeliveryReqType = ^BodyBaseType, ChargeProgress:chargeProgressType, SAScheduleTupleID:SAIDType,
    ChargingProfile:ChargingProfileType?, EVPowerDeliveryParameter?
PowerDeliveryResType = ^BodyBaseType, ResponseCode:responseCodeType, EVSEStatus
MeteringReceiptReqType = ^BodyBaseType, @Id:string?, SessionID:sessionIDType, SAScheduleTupleID:SAIDType?,
    MeterInfo:MeterInfoType
MeteringReceiptResType = ^BodyBaseType, ResponseCode:responseCodeType, EVSEStatus
SessionStopReqType = ^BodyBaseType, ChargingSession:chargingSessionType
SessionStopResType = ^BodyBaseType, ResponseCode:responseCodeType
CertificateUpdateReqType = ^BodyBaseType, @Id:string, ContractSignatureCertChain:CertificateChainType,
    eMAID:eMAIDType, ListOfRootCertificateIDs:ListOfRootCertificateIDsType
CertificateUpdateResType = ^BodyBaseType, ResponseCode:responseCodeType,
    SAProvisioningCertificateChain:CertificateChainType, ContractSignatureCertChain:CertificateChainType,
    ContractSignatureEncryptedPrivateKey:ContractSignatureEncryptedPrivateKeyType,
    DHpublickey:DiffieHellmanPublickeyType, eMAID:EMAIDType, RetryCounter:short?
CertificateInstallationReqType = ^BodyBaseType, @Id:string, OEMProvisioningCert:certificateType,
    ListOfRootCertificateIDs:ListOfRootCertificateIDsType
CertificateInstallationResType = ^BodyBaseType, ResponseCode:responseCodeType,
    SAProvisioningCertificateChain:CertificateChainType, ContractSignatureCertChain:CertificateChainType,
    ContractSignatureEncryptedPrivateKey:ContractSignatureEncryptedPrivateKeyType,
    DHpublickey:DiffieHellmanPublickeyType, eMAID:EMAIDType
ChargingStatusReqType = ^BodyBaseType
ChargingStatusResType = ^BodyBaseType, ResponseCode:responseCodeType, EVSEID:evseIDType, SAScheduleTupleID:SAIDType,
    EVSEMaxCurrent:PhysicalValueType?, MeterInfo:MeterInfoType?, ReceiptRequired:boolean?,
    AC_EVSEStatus:AC_EVSEStatusType
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
    EVSEMaximumCurrentLimit:PhysicalValueType?, EVSEMaximumPowerLimit:PhysicalValueType?, EVSEID:evseIDType,
    SAScheduleTupleID:SAIDType, MeterInfo:MeterInfoType?, ReceiptRequired:boolean?
WeldingDetectionReqType = ^BodyBaseType, DC_EVStatus:DC_EVStatusType
WeldingDetectionResType = ^BodyBaseType, ResponseCode:responseCodeType, DC_EVSEStatus:DC_EVSEStatusType,
    EVSEPresentVoltage:PhysicalValueType
""",
    elements="""
BodyElement:BodyBaseType
SessionSetupReq, SessionSetupRes, ServiceDiscoveryReq, ServiceDiscoveryRes, ServiceDetailReq, ServiceDetailRes,
    PaymentServiceSelectionReq, PaymentServiceSelectionRes, PaymentDetailsReq, PaymentDetailsRes, AuthorizationReq,
    AuthorizationRes, ChargeParameterDiscoveryReq, ChargeParameterDiscoveryRes, PowerDeliveryReq, PowerDeliveryRes,
    MeteringReceiptReq, MeteringReceiptRes, SessionStopReq, SessionStopRes, CertificateUpdateReq,
    CertificateUpdateRes, CertificateInstallationReq, CertificateInstallationRes, ChargingStatusReq,
    ChargingStatusRes, CableCheckReq, CableCheckRes, PreChargeReq, PreChargeRes, CurrentDemandReq, CurrentDemandRes,
    WeldingDetectionReq, WeldingDetectionRes < BodyElement
""",
    own_attributes=True,
)

DATA_TYPES = Table(
    "urn:iso:15118:2:2013:MsgDataTypes",
    simple="""
percentValueType = 0..100
faultMsgType = text 64
EVSEProcessingType = one of Finished Ongoing Ongoing_WaitingForCustomerInteraction
EVSENotificationType = one of None StopCharging ReNegotiation
chargeProgressType = one of Start Stop Renegotiate
chargingSessionType = one of Terminate Pause
serviceNameType = text 32
serviceCategoryType = one of EVCharging Internet ContractCertificate OtherCustom
serviceScopeType = text 64
maxNumPhasesType = 1..3
valueType = one of bool byte short int physicalValue string
meterStatusType = short
EnergyTransferModeType = one of AC_single_phase_core AC_three_phase_core DC_core DC_extended DC_combo_core DC_unique
genChallengeType = bytes 16
certificateType = bytes 800
dHpublickeyType = bytes 65
privateKeyType = bytes 48
sigMeterReadingType = bytes 64
sessionIDType = bytes 8
evccIDType = bytes 6
evseIDType = text 37
serviceIDType = unsignedShort
eMAIDType = text 15
meterIDType = text 32
SAIDType = 1..255
tariffDescriptionType = text 32
costKindType = one of relativePricePercentage RenewableGenerationPercentage CarbonDioxideEmission
paymentOptionType = one of Contract ExternalPayment
faultCodeType = one of ParsingError NoTLSRootCertificatAvailable UnknownError
responseCodeType = one of OK OK_NewSessionEstablished OK_OldSessionJoined OK_CertificateExpiresSoon FAILED
    FAILED_SequenceError FAILED_ServiceIDInvalid FAILED_UnknownSession FAILED_ServiceSelectionInvalid
    FAILED_PaymentSelectionInvalid FAILED_CertificateExpired FAILED_SignatureError FAILED_NoCertificateAvailable
    FAILED_CertChainError FAILED_ChallengeInvalid FAILED_ContractCanceled FAILED_WrongChargeParameter
    FAILED_PowerDeliveryNotApplied FAILED_TariffSelectionInvalid FAILED_ChargingProfileInvalid
    FAILED_MeteringSignatureNotValid FAILED_NoChargeServiceSelected FAILED_WrongEnergyTransferMode
    FAILED_ContactorError FAILED_CertificateNotAllowedAtThisEVSE FAILED_CertificateRevoked
unitMultiplierType = -3..3
unitSymbolType = one of h m s A V W Wh
DC_EVSEStatusCodeType = one of EVSE_NotReady EVSE_Ready EVSE_Shutdown EVSE_UtilityInterruptEvent
    EVSE_IsolationMonitoringActive EVSE_EmergencyShutdown EVSE_Malfunction Reserved_8 Reserved_9 Reserved_A Reserved_B
    Reserved_C
isolationLevelType = one of Invalid Valid Warning Fault No_IMD
DC_EVErrorCodeType = one of NO_ERROR FAILED_RESSTemperatureInhibit FAILED_EVShiftPosition
    FAILED_ChargerConnectorLockFault FAILED_EVRESSMalfunction FAILED_ChargingCurrentdifferential
    FAILED_ChargingVoltageOutOfRange Reserved_A Reserved_B Reserved_C FAILED_ChargingSystemIncompatibility NoData
""",
    complex="""
ServiceType = ServiceID:serviceIDType, ServiceName:serviceNameType?, ServiceCategory:serviceCategoryType,
    ServiceScope:serviceScopeType?, FreeService:boolean
ServiceListType = Service:ServiceType[1..8]
SelectedServiceListType = SelectedService:SelectedServiceType[1..16]
SelectedServiceType = ServiceID:serviceIDType, ParameterSetID:short?
ServiceParameterListType = ParameterSet:ParameterSetType[1..255]
ParameterSetType = ParameterSetID:short, Parameter:ParameterType[1..16]
ParameterType = @Name:string, (boolValue:boolean | byteValue:byte | shortValue:short | intValue:int |
    physicalValue:PhysicalValueType | stringValue:string)
ChargeServiceType = ^ServiceType, SupportedEnergyTransferMode:SupportedEnergyTransferModeType
SupportedEnergyTransferModeType = EnergyTransferMode:EnergyTransferModeType[1..6]
ContractSignatureEncryptedPrivateKeyType = @Id:string, .:privateKeyType
DiffieHellmanPublickeyType = @Id:string, .:dHpublickeyType
EMAIDType = @Id:string, .:eMAIDType
CertificateChainType = @Id:string?, Certificate:certificateType, SubCertificates:SubCertificatesType?
SubCertificatesType = Certificate:certificateType[1..4]
ListOfRootCertificateIDsType = RootCertificateID:X509IssuerSerialType[1..20]
MeterInfoType = MeterID:meterIDType, MeterReading:unsignedLong?, SigMeterReading:sigMeterReadingType?,
    MeterStatus:meterStatusType?, TMeter:long?
PhysicalValueType = Multiplier:unitMultiplierType, Unit:unitSymbolType, Value:short
NotificationType = FaultCode:faultCodeType, FaultMsg:faultMsgType?
SASchedulesType =
SAScheduleListType = ^SASchedulesType, SAScheduleTuple:SAScheduleTupleType[1..3]
SAScheduleTupleType = SAScheduleTupleID:SAIDType, PMaxSchedule:PMaxScheduleType, SalesTariff:SalesTariffType?
SalesTariffType = @Id:string?, SalesTariffID:SAIDType, SalesTariffDescription:tariffDescriptionType?,
    NumEPriceLevels:unsignedByte?, SalesTariffEntry[1..1024]
PMaxScheduleType = PMaxScheduleEntry[1..1024]
EntryType = TimeInterval
SalesTariffEntryType = ^EntryType, EPriceLevel:unsignedByte?, ConsumptionCost:ConsumptionCostType[0..3]
PMaxScheduleEntryType = ^EntryType, PMax:PhysicalValueType
IntervalType =
RelativeTimeIntervalType = ^IntervalType, start:0..16777214, duration:0..86400?
ConsumptionCostType = startValue:PhysicalValueType, Cost:CostType[1..3]
CostType = costKind:costKindType, amount:unsignedInt, amountMultiplier:unitMultiplierType?
EVSEStatusType = NotificationMaxDelay:unsignedShort, EVSENotification:EVSENotificationType
AC_EVSEStatusType = ^EVSEStatusType, RCD:boolean
EVStatusType =
DC_EVSEStatusType = ^EVSEStatusType, EVSEIsolationStatus:isolationLevelType?, EVSEStatusCode:DC_EVSEStatusCodeType
DC_EVStatusType = ^EVStatusType, EVReady:boolean, EVErrorCode:DC_EVErrorCodeType, EVRESSSOC:percentValueType
EVChargeParameterType = DepartureTime:unsignedInt?
AC_EVChargeParameterType = ^EVChargeParameterType, EAmount:PhysicalValueType, EVMaxVoltage:PhysicalValueType,
    EVMaxCurrent:PhysicalValueType, EVMinCurrent:PhysicalValueType
DC_EVChargeParameterType = ^EVChargeParameterType, DC_EVStatus:DC_EVStatusType,
    EVMaximumCurrentLimit:PhysicalValueType, EVMaximumPowerLimit:PhysicalValueType?,
    EVMaximumVoltageLimit:PhysicalValueType, EVEnergyCapacity:PhysicalValueType?, EVEnergyRequest:PhysicalValueType?,
    FullSOC:percentValueType?, BulkSOC:percentValueType?
EVSEChargeParameterType =
AC_EVSEChargeParameterType = ^EVSEChargeParameterType, AC_EVSEStatus:AC_EVSEStatusType,
    EVSENominalVoltage:PhysicalValueType, EVSEMaxCurrent:PhysicalValueType
DC_EVSEChargeParameterType = ^EVSEChargeParameterType, DC_EVSEStatus:DC_EVSEStatusType,
    EVSEMaximumCurrentLimit:PhysicalValueType, EVSEMaximumPowerLimit:PhysicalValueType,
    EVSEMaximumVoltageLimit:PhysicalValueType, EVSEMinimumCurrentLimit:PhysicalValueType,
    EVSEMinimumVoltageLimit:PhysicalValueType, EVSECurrentRegulationTolerance:PhysicalValueType?,
    EVSEPeakCurrentRipple:PhysicalValueType, EVSEEnergyToBeDelivered:PhysicalValueType?
EVPowerDeliveryParameterType =
DC_EVPowerDeliveryParameterType = ^EVPowerDeliveryParameterType, DC_EVStatus:DC_EVStatusType,
    BulkChargingComplete:boolean?, ChargingComplete:boolean
ChargingProfileType = ProfileEntry:ProfileEntryType[1..24]
ProfileEntryType = ChargingProfileEntryStart:unsignedInt, ChargingProfileEntryMaxPower:PhysicalValueType,
    ChargingProfileEntryMaxNumberOfPhasesInUse:maxNumPhasesType?
PaymentOptionListType = PaymentOption:paymentOptionType[1..2]
""",
    elements="""
SASchedules, Entry, TimeInterval:IntervalType, EVSEStatus, EVStatus, EVChargeParameter, EVSEChargeParameter,
    EVPowerDeliveryParameter
SAScheduleList < SASchedules
SalesTariffEntry, PMaxScheduleEntry < Entry
RelativeTimeInterval < TimeInterval
AC_EVSEStatus, DC_EVSEStatus < EVSEStatus
DC_EVStatus < EVStatus
AC_EVChargeParameter, DC_EVChargeParameter < EVChargeParameter
AC_EVSEChargeParameter, DC_EVSEChargeParameter < EVSEChargeParameter
DC_EVPowerDeliveryParameter < EVPowerDeliveryParameter
""",
    own_attributes=True,
)
