"""The step of a scan: one shard (or part of one) in, its findings out.

A pure function of shard and plan, but for the tally of the labs' definitions, whose flags only ever
rise; so steps run in any order and on any number of threads.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from corpora.benchmarks import Benchmark, Item
from corpora.documents import Batch, read_batches
from corpora.places import open_input
from corpora.problems import ReadLog
from corpora.shards import Columns, Compression, Format, Shard
from corpora.spelling import FINISHER, MULTIPLIER
from corpora.streams import READ_ERRORS
from indexes.background import load_background
from indexes.embeddings.encoder import Encoder
from scanners.examine import EMBEDDING, MINHASH, NGRAM, Examined, examine
from scanners.findings import Finding, tell
from scanners.minhash import Signed, sign_questions
from scanners.ngram import Marks, Sought, locate, sought
from scanners.patterns import Patterns, build_patterns
from scanners.presets import PresetTally

if TYPE_CHECKING:
    from scanners.semantic import Semantic

CONTEXT_CHARS: Final = 160  # of the document on each side of an example
EXAMPLES_OF_A_KIND: Final = 3  # per benchmark and leak type
HASHED_BYTES: Final = 4 << 20
READ_AHEAD: Final = 2  # batches
HOSTS: Final = 64
LEAST_HOST_BYTES, MOST_HOST_CHARS = 400, 16_000


Sieve = Callable[[np.ndarray, np.ndarray], np.ndarray]  # data and bounds to bool (documents,)


@dataclass(frozen=True, slots=True)
class Place:
    """A finding in its shard."""

    finding: Finding
    shard: str
    row: int
    doc_id: str | None
    domain: str | None


@dataclass(frozen=True, slots=True)
class Context:
    """An example's document text around the locus, and the character at which it begins."""

    place: Place
    text: str
    first_char: int


@dataclass(frozen=True, slots=True, order=True)
class Host:
    """A document drawn for the calibration battery; the smallest ranks of all are taken."""

    rank: int
    shard: str
    row: int
    text: str


@dataclass(slots=True)
class StepResult:
    """What one step found, read and counted."""

    shard: Shard
    places: list[Place] = field(default_factory=list)
    examples: list[Context] = field(default_factory=list)
    log: ReadLog = field(default_factory=ReadLog)
    words: int = 0
    domain_documents: dict[str, int] = field(default_factory=dict)
    domain_bytes: dict[str, int] = field(default_factory=dict)
    hosts: list[Host] = field(default_factory=list)  # for the calibration battery
    digest: str | None = None  # sha256 of the file; None for URLs and later parts
    fetched: int = 0  # documents that were read, where an index store told which


class ScanPlan:
    """What every step shares: the items, their patterns, their signatures and the tally."""

    def __init__(
        self,
        benchmarks: Sequence[Benchmark],
        patterns: Patterns,
        scanners: Sequence[str] = (NGRAM,),
        encoder: Encoder | None = None,
        *,
        prefilter: bool = True,
        translations: bool = False,
    ) -> None:
        self.benchmarks = benchmarks
        self.items: tuple[Item, ...] = tuple(i for b in benchmarks for i in b.items)
        self.patterns = patterns
        self.target: Sought = sought(patterns)
        self.scanners = tuple(scanners)
        self.reasons = patterns.reasons  # per item: why it cannot be searched; "" where it can
        # Which documents an index would nominate, for the battery; None: all are read.
        self.sieve: Sieve | None = None
        self.signed: Signed | None = None
        if MINHASH in scanners:
            self.signed = sign_questions(patterns, self.items, load_background())
        self.encoder = encoder
        self.semantic: Semantic | None = None
        if EMBEDDING in scanners:
            # The many kernels of the embedding scanner are loaded where they are asked for only.
            from indexes.embeddings.static import load_static
            from scanners.semantic import Semantic

            self.semantic = Semantic(
                patterns, self.items, load_background(), load_static(), encoder, prefilter,
                translations,
            )  # fmt: skip
        self.tally = PresetTally(patterns)

    def examine(self, data: np.ndarray, bounds: np.ndarray, marks: Marks) -> list[Examined]:
        """Let the scanners of the plan examine documents `data[bounds[d]:bounds[d + 1]]`."""
        if self.sieve is not None:
            data, bounds = only(data, bounds, self.sieve(data, bounds))
        return examine(data, bounds, self.patterns, self.target, self.signed, self.semantic, marks)


