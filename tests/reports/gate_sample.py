"""What a gate judges, made by hand: a scan with its tables, a comparison, a policy."""

from __future__ import annotations

from datetime import date

import polars as pl

from reports.policy import Policy, default_policy
from reports.sites import Sites
from reports.verdict import judge

TODAY = date(2026, 5, 1)
SITES = Sites(
    mix="mixes/pretrain.yaml",
    against="mixes/pretrain-2026-04.yaml",
    policy="policy.yaml",
    benchmarks=("benchmarks/arithmetic.jsonl", "benchmarks/functions.jsonl"),
    policy_lines={("contamination", "default"): 5, ("drift",): 30, ("waivers", 0): 60, ("waivers", 1): 66},
    shard_lines={"web/0001.jsonl": 7, "code/0001.jsonl": 12},
    domain_lines={"web": 7, "code": 12},
)  # fmt: skip

# What a hostile file could call things.
PAYLOADS = (
    '<script>document.title="owned"</script>',
    "\"><img src=x onerror='x'>",
    "| a | b |\n|---|---|\n| `x` | ``y`` \\| \\\\| z |",
    "[click](javascript:alert(1)) @octocat #1 www.evil.example http://evil.example",
    "\x1b[2J\x1b[31mred\x07\r\x08overwrite\x00\x0b",
    "abc\u202egnp.exe\u2066\u200b\u2028\ufeff\ud800\uffff",
    "]]>&amp;<!-- x -->\n::error file=x,line=1::owned%0A",
    "全角文字\u0301" * 100,
    "-" * 3000,
)
KEPT = {"schema", "status", "verdict", "date", "rule", "family", "kind", "unit", "expires", "calibration", "also", "measure"}  # fmt: skip

DOMAINS = {"web": 0.6, "code": 0.3, "books": 0.1}


def policy(**sections):
    """Return a policy as its file would be read."""
    return Policy.model_validate({"name": "test", **sections})


STRICT = {"contamination": {"default": {"contaminated": {"items": {"fail": 0}}}}}


class Gate:
    """The inputs of one judgement: clean, calibrated, nothing moved; methods spoil them."""

    def __init__(self, benchmarks=None):
        benchmarks = {"arithmetic": 1000, "functions": 160} if benchmarks is None else benchmarks
        self.items = {name: ["clean"] * n for name, n in benchmarks.items()}
        self.kinds = {}
        self.domain_shares = dict(DOMAINS)
        self.problems = []
        self.shards_unread = 0
        self.bad_documents = 0
        self.documents = 50_000
        self.complete = True
        self.calibration = {
            "status": "CALIBRATED",
            "reason": "59 of 60 planted leaks found",
            "rates": [],
        }
        self.drift_changes = {}
        self.baseline_named = True
        self.has_drift = True
        self.scanners = ["ngram", "minhash"]

    def leak(self, benchmark, number, status="contaminated", kind="verbatim", first=0):
        """Let so many items of a benchmark have a status."""
        for n in range(first, first + number):
            self.items[benchmark][n] = status
            self.kinds[benchmark, n] = kind
        return self

    def report(self):
        rows = []
        for name, statuses in self.items.items():
            counts = {
                s: statuses.count(s) for s in ("contaminated", "suspect", "clean", "unsearchable")
            }
            reasons = [{"reason": "fewer than 5 words", "items": counts["unsearchable"]}]
            rows.append(
                {
                    "benchmark": name, "path": f"benchmarks/{name}.jsonl", "digest": "ab" * 32,
                    "layout": "fields", "items": len(statuses),
                    "searchable": len(statuses) - counts["unsearchable"], **counts,
                    "leak_types": {}, "unsearchable_reasons": reasons if counts["unsearchable"] else [],
                    "n_findings": 0, "n_documents": 0, "presets": {}, "domains": {},
                }
            )  # fmt: skip
        return {
            "schema": "sluicegate.report/1",
            "tool": {"name": "sluicegate", "version": "0.1.0"},
            "title": "a scan",
            "complete": self.complete and not self.shards_unread and not self.bad_documents,
            "calibration": self.calibration,
            "corpus": {
                "name": "pretrain 2026-05", "shards": 40, "shards_unread": self.shards_unread,
                "documents": self.documents, "bytes": 1_000_000_000, "words": 160_000_000,
                "bad_documents": self.bad_documents, "problems": self.problems,
                "problems_not_shown": 0, "domains": [],
            },
            "parameters": {"scanners": self.scanners},
            "normal_form": "nf1-0123456789ab",
            "definitions": [], "benchmarks": rows, "presets": [],
            "findings_total": len(self.kinds), "findings_shown": 0, "examples": [],
        }  # fmt: skip

    def tables(self):
        items, findings = [], []
        for name, statuses in self.items.items():
            for n, status in enumerate(statuses):
                flagged = status in ("contaminated", "suspect")
                items.append(
                    (name, f"test-{n}", status, 0.9 if flagged else 0.0,
                     "question+answer" if flagged else None, None, int(flagged), 1, 40)
                )  # fmt: skip
                if flagged:
                    shard = "code/0001.jsonl" if name == "functions" else "web/0001.jsonl"
                    findings.append(
                        (name, f"test-{n}", "question", "question+answer", self.kinds[name, n], "ngram",
                         0.9, 1.0, 0.95, 31, shard, 100 + n, f"doc-{n}", shard.split("/")[0], 0, 120, 40, 160,
                         f"… item {n} of {name}, word for word …")
                    )  # fmt: skip
        return _frame(items, ITEMS), _frame(findings, FINDINGS)

    def drift(self):
        if not self.has_drift:
            return None
        report = drift_report(self.domain_shares, unread=self.shards_unread)
        report["exposure"] = [exposure(name, 0.0) for name in self.items]
        for path, value in self.drift_changes.items():
            report[path] = value
        return report

    def judge(self, policy, **more):
        items, findings = self.tables()
        options = {"today": TODAY, "baseline_named": self.baseline_named, "sites": SITES} | more
        return judge(policy, self.report(), items, findings, self.drift(), **options)


