"""What the renderings of a drift report agree on: order, wording, and what is shown of it.

Nothing here knows a format. `drift_answers` has the four answers that every rendering begins with,
`drift_numbers` the numbers as words.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from reports import drift_numbers as numbers
from reports import view
from reports.drift_schema import (
    TOTAL_VARIATION,
    WITHIN_DOMAINS,
    BenchmarkExposure,
    ChangeKind,
    Divergence,
    DomainChange,
    DomainState,
    DomainTokens,
    DriftReport,
    DriftVersion,
    EvidenceGrade,
    Measure,
    Statement,
    TokenChange,
)
from reports.escape import visible_everywhere, visible_token

MEASURES: Final[tuple[Measure, ...]] = ("tokens", "documents", "bytes")
KINDS: Final[dict[ChangeKind, str]] = {
    "riser": "More often",
    "faller": "Less often",
    "new": "New",
    "vanished": "Gone",
}
STATES: Final[dict[DomainState, str]] = {
    "kept": "",
    "new": "new",
    "vanished": "gone",
    "below minimum": "below the minimum",
}
GRADES: Final[dict[EvidenceGrade, str]] = {
    "A": "a measured ablation",
    "B": "a published effect in the same domain",
    "C": "the direction only",
}
DIRECTIONS: Final[dict[str, str]] = {
    "worse": "may get worse",
    "better": "may get better",
    "none": "no effect expected",
}

# Names and texts come from corpora, whatever their length. In characters, by key.
MAX_CHARS: Final = {
    "token": 40, "domain": 60, "benchmark": 60, "name": 60, "subject": 60, "published": 60,
    "label": 40, "excerpt": 140, "title": 240, "vanished": 40,
}  # fmt: skip
MAX_TEXT_CHARS: Final = 1_000  # of all others


@dataclass(frozen=True, slots=True)
class DomainRow:
    """One domain by all measures; `main` is the change by tokens, or by the first measure there is."""

    domain: str
    main: DomainChange
    by_measure: dict[Measure, DomainChange]

    @property
    def alarm(self) -> bool:
        """Whether it moved beyond noise by any measure."""
        return any(change["alarm"] for change in self.by_measure.values())

    @property
    def strongest(self) -> DomainChange:
        """The change to tell of: that by tokens, unless only another measure raised an alarm."""
        alarmed = (change for change in self.by_measure.values() if change["alarm"])
        return self.main if self.main["alarm"] else next(alarmed, self.main)


def shown(report: DriftReport) -> DriftReport:
    """Return a copy to render: hidden characters and white space of tokens visible, texts not too long."""
    tokens = report["tokens"]
    listed = [{**token, "token": visible_token(token["token"])} for token in tokens["shown"]]
    exposure = [
        {
            **benchmark,
            "driver_tokens": [
                {**driver, "name": visible_token(driver["name"])}
                for driver in benchmark["driver_tokens"]
            ],
            "vanished": [visible_token(token) for token in benchmark["vanished"]],
        }
        for benchmark in report["exposure"]
    ]
    marked = {**report, "tokens": {**tokens, "shown": listed}, "exposure": exposure}
    safe: DriftReport = _named_and_clipped(visible_everywhere(marked))
    return safe


def _named_and_clipped(value: Any, key: str = "") -> Any:
    if isinstance(value, str):
        if not value and key in ("domain", "name"):
            return view.DASH
        return view.clip(value, MAX_CHARS.get(key, MAX_TEXT_CHARS))
    if isinstance(value, dict):
        return {name: _named_and_clipped(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_named_and_clipped(inner, key) for inner in value]
    return value


# --- words ---------------------------------------------------------------------------------------


def noun(report: DriftReport) -> str:
    """Return what is counted: `word` or `token`."""
    return "word" if report["unit"] == "words" else "token"


def measure_name(report: DriftReport, measure: Measure) -> str:
    """Return the name of a measure; tokens are words where words are counted."""
    return f"{noun(report)}s" if measure == "tokens" else measure


def stamps(report: DriftReport) -> list[view.Stamp]:
    """Return what a reader must know before the numbers, gravest first."""
    found = [] if report["complete"] else [_incomplete(report)]
    note = rules_note(report)
    return [*found, view.Stamp("DOMAINS", f"{note}.")] if note else found


def rules_note(report: DriftReport) -> str:
    """Return that rules for domains fit nothing, or nothing."""
    origin = report["origin"]
    return (origin["note"] or "").rstrip(".") if origin["kind"] == "rules" else ""


def _incomplete(report: DriftReport) -> view.Stamp:
    shards = sum(version["shards_unread"] for version in report["versions"])
    documents = sum(version["bad_documents"] for version in report["versions"])
    counted = ((shards, "shard"), (documents, "document"))
    parts = [view.plural(number, name) for number, name in counted if number]
    return view.Stamp(
        "INCOMPLETE",
        f"{' and '.join(parts) or 'something'} could not be read: what looks like drift may be "
        "what is missing. How to mend it stands under “What could not be read”.",
    )


def facts(report: DriftReport, version: DriftVersion) -> list[str]:
    """Return what was read of a version, in words, its name first."""
    counted = [
        view.plural(version["shards"], "shard"),
        view.plural(version["documents"], "document"),
        view.size(version["bytes"]),
        view.plural(version["words"], "word"),
    ]
    if noun(report) == "token":
        counted.append(view.plural(version["tokens"], "token"))
    weighted = ["weights of the mix applied below"] if version["weighted"] else []
    return [version["name"], *counted, *weighted]


def domain_note(change: DomainChange) -> str:
    """Return `new`, `gone`, `below the minimum`, or nothing."""
    return STATES[change["state"]]


def verdict(alarm: bool) -> str:
    """Return what the floor says of a change."""
    return "beyond noise" if alarm else "within noise"


def covered(change: float) -> str:
    """Return what a change in bits per token means for a benchmark."""
    if change == 0:
        return "covered as before"
    return "covered less well" if change > 0 else "covered better"


def told(statement: Statement) -> tuple[str, str]:
    """Return the subject of a statement and the rest of its sentence."""
    subject, text = statement["subject"], statement["text"]
    return subject, text.removeprefix(subject).lstrip()


def sentence(text: str) -> str:
    """Return words that begin with a capital and end with a full stop."""
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."


def explained(report: DriftReport) -> list[str]:
    """Return the split of the whole change into the domain mix and the rest, in sentences."""
    tokens, floor = report["tokens"], within_floor(report)
    whole, mix, within = (
        numbers.share(part) for part in (tokens["moved"], tokens["mix"], tokens["within"])
    )
    noise = (
        ""
        if floor is None
        else f"; random halves of the same documents show up to {numbers.share(floor)}"
    )
    sentences = [
        f"{whole} of all {noun(report)} occurrences moved. The changed mix of domains alone moves "
        f"{mix}. Within domains, mix held fixed, {within} moved{noise}."
    ]
    if tokens["mix"] + tokens["within"] > tokens["moved"] * 1.001:
        sentences.append("The two parts overlap, so together they are more than the whole.")
    return sentences


def origin_sentences(report: DriftReport) -> list[str]:
    """Return where domains came from, and how often a classifier is right, in sentences."""
    origin = report["origin"]
    if origin["kind"] == "column":
        return ["From a column of the documents."]
    if origin["kind"] == "rules":
        note = rules_note(report)
        return [f"From the rules in {origin['file']}.", *([f"But {note}."] if note else [])]
    sentences = [f"From a classifier fitted on {origin['file']}."]
    if origin["accuracy"] is not None:
        held_out = origin["held_out"]
        examples = "examples" if held_out is None else view.plural(held_out, "example")
        accuracy = f"Of {examples} held out it got {view.percent(origin['accuracy'])} right"
        if origin["accuracy_low"] is not None and origin["accuracy_high"] is not None:
            low, high = origin["accuracy_low"], origin["accuracy_high"]
            accuracy += f" (95% interval {view.interval(low, high)})"
        sentences.append(f"{accuracy}.")
    return [*sentences, *([f"{origin['note'].rstrip('.')}."] if origin["note"] else [])]


# --- order ---------------------------------------------------------------------------------------


def domain_rows(report: DriftReport) -> list[DomainRow]:
    """Return domains by the size of their change, largest first."""
    found: dict[str, dict[Measure, DomainChange]] = {}
    for change in report["domains"]:
        found.setdefault(change["domain"], {})[change["measure"]] = change
    rows = [
        DomainRow(domain, next(by[measure] for measure in MEASURES if measure in by), by)
        for domain, by in found.items()
    ]
    return sorted(rows, key=lambda row: (-abs(row.main["change"]), row.domain))


def ranked_exposure(report: DriftReport) -> list[BenchmarkExposure]:
    """Return benchmarks: those covered less well beyond noise, those covered better, then the rest."""

    def rank(benchmark: BenchmarkExposure) -> tuple[int, float, str]:
        change = benchmark["change"]
        group = (0 if change > 0 else 1) if benchmark["alarm"] else 2
        return group, -abs(change), benchmark["benchmark"]

    return sorted(report["exposure"], key=rank)


def ranked_domain_tokens(report: DriftReport) -> list[DomainTokens]:
    """Return domains by how much they changed within, alarms first."""
    return sorted(
        report["domain_tokens"], key=lambda row: (not row["alarm"], -row["within"], row["domain"])
    )


def tokens_of(report: DriftReport, kind: ChangeKind) -> list[TokenChange]:
    """Return the tokens of a kind, strongest first, as the report has them."""
    return [token for token in report["tokens"]["shown"] if token["change_kind"] == kind]


def named(divergences: Iterable[Divergence], name: str) -> Divergence | None:
    """Return the divergence of a name."""
    return next((each for each in divergences if each["name"] == name), None)


def mix_variation(report: DriftReport) -> Divergence | None:
    """Return the total variation of the domain mix by tokens."""
    by_tokens = [drift for drift in report["mix"] if drift["measure"] == "tokens"]
    return named(by_tokens[0]["divergences"], TOTAL_VARIATION) if by_tokens else None


def within_floor(report: DriftReport) -> float | None:
    """Return the floor of the change within domains."""
    found = named(report["tokens"]["divergences"], WITHIN_DOMAINS)
    return None if found is None else found["floor"]


def gauges(report: DriftReport) -> list[tuple[str, Divergence]]:
    """Return the one or two numbers that tell how much moved, each with its floor."""
    divergences = report["tokens"]["divergences"]
    candidates = (
        ("Domain mix", mix_variation(report)),
        (f"{noun(report).capitalize()}s within domains", named(divergences, WITHIN_DOMAINS)),
    )
    found = [(label, each) for label, each in candidates if each is not None]
    whole = named(divergences, TOTAL_VARIATION)
    if len(found) < 2 and whole is not None:
        found.append((f"{noun(report).capitalize()}s as a whole", whole))
    return found
