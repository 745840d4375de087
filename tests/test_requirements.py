"""Requirement profiles: the shipped one, merging, conditions, and every way to write them wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.errors import InputError
from hilbench.metrics.catalogue import METRICS
from hilbench.requirements import (
    CONTEXT,
    Profile,
    Requirements,
    lint,
    load_requirements,
    profile_names,
    read_profile,
)

SITE = {
    "rating_a": 100.0,
    "budget_a": 80.0,
    "tolerance_a": 1.6,
    "fallback_a": 6.0,
    "timeout_s": 30.0,
    "meter_interval_s": 1.0,
    "stations": 10.0,
    "notice_s": 600.0,
    "dc_step_a": 0.0,
    "dc_hold_a": 0.0,
    "dc_ends": 0.0,
    "dc_patience_s": 0.5,
}
Write = Callable[..., Path]
HEAD = 'id = "site-x"\ntitle = "Site X"\nedition = "1"\n'
CLAUSE = {
    "id": '"c1"',
    "metric": '"t90"',
    "op": '"<="',
    "limit": "10",
    "unit": '"s"',
    "guard": '"none"',
    "source": '"contract 4.2"',
    "confidence": '"vendor-doc"',
    "text": '"fast enough"',
}


def clause(**changes: str | None) -> str:
    """TOML of one clause; None leaves a key out."""
    keys = {**CLAUSE, **changes}
    return "[[clause]]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items() if value is not None)


@pytest.fixture
def profile(tmp_path: Path) -> Write:
    """Write a profile file from its text and give its path."""

    def write(*clauses: str, head: str = HEAD, name: str = "x.toml") -> Path:
        path = tmp_path / name
        path.write_text(head + "\n" + "\n".join(clauses), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="module")
def generic() -> Requirements:
    """The shipped profile."""
    return load_requirements(["generic-v0"])


@pytest.mark.parametrize("name", profile_names())
def test_every_shipped_profile_is_clean(name: str) -> None:
    """Shipped profiles load, lint clean and are named like their file."""
    assert load_requirements([name]).profiles[0].id == name


def test_generic_v0_limits_every_metric_but_the_ones_that_depend_on_the_site(generic: Requirements) -> None:
    """Each metric has exactly one applicable clause on a normal site; the rest is information."""
    found = {name: generic.applicable(name, "7.1", SITE) for name in METRICS}
    assert {name for name, clauses in found.items() if not clauses} == {"overshoot_a", "energy_satisfaction"}
    assert all(len(clauses) <= 1 for clauses in found.values())


@pytest.mark.parametrize(
    ("metric", "context", "limit"),
    [
        ("time_above_budget", {}, 30.0),
        ("time_above_budget", {"rating_a": 60.0}, 10.0),
        ("time_above_budget", {"rating_a": 60.0, "meter_interval_s": 5.0}, 30.0),
        ("ampere_seconds_above_budget", {}, 300.0),
        ("ampere_seconds_above_rating", {}, 300.0),
        ("time_above_rating", {}, 5.0),
        ("time_above_rating", {"meter_interval_s": 15.0}, 19.0),
        ("t90", {}, 10.0),
        ("fallback_entry_time", {}, 40.0),
        ("fallback_level", {}, 6.0),
        ("recovery_overshoot", {}, 1.6),
        ("breaker_fraction", {}, 0.8),
        ("utilisation", {}, 0.85),
    ],
)
def test_generic_v0_limits(generic: Requirements, metric: str, context: dict[str, float], limit: float) -> None:
    """The figures of the default profile, resolved on a 100 A site with a 1 s meter unless said otherwise."""
    here = {**SITE, **context}
    found = generic.find(metric, "7.1", here)
    assert found is not None
    assert found.limit_value(here) == pytest.approx(limit)


def test_safety_limits_are_guarded_and_performance_limits_are_not(generic: Requirements) -> None:
    """What protects the installation keeps the uncertainty as a guard band."""
    guards = {clause.metric: clause.guard for clause in generic.clauses}
    safety = ("time_above_budget", "time_above_rating", "breaker_fraction", "peak_ratio", "fallback_level", "boot_peak")
    assert {guards[metric] for metric in safety} == {"U"}
    assert {guards[metric] for metric in ("t90", "jain_index", "utilisation")} == {"none"}


def test_limits_read_like_sentences(generic: Requirements) -> None:
    """A report prints the limit with its terms, tolerance and unit."""
    texts = {clause.id: clause.limit_text for clause in generic.clauses}
    assert texts["fallback-entry"] == "<= timeout_s + 10 s"
    assert texts["fallback-level"] == "<= fallback_a + 1 A"
    assert texts["budget-charge"] == "<= 3 x rating_a A.s"
    assert texts["fairness"] == ">= 0.95"
    assert texts["least-offer"] == ">= 6 - 0.05 A"


def test_a_second_profile_only_tightens(profile: Write) -> None:
    """8 s beats the shipped 10 s, 12 s does not; both stay listed."""
    tight = load_requirements(["generic-v0"], [profile(clause(limit="8"))])
    loose = load_requirements(["generic-v0"], [profile(clause(limit="12"))])
    assert [one.profile for one in tight.applicable("t90", "7.1", SITE)] == ["site-x", "generic-v0"]
    assert [one.profile for one in loose.applicable("t90", "7.1", SITE)] == ["generic-v0", "site-x"]


def test_tighter_is_larger_where_more_is_better(profile: Write) -> None:
    """0.97 beats 0.95 for fairness."""
    strict = profile(clause(metric='"jain_index"', op='">="', limit="0.97", unit='"1"'))
    found = load_requirements(["generic-v0"], [strict]).find("jain_index", "2.5", SITE)
    assert found is not None
    assert found.profile == "site-x"


def test_a_guarded_limit_is_stricter_than_the_same_unguarded(profile: Write) -> None:
    """Among equal limits the guard band decides."""
    twice = profile(clause(), clause(id='"c2"', guard='"U"'))
    assert [one.id for one in load_requirements([], [twice]).applicable("t90", "", {})] == ["c2", "c1"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 5)), min_size=1, max_size=5), st.integers(0, 60))
def test_what_the_strictest_clause_accepts_all_accept(limits: list[tuple[int, int]], value: int) -> None:
    """find() never returns a limit that is looser than another of the same metric."""
    entries = [
        {**{k: v.strip('"') for k, v in CLAUSE.items()}, "id": f"c{i}", "limit": limit, "tolerance": tolerance}
        for i, (limit, tolerance) in enumerate(limits)
    ]
    made = Profile.model_validate({"id": "p", "title": "P", "edition": "1", "clause": entries})
    requirements = Requirements((made,), made.clauses())
    strictest = requirements.find("t90", "x")
    assert strictest is not None
    if value <= strictest.acceptance({})[1]:
        assert all(value <= one.acceptance({})[1] for one in requirements.clauses)


def test_a_clause_may_be_for_some_procedures_only(profile: Write) -> None:
    """A clause for 7.1 does not limit 7.2."""
    requirements = load_requirements([], [profile(clause(procedures='["7.1", "7.3"]'))])
    assert requirements.find("t90", "7.1") is not None
    assert requirements.find("t90", "7.2") is None
    assert requirements.find("jain_index", "7.1") is None


def test_conditions_have_open_and_closed_ends(profile: Write) -> None:
    """max includes its value, above and below exclude theirs."""
    cases = profile(
        clause(when="{ rating_a = { max = 60 } }"),
        clause(id='"c2"', limit="20", when="{ rating_a = { above = 60, below = 400 } }"),
        clause(id='"c3"', limit="30", when="{ rating_a = { min = 400 } }"),
    )
    requirements = load_requirements([], [cases])

    def found(rating: float) -> list[str]:
        return [one.id for one in requirements.applicable("t90", "", {"rating_a": rating})]

    assert [found(rating) for rating in (60, 60.1, 399.9, 400)] == [["c1"], ["c2"], ["c2"], ["c3"]]


def test_a_limit_may_be_a_sum_of_terms(profile: Write) -> None:
    """Shares of quantities and a constant add up; negative factors subtract."""
    path = profile(clause(limit="{ timeout_s = 2, meter_interval_s = -0.5, constant = 3 }"))
    one = load_requirements([], [path]).clauses[0]
    assert one.limit_value(SITE) == 62.5
    assert one.limit_text == "<= 2 x timeout_s - 0.5 x meter_interval_s + 3 s"


def test_a_missing_quantity_is_named() -> None:
    """A limit on the time-out without a time-out says which clause needs what."""
    one = load_requirements(["generic-v0"]).find("fallback_entry_time", "4.1")
    assert one is not None
    with pytest.raises(InputError, match=r"fallback-entry: needs timeout_s"):
        one.limit_value({})


def test_parameters_take_the_smallest_that_is_stated(profile: Write) -> None:
    """A site may ask for less tolerance and never gets more."""
    tight = profile(clause(), head=HEAD + "[parameters]\ntolerance_a = 0.5\n")
    loose = profile(clause(), head=HEAD + "[parameters]\ntolerance_a = 5\n", name="y.toml")
    plain = load_requirements(["generic-v0"])
    assert [plain.tolerance_a(level) for level in (20.0, 80.0)] == [1.0, 1.6]
    assert load_requirements(["generic-v0"], [tight]).tolerance_a(20.0) == 0.5
    assert load_requirements(["generic-v0"], [loose]).tolerance_a(20.0) == 1.0
    assert load_requirements([], [profile(clause(), name="z.toml")]).parameter("reversal_hysteresis_a") == 1.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (clause(unit=None), r"clause 1 \(c1\), unit: is missing"),
        (clause(limt="3"), r"clause 1 \(c1\), limt: is not a key of this table"),
        (clause(profile='"x"'), r"profile: is not a key of this table"),
        (clause(limit='"ten"'), r"limit: must be a number or a sum of terms"),
        (clause(limit="nan"), r"limit.constant: .*finite"),
        (clause(limit="{}"), r"limit: is empty"),
        (clause(limit="true"), r"limit: must be a number or a sum of terms"),
        (clause(limit='{ constant = "3" }'), r"limit.constant: .*number"),
        (clause(limit="{ amps = 1 }"), r"c1, limit: unknown quantity 'amps' \(known: rating_a"),
        (clause(when="{ constant = { max = 1 } }"), r"c1, when: unknown quantity 'constant'"),
        (clause(when="{ rating_a = {} }"), r"when.rating_a: .*empty condition"),
        (clause(when="{ rating_a = { most = 60 } }"), r"when.rating_a.most: is not a key of this table"),
        (clause(op='"<"'), r"op: must be '<=', '>=' or '=='"),
        (clause(op='">="'), r"op: t90 is better when lower"),
        (clause(metric='"jain_index"', unit='"1"'), r"op: jain_index is better when higher"),
        (clause(metric='"t95"'), r"metric: unknown metric 't95' \(known: time_above_budget"),
        (clause(unit='"ms"'), r"unit: t90 is measured in 's', not 'ms'"),
        (clause(confidence='"sure"'), r"confidence: must be 'standard-text'"),
        (clause(guard='"2U"'), r"guard: must be 'U' or 'none'"),
        (clause(source='""'), r"source: is empty"),
        (clause(tolerance="-1"), r"tolerance: a tolerance cannot be negative"),
        (clause() + clause(), r"c1: the id is used 2 times"),
        ("", r"clause: the profile has no clauses"),
        ("clause = 3\n", r"clause: must be a list"),
        ("[[clause]\n", r"line 5, column 9: TOML syntax"),
        ("[parameters]\ntolerance_a = -1\n", r"parameters.tolerance_a: .*greater than or equal to 0"),
        (clause() + clause(id='"c2"', op='"=="'), r"clauses site-x/c1 and site-x/c2: t90 <= 10 s beside == 10 s"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_key(profile: Write, text: str, message: str) -> None:
    """Every wrong profile is refused with where, what and, where it helps, the choices."""
    path = profile(text)
    with pytest.raises(InputError, match=message) as error:
        load_requirements([], [path])
    assert str(path) in str(error.value) or "beside" in message


def test_all_mistakes_of_all_profiles_are_listed_together(profile: Write) -> None:
    """An unknown id, a missing file and two wrong files are four problems in one error."""
    bad = profile(clause(unit=None))
    worse = profile(clause(unit='"ms"', metric='"t90"'), name="y.toml")
    with pytest.raises(InputError) as error:
        load_requirements(["generic-v9"], [bad, worse, Path("nowhere.toml")])
    text = str(error.value)
    assert len(error.value.problems) == 4
    assert all(
        part in text
        for part in ("'generic-v9': no such profile (known: de-14a-eebus, generic-v0", "nowhere.toml", "y.toml")
    )


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A binary file and a folder are named as such."""
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_profile(tmp_path / "x.toml")
    with pytest.raises(InputError, match="cannot be read"):
        read_profile(tmp_path)


def test_two_fixed_values_for_different_procedures_are_no_contradiction(profile: Write) -> None:
    """== clauses collide only where they apply together."""
    path = profile(clause(op='"=="', procedures='["a"]'), clause(id='"c2"', op='"=="', limit="12", procedures='["b"]'))
    assert len(load_requirements([], [path]).clauses) == 2


def test_the_catalogue_and_the_quantities_are_described() -> None:
    """Each metric is filed under its own name, with a definition; each quantity has a meaning."""
    assert all(name == metric.name and metric.definition and metric.title for name, metric in METRICS.items())
    assert all(CONTEXT.values())


def test_lint_finds_nothing_in_the_shipped_profile(generic: Requirements) -> None:
    """lint() is what the loader uses, and callable on a profile at hand."""
    assert lint(generic.profiles[0]) == []
