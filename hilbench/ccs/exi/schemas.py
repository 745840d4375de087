"""The schemas that the bench knows."""

from __future__ import annotations

from hilbench.ccs.exi.schema import Schema
from hilbench.ccs.exi.tables import app_protocol, din, iso2
from hilbench.ccs.exi.tables.iso20_ac import ISO20_AC as AC_TABLE
from hilbench.ccs.exi.tables.iso20_common import ISO20_COMMON
from hilbench.ccs.exi.tables.iso20_dc import ISO20_DC as DC_TABLE
from hilbench.ccs.exi.tables.iso20_types import ISO20_TYPES
from hilbench.ccs.exi.tables.xmldsig import XMLDSIG

APP_PROTOCOL = Schema("supportedAppProtocol", app_protocol.APP_PROTOCOL)
DIN = Schema("DIN 70121", din.MSG_DEF, din.MSG_HEADER, din.MSG_BODY, din.DATA_TYPES, XMLDSIG)
ISO2 = Schema("ISO 15118-2", iso2.MSG_DEF, iso2.MSG_HEADER, iso2.MSG_BODY, iso2.DATA_TYPES, XMLDSIG)
ISO20 = Schema("ISO 15118-20", ISO20_COMMON, ISO20_TYPES, XMLDSIG)
ISO20_AC = Schema("ISO 15118-20 AC", AC_TABLE, ISO20_TYPES, XMLDSIG)
ISO20_DC = Schema("ISO 15118-20 DC", DC_TABLE, ISO20_TYPES, XMLDSIG)
SIGNATURE = Schema("XML Signature", XMLDSIG)
SCHEMAS = {schema.namespace: schema for schema in (APP_PROTOCOL, DIN, ISO2, ISO20, ISO20_AC, ISO20_DC)}
"""Schemas of messages by the namespace that supportedAppProtocol names."""
