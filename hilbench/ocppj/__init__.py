"""OCPP-J over WebSockets, fast and repeatable: a layer under the ``ocpp`` package that stations and controllers share.

It keeps the package's handlers (``@on``, ``@after``) and payload classes and replaces what makes them slow, wrong or
tied to the machine: thread-pool validation, key names and signatures worked out per message, names that do not survive
conversion, frames without an answer, random message ids, the machine's own clock. Every frame is validated against the
schemas that the package ships.
"""

from hilbench.ocppj.caller import Connection as Connection
from hilbench.ocppj.errors import CallFailed as CallFailed
from hilbench.ocppj.errors import check as check
from hilbench.ocppj.errors import refusal as refusal
from hilbench.ocppj.link import dial as dial
from hilbench.ocppj.link import listen as listen
from hilbench.ocppj.naming import to_camel as to_camel
from hilbench.ocppj.naming import to_snake as to_snake
from hilbench.ocppj.peer import ChargePoint16 as ChargePoint16
from hilbench.ocppj.peer import ChargePoint21 as ChargePoint21
from hilbench.ocppj.peer import ChargePoint201 as ChargePoint201
from hilbench.ocppj.security import client_context as client_context
from hilbench.ocppj.security import server_context as server_context
from hilbench.ocppj.versions import VERSIONS as VERSIONS
from hilbench.ocppj.versions import after as after
from hilbench.ocppj.versions import call as call
from hilbench.ocppj.versions import call_result as call_result
from hilbench.ocppj.versions import messages as messages
from hilbench.ocppj.versions import on as on
