"""Token frequencies held against a policy: how much moved, how many vanished, which must not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from reports import view
from reports.drift_schema import TOTAL_VARIATION, WITHIN_DOMAINS, DriftReport
from reports.judge_noise import judge_divergence, named, side
from reports.limits import CountLimit
from reports.policy import TokenPolicy
from reports.results import evidence, hold, result
from reports.sites import Sites
from reports.verdict_schema import Evidence, Result, Status

SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Token:
    """One token's shares in both versions."""

    name: str
    baseline: float
    candidate: float
    df_baseline: float
    change_kind: str | None
    domain: str | None = None
    excerpt: str | None = None


def judge_tokens(
    policy: TokenPolicy, drift: DriftReport, sites: Sites, table: pl.DataFrame | None
) -> Iterator[Result]:
    """Yield the results of all limits on tokens.

    `table` has the columns of `tokens.parquet`; without it, only the tokens that the report shows
    are known, and a required token that it does not show may have vanished.
    """
    shown = _shown(drift)
    wanted = (
        ("change", policy.change, TOTAL_VARIATION, "token frequencies"),
        ("within", policy.within, WITHIN_DOMAINS, "token frequencies within domains"),
    )
    proof = [_evidence(token) for token in shown[:5]]
    for key, limit, name, words in wanted:
        if limit is not None:
            found = named(drift["tokens"]["divergences"], name)
            yield judge_divergence(f"drift.tokens.{key}", limit, found, words, proof, sites)
    if policy.vanished is not None:
        yield _vanished(policy.vanished, drift, shown, sites)
    known = shown if table is None else _listed(table, policy.required)
    all_vanished = drift["tokens"]["alarms"].get("vanished", 0)
    is_whole = table is not None or all_vanished == sum(t.change_kind == "vanished" for t in shown)
    for number, name in enumerate(policy.required):
        yield _required(name, number, known, is_whole, table is not None, sites)


def _vanished(limit: CountLimit, drift: DriftReport, shown: list[Token], sites: Sites) -> Result:
    number = drift["tokens"]["alarms"].get("vanished", 0)
    held = hold(number, limit, "tokens")
    gone = [_evidence(token) for token in shown if token.change_kind == "vanished"]
    return result(
        "drift.tokens.vanished", ("whole", ""), held.status,
        f"{view.plural(number, 'token')} vanished that chance does not lose, {side(held)} the limit of "
        f"{view.count(round(held.limit))}.",
        unit="tokens", measured=number, limit=held.limit, past=held.past,
        evidence=gone[:SHOWN] if held.is_broken else [],
        evidence_total=number if held.is_broken else 0,
        command=sites.drift_command(), place=sites.of_limit(("drift", "tokens", "vanished")),
    )  # fmt: skip


def _required(
    name: str, number: int, known: list[Token], is_whole: bool, has_table: bool, sites: Sites
) -> Result:
    found = [token for token in known if name in (token.name, token.name.strip())]
    gone = [token for token in found if token.baseline > 0 and token.candidate == 0]
    status: Status = "pass"
    if any(token.candidate > 0 for token in found):
        sentence = f"The required token {name} is there."
    elif gone:
        status = "fail"
        documents = round(max(token.df_baseline for token in gone))
        sentence = (
            f"The required token {name} vanished: it was in {view.plural(documents, 'document')} of the "
            "baseline and is in none."
        )
    elif has_table:
        status, sentence = (
            "warn",
            f"The required token {name} is in neither version: check its spelling.",
        )
    elif is_whole:
        sentence = f"The required token {name} is not among the tokens that vanished."
    else:
        status = "incomplete"
        sentence = (
            f"Not all vanished tokens are known, so the required token {name} may be one of them."
        )
    return result(
        "drift.tokens.required", ("token", name), status, sentence,
        evidence=[_evidence(token) for token in gone], past=1.0 if status == "fail" else 0.0,
        command=sites.drift_command(), place=sites.of_limit(("drift", "tokens", "required", number)),
    )  # fmt: skip


def _shown(drift: DriftReport) -> list[Token]:
    return [
        Token(
            token["token"], token["baseline"], token["candidate"], token["df_baseline"],
            token["change_kind"], token["domain"], token["excerpt"],
        )
        for token in drift["tokens"]["shown"]
    ]  # fmt: skip


def _listed(table: pl.DataFrame, names: Sequence[str]) -> list[Token]:
    wanted = pl.col("token").is_in(names) | pl.col("token").str.strip_chars().is_in(names)
    columns = ("token", "baseline", "candidate", "df_baseline", "change_kind")
    return [Token(*row) for row in table.filter(wanted).select(columns).iter_rows()]


def _evidence(token: Token) -> Evidence:
    kind = token.change_kind or "kept"
    where = f", mostly in {token.domain}" if token.domain else ""
    return evidence(
        "token", token.name,
        f"{kind}: {1e6 * token.baseline:,.4g} in a million became {1e6 * token.candidate:,.4g}{where}",
        domain=token.domain or None, excerpt=token.excerpt,
    )  # fmt: skip
