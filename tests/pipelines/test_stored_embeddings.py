"""Vectors of a corpus in the index store: what is nominated, recognised, refused, mended and pruned."""

import json
import os
from importlib.util import find_spec

import numpy as np
import pytest

import sluicegate
from indexes.embeddings.corpus_windows import MARGIN, StaticWindows, joined
from indexes.embeddings.encoder import SentenceEncoder, unit_rows
from indexes.embeddings.static import load_static
from indexes.embeddings.word_vectors import text_vectors
from indexes.store import DamagedError, Store, StoreError
from indexes.store.upkeep import plan_prune, prune, sizes, verify_store
from pipelines import stored_embeddings
from pipelines.embedding_look_up import Asked, StoredEmbeddings
from pipelines.embedding_training import TRAINED
from pipelines.index import is_index
from pipelines.index_settings import IndexSettings
from pipelines.stored_embeddings import build_embeddings, extent

pytestmark = pytest.mark.skipif(find_spec("faiss") is None, reason="faiss is not installed")

LOW = 0.1  # a cosine that many documents reach
QUESTIONS = (
    "A baker sells 24 loaves of bread in the morning and twice as many in the afternoon. How many "
    "loaves of bread does the baker sell in one day?",
    "Which organ of the human body removes waste from the blood and produces urine?",
    "During the winter a farmer feeds each of his 18 horses 5 kilograms of hay every day. How much hay "
    "do the horses eat in two weeks?",
)
REWORDED = (
    "In the morning 24 bread loaves are sold by a baker, and in the afternoon the baker sells two times "
    "that number of loaves. What is the number of bread loaves sold in a day?",
    "What organ in the human body takes waste out of the blood and makes urine?",
    "A farmer gives every one of 18 horses 5 kilograms of hay on each winter day. What amount of hay is "
    "eaten by the horses within two weeks?",
)
TOPICS = (
    "The compiler reports a warning when a variable is declared but never used in the function.",
    "The harbour was rebuilt after the storm, and the ferry to the islands sails again since April.",
    "Her second novel was translated into eleven languages and received a prize in Lisbon.",
    "To install the package, unpack the archive and run the configuration script as root.",
    "The museum shows paintings of the seventeenth century, most of them by unknown artists.",
    "Voters in the northern provinces rejected the treaty by a narrow majority last autumn.",
)


def documents(seed, n, reworded=()):
    """Texts of sentences on other topics; `reworded` gives {row: text that is hidden in it}."""
    random = np.random.default_rng(seed)
    texts = []
    for row in range(n):
        sentences = [TOPICS[i] for i in random.integers(len(TOPICS), size=8)]
        if row in reworded:
            sentences.insert(4, f"\n{reworded[row]}\n")
        texts.append(" ".join(sentences))
    return texts


def write_shard(path, texts):
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.dumps({"id": str(n), "text": text}) + "\n" for n, text in enumerate(texts)]
    path.write_text("".join(rows))
    then = path.stat().st_mtime - 7200
    os.utime(path, (then, then))


@pytest.fixture
def corpus(tmp_path):
    """Three shards; rewordings of all questions are hidden in the first two."""
    folder = tmp_path / "corpus"
    write_shard(folder / "a.jsonl", documents(1, 40, {7: REWORDED[0], 20: REWORDED[1]}))
    write_shard(folder / "b.jsonl", documents(2, 30, {3: REWORDED[2]}))
    write_shard(folder / "c.jsonl", documents(3, 30))
    return folder


@pytest.fixture(scope="module")
def model():
    return StaticWindows(load_static())


@pytest.fixture(scope="module")
def asked():
    return Asked(
        text_vectors(*joined(QUESTIONS), load_static()),
        np.full(3, 0.7, np.float32),
        np.array([len(question.split()) for question in QUESTIONS]),
    )


def build(corpus, where, model, **settings):
    kind = settings.pop("kind", "sq8")
    return build_embeddings(
        [str(corpus)], str(where), IndexSettings(**settings), model, kind=kind, tool_version="test"
    )


def found(where, built, model, asked, **options):
    """The rows of each shard that are nominated, by the shard's name."""
    store = Store.open(str(where))
    shards = [s for s in built.manifest.shards if s.path != TRAINED]
    stored = StoredEmbeddings.find(store, shards, model)
    return {s.path[-7:]: stored.rows(s, asked, **options).tolist() for s in shards}


def vector_files(where):
    return sorted(where.glob("shards/*/vectors-*.faiss"))


