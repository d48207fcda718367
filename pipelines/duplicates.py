"""Duplicates: one corpus, or a candidate and a baseline, in; clusters of copies and counts out. A fold.

    plan:   list the shards of each version and split the large ones
    map:    one step per shard (pipelines.signature_step): a signature for each document; with a store
            only of the shards that it has not signed (pipelines.stored_signatures)
    merge:  gather the signatures, cluster band by band, count by domain
    prove:  read a sample of the linked pairs again and compare their words

Results do not depend on the number of jobs, the order of shards or the size of batches.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from corpora.normal_form import fingerprint
from corpora.problems import ReadLog
from corpora.shards import Columns, Shard, resolve, split
from indexes.document_links import BASELINE, CANDIDATE, least_equal_positions
from indexes.minhash import Bands, optimal_bands
from pipelines.duplicate_clusters import Clusters, Standing, find_clusters, standing
from pipelines.duplicate_counts import VERSION_NAMES, domain_counts, domain_pairs
from pipelines.duplicate_proof import MOST_DOCUMENT_BYTES, Proof, draw, prove
from pipelines.duplicate_settings import DuplicateSettings
from pipelines.duplicate_tables import duplicates_frame, write_duplicates
from pipelines.files import write_table, write_text
from pipelines.index_settings import IndexSettings
from pipelines.mapping import Progress, Tell, run_steps
from pipelines.reread import read_again
from pipelines.run_record import LIBRARIES, run_json
from pipelines.signature_step import SignedPart, sign_part, warm_up
from pipelines.signed_documents import Documents, gather
from pipelines.stored_signatures import stored_signatures
from pipelines.working_folder import working_folder
from reports.duplicates_render import render_duplicates_markdown
from reports.duplicates_schema import DuplicatesReport, LargeCluster, ProvenPair
from reports.duplicates_summary import SearchFacts, VersionFacts, build_duplicates_report
from reports.render import render_json

RUN_SCHEMA: Final = "sluicegate.duplicates.run/1"
RESULT_FILES: Final = (
    "duplicates.parquet", "domains.parquet", "duplicates.json", "summary.md", "run.json",
)  # fmt: skip
# How much worse a pair missed is than a pair compared for nothing, as the optimiser of bands weighs
# them: comparing whole signatures costs little, so few pairs are to be missed for want of a common band.
FALSE_NEGATIVE_WEIGHT: Final = 0.95
SHOWN_CLUSTERS: Final = 10
EXCERPT_CHARS: Final = 80


@dataclass(frozen=True, slots=True)
class DuplicatesResult:
    """A finished search for duplicates.

    `domains`, `report` and `run` are the contents of `domains.parquet`, `duplicates.json` and
    `run.json`; `complete` is False where something could not be read.
    """

    clusters: Clusters
    standing: Standing  # of all documents
    domains: pl.DataFrame
    report: DuplicatesReport
    run: dict[str, Any]
    complete: bool

    def duplicates(self) -> pl.DataFrame:
        """Return every document that has a copy: the content of `duplicates.parquet`."""
        return duplicates_frame(self.clusters, self.standing)


def find_duplicates(
    corpus: Sequence[str],
    against: Sequence[str] | None,
    settings: DuplicateSettings,
    *,
    tool_version: str,
    work_in: Path | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> DuplicatesResult:
    """Find the copies within a corpus, and between it and the version `against`, the baseline.

    Signatures, 512 bytes a document and more, go to a folder in `work_in` while it runs.

    Raises:
        CorpusError: where a corpus is named wrongly or lacks the text column.
        StoreError: where the store cannot be used.
        OSError: where the folder or the store cannot be written.
    """
    clock = [time.time()]
    columns = Columns(settings.text, settings.id, settings.domain)
    names = {CANDIDATE: corpus} if against is None else {BASELINE: against, CANDIDATE: corpus}
    shards = {version: resolve(name, columns) for version, name in names.items()}
    progress(Progress("loading kernels"))
    warm_up()
    bands = optimal_bands(settings.threshold, FALSE_NEGATIVE_WEIGHT)
    with working_folder(work_in) as folder:
        clock.append(time.time())
        if settings.store is None:
            parts = _sign(shards, settings, folder, progress)
        else:
            parts = _stored(names, shards, settings, folder, tool_version, progress)
        clock.append(time.time())
        progress(Progress("gathering signatures"))
        documents = gather(parts.get(BASELINE), parts[CANDIDATE], bands, folder)
        progress(Progress("linking"))
        clusters = find_clusters(documents, bands, settings.threshold, settings.seed)
    clock.append(time.time())
    progress(Progress("proving"))
    result = _merge(names, parts, clusters, bands, settings, tool_version)
    clock.append(time.time())
    stages = ("preparing_s", "signing_s", "linking_s", "proving_s")
    result.run["timings"] = {
        stage: round(after - before, 3)
        for stage, before, after in zip(stages, clock, clock[1:], strict=False)
    }
    return result


def write_result(result: DuplicatesResult, out: Path) -> None:
    """Write all files of a run into a folder; `run.json` comes last and means complete.

    Raises:
        OSError: where the folder cannot be written, with nothing half-written.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "run.json").unlink(missing_ok=True)  # the old result is no longer whole
    write_duplicates(out / "duplicates.parquet", result.clusters, result.standing)
    write_table(out / "domains.parquet", result.domains)
    write_text(out / "duplicates.json", render_json(result.report))
    write_text(out / "summary.md", render_duplicates_markdown(result.report))
    write_text(out / "run.json", run_json(result.run))