def sample():
    """Return a verdict with every status: leaks, a halved domain, waivers that hold and that lapsed."""
    gate = Gate({"arithmetic": 1000, "functions": 160, "letters": 200})
    gate.leak("arithmetic", 10).leak("arithmetic", 30, "suspect", "near", first=100)
    gate.leak("functions", 1).leak("letters", 30, "unsearchable")
    gate.domain_shares = {"web": 0.71, "code": 0.15, "books": 0.12, "forum": 0.02}
    rows = [exposure("arithmetic", 0.01), exposure("functions", 0.31), exposure("letters", -0.2)]
    gate.drift_changes = {
        "exposure": rows,
        "statements": [
            {"kind": "domain", "subject": "code", "text": "code lost half of its share: 30% → 15% of tokens",
             "evidence": "−15 points; noise up to 0.4", "look": "Look at its weight.", "is_alarm": True}
        ],
    }  # fmt: skip
    rules = default_policy().model_dump(exclude_unset=True) | {
        "waivers": [
            {"rule": "contamination.*", "benchmark": "functions", "item": "test-0", "owner": "ann",
             "reason": "quoted in a paper that we keep", "expires": "2026-05-31"},
            {"rule": "drift.domains.new", "domain": "forum", "owner": "bob",
             "reason": "planned for April", "expires": "2026-04-30"},
        ]
    }  # fmt: skip
    return gate.judge(Policy.model_validate(rules))


def hostile(verdict):
    """Return a verdict with every free string replaced by an attack, equal ones alike."""
    seen = {}

    def poison(value, key=""):
        if key in KEPT:
            return value
        if isinstance(value, str):
            return seen.setdefault(value, f"{PAYLOADS[len(seen) % len(PAYLOADS)]}{len(seen)}")
        if isinstance(value, list):
            return [poison(inner, key) for inner in value]
        if isinstance(value, dict):
            return {name: poison(inner, name) for name, inner in value.items()}
        return value

    return poison(verdict)


ITEMS = {
    "benchmark": pl.String, "item_id": pl.String, "status": pl.String, "score": pl.Float64,
    "leak_type": pl.String, "reason": pl.String, "n_documents": pl.Int64, "n_domains": pl.Int64,
    "words": pl.Int64,
}  # fmt: skip
FINDINGS = {
    "benchmark": pl.String, "item_id": pl.String, "field": pl.String, "leak_type": pl.String,
    "kind": pl.String, "scanner": pl.String, "score": pl.Float64, "identity": pl.Float64,
    "coverage": pl.Float64, "longest_run": pl.Int64, "shard": pl.String, "row": pl.Int64,
    "doc_id": pl.String, "domain": pl.String, "item_start": pl.Int64, "item_end": pl.Int64,
    "doc_start": pl.Int64, "doc_end": pl.Int64, "excerpt": pl.String,
}  # fmt: skip


def _frame(rows, schema):
    return pl.DataFrame(rows, schema=schema, orient="row")


