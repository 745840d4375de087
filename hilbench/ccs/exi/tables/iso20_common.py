"""Messages of ISO 15118-20 that all ways of charging share (secondary: schema of the package ``iso15118`` 0.31.2)."""

from __future__ import annotations

from hilbench.ccs.exi.notation import Table

ISO20_COMMON = Table(
    "urn:iso:std:iso:15118:-20:CommonMessages",
    simple="""
authorizationType = one of EIM PnC
genChallengeType = bytes 16
serviceIDType = unsignedShort
maxSupportingPointsScheduleTupleType = 12..1024
chargeProgressType = one of Start Stop Standby ScheduleRenegotiation
channelSelectionType = one of Charge Discharge
ecdhCurveType = one of SECP521 X448
dhPublicKeyType = bytes 133
secp521_EncryptedPrivateKeyType = bytes 94
x448_EncryptedPrivateKeyType = bytes 84
tpm_EncryptedPrivateKeyType = bytes 206
chargingSessionType = one of Pause Terminate ServiceRenegotiation
evCheckInStatusType = one of CheckIn Processing Completed
evCheckOutStatusType = one of CheckOut Processing Completed
evseCheckOutStatusType = one of Scheduled Completed
parkingMethodType = one of AutoParking MVGuideManual Manual
currencyType = text 3
languageType = text 3
powerToleranceAcceptanceType = one of PowerToleranceNotConfirmed PowerToleranceConfirmed
certificateType = bytes 1600
""",
    complex="""
SessionSetupReqType = ^V2GRequestType, EVCCID:identifierType
SessionSetupResType = ^V2GResponseType, EVSEID:identifierType
AuthorizationSetupReqType = ^V2GRequestType
AuthorizationSetupResType = ^V2GResponseType, AuthorizationServices:authorizationType[1..2],
    CertificateInstallationService:boolean, (EIM_ASResAuthorizationMode:EIM_ASResAuthorizationModeType |
    PnC_ASResAuthorizationMode:PnC_ASResAuthorizationModeType)
AuthorizationReqType = ^V2GRequestType, SelectedAuthorizationService:authorizationType,
    (EIM_AReqAuthorizationMode:EIM_AReqAuthorizationModeType |
    PnC_AReqAuthorizationMode:PnC_AReqAuthorizationModeType)
AuthorizationResType = ^V2GResponseType, EVSEProcessing:processingType
ServiceDiscoveryReqType = ^V2GRequestType, SupportedServiceIDs:ServiceIDListType?
ServiceDiscoveryResType = ^V2GResponseType, ServiceRenegotiationSupported:boolean,
    EnergyTransferServiceList:ServiceListType, VASList:ServiceListType?
ServiceDetailReqType = ^V2GRequestType, ServiceID:serviceIDType
ServiceDetailResType = ^V2GResponseType, ServiceID:serviceIDType, ServiceParameterList:ServiceParameterListType
ServiceSelectionReqType = ^V2GRequestType, SelectedEnergyTransferService:SelectedServiceType,
    SelectedVASList:SelectedServiceListType?
ServiceSelectionResType = ^V2GResponseType
ScheduleExchangeReqType = ^V2GRequestType, MaximumSupportingPoints:maxSupportingPointsScheduleTupleType,
    (Dynamic_SEReqControlMode:Dynamic_SEReqControlModeType |
    Scheduled_SEReqControlMode:Scheduled_SEReqControlModeType)
ScheduleExchangeResType = ^V2GResponseType, EVSEProcessing:processingType, GoToPause:boolean?,
    (Dynamic_SEResControlMode:Dynamic_SEResControlModeType |
    Scheduled_SEResControlMode:Scheduled_SEResControlModeType)
PowerDeliveryReqType = ^V2GRequestType, EVProcessing:processingType, ChargeProgress:chargeProgressType,
    EVPowerProfile:EVPowerProfileType?, BPT_ChannelSelection:channelSelectionType?
PowerDeliveryResType = ^V2GResponseType, EVSEStatus:EVSEStatusType?
MeteringConfirmationReqType = ^V2GRequestType, SignedMeteringData:SignedMeteringDataType
MeteringConfirmationResType = ^V2GResponseType
SessionStopReqType = ^V2GRequestType, ChargingSession:chargingSessionType, EVTerminationCode:nameType?,
    EVTerminationExplanation:descriptionType?
SessionStopResType = ^V2GResponseType
CertificateInstallationReqType = ^V2GRequestType, OEMProvisioningCertificateChain:SignedCertificateChainType,
    ListOfRootCertificateIDs:ListOfRootCertificateIDsType, MaximumContractCertificateChains:unsignedByte,
    PrioritizedEMAIDs:EMAIDListType?
CertificateInstallationResType = ^V2GResponseType, EVSEProcessing:processingType,
    CPSCertificateChain:CertificateChainType, SignedInstallationData:SignedInstallationDataType,
    RemainingContractCertificateChains:unsignedByte
VehicleCheckInReqType = ^V2GRequestType, EVCheckInStatus:evCheckInStatusType, ParkingMethod:parkingMethodType,
    VehicleFrame:short?, DeviceOffset:short?, VehicleTravel:short?
VehicleCheckInResType = ^V2GResponseType, ParkingSpace:short?, DeviceLocation:short?, TargetDistance:short?
VehicleCheckOutReqType = ^V2GRequestType, EVCheckOutStatus:evCheckOutStatusType, CheckOutTime:unsignedLong
VehicleCheckOutResType = ^V2GResponseType, EVSECheckOutStatus:evseCheckOutStatusType
PnC_ASResAuthorizationModeType = GenChallenge:genChallengeType, SupportedProviders:SupportedProvidersListType?
SupportedProvidersListType = ProviderID:nameType[1..128]
EIM_ASResAuthorizationModeType =
PnC_AReqAuthorizationModeType = @Id:string, GenChallenge:genChallengeType,
    ContractCertificateChain:ContractCertificateChainType
EIM_AReqAuthorizationModeType =
ServiceIDListType = ServiceID:serviceIDType[1..16]
ServiceType = ServiceID:serviceIDType, FreeService:boolean
ServiceListType = Service:ServiceType[1..8]
SelectedServiceType = ServiceID:serviceIDType, ParameterSetID:serviceIDType
SelectedServiceListType = SelectedService:SelectedServiceType[1..16]
ParameterType = @Name:nameType, (boolValue:boolean | byteValue:byte | shortValue:short | intValue:int |
    rationalNumber:RationalNumberType | finiteString:nameType)
ParameterSetType = ParameterSetID:serviceIDType, Parameter:ParameterType[1..32]
ServiceParameterListType = ParameterSet:ParameterSetType[1..32]
ScheduleTupleType = ScheduleTupleID:numericIDType, ChargingSchedule:ChargingScheduleType,
    DischargingSchedule:ChargingScheduleType?
ChargingScheduleType = PowerSchedule:PowerScheduleType, (AbsolutePriceSchedule:AbsolutePriceScheduleType |
    PriceLevelSchedule:PriceLevelScheduleType)?
Scheduled_SEReqControlModeType = DepartureTime:unsignedInt?, EVTargetEnergyRequest:RationalNumberType?,
    EVMaximumEnergyRequest:RationalNumberType?, EVMinimumEnergyRequest:RationalNumberType?,
    EVEnergyOffer:EVEnergyOfferType?
Scheduled_SEResControlModeType = ScheduleTuple:ScheduleTupleType[1..3]
Dynamic_SEReqControlModeType = DepartureTime:unsignedInt, MinimumSOC:percentValueType?, TargetSOC:percentValueType?,
    EVTargetEnergyRequest:RationalNumberType, EVMaximumEnergyRequest:RationalNumberType,
    EVMinimumEnergyRequest:RationalNumberType, EVMaximumV2XEnergyRequest:RationalNumberType?,
    EVMinimumV2XEnergyRequest:RationalNumberType?
Dynamic_SEResControlModeType = DepartureTime:unsignedInt?, MinimumSOC:percentValueType?, TargetSOC:percentValueType?,
    (AbsolutePriceSchedule:AbsolutePriceScheduleType | PriceLevelSchedule:PriceLevelScheduleType)?
SignedInstallationDataType = @Id:string, ContractCertificateChain:ContractCertificateChainType,
    ECDHCurve:ecdhCurveType, DHPublicKey:dhPublicKeyType, (SECP521_EncryptedPrivateKey:secp521_EncryptedPrivateKeyType
    | X448_EncryptedPrivateKey:x448_EncryptedPrivateKeyType | TPM_EncryptedPrivateKey:tpm_EncryptedPrivateKeyType)
SignedMeteringDataType = @Id:string, SessionID:sessionIDType, MeterInfo:MeterInfoType, Receipt:ReceiptType?,
    (Dynamic_SMDTControlMode:Dynamic_SMDTControlModeType | Scheduled_SMDTControlMode:Scheduled_SMDTControlModeType)
Scheduled_SMDTControlModeType = SelectedScheduleTupleID:numericIDType
Dynamic_SMDTControlModeType =
TargetPositionType = TargetOffsetX:unsignedShort, TargetOffsetY:unsignedShort
PowerScheduleType = TimeAnchor:unsignedLong, AvailableEnergy:RationalNumberType?, PowerTolerance:RationalNumberType?,
    PowerScheduleEntries:PowerScheduleEntryListType
PowerScheduleEntryListType = PowerScheduleEntry:PowerScheduleEntryType[1..1024]
PowerScheduleEntryType = Duration:unsignedInt, Power:RationalNumberType, Power_L2:RationalNumberType?,
    Power_L3:RationalNumberType?
PriceScheduleType = TimeAnchor:unsignedLong, PriceScheduleID:numericIDType, PriceScheduleDescription:descriptionType?
PriceLevelScheduleType = ^PriceScheduleType, @Id:string?, NumberOfPriceLevels:unsignedByte,
    PriceLevelScheduleEntries:PriceLevelScheduleEntryListType
PriceLevelScheduleEntryListType = PriceLevelScheduleEntry:PriceLevelScheduleEntryType[1..1024]
PriceLevelScheduleEntryType = Duration:unsignedInt, PriceLevel:unsignedByte
AbsolutePriceScheduleType = ^PriceScheduleType, @Id:string?, Currency:currencyType, Language:languageType,
    PriceAlgorithm:identifierType, MinimumCost:RationalNumberType?, MaximumCost:RationalNumberType?,
    TaxRules:TaxRuleListType?, PriceRuleStacks:PriceRuleStackListType, OverstayRules:OverstayRuleListType?,
    AdditionalSelectedServices:AdditionalServiceListType?
TaxRuleListType = TaxRule:TaxRuleType[1..10]
TaxRuleType = TaxRuleID:numericIDType, TaxRuleName:nameType?, TaxRate:RationalNumberType, TaxIncludedInPrice:boolean?,
    AppliesToEnergyFee:boolean, AppliesToParkingFee:boolean, AppliesToOverstayFee:boolean,
    AppliesMinimumMaximumCost:boolean
PriceRuleStackListType = PriceRuleStack:PriceRuleStackType[1..1024]
PriceRuleStackType = Duration:unsignedInt, PriceRule:PriceRuleType[1..8]
PriceRuleType = EnergyFee:RationalNumberType, ParkingFee:RationalNumberType?, ParkingFeePeriod:unsignedInt?,
    CarbonDioxideEmission:unsignedShort?, RenewableGenerationPercentage:unsignedByte?,
    PowerRangeStart:RationalNumberType
OverstayRuleListType = OverstayTimeThreshold:unsignedInt?, OverstayPowerThreshold:RationalNumberType?,
    OverstayRule:OverstayRuleType[1..5]
OverstayRuleType = OverstayRuleDescription:descriptionType?, StartTime:unsignedInt, OverstayFee:RationalNumberType,
    OverstayFeePeriod:unsignedInt
AdditionalServiceListType = AdditionalService:AdditionalServiceType[1..5]
AdditionalServiceType = ServiceName:nameType, ServiceFee:RationalNumberType
EVPowerProfileEntryListType = EVPowerProfileEntry:PowerScheduleEntryType[1..2048]
EVPowerProfileType = TimeAnchor:unsignedLong, (Dynamic_EVPPTControlMode:Dynamic_EVPPTControlModeType |
    Scheduled_EVPPTControlMode:Scheduled_EVPPTControlModeType), EVPowerProfileEntries:EVPowerProfileEntryListType
Scheduled_EVPPTControlModeType = SelectedScheduleTupleID:numericIDType,
    PowerToleranceAcceptance:powerToleranceAcceptanceType?
Dynamic_EVPPTControlModeType =
EVEnergyOfferType = EVPowerSchedule:EVPowerScheduleType, EVAbsolutePriceSchedule:EVAbsolutePriceScheduleType
EVPowerScheduleType = TimeAnchor:unsignedLong, EVPowerScheduleEntries:EVPowerScheduleEntryListType
EVPowerScheduleEntryListType = EVPowerScheduleEntry:EVPowerScheduleEntryType[1..1024]
EVPowerScheduleEntryType = Duration:unsignedInt, Power:RationalNumberType
EVAbsolutePriceScheduleType = TimeAnchor:unsignedLong, Currency:currencyType, PriceAlgorithm:identifierType,
    EVPriceRuleStacks:EVPriceRuleStackListType
EVPriceRuleStackListType = EVPriceRuleStack:EVPriceRuleStackType[1..1024]
EVPriceRuleStackType = Duration:unsignedInt, EVPriceRule:EVPriceRuleType[1..8]
EVPriceRuleType = EnergyFee:RationalNumberType, PowerRangeStart:RationalNumberType
EMAIDListType = EMAID:identifierType[1..8]
SubCertificatesType = Certificate:certificateType[1..3]
CertificateChainType = Certificate:certificateType, SubCertificates:SubCertificatesType?
SignedCertificateChainType = @Id:string, Certificate:certificateType, SubCertificates:SubCertificatesType?
ContractCertificateChainType = Certificate:certificateType, SubCertificates:SubCertificatesType
""",
    elements="""
SessionSetupReq, SessionSetupRes, AuthorizationSetupReq, AuthorizationSetupRes, AuthorizationReq, AuthorizationRes,
    ServiceDiscoveryReq, ServiceDiscoveryRes, ServiceDetailReq, ServiceDetailRes, ServiceSelectionReq,
    ServiceSelectionRes, ScheduleExchangeReq, ScheduleExchangeRes, PowerDeliveryReq, PowerDeliveryRes,
    MeteringConfirmationReq, MeteringConfirmationRes, SessionStopReq, SessionStopRes, CertificateInstallationReq,
    CertificateInstallationRes, VehicleCheckInReq, VehicleCheckInRes, VehicleCheckOutReq, VehicleCheckOutRes,
    SignedInstallationData, SignedMeteringData
""",
    own_attributes=True,
)
