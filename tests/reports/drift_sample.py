"""Drift reports made by hand: a sample, a calm one, a crowded one."""

from math import log2

# domain, share of tokens before and after, floor, moved beyond noise
DOMAINS = (
    ("math", 0.0580, 0.1163, 0.0091, True),
    ("docs", 0.2694, 0.2074, 0.0108, True),
    ("multilingual", 0.2151, 0.1749, 0.0122, True),
    ("code_c", 0.0972, 0.0733, 0.0087, True),
    ("specs", 0.0350, 0.0601, 0.0049, True),
    ("code_python", 0.0286, 0.0446, 0.0041, True),
    ("forum", 0.0, 0.0214, 0.0012, True),
    ("newsgroups", 0.0161, 0.0, 0.0032, True),
    ("legal", 0.0710, 0.0819, 0.0132, False),
    ("medical", 0.0488, 0.0438, 0.0063, False),
    ("encyclopedic", 0.0375, 0.0334, 0.0052, False),
    ("instruct", 0.0574, 0.0549, 0.0044, False),
    ("books", 0.0215, 0.0251, 0.0078, False),
    ("news", 0.0235, 0.0177, 0.0024, True),
    ("web_misc", 0.0209, 0.0452, 0.0055, True),
)

# token, shares, documents, kind, domain, excerpt
TOKENS = (
    (" lemma", 41e-6, 312e-6, 38, 402, "riser", "math", "By the previous lemma the sequence is exact."),
    ("\\", 2310e-6, 5120e-6, 1204, 1711, "riser", "math", "$\\mathcal{O}_X$-modules of finite type"),
    (" hom", 12e-6, 88e-6, 22, 180, "riser", "math", None),
    ("PEP", 70e-6, 212e-6, 380, 744, "riser", "specs", "This PEP proposes a mechanism"),
    ("\n\n\n", 102e-6, 280e-6, 511, 930, "riser", "code_python", None),
    ("self", 401e-6, 702e-6, 610, 1002, "riser", "code_python", "def close(self):"),
    ("\tassert", 22e-6, 61e-6, 88, 240, "riser", "code_python", None),
    (" thou", 88e-6, 9e-6, 40, 12, "faller", "books", "Wherefore art thou"),
    ("Input", 301e-6, 80e-6, 3402, 801, "faller", "instruct", "Input: a list of numbers"),
    (".\\\"", 120e-6, 55e-6, 1105, 1105, "faller", "docs", ".\\\" Copyright"),
    ("_nodes", 44e-6, 20e-6, 120, 98, "faller", "code_python", None),
    ("quoth", 12e-6, 0.4e-6, 31, 2, "faller", "books", None),
    (" Mathlib", 0.0, 61e-6, 0, 212, "new", "math", "import Mathlib.Algebra.Group"),
    ("</script>", 0.0, 9e-6, 0, 64, "new", "forum", "<p>x</p></script>"),
    ("\u202eabc", 0.0, 4e-6, 0, 31, "new", "forum", None),
    ("comp.lang", 30e-6, 0.0, 140, 0, "vanished", "newsgroups", "From: comp.lang.misc"),
    ("Xref", 18e-6, 0.0, 98, 0, "vanished", "newsgroups", None),
)  # fmt: skip

# benchmark, items, tokens, bits before and after, floor, alarm
BENCHMARKS = (
    ("common_sense", 1221, 21_330, 9.402, 9.713, 0.041, True),
    ("function_writing", 164, 22_911, 7.880, 8.066, 0.062, True),
    ("grade_school_math", 1319, 71_300, 8.551, 8.214, 0.037, True),
    ("competition_math", 5000, 402_100, 8.120, 7.702, 0.029, True),
    ("reading", 3270, 410_002, 9.011, 9.022, 0.031, False),
    ("science_exam", 1172, 31_410, 9.332, 9.350, 0.044, False),
    ("trivia", 2000, 33_980, 10.210, 10.201, 0.052, False),
    ("translation", 250, 9_800, 11.020, 11.071, 0.098, False),
)