def _sign(
    shards: Mapping[np.uint8, Sequence[Shard]],
    settings: DuplicateSettings,
    folder: Path,
    progress: Callable[[Progress], None],
) -> dict[np.uint8, list[SignedPart]]:
    """Sign the parts of all versions, the largest first, so that the threads end together."""
    work = [
        (version, part)
        for version, whole in shards.items()
        for shard in whole
        for part in split(shard, settings.part_bytes)
    ]
    work.sort(key=lambda entry: -entry[1].size_bytes)

    def step(number: int, tell: Tell) -> SignedPart:
        path = folder / f"part-{number}.arrow"
        return sign_part(work[number][1], path, batch_bytes=settings.batch_bytes, tell=tell)

    signed = run_steps(step, range(len(work)), settings.jobs, "signing", progress)
    parts: dict[np.uint8, list[SignedPart]] = {version: [] for version in shards}
    for (version, _), part in zip(work, signed, strict=True):
        parts[version].append(part)
    return parts


def _stored(
    names: Mapping[np.uint8, Sequence[str]],
    shards: Mapping[np.uint8, Sequence[Shard]],
    settings: DuplicateSettings,
    folder: Path,
    tool_version: str,
    progress: Callable[[Progress], None],
) -> dict[np.uint8, list[SignedPart]]:
    """Sign what the store of the settings lacks, and take all from there."""
    assert settings.store is not None
    with stored_signatures(
        [(names[version], shards[version]) for version in names], settings.store,
        IndexSettings(jobs=settings.jobs, batch_bytes=settings.batch_bytes),
        tool_version=tool_version, progress=progress,
    ) as stored:  # fmt: skip
        return {
            version: stored.parts(names[version], whole, folder, f"shard-{version}")
            for version, whole in shards.items()
        }


def _merge(
    names: Mapping[np.uint8, Sequence[str]],
    parts: Mapping[np.uint8, Sequence[SignedPart]],
    clusters: Clusters,
    bands: Bands,
    settings: DuplicateSettings,
    tool_version: str,
) -> DuplicatesResult:
    overall = standing(clusters)
    within = {version: standing(clusters, version) for version in names}
    domains = pl.concat([domain_counts(clusters, v, stand) for v, stand in within.items()])
    largest = _largest(clusters, within[CANDIDATE])
    sample = draw(clusters, overall, settings.seed)
    sizes = clusters.documents.bytes
    wanted = sample.documents() | {n for n in largest if sizes[n] <= MOST_DOCUMENT_BYTES}
    texts = read_again(
        clusters.documents, wanted, batch_bytes=settings.batch_bytes, jobs=settings.jobs
    )
    facts = [_facts(names[v], v, parts[v], within[v]) for v in names]
    problems = sum(version.n_problems for version in facts)
    unread = sum(version.shards_unread for version in facts)
    complete = not unread and (settings.skip_bad or not problems)
    report = build_duplicates_report(
        facts,
        domains,
        domain_pairs(clusters, CANDIDATE, within[CANDIDATE]),
        [_large_cluster(clusters, within[CANDIDATE], first, texts) for first in largest],
        _search_facts(clusters, bands, settings, prove(sample, texts)),
        complete=complete,
        tool_version=tool_version,
        normal_form=fingerprint(),
    )
    run = _run_record(parts, facts, settings, report)
    return DuplicatesResult(clusters, overall, domains, report, run, complete)


