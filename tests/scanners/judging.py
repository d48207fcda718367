"""The embedding scanner over a few questions, without earlier scanners and without a transformer."""

import pyarrow as pa

from corpora.benchmarks import Benchmark
from indexes.background import load_background
from indexes.embeddings.static import load_static
from pipelines.shard_step import text_buffers
from scanners.embedding import nominate
from scanners.judge import LeakType, Status
from scanners.judge_semantic import judge_semantic, scores_of
from scanners.meaning import read_nominated
from scanners.ngram import sought
from scanners.patterns import build_patterns
from scanners.semantic import Semantic
from tests.scanners.meaning_samples import GRANITE


class Judge:
    """Reads and judges documents for the questions of this test, without earlier scanners."""

    def __init__(self, named):
        items = list(named.values())
        background = load_background()
        self.patterns = build_patterns([Benchmark("b", "", "", "", tuple(items))], background)
        self.target = sought(self.patterns)
        self.semantic = Semantic(self.patterns, items, background, load_static())
        self.names = list(named)

    def read(self, *texts):
        data, bounds = text_buffers(pa.array(texts, pa.large_string()))
        semantic = self.semantic
        found = nominate(data, bounds, semantic.meant, semantic.model)
        return read_nominated(
            data, bounds, found, semantic.meant, semantic.asked, self.target, semantic.model
        )

    def judge(self, scanned, read, known=()):
        semantic = self.semantic
        return judge_semantic(scanned, read, self.patterns, semantic.meant, semantic.asked, known)

    def found(self, *texts):
        """What is judged, as (document, item, leak type, status)."""
        scanned, read = self.read(*texts)
        judged = self.judge(scanned, read)
        return {
            (
                int(scanned.evidence.document[e]),
                self.names[self.patterns.owners.item[owner]],
                LeakType(kind),
                Status(status),
            )
            for e, owner, kind, status in zip(
                judged.evidence, judged.owner, judged.leak_type, judged.status, strict=True
            )
        }

    def scores(self, scanned, read):
        semantic = self.semantic
        return scores_of(scanned, read, self.patterns, semantic.meant, semantic.asked)


def hidden(text):
    """A text between two others."""
    return f"{GRANITE}\n\n{text}\n\n{GRANITE}"