def sample():
    """Return a report in which much has moved, one shard unread."""
    return {
        "schema": "sluicegate.drift/1",
        "tool": {"name": "sluicegate", "version": "0.1.0"},
        "title": "10 domains, 1,549 tokens and 4 benchmarks moved beyond noise",
        "complete": False,
        "alarms": 1566,
        "normal_form": "nf1-0123456789ab",
        "unit": "demo-bpe",
        "unit_digest": "5f" * 32,
        "parameters": {"seed": 0, "splits": 400, "minimum_share": 0.005, "q": 0.01},
        "versions": [_version("baseline", "mix-2025-09", 49_320, 170_500_000), _unread_version()],
        "statements": _statements(),
        "origin": _classifier(),
        "domains": [change for row in DOMAINS for change in _domain(*row)],
        "domains_not_shown": 0,
        "mix": [_mix("tokens", 0.1847, 0.0141), _mix("documents", 0.0912, 0.0062), _mix("bytes", 0.1791, 0.0152)],
        "tokens": _tokens(),
        "domain_tokens": [_domain_tokens(*row) for row in DOMAINS],
        "exposure": [_benchmark(*row) for row in BENCHMARKS],
        "shapes": _shapes(),
        "copies": [
            {"kind": "exact", "baseline": 0.021, "candidate": 0.083, "baseline_error": 0.002, "candidate_error": 0.003, "alarm": True},
            {"kind": "near", "baseline": 0.112, "candidate": 0.118, "baseline_error": 0.004, "candidate_error": 0.004, "alarm": False},
        ],
        "definitions": [
            {"term": "noise", "meaning": "How far random halves of the documents of both versions lie apart: 99% of them by less."},
            {"term": "alarm", "meaning": "A change beyond the noise of all changes together that is large enough to matter."},
            {"term": "mix part", "meaning": "What the tokens would have changed if only the shares of the domains had."},
        ],
    }  # fmt: skip


def calm():
    """Return a report in which nothing has moved beyond noise."""
    report = sample()
    report |= {"title": "Nothing moved beyond noise", "complete": True, "alarms": 0}
    report["versions"][1] = _version("candidate", "mix-2025-10", 49_811, 171_200_000)
    report["statements"] = []
    for change in report["domains"]:
        change |= _shares(change["baseline"] or change["candidate"], change["floor"] / 3, change)
        change |= {"state": "kept", "alarm": False, "alarm_from": max(change["floor"], 0.005)}
    for divergences in (*(row["divergences"] for row in report["mix"]), report["tokens"]["divergences"]):  # fmt: skip
        for divergence in divergences:
            _quieten(divergence)
    for shape in report["shapes"]:
        _quieten(shape["divergence"])
    report["tokens"] |= {"moved": 0.0441, "mix": 0.004, "within": 0.0432, "alarms": dict.fromkeys(report["tokens"]["alarms"], 0), "shown": []}  # fmt: skip
    for row in report["domain_tokens"]:
        row |= {"mix": row["mix"] / 20, "within": row["floor"] * 0.8, "alarm": False}
    for benchmark in report["exposure"]:
        change = benchmark["floor"] / 4
        benchmark |= {
            "candidate_bits": round(benchmark["baseline_bits"] + change, 4),
            "change": change,
        }
        benchmark |= {"ci_low": -change, "ci_high": 3 * change, "alarm": False, "vanished": []}
        benchmark["hypothesis"] |= {"direction": "none", "text": "No effect is expected.", "effects": []}  # fmt: skip
    report["copies"][0] |= {"candidate": 0.0221, "alarm": False}
    return report


def crowded(domains=15, benchmarks=50, tokens=50):
    """Return a report of as much as is listed, every text long."""
    report = sample()
    rows = [
        (f"domain_{n:03}_of_some_length", *DOMAINS[n % len(DOMAINS)][1:]) for n in range(domains)
    ]
    report["domains"] = [change for row in rows for change in _domain(*row)]
    report["domain_tokens"] = [_domain_tokens(*row) for row in rows]
    report["tokens"]["shown"] = [
        {**token, "token": f" {token['token']}_{n}", "excerpt": "of some <b>length</b> " * 8}
        for kind in ("riser", "faller", "new", "vanished")
        for n in range(tokens)
        for token in [t for t in report["tokens"]["shown"] if t["change_kind"] == kind][:1]
    ]
    one = report["exposure"][0]
    one["driver_tokens"] *= 4
    one["driver_domains"] *= 3
    one["hypothesis"]["effects"] *= 3
    one["vanished"] = [f" term_{n}" for n in range(40)]
    report["exposure"] = [{**one, "benchmark": f"benchmark_{n:03}"} for n in range(benchmarks)]
    for shape in report["shapes"]:
        shape["bins"] *= 4
    return report


def _version(version, name, documents, size):
    return {
        "version": version, "name": name, "shards": 5, "shards_unread": 0, "documents": documents,
        "bytes": size, "words": size // 6, "tokens": size // 4, "weighted": False,
        "bad_documents": 0, "problems": [], "problems_not_shown": 0,
    }  # fmt: skip


