"""The handshake that picks a protocol (secondary: schema of the package ``iso15118`` 0.31.2)."""

from __future__ import annotations

from hilbench.ccs.exi.notation import Table

APP_PROTOCOL = Table(
    "urn:iso:15118:2:2010:AppProtocol",
    simple="""
idType = unsignedByte
protocolNameType = text 30
protocolNamespaceType = text 100
priorityType = 1..20
responseCodeType = one of OK_SuccessfulNegotiation OK_SuccessfulNegotiationWithMinorDeviation Failed_NoNegotiation
""",
    complex="""
AppProtocolType = ProtocolNamespace:protocolNamespaceType, VersionNumberMajor:unsignedInt,
    VersionNumberMinor:unsignedInt, SchemaID:idType, Priority:priorityType
supportedAppProtocolReqType = AppProtocol:AppProtocolType[1..20]
supportedAppProtocolResType = ResponseCode:responseCodeType, SchemaID:idType?
""",
    elements="""
supportedAppProtocolReq, supportedAppProtocolRes
""",
)