# --- what is nominated ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sq8", "rabitq"])
def test_documents_that_say_what_an_item_says_are_nominated(corpus, tmp_path, model, asked, kind):
    built = build(corpus, tmp_path / "store", model, kind=kind)
    rows = found(tmp_path / "store", built, model, asked)
    assert rows == {"a.jsonl": [7, 20], "b.jsonl": [3], "c.jsonl": []}
    assert (built.built, built.recognised, built.documents) == (3, 0, 100)


def test_nominated_are_exactly_those_with_a_window_that_is_near(corpus, tmp_path, model, asked):
    built = build(corpus, tmp_path / "store", model)
    low = asked._replace(floors=np.full(3, LOW, np.float32))
    rows = found(tmp_path / "store", built, model, low, exhaustive=True)
    for path in sorted(corpus.iterdir()):
        texts = [json.loads(line)["text"] for line in path.read_text().splitlines()]
        windows = model.windows(*joined(texts))
        apart = windows.words[:, None] / asked.words
        near = (windows.words[:, None] >= asked.words // 2) & (apart <= 2)
        best = np.where(near, windows.vector @ low.vectors.T, -1).max(axis=1)
        sure = set(windows.document[best >= LOW - MARGIN].tolist())
        maybe = set(windows.document[best >= LOW - MARGIN - 0.03].tolist())
        assert sure <= set(rows[path.name]) <= maybe
    assert sum(map(len, rows.values())) > 10


def test_the_sieve_nominates_what_the_store_does(corpus, tmp_path, model, asked):
    built = build(corpus, tmp_path / "store", model)
    shards = [s for s in built.manifest.shards if s.path != TRAINED]
    stored = StoredEmbeddings.find(Store.open(str(tmp_path / "store")), shards, model)
    texts = documents(1, 40, {7: REWORDED[0], 20: REWORDED[1]})
    chosen = stored.sieve(asked, model, *joined(texts))
    assert np.flatnonzero(chosen).tolist() == [7, 20]
    assert stored.sieve(asked, model, *joined([])).tolist() == []


def test_a_scan_reads_what_vectors_nominate(corpus, tmp_path, model, write_benchmark):
    store = tmp_path / "store"
    items = [{"id": str(n), "question": q, "answer": "x"} for n, q in enumerate(QUESTIONS)]
    benchmark = write_benchmark(tmp_path / "quiz.jsonl", items)
    sluicegate.build_index(corpus, store)

    def fetched(scanners):
        result = sluicegate.scan(
            [], benchmark, store=str(store), scanners=scanners, calibration="off",
            embedding_model="none", out=tmp_path / "out",
        )  # fmt: skip
        return result.run["read"]["fetched"], set(result.findings["item_id"].to_list())

    with pytest.raises(StoreError, match=r"it has none of any; build them with: sluicegate index"):
        fetched(("ngram", "embedding"))
    build(corpus, store, model)
    assert fetched(("ngram",)) == (0, set())
    read, items = fetched(("ngram", "embedding"))
    assert 3 <= read <= 10
    assert {"0", "2"} <= items


# --- what is stored ---------------------------------------------------------------------------------


def test_what_is_there_is_recognised_and_a_new_shard_uses_the_same_training(
    corpus, tmp_path, model, asked
):
    store = tmp_path / "store"
    first = build(corpus, store, model)
    again = build(corpus, store, model)
    assert (again.built, again.recognised) == (0, 3)
    assert again.manifest.shards == first.manifest.shards
    write_shard(corpus / "d.jsonl", documents(4, 20, {11: REWORDED[0]}))
    second = build(corpus, store, model)
    assert (second.built, second.recognised) == (1, 3)
    assert second.manifest.recipe == first.manifest.recipe
    assert found(store, second, model, asked)["d.jsonl"] == [11]
    assert len(sizes(Store.open(str(store))).versions) == 2


def test_bytes_do_not_depend_on_jobs_or_batches(corpus, tmp_path, model, monkeypatch):
    monkeypatch.setattr(stored_embeddings, "FILE_VECTORS", 100)
    written = []
    for number, settings in enumerate([{}, {"jobs": 3}, {"batch_bytes": 900}]):
        store = tmp_path / f"store{number}"
        build(corpus, store, model, **settings)
        written.append({(p.parent.name, p.name): p.read_bytes() for p in vector_files(store)})
    assert written[0] == written[1] == written[2]
    assert len(written[0]) > 6  # several files of a shard


def test_all_files_of_a_shard_are_searched(corpus, tmp_path, model, asked, monkeypatch):
    monkeypatch.setattr(stored_embeddings, "FILE_VECTORS", 100)
    built = build(corpus, tmp_path / "store", model)
    rows = found(tmp_path / "store", built, model, asked)
    assert rows == {"a.jsonl": [7, 20], "b.jsonl": [3], "c.jsonl": []}


def test_a_version_tells_what_it_takes(corpus, tmp_path, model):
    built = build(corpus, tmp_path / "store", model)
    taken = extent(Store.open(str(tmp_path / "store")), built.manifest)
    assert taken.stored_bytes == sum(p.stat().st_size for p in vector_files(tmp_path / "store"))
    lines = [line for path in corpus.iterdir() for line in path.read_text().splitlines()]
    texts = [json.loads(line)["text"] for line in lines]
    assert taken.text_bytes == sum(len(text.encode()) for text in texts)
    assert taken.windows == len(model.windows(*joined(texts)).vector)


def test_a_corpus_without_a_window_has_an_index_too(tmp_path, model, asked):
    write_shard(tmp_path / "corpus" / "a.jsonl", ["", "...", "short"])
    built = build(tmp_path / "corpus", tmp_path / "store", model)
    assert found(tmp_path / "store", built, model, asked) == {"a.jsonl": []}


# --- what is refused or mended ----------------------------------------------------------------------


class Other(StaticWindows):
    """Another model, by its name."""

    def __init__(self, model):
        super().__init__(model)
        self.name, self.identity = "other", "static-other/32"


class Drifted(StaticWindows):
    """The same model where a library gives other vectors."""

    def probes(self):
        return np.roll(super().probes(), 1, axis=1)


def test_exact_codes_are_taken_before_estimates(corpus, tmp_path, model):
    build(corpus, tmp_path / "store", model)
    built = build(corpus, tmp_path / "store", model, kind="rabitq")
    shards = [s for s in built.manifest.shards if s.path != TRAINED]
    stored = StoredEmbeddings.find(Store.open(str(tmp_path / "store")), shards, model)
    assert " sq8 " in stored.recipe.fingerprints


def test_another_model_is_refused_by_name(corpus, tmp_path, model, asked):
    built = build(corpus, tmp_path / "store", model)
    with pytest.raises(
        StoreError,
        match=rf"it has none by other \(static-other/32\), only by {model.identity.split('/')[0]}",
    ):
        found(tmp_path / "store", built, Other(load_static()), asked)


def test_a_library_that_gives_other_vectors_is_refused(corpus, tmp_path, model, asked):
    built = build(corpus, tmp_path / "store", model)
    with pytest.raises(StoreError, match=r"its vectors agree with those .* to -?0\.\d+ only"):
        found(tmp_path / "store", built, Drifted(load_static()), asked)
    with pytest.raises(StoreError, match="another library or device made them"):
        build(corpus, tmp_path / "store", Drifted(load_static()))


def test_another_normal_form_is_refused(corpus, tmp_path, model, asked, monkeypatch):
    built = build(corpus, tmp_path / "store", model)
    monkeypatch.setattr("pipelines.embedding_look_up.fingerprint", lambda: "nf0-other")
    other = Other(load_static())
    with pytest.raises(StoreError, match=r"only of normal form 'nf.*', this is 'nf0-other'"):
        found(tmp_path / "store", built, other, asked)


def test_shards_without_vectors_are_named(corpus, tmp_path, model, asked):
    store = tmp_path / "store"
    build(corpus, store, model)
    write_shard(corpus / "d.jsonl", documents(4, 20))
    index = sluicegate.build_index(corpus, store)
    with pytest.raises(StoreError, match=r"those by .* lack .*d\.jsonl; build them with"):
        StoredEmbeddings.find(Store.open(str(store)), index.manifest.shards, model)


def test_a_flipped_bit_is_found_before_faiss_reads_it_and_built_anew(
    corpus, tmp_path, model, asked
):
    store = tmp_path / "store"
    built = build(corpus, store, model)
    for path in vector_files(store):
        data = bytearray(path.read_bytes())
        data[len(data) // 3] ^= 4
        path.write_bytes(data)
    with pytest.raises(DamagedError, match="is damaged: SHA-256"):
        found(store, built, model, asked)
    assert sum(fault.is_damage for fault in verify_store(str(store))) == 3
    mended = build(corpus, store, model, verify=True)
    assert (mended.built, len(mended.mended)) == (3, 3)
    assert found(store, mended, model, asked)["a.jsonl"] == [7, 20]


def test_a_missing_file_is_built_anew_at_once(corpus, tmp_path, model, asked):
    store = tmp_path / "store"
    build(corpus, store, model)
    vector_files(store)[0].unlink()
    mended = build(corpus, store, model)
    assert (mended.built, mended.recognised) == (1, 2)
    assert found(store, mended, model, asked)["a.jsonl"] == [7, 20]


def test_a_damaged_training_is_made_again(corpus, tmp_path, model, asked):
    store = tmp_path / "store"
    first = build(corpus, store, model)
    [trained] = store.glob("shards/*/trained-*.faiss")
    trained.write_bytes(b"x" * trained.stat().st_size)
    with pytest.raises(DamagedError):
        found(store, first, model, asked)
    mended = build(corpus, store, model)
    assert mended.manifest.recipe == first.manifest.recipe  # the same corpus trains the same
    assert found(store, mended, model, asked)["a.jsonl"] == [7, 20]


def test_versions_of_embeddings_are_listed_and_pruned_and_never_scanned(corpus, tmp_path, model):
    store = tmp_path / "store"
    index = sluicegate.build_index(corpus, store)
    built = build(corpus, store, model)
    opened = Store.open(str(store))
    assert not is_index(built.manifest)
    assert {s.manifest.name for s in sizes(opened).versions} == {
        built.manifest.name,
        index.manifest.name,
    }
    assert list(verify_store(str(store))) == []
    assert plan_prune(opened).doomed == ()
    opened.drop_version(built.manifest.name)
    assert len(prune(opened).doomed) == 4  # three shards and what they were trained with
    assert list(verify_store(str(store))) == []
    assert vector_files(store) == []


# --- other ways in ----------------------------------------------------------------------------------


class Counted:
    """A network that counts words by their hash; see tests/indexes/test_encoder.py for the contract."""

    dimension = 64
    longest = None

    def prepare(self, texts, prompt):
        from indexes.embeddings.network import Prepared

        return Prepared({"texts": [prompt + text for text in texts]}, len(texts))

    def batch_rows(self, length):
        return 1000

    def vectors(self, prepared, rows):
        out = np.zeros((len(rows), 64), np.float32)
        for place, row in enumerate(rows.tolist()):
            for word in prepared.features["texts"][row].lower().split():
                out[place, sum(word.encode()) % 64] += 1
        return unit_rows(out)

    def n_tokens(self, texts):
        return np.array([len(text.split()) for text in texts])


def test_a_transformers_vectors_are_stored_alike(corpus, tmp_path):
    from indexes.embeddings.card import ModelCard
    from indexes.embeddings.corpus_windows import EncodedWindows

    card = ModelCard(name="counted", files={}, dimension=64)
    encoder = SentenceEncoder(Counted(), card)
    model = EncodedWindows(encoder)
    built = build(corpus, tmp_path / "store", model)
    [hidden] = encoder.encode([TOPICS[0]])
    text = " ".join(documents(1, 1)[0].split()[:64])
    asked = Asked(encoder.encode([text]), np.array([0.99]), np.array([64]))
    assert 0 in found(tmp_path / "store", built, model, asked)["a.jsonl"]
    assert hidden.shape == (64,)
    other = EncodedWindows(SentenceEncoder(Counted(), card.model_copy(update={"prompt": "q: "})))
    with pytest.raises(StoreError, match="it has none by counted"):
        found(tmp_path / "store", built, other, asked)


def test_the_command_builds_both_and_says_what_vectors_take(corpus, tmp_path, capsys):
    from sluicegate.cli import main

    arguments = ["index", "build", str(corpus), "--store", str(tmp_path / "store"), "--embeddings"]
    assert main([*arguments, "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "embeddings: 3 shards embedded, 0 there already" in said
    assert "bytes for a byte of text" in said
    assert main([*arguments, "--quiet", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["embeddings"]["recognised"] == 3
    assert answer["embeddings"]["version"].startswith("embedding-")
    assert answer["version"] != answer["embeddings"]["version"]


def test_the_library_embeds_too(corpus, tmp_path):
    built = sluicegate.build_embeddings(corpus, tmp_path / "store", codes="rabitq")
    assert " rabitq trained=" in built.manifest.recipe.fingerprints


@pytest.mark.slow
def test_minilms_vectors_are_stored_and_found_where_words_say_little(tmp_path):
    if find_spec("sentence_transformers") is None:
        pytest.skip("sluicegate[transformers] is not installed")
    texts = documents(1, 12, {3: REWORDED[0], 8: REWORDED[2]})
    write_shard(tmp_path / "corpus" / "a.jsonl", texts)
    built = sluicegate.build_embeddings(
        tmp_path / "corpus", tmp_path / "store", model="all-MiniLM-L6-v2", device="cpu"
    )
    model = stored_embeddings.window_model("all-MiniLM-L6-v2", "cpu")
    vectors = model.encoder.encode(QUESTIONS)
    asked = Asked(vectors, np.full(3, 0.7, np.float32), np.array([25, 13, 28]))
    assert found(tmp_path / "store", built, model, asked) == {"a.jsonl": [3, 8]}