def only(data: np.ndarray, bounds: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return documents of which those that are not chosen (bool (n,)) are empty."""
    sizes = np.where(chosen, np.diff(bounds), 0)
    out = np.zeros(len(bounds), np.int64)
    np.cumsum(sizes, out=out[1:])
    kept = np.repeat(chosen, np.diff(bounds))
    return data[bounds[0] : bounds[-1]][kept], out


def warm_up(scanners: Sequence[str] = (NGRAM,)) -> None:
    """Compile every kernel that a scan needs, by a tiny scan, before threads ask for them.

    Takes half a minute the first time after an installation, and nothing later.
    """
    text = (
        "How many tin whistles does Odalys carve in 9 days if she carves 4 of them on each day but "
        "the last, on which she rests?"
    )
    item = Item(
        "0", text, "She carves 4 whistles on 8 days, which makes 32 of them.", "", ("3", "32")
    )
    code = (
        "def count_whistles(days, each, rests):\n    whistles = 0\n    for day in range(days):\n"
        "        if day % 7 not in rests and whistles < 1000:\n            whistles += each\n"
        "    return [whistles, days - len(rests)]\n"
    )
    items = (item, Item("1", code.partition("\n")[0], code, "", ()))
    benchmark = Benchmark("warm-up", "", "", "", items)
    plan = ScanPlan([benchmark], build_patterns([benchmark], load_background()), scanners)
    shard = Shard("", Format.TEXT, Compression.NONE, Columns(), None, 0)
    texts = pa.array([f"{text} 3, 32. {item.answer}", text, f"{text}\n{code}"], pa.large_string())
    nothing = pa.nulls(3, pa.large_string())
    scan_batch(Batch(shard, np.arange(3), texts, nothing, nothing), plan, StepResult(shard))
    plan.tally.flags()


def scan_shard(
    shard: Shard, plan: ScanPlan, *, batch_bytes: int, read_ahead: bool
) -> Iterator[StepResult]:
    """Scan one shard; yields the same growing result after every batch, for progress.

    The last one is whole. `read_ahead` reads the next batch in a thread while one is scanned.
    """
    result = StepResult(shard)
    batches = read_batches(shard, result.log, batch_bytes=batch_bytes)
    for batch in read_ahead_of(batches) if read_ahead else batches:
        scan_batch(batch, plan, result)
        yield result
    if shard.part is None or shard.part[0] == 0:
        result.digest = file_digest(shard.path)
    result.examples = choose_examples(result.examples, plan)
    yield result


def scan_batch(batch: Batch, plan: ScanPlan, result: StepResult) -> None:
    """Scan one batch of documents and add what it gives to the result."""
    result.words += search_batch(batch, plan, result)
    _, bounds = text_buffers(batch.texts)
    count_domains(batch, bounds, result)
    draw_hosts(batch, bounds, result)


def search_batch(batch: Batch, plan: ScanPlan, result: StepResult) -> int:
    """Add the findings of one batch to the result; return its number of words."""
    return search_batches([batch], plan, [result])


def search_batches(batches: Sequence[Batch], plan: ScanPlan, results: Sequence[StepResult]) -> int:
    """Add the findings of each batch to its own result; return the number of words of all.

    Together they cost less than one by one: whatever is done once for a batch takes half a millisecond.
    """
    texts = batches[0].texts
    if len(batches) > 1:
        texts = pa.concat_arrays([batch.texts for batch in batches])
    first = np.cumsum([0, *(len(batch.rows) for batch in batches)])
    data, bounds = text_buffers(texts)
    examined = plan.examine(data, bounds, plan.tally.marks)
    scanned, judged = examined[0].scanned, examined[0].judged
    items = np.unique(plan.patterns.owners.item[judged.owner])
    plan.tally.add(scanned, judged, {int(i): plan.items[i].question for i in items})
    text_of = lru_cache(maxsize=1)(lambda document: texts[document].as_py())
    for finding in tell_all(examined, data, bounds, plan, text_of):
        number = int(np.searchsorted(first, finding.document, side="right")) - 1
        batch, at = batches[number], finding.document - int(first[number])
        place = Place(
            finding,
            batch.shard.path,
            int(batch.rows[at]),
            batch.ids[at].as_py(),
            batch.domains[at].as_py(),
        )
        results[number].places.append(place)
        results[number].examples.append(_context(place, text_of(finding.document)))
    for result in results:
        if len(result.examples) > 1000:
            result.examples = choose_examples(result.examples, plan)
    return scanned.words


def tell_all(
    examined: Sequence[Examined],
    data: np.ndarray,
    bounds: np.ndarray,
    plan: ScanPlan,
    text_of: Callable[[int], str],
) -> Iterator[Finding]:
    """Prove what the scanners found on the text and put it into words; `text_of` gives a document's."""
    for scanner, scanned, judged in examined:
        places = locate(data, bounds, plan.target, scanned.evidence, judged.evidence)
        yield from tell(
            judged, scanned, plan.patterns, plan.items.__getitem__, text_of, places, scanner
        )


def text_buffers(texts: pa.LargeStringArray) -> tuple[np.ndarray, np.ndarray]:
    """Return the UTF-8 bytes (uint8) and document bounds (int64 (n + 1,)) of an array, uncopied."""
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    if data is None or not data.size:
        return np.zeros(0, np.uint8), bounds
    return np.frombuffer(data, np.uint8), bounds


def choose_examples(examples: Sequence[Context], plan: ScanPlan) -> list[Context]:
    """Keep the best few of each benchmark and leak type, each item once; the order is total."""
    kept: list[Context] = []
    taken: dict[tuple[int, str], int] = {}
    items: set[int] = set()
    for example in sorted(examples, key=example_rank):
        finding = example.place.finding
        kind = (int(plan.patterns.benchmark[finding.item]), finding.leak_type)
        if finding.item not in items and taken.get(kind, 0) < EXAMPLES_OF_A_KIND:
            items.add(finding.item)
            taken[kind] = taken.get(kind, 0) + 1
            kept.append(example)
    return kept


def example_rank(example: Context) -> tuple[Any, ...]:
    """Order examples: the strongest and longest first, then by place."""
    f = example.place.finding
    return (
        -f.status, -f.score, -f.longest_run, f.item, f.field, f.choice,
        example.place.shard, example.place.row, f.doc_start, f.doc_end,
    )  # fmt: skip


def file_digest(path: str) -> str | None:
    """Return the SHA-256 of a local file; None where it is a URL or cannot be read again."""
    if "://" in path and not path.startswith("file://"):
        return None  # a second transfer would cost more than it tells
    digest = hashlib.sha256()
    try:
        with open_input(path) as file:
            while chunk := file.read(HASHED_BYTES):
                digest.update(chunk)
    except READ_ERRORS:
        return None
    return digest.hexdigest()


def _context(place: Place, text: str) -> Context:
    first = max(0, place.finding.doc_start - CONTEXT_CHARS)
    return Context(place, text[first : place.finding.doc_end + CONTEXT_CHARS], first)


def choose_hosts(hosts: Sequence[Host]) -> list[Host]:
    """Keep the hosts of smallest rank: the same ones however the corpus was cut into steps."""
    return sorted(hosts)[:HOSTS]


def draw_hosts(batch: Batch, bounds: np.ndarray, result: StepResult) -> None:
    """Draw documents at random, seeded by shard and row."""
    seed = np.uint64(zlib.crc32(batch.shard.path.encode()))
    ranks = (batch.rows.astype(np.uint64) + (seed << np.uint64(32))) * MULTIPLIER
    ranks ^= ranks >> np.uint64(31)
    ranks *= FINISHER
    most = result.hosts[-1].rank if len(result.hosts) == HOSTS else (1 << 64) - 1
    fit = np.flatnonzero((np.diff(bounds) >= LEAST_HOST_BYTES) & (ranks <= np.uint64(most)))
    drawn = fit[np.argsort(ranks[fit], kind="stable")[:HOSTS]].tolist()
    result.hosts = choose_hosts(
        [
            *result.hosts,
            *(
                Host(
                    int(ranks[document]),
                    batch.shard.path,
                    int(batch.rows[document]),
                    batch.texts[document].as_py()[:MOST_HOST_CHARS],
                )
                for document in drawn
            ),
        ]
    )


def count_domains(batch: Batch, bounds: np.ndarray, result: StepResult) -> None:
    """Count the documents and bytes of each domain; `bounds` are those of the texts."""
    names = batch.domains.dictionary_encode()
    codes = names.indices.fill_null(-1).to_numpy()
    sizes = np.diff(bounds)
    for code in np.unique(codes).tolist():
        name = "" if code < 0 else names.dictionary[code].as_py()
        chosen = codes == code
        result.domain_documents[name] = result.domain_documents.get(name, 0) + int(chosen.sum())
        result.domain_bytes[name] = result.domain_bytes.get(name, 0) + int(sizes[chosen].sum())


def read_ahead_of(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Read in a thread of its own, a few batches ahead; errors come out where they would."""
    ready: queue.Queue[Any] = queue.Queue(READ_AHEAD)
    stopped = threading.Event()
    end = object()

    def read() -> None:
        try:
            for batch in batches:
                if stopped.is_set():
                    return
                ready.put(batch)
            ready.put(end)
        except BaseException as error:  # noqa: BLE001 - it is raised again in the other thread
            ready.put(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        while (got := ready.get()) is not end:
            if isinstance(got, BaseException):
                raise got
            yield got
    finally:
        stopped.set()
        while not ready.empty():  # free the reader if it waits for room
            ready.get_nowait()
        thread.join()