def _largest(clusters: Clusters, stand: Standing) -> list[int]:
    """Return the first documents of the largest clusters of the candidate, by size."""
    first = clusters.documents.n_baseline
    own = np.arange(first, len(clusters.documents))
    heads = np.flatnonzero((stand.cluster == own) & (stand.size > 1))
    order = np.lexsort((heads, -stand.size[heads]))[:SHOWN_CLUSTERS]
    return (first + heads[order]).tolist()


def _large_cluster(
    clusters: Clusters, stand: Standing, first: int, texts: Mapping[int, str]
) -> LargeCluster:
    documents = clusters.documents
    members = np.flatnonzero(stand.cluster == first)
    shard, row = _place(documents, first)
    return {
        "documents": len(members),
        "exact_duplicates": int(stand.is_exact[members].sum()),
        "domains": len(np.unique(documents.domain[documents.n_baseline + members])),
        "shard": shard,
        "row": row,
        "doc_id": documents.ids[first].as_py(),
        "domain": documents.domains[documents.domain[first]],
        "excerpt": texts.get(first, "")[:EXCERPT_CHARS],
    }


def _place(documents: Documents, number: int) -> tuple[str, int]:
    part = int(documents.part_of(np.array([number]))[0])
    return documents.shards[part].path, int(documents.rows[number])


def _search_facts(
    clusters: Clusters, bands: Bands, settings: DuplicateSettings, proof: Proof
) -> SearchFacts:
    return SearchFacts(
        threshold=settings.threshold,
        least_equal=least_equal_positions(settings.threshold),
        bands=bands,
        seed=settings.seed,
        comparisons=clusters.comparisons,
        buckets_cut=clusters.buckets_cut,
        near=tuple(_proven(clusters.documents, proof)),
        exact_confirmed=sum(is_same for _, is_same in proof.exact),
        exact_pairs=len(proof.exact),
        unread=proof.unread,
    )


def _proven(documents: Documents, proof: Proof) -> Iterable[ProvenPair]:
    for pair, jaccard in proof.near:
        shard, row = _place(documents, pair.one)
        other_shard, other_row = _place(documents, pair.other)
        yield {
            "shard": shard, "row": row, "other_shard": other_shard, "other_row": other_row,
            "estimate": pair.estimate, "jaccard": jaccard,
        }  # fmt: skip


def _facts(
    name: Sequence[str], version: np.uint8, parts: Sequence[SignedPart], stand: Standing
) -> VersionFacts:
    log = ReadLog()
    for part in sorted(parts, key=lambda part: (part.shard.path, part.shard.part or (0, 0))):
        log.merge(part.log)
    unread = {p.shard for part in parts for p in part.log.problems if p.row is None}
    first_documents = np.unique(stand.cluster[stand.size > 1])
    return VersionFacts(
        version=VERSION_NAMES[version],
        name=", ".join(sorted(set(name))),
        shards=len({part.shard.path for part in parts}),
        shards_unread=len(unread),
        words=sum(part.words for part in parts),
        clusters=len(first_documents),
        bad_documents=log.bad_documents,
        problems=tuple(log.problems),
        n_problems=log.n_problems,
        reasons=dict(sorted(log.reasons.items())),
    )


def _run_record(
    parts: Mapping[np.uint8, Sequence[SignedPart]],
    facts: Sequence[VersionFacts],
    settings: DuplicateSettings,
    report: DuplicatesReport,
) -> dict[str, Any]:
    """Return the content of run.json but for the timings: what was compared, and with what."""
    return {
        "schema": RUN_SCHEMA,
        "tool": report["tool"],
        "libraries": {name: installed(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "normal_form": report["normal_form"],
        "settings": settings.model_dump(mode="json"),
        "parameters": report["parameters"],
        "complete": report["complete"],
        "read": {
            own.version: {
                "shards": own.shards,
                "shards_unread": own.shards_unread,
                "documents": version["documents"],
                "bytes": version["bytes"],
                "words": own.words,
                "bad_documents": own.bad_documents,
                "problems": own.reasons,
            }
            for own, version in zip(facts, report["versions"], strict=True)
        },
        "shards": {VERSION_NAMES[version]: _shards(own) for version, own in parts.items()},
    }


def _shards(parts: Sequence[SignedPart]) -> list[dict[str, Any]]:
    """Return path, stored size and digest of every shard."""
    digests = {part.shard.path: part.digest for part in parts if part.digest is not None}
    sizes: dict[str, int] = {}
    for part in parts:
        sizes[part.shard.path] = sizes.get(part.shard.path, 0) + part.shard.size_bytes
    return [
        {"path": path, "stored_bytes": size, "sha256": digests.get(path)}
        for path, size in sorted(sizes.items())
    ]