def _unread_version():
    problem = {"shard": "v2/legal-004.parquet", "row": None, "reason": "the file ends early", "mend": "Copy it again."}  # fmt: skip
    bad = {"shard": "v2/web-001.jsonl", "row": 812, "reason": "the text is not UTF-8", "mend": "Pass --skip-bad, or mend the row."}  # fmt: skip
    found = _version("candidate", "mix-2025-10", 56_839, 226_900_000)
    return found | {"shards_unread": 1, "bad_documents": 3, "problems": [problem, bad], "problems_not_shown": 2}  # fmt: skip


def _shares(baseline, change, row):
    candidate = round(min(max(baseline + change, 0), 1), 6)
    change = candidate - baseline
    spread = row["floor"] / 2
    return {
        "baseline": baseline,
        "candidate": candidate,
        "change": change,
        "relative": change / baseline if baseline else None,
        "ci_low": change - spread,
        "ci_high": change + spread,
    }


def _domain(domain, baseline, candidate, floor, alarm):
    state = "new" if not baseline else "vanished" if not candidate else "kept"
    for measure, scale in (("documents", 0.8), ("bytes", 0.97), ("tokens", 1.0)):
        row = {"domain": domain, "measure": measure, "floor": floor, "state": state, "alarm": alarm}
        yield row | _shares(round(baseline * scale, 6), (candidate - baseline) * scale, row)


def _divergence(name, unit, observed, floor):
    mean = 0.7 * floor
    ratio = (observed - mean) / (0.1 * floor)
    return {
        "name": name, "unit": unit, "observed": observed, "floor_mean": mean, "floor": floor,
        "excess": observed - mean, "ratio": ratio, "alarm": observed > floor,
    }  # fmt: skip


def _quieten(divergence):
    observed = 0.8 * divergence["floor"]
    divergence |= _divergence(divergence["name"], divergence["unit"], observed, divergence["floor"])


def _mix(measure, observed, floor):
    names = (("total variation", "share", 1), ("Jensen-Shannon divergence", "bits", 0.1), ("PSI", "nats", 0.4))  # fmt: skip
    return {
        "measure": measure,
        "divergences": [
            _divergence(name, unit, observed * s, floor * s) for name, unit, s in names
        ],
    }


def _tokens():
    shown = [
        {
            "token_id": number,
            "token": token,
            "baseline": old,
            "candidate": new,
            "log2_ratio": log2(new / old) if old and new else None,
            "within_log2_ratio": 0.8 * log2(new / old) if old and new else None,
            "z": 20.0 - number,
            "q_value": 1e-12 * (number + 1),
            "df_baseline": float(df_old),
            "df_candidate": float(df_new),
            "change_kind": kind,
            "domain": domain,
            "domain_share": 0.82,
            "excerpt": excerpt,
        }
        for number, (token, old, new, df_old, df_new, kind, domain, excerpt) in enumerate(TOKENS)
    ]
    return {
        "vocabulary": 50_257,
        "tested": 21_408,
        "divergences": [
            _divergence("total variation", "share", 0.1312, 0.0402),
            _divergence("Jensen-Shannon divergence", "bits", 0.0312, 0.0061),
            _divergence("total variation within domains", "share", 0.0583, 0.0432),
        ],
        "moved": 0.1312,
        "mix": 0.0954,
        "within": 0.0583,
        "alarms": {"riser": 1204, "faller": 311, "vanished": 14, "new": 20},
        "shown": shown,
        "detectable": [[20, 3.1], [100, 1.4], [1000, 0.52]],
    }


def _domain_tokens(domain, baseline, candidate, floor, alarm):
    within = round(
        0.3 * (0.2 + abs(candidate - baseline) / 0.06) * min(baseline, candidate) * 0.3, 6
    )
    return {
        "domain": domain,
        "mix": round(abs(candidate - baseline) / 2, 6),
        "within": within,
        "floor": round(min(baseline, candidate) * 0.02, 6),
        "alarm": within > round(min(baseline, candidate) * 0.02, 6),
    }


def _benchmark(benchmark, items, tokens, baseline, candidate, floor, alarm):
    change = round(candidate - baseline, 4)
    worse = change > 0
    direction = ("worse" if worse else "better") if alarm else "none"
    effects = [
        {"domain": "newsgroups", "composition": 0.41, "baseline": 0.0161, "candidate": 0.0, "loss": None, "published": None},
        {"domain": "docs", "composition": 0.22, "baseline": 0.2694, "candidate": 0.2074, "loss": 0.024, "published": "stackexchange"},
    ]  # fmt: skip
    return {
        "benchmark": benchmark,
        "items": items,
        "tokens": tokens,
        "baseline_bits": baseline,
        "candidate_bits": candidate,
        "change": change,
        "ci_low": round(change - 0.05, 4),
        "ci_high": round(change + 0.05, 4),
        "floor": floor,
        "alarm": alarm,
        "driver_tokens": [{"name": " the", "bits": 0.031}, {"name": "\n", "bits": 0.022}, {"name": " because", "bits": -0.004}],
        "driver_domains": [{"name": "newsgroups", "bits": 0.192}, {"name": "docs", "bits": 0.071}],
        "vanished": [" whither", "comp.lang"] if alarm and worse else [],
        "hypothesis": {
            "direction": direction,
            "text": "Two fifths of its words are spread as in newsgroups, which is gone." if alarm else "No effect is expected.",
            "grade": "B" if alarm else "C",
            "evidence": "Own-share elasticities of eight domains, 1B parameters, 25B tokens; loss, not score.",
            "effects": effects if alarm else [],
        },
    }  # fmt: skip


