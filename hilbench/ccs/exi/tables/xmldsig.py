"""Signatures of XML as V2G messages carry them (W3C XML Signature, 2000/09; facts read in the schema)."""

from __future__ import annotations

from hilbench.ccs.exi.notation import Table

XMLDSIG = Table(
    "http://www.w3.org/2000/09/xmldsig#",
    simple="""
CryptoBinary = bytes
DigestValueType = bytes
HMACOutputLengthType = integer
""",
    complex="""
SignatureType = @Id:string?, SignedInfo, SignatureValue, KeyInfo?, Object*
SignatureValueType = @Id:string?, .:bytes
SignedInfoType = @Id:string?, CanonicalizationMethod, SignatureMethod, Reference+
CanonicalizationMethodType = ~, @Algorithm:string, any*
SignatureMethodType = ~, @Algorithm:string, HMACOutputLength:HMACOutputLengthType?, any*
ReferenceType = @Id:string?, @URI:string?, @Type:string?, Transforms?, DigestMethod, DigestValue
TransformsType = Transform+
TransformType = ~, @Algorithm:string, (any | XPath:string)*
DigestMethodType = ~, @Algorithm:string, any*
KeyInfoType = ~, @Id:string?, (KeyName | KeyValue | RetrievalMethod | X509Data | PGPData | SPKIData | MgmtData | any)+
KeyValueType = ~, (DSAKeyValue | RSAKeyValue | any)
RetrievalMethodType = @URI:string?, @Type:string?, Transforms?
X509DataType = ((X509IssuerSerial:X509IssuerSerialType | X509SKI:bytes | X509SubjectName:string |
    X509Certificate:bytes | X509CRL:bytes | any))+
X509IssuerSerialType = X509IssuerName:string, X509SerialNumber:integer
PGPDataType = ((PGPKeyID:bytes, PGPKeyPacket:bytes?, any*) | (PGPKeyPacket:bytes, any*))
SPKIDataType = (SPKISexp:bytes, any?)+
ObjectType = ~, @Id:string?, @MimeType:string?, @Encoding:string?, (any)*
ManifestType = @Id:string?, Reference+
SignaturePropertiesType = @Id:string?, SignatureProperty+
SignaturePropertyType = ~, @Target:string, @Id:string?, (any)+
DSAKeyValueType = (P:CryptoBinary, Q:CryptoBinary)?, G:CryptoBinary?, Y:CryptoBinary, J:CryptoBinary?,
    (Seed:CryptoBinary, PgenCounter:CryptoBinary)?
RSAKeyValueType = Modulus:CryptoBinary, Exponent:CryptoBinary
""",
    elements="""
Signature, SignatureValue, SignedInfo, CanonicalizationMethod, SignatureMethod, Reference, Transforms, Transform,
    DigestMethod, DigestValue, KeyInfo, KeyName:string, MgmtData:string, KeyValue, RetrievalMethod, X509Data, PGPData,
    SPKIData, Object, Manifest, SignatureProperties, SignatureProperty, DSAKeyValue, RSAKeyValue
""",
)
