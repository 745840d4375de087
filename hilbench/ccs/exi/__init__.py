"""EXI as V2G messages use it: schema-informed, bit-packed, not strict, no options (EXI 1.0; ISO 15118-2 section 7.9.1).

A schema has its tables in :mod:`hilbench.ccs.exi.tables`, in a notation of our own. From a table come the states of a
type, from them closures that read and write::

    from hilbench.ccs import exi

    data = exi.encode(exi.DIN, "PreChargeReq", {"Header": {"SessionID": b"\\1" * 8}, "DC_EVStatus": {...}, ...})
    message = exi.decode(exi.DIN, data)
    message.name, message.body["DC_EVStatus"]["EVRESSSOC"]

Not covered: events that a schema does not declare, references to earlier text, elements of any name inside a signature,
WPT and ACDP of ISO 15118-20, decoding of fragments. V2G stacks use none of the first three.
"""

from hilbench.ccs.exi.errors import ExiError as ExiError
from hilbench.ccs.exi.fragments import encode_fragment as encode_fragment
from hilbench.ccs.exi.messages import Message as Message
from hilbench.ccs.exi.messages import decode as decode
from hilbench.ccs.exi.messages import encode as encode
from hilbench.ccs.exi.schema import Schema as Schema
from hilbench.ccs.exi.schemas import APP_PROTOCOL as APP_PROTOCOL
from hilbench.ccs.exi.schemas import DIN as DIN
from hilbench.ccs.exi.schemas import ISO2 as ISO2
from hilbench.ccs.exi.schemas import ISO20 as ISO20
from hilbench.ccs.exi.schemas import ISO20_AC as ISO20_AC
from hilbench.ccs.exi.schemas import ISO20_DC as ISO20_DC
from hilbench.ccs.exi.schemas import SCHEMAS as SCHEMAS
from hilbench.ccs.exi.schemas import SIGNATURE as SIGNATURE