def drift_report(shares=None, floor=0.004, unread=0, bits=0.0, vanished=0):
    """Return a comparison with the shares of `DOMAINS` in which nothing else moved."""
    shares = DOMAINS if shares is None else shares
    names = sorted({*DOMAINS, *shares})
    domains = [
        _domain(name, measure, DOMAINS.get(name, 0.0), shares.get(name, 0.0), floor)
        for name in names
        for measure in ("documents", "bytes", "tokens")
    ]
    moved = sum(abs(shares.get(n, 0.0) - DOMAINS.get(n, 0.0)) for n in names) / 2
    return {
        "schema": "sluicegate.drift/1",
        "tool": {"name": "sluicegate", "version": "0.1.0"},
        "title": "a comparison", "complete": not unread, "alarms": 0, "normal_form": "nf1-0123456789ab",
        "unit": "words", "unit_digest": None, "parameters": {"seed": 0},
        "versions": [_version("baseline", "pretrain 2026-04", 0), _version("candidate", "pretrain 2026-05", unread)],
        "statements": [],
        "origin": {
            "kind": "column", "file": None, "digest": None, "accuracy": None, "accuracy_low": None,
            "accuracy_high": None, "held_out": None, "note": None, "shares": [],
        },
        "domains": domains, "domains_not_shown": 0,
        "mix": [
            {"measure": m, "divergences": [_divergence("total variation", moved)]}
            for m in ("documents", "bytes", "tokens")
        ],
        "tokens": {
            "vocabulary": 50_000, "tested": 20_000,
            "divergences": [
                _divergence("total variation", 0.8 * moved), _divergence("total variation within domains", 0.0),
            ],
            "moved": 0.8 * moved, "mix": 0.8 * moved, "within": 0.0,
            "alarms": {"riser": 0, "faller": 0, "vanished": vanished, "new": 0},
            "shown": [_gone(n) for n in range(vanished)], "detectable": [],
        },
        "domain_tokens": [],
        "exposure": [exposure("arithmetic", 0.0), exposure("functions", bits)],
        "shapes": [],
        "copies": [
            {"kind": kind, "baseline": 0.02, "candidate": 0.021, "baseline_error": 0.002, "candidate_error": 0.002, "alarm": False}
            for kind in ("exact", "near")
        ],
        "definitions": [],
    }  # fmt: skip


def _version(version, name, unread):
    return {
        "version": version, "name": name, "shards": 40, "shards_unread": unread, "documents": 50_000,
        "bytes": 10**9, "words": 16 * 10**7, "tokens": 16 * 10**7, "weighted": False, "bad_documents": 0,
        "problems": [], "problems_not_shown": 0,
    }  # fmt: skip


def _domain(name, measure, baseline, candidate, floor):
    change = candidate - baseline
    state = "new" if not baseline else "vanished" if not candidate else "kept"
    return {
        "domain": name, "measure": measure, "baseline": baseline, "candidate": candidate, "change": change,
        "relative": change / baseline if baseline else None, "ci_low": change - 0.002, "ci_high": change + 0.002,
        "floor": floor, "state": state, "alarm": abs(change) > floor,
    }  # fmt: skip


def _divergence(name, beyond):
    return {
        "name": name, "unit": "share", "observed": 0.003 + beyond, "floor_mean": 0.003, "floor": 0.005,
        "excess": beyond, "ratio": beyond / 0.001, "alarm": beyond > 0.002,
    }  # fmt: skip


def _gone(n):
    return {
        "token_id": n, "token": f" gone{n}", "baseline": 3e-5, "candidate": 0.0, "log2_ratio": None,
        "within_log2_ratio": None, "z": -8.0, "q_value": 1e-9, "df_baseline": 90.0, "df_candidate": 0.0,
        "change_kind": "vanished", "domain": "web", "domain_share": 0.9, "excerpt": f"it is gone{n} now",
    }  # fmt: skip


def exposure(benchmark, change):
    """Return how a benchmark is covered by both versions."""
    return {
        "benchmark": benchmark, "items": 100, "tokens": 5000, "baseline_bits": 9.0,
        "candidate_bits": 9.0 + change, "change": change, "ci_low": change - 0.02, "ci_high": change + 0.02,
        "floor": 0.03, "alarm": change > 0.03,
        "driver_tokens": [{"name": " def", "bits": 0.11}], "driver_domains": [{"name": "code", "bits": 0.2}],
        "vanished": [" lambda"] if change > 0.03 else [],
        "hypothesis": {"direction": "none", "text": "none", "grade": "C", "evidence": "none", "effects": []},
    }  # fmt: skip