def _statements():
    rows = (
        ("domain", "math", "moved: 5.80% to 11.63% of tokens (+5.83 points, +101%)", "noise up to 0.91 points; 95 % interval of the change +5.38 to +6.29", "which sources were added, dropped or re-weighted in this domain", True),
        ("domain", "docs", "moved: 26.94% to 20.74% of tokens (−6.20 points, −23%)", "noise up to 1.08 points; 95 % interval of the change −6.74 to −5.66", "which sources were added, dropped or re-weighted in this domain", True),
        ("exposure", "common_sense", "is covered less well: 9.40 to 9.71 bits per token", "noise up to 0.041 bits; 95 % interval of the change +0.261 to +0.361", "newsgroups: its share, docs: what is in it", True),
        ("domain", "newsgroups", "is gone: 1.61% to 0.00% of tokens", "noise up to 0.32 points; 95 % interval of the change −1.77 to −1.45", "which sources were added, dropped or re-weighted in this domain", True),
        ("whole", "docs", "the text inside it is another: 2.30% of all token occurrences moved within this domain, its share held fixed", "noise up to 0.41%", "what was replaced in this domain; see .\\\"", True),
        ("tokens", "1,204 tokens", "are more frequent within their domains", "of 21,408 tested, at most 1.0% of them by chance", "·lemma, \\, ·hom", True),
        ("documents", "exact copies", "among the documents: 2.10% to 8.30%", "standard errors 0.20% and 0.30%", "sluicegate duplicates CANDIDATE --against BASELINE", True),
        ("documents", "near copies", "among the documents: 11.20% to 11.80%", "standard errors 0.40% and 0.40%", "nothing yet", False),
    )  # fmt: skip
    keys = ("kind", "subject", "text", "evidence", "look", "is_alarm")
    return [dict(zip(keys, row, strict=True)) for row in rows]


def _classifier():
    rows = (("baseline", "math", 0.061, 0.0583), ("baseline", "docs", 0.262, 0.2701), ("candidate", "math", 0.118, 0.1166), ("candidate", "docs", 0.204, None))  # fmt: skip
    return {
        "kind": "classifier", "file": "examples.jsonl", "digest": "0a" * 32, "accuracy": 0.934,
        "accuracy_low": 0.912, "accuracy_high": 0.951, "held_out": 612, "note": None,
        "shares": [
            {"version": version, "domain": domain, "observed": observed, "corrected": corrected, "error": None if corrected is None else 0.0031}
            for version, domain, observed, corrected in rows
        ],
    }  # fmt: skip


def _shapes():
    lengths = [
        {"label": label, "baseline": old, "candidate": new}
        for label, old, new in (
            ("1–15", 0.02, 0.01), ("16–31", 0.05, 0.04), ("32–63", 0.14, 0.10), ("64–127", 0.24, 0.18),
            ("128–255", 0.22, 0.20), ("256–511", 0.15, 0.19), ("512–1023", 0.10, 0.15), ("1024 or more", 0.08, 0.13),
        )
    ]  # fmt: skip
    scripts = [
        {"label": label, "baseline": old, "candidate": new}
        for label, old, new in (("Latin", 0.91, 0.93), ("Han", 0.05, 0.04), ("Cyrillic", 0.02, 0.02), ("none", 0.02, 0.01))
    ]  # fmt: skip
    kinds = [
        {"label": label, "baseline": old, "candidate": new}
        for label, old, new in (("lower", 0.70, 0.69), ("space", 0.17, 0.17), ("symbol", 0.03, 0.05), ("other", 0.10, 0.09))
    ]  # fmt: skip
    return [
        {"name": "lengths of documents", "unit": "words", "bins": lengths, "divergence": _divergence("total variation", "share", 0.13, 0.012), "ordered": True},
        {"name": "scripts", "unit": "documents", "bins": scripts, "divergence": _divergence("total variation", "share", 0.004, 0.006)},
        {"name": "characters", "unit": "characters", "bins": kinds, "divergence": _divergence("total variation", "share", 0.02, 0.009)},
    ]  # fmt: skip
