"""Smart charging of OCPP 1.6, 2.0.1 and 2.1 as a pure core: profiles in, limits out; no clock, no input or output.

``read`` makes a profile of a payload, ``ProfileStore`` keeps those that the rules of its version let in, ``Evaluator``
says what they allow at an instant and until when, ``composite`` what GetCompositeSchedule answers. ``Options`` has a
knob for everything that stations do differently.
"""

from hilbench_emulators.smart_charging.composite import Composite as Composite
from hilbench_emulators.smart_charging.composite import composite as composite
from hilbench_emulators.smart_charging.evaluate import Cause as Cause
from hilbench_emulators.smart_charging.evaluate import Decision as Decision
from hilbench_emulators.smart_charging.evaluate import Evaluator as Evaluator
from hilbench_emulators.smart_charging.evaluate import Interval as Interval
from hilbench_emulators.smart_charging.facts import Facts as Facts
from hilbench_emulators.smart_charging.facts import Outlet as Outlet
from hilbench_emulators.smart_charging.model import Kind as Kind
from hilbench_emulators.smart_charging.model import Period as Period
from hilbench_emulators.smart_charging.model import Profile as Profile
from hilbench_emulators.smart_charging.model import Purpose as Purpose
from hilbench_emulators.smart_charging.model import Rate as Rate
from hilbench_emulators.smart_charging.model import Recurrency as Recurrency
from hilbench_emulators.smart_charging.model import Schedule as Schedule
from hilbench_emulators.smart_charging.model import SocLimit as SocLimit
from hilbench_emulators.smart_charging.model import Unit as Unit
from hilbench_emulators.smart_charging.model import Version as Version
from hilbench_emulators.smart_charging.options import Gap as Gap
from hilbench_emulators.smart_charging.options import Options as Options
from hilbench_emulators.smart_charging.options import Refusal as Refusal
from hilbench_emulators.smart_charging.options import RelativeFrom as RelativeFrom
from hilbench_emulators.smart_charging.options import SameSlot as SameSlot
from hilbench_emulators.smart_charging.options import StationComposite as StationComposite
from hilbench_emulators.smart_charging.options import options_for as options_for
from hilbench_emulators.smart_charging.read import purpose_name as purpose_name
from hilbench_emulators.smart_charging.read import read as read
from hilbench_emulators.smart_charging.read import write as write
from hilbench_emulators.smart_charging.rules import Answer as Answer
from hilbench_emulators.smart_charging.sharing import share as share
from hilbench_emulators.smart_charging.store import ProfileStore as ProfileStore
from hilbench_emulators.smart_charging.store import Report as Report
from hilbench_emulators.smart_charging.times import Zone as Zone
from hilbench_emulators.smart_charging.times import zone_of as zone_of
