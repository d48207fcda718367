"""What the renderings of `duplicates.json` agree on: which tables there are, and their words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final

from reports import view
from reports.duplicates_schema import (
    Counts,
    DomainSummary,
    DuplicatesReport,
    LargeCluster,
    VersionSummary,
)
from reports.grids import Grid

ALL: Final = "(all)"


def facts(version: VersionSummary) -> tuple[str, ...]:
    """Return what was read of a version, in words."""
    return (
        version["name"],
        view.plural(version["shards"], "shard"),
        view.plural(version["documents"], "document"),
        view.size(version["bytes"]),
        view.plural(version["words"], "word"),
    )


def incomplete(report: DuplicatesReport) -> str:
    """Return what could not be read, as a sentence; empty if nothing."""
    if report["complete"]:
        return ""
    shards = sum(version["shards_unread"] for version in report["versions"])
    documents = sum(version["bad_documents"] for version in report["versions"])
    parts = [
        view.plural(number, noun)
        for number, noun in ((shards, "shard"), (documents, "document"))
        if number
    ]
    what = " and ".join(parts) or "something"
    return f"{what} could not be read, so copies in there are not counted."


def grids(report: DuplicatesReport, max_rows: int) -> Iterator[Grid]:
    """Return the tables that have something to say, in the order of their weight."""
    if len(report["versions"]) > 1:
        yield _change(report, max_rows)
    for version in reversed(report["versions"]):
        yield _duplicates(report, version, max_rows)
    if report["domain_pairs"]:
        yield _shared(report, max_rows)
    if report["largest_clusters"]:
        yield _largest(report["largest_clusters"])
    yield _curve(report)


def proof(report: DuplicatesReport) -> Iterator[str]:
    """Return how much was compared and what linked pairs proved to be, in sentences."""
    found, parameters = report["proof"], report["parameters"]
    threshold, buckets_cut = parameters["threshold"], int(str(parameters["buckets_cut"]))
    compared = (
        f"{view.count(int(str(parameters['comparisons'])))} pairs of signatures were compared."
    )
    if buckets_cut:
        compared += (
            f" In {view.plural(buckets_cut, 'bucket')} there were too many texts to compare each with "
            "every other, so some links may be missing there."
        )
    yield compared
    if found["near_pairs"]:
        yield (
            f"Of {view.plural(found['near_pairs'], 'near pair')} read again "
            f"{view.count(found['near_confirmed'])} "
            f"({view.percent(found['near_confirmed'] / found['near_pairs'])}, 95% interval "
            f"{view.percent(found['ci_low'])} to {view.percent(found['ci_high'])}) have an exact Jaccard "
            f"similarity of {threshold} or more; the least is {found['least_jaccard']:.2f}. The estimates "
            f"are off by {found['mean_error']:+.3f} on average, {found['rms_error']:.3f} root mean square "
            f"(theory for pairs drawn blindly: {found['expected_rms_error']:.3f}; linked ones are those "
            "whose estimate came out high enough)."
        )
    if found["exact_pairs"]:
        yield (
            f"Of {view.plural(found['exact_pairs'], 'exact pair')} read again "
            f"{view.count(found['exact_confirmed'])} have the same words."
        )
    if found["unread"]:
        yield (
            f"{view.plural(found['unread'], 'pair')} could not be read again: the files have changed "
            "since; run it again."
        )


def _change(report: DuplicatesReport, max_rows: int) -> Grid:
    baseline, candidate = report["versions"]
    old = {row["domain"]: row for row in report["domains"] if row["version"] == "baseline"}
    new = {row["domain"]: row for row in report["domains"] if row["version"] == "candidate"}
    names = sorted(old.keys() | new.keys())
    rows = [_change_row(name, old.get(name), new.get(name)) for name in names[:max_rows]]
    return Grid(
        "Candidate against baseline",
        ("Domain", "Candidate", "Exact copy", "Near copy", "New", "Baseline", "Lost"),
        (*rows, _change_row(ALL, baseline, candidate)),
        len(names[max_rows:]) + report["domains_not_shown"],
    )


def _change_row(name: str, old: Counts | None, new: Counts | None) -> tuple[str, ...]:
    def amounts(counts: Counts | None, *parts: int | None) -> Iterator[str]:
        yield view.count(counts["documents"]) if counts else view.DASH
        for part in parts:
            yield _amount(part or 0, counts["documents"]) if counts else view.DASH

    ours = (new["kept_exact"], new["kept_near"], new["unmatched"]) if new else (0, 0, 0)
    return (name, *amounts(new, *ours), *amounts(old, old["unmatched"] if old else 0))


def _duplicates(report: DuplicatesReport, version: VersionSummary, max_rows: int) -> Grid:
    own = [row for row in report["domains"] if row["version"] == version["version"]]
    own.sort(key=_most_duplicates)
    with_some = [row for row in own if row["clusters"] or row["without_words"]]
    rows = [_duplicates_row(row["domain"], row) for row in with_some[:max_rows]]
    within = f"Duplicates within the {version['version']}"
    return Grid(
        within if len(report["versions"]) > 1 else "Duplicates",
        ("Domain", "Documents", "Exact", "Near", "Duplicate", "Clusters", "Bytes", "No words"),
        (*rows, _duplicates_row(ALL, version)),
        len(with_some[max_rows:]) + report["domains_not_shown"],
    )


def _most_duplicates(row: DomainSummary) -> tuple[int, str]:
    return -row["exact_duplicates"] - row["near_duplicates"], row["domain"]


def _duplicates_row(name: str, counts: Counts) -> tuple[str, ...]:
    duplicates = counts["exact_duplicates"] + counts["near_duplicates"]
    return (
        name,
        view.count(counts["documents"]),
        view.count(counts["exact_duplicates"]),
        view.count(counts["near_duplicates"]),
        view.share(duplicates, counts["documents"]),
        view.count(counts["clusters"]),
        view.share(counts["duplicate_bytes"], counts["bytes"]),
        view.count(counts["without_words"]),
    )


def _shared(report: DuplicatesReport, max_rows: int) -> Grid:
    rows = [
        (f"{pair['domain']} + {pair['other_domain']}", view.count(pair["clusters"]))
        for pair in report["domain_pairs"][:max_rows]
    ]
    left_out = len(report["domain_pairs"]) - len(rows) + report["domain_pairs_not_shown"]
    return Grid(
        "Domains that share clusters", ("Domains", "Clusters"), tuple(rows), left_out, "pair"
    )


def _largest(clusters: Sequence[LargeCluster]) -> Grid:
    rows = [
        (
            f"{'/'.join(PurePosixPath(cluster['shard']).parts[-2:])}:{cluster['row']} {cluster['excerpt']}",
            view.count(cluster["documents"]),
            view.count(cluster["exact_duplicates"]),
            view.count(cluster["domains"]),
        )
        for cluster in clusters
    ]
    head = ("First document", "Documents", "Exact", "Domains")
    return Grid("Largest clusters", head, tuple(rows))


def _curve(report: DuplicatesReport) -> Grid:
    parameters = report["parameters"]
    title = (
        f"How surely a pair is found: bands {parameters['bands']}, rows {parameters['rows']}, "
        f"threshold {parameters['threshold']}"
    )
    rows = [
        (
            f"{point['jaccard']:.1f}",
            view.percent(point["shares_band"]),
            view.percent(point["linked"]),
        )
        for point in report["s_curve"]
    ]
    return Grid(title, ("Jaccard", "Shares a band", "Linked"), tuple(rows))


def _amount(number: int, whole: int) -> str:
    return f"{view.count(number)} {view.share(number, whole):>6}"
