"""Duplicates from files to files: what is counted, what is proven, and what does not change it."""

import json
import math

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

import sluicegate
from corpora.problems import CorpusError
from indexes.document_links import least_equal_positions, link_probability
from indexes.minhash import optimal_bands
from pipelines.duplicate_proof import jaccard, words
from pipelines.duplicates import FALSE_NEGATIVE_WEIGHT, RESULT_FILES, write_result

DUPLICATES = {
    "version": pl.String, "shard": pl.String, "row": pl.Int64, "doc_id": pl.String,
    "domain": pl.String, "cluster": pl.Int64, "cluster_size": pl.Int64, "kind": pl.String,
    "jaccard": pl.Float64,
}  # fmt: skip
BYTE_EQUAL = [name for name in RESULT_FILES if name != "run.json"]


@pytest.fixture(scope="module")
def text(vocabulary):
    """Made-up words first .. last - 1; `changed` of them, spread out, replaced by others."""

    def make(first, last, changed=0):
        made = vocabulary(first, last)
        for number in range(changed):
            made[(2 * number + 1) * len(made) // (2 * changed)] = f"other{first}x{number}"
        return " ".join(made)

    return make


@pytest.fixture(scope="module")
def old(text):
    """The documents of an older version."""
    texts = [
        ("speech", "same", text(0, 300)),
        ("speech", "edited", text(300, 600)),
        ("books", "dropped", text(600, 900)),
        ("books", "moved", text(900, 1200)),
        ("books", "twice", text(1200, 1500)),
        ("books", "twice again", text(1200, 1500)),
        (None, "no words", "?!"),
    ]
    return [{"id": name, "domain": domain, "text": text} for domain, name, text in texts]


@pytest.fixture(scope="module")
def new(text):
    """A newer version of them."""
    texts = [
        ("speech", "same", text(0, 300).upper().replace(" ", ", ")),
        ("speech", "edited", text(300, 600, changed=2)),
        ("web", "moved", text(900, 1200)),
        ("web", "moved and edited", text(900, 1200, changed=1)),
        ("books", "twice", text(1200, 1500)),
        ("web", "new", text(3000, 3300)),
        ("web", "half", text(600, 750) + text(4000, 4150)),
        ("web", "short", "so it goes"),
        ("web", "short again", "So it goes."),
        (None, "no words", "?!"),
        (None, "nothing", ""),
    ]
    return [{"id": name, "domain": domain, "text": text} for domain, name, text in texts]


@pytest.fixture(scope="module")
def versions(old, new, write_corpus, tmp_path_factory):
    """The folders of the older and the newer version, in several shards each."""
    folder = tmp_path_factory.mktemp("versions")
    write_corpus(folder / "old" / "a.parquet", old[:4], row_group_size=2)
    write_corpus(folder / "old" / "b.jsonl", old[4:])
    write_corpus(folder / "new" / "a.parquet", new[:6], row_group_size=2)
    write_corpus(folder / "new" / "b.parquet", new[6:], row_group_size=2)
    return folder / "old", folder / "new"


@pytest.fixture(scope="module")
def result(versions):
    return sluicegate.duplicates(versions[1])


@pytest.fixture(scope="module")
def change(versions):
    return sluicegate.duplicates(versions[1], versions[0])


def rows_of(table, *columns):
    return set(table.select(columns).iter_rows())


# --- within one corpus --------------------------------------------------------------------------------


def test_every_copy_is_in_the_cluster_of_what_it_copies(result):
    found = result.duplicates()
    columns = "doc_id", "domain", "cluster", "cluster_size", "kind", "version"
    assert rows_of(found, *columns) == {
        ("moved", "web", 0, 2, None, "candidate"),
        ("moved and edited", "web", 0, 2, "near", "candidate"),
        ("short", "web", 1, 2, None, "candidate"),
        ("short again", "web", 1, 2, "exact", "candidate"),
    }
    near = found.row(by_predicate=pl.col("kind") == "near", named=True)
    assert abs(near["jaccard"] - 291 / 301) < 5 * math.sqrt(0.967 * 0.033 / 128)
    assert found.filter(pl.col("kind") != "near")["jaccard"].to_list() == [1]
    assert found.sort("cluster", "shard", "row").equals(found)


def test_duplicates_are_counted_by_domain(result, new):
    counted = {row["domain"]: row for row in result.domains.iter_rows(named=True)}
    assert set(counted) == {"books", "speech", "web", None}
    web = counted["web"]
    assert (web["documents"], web["exact_duplicates"], web["near_duplicates"]) == (6, 1, 1)
    assert web["clusters"] == 2
    copies = [row["text"] for row in new if row["id"] in ("moved and edited", "short again")]
    assert web["duplicate_bytes"] == sum(len(copy.encode()) for copy in copies)
    assert web["bytes"] == sum(len(row["text"].encode()) for row in new if row["domain"] == "web")
    assert counted[None]["without_words"] == 2
    assert counted["books"]["exact_duplicates"] == 0
    assert web["kept_exact"] is None


def test_documents_without_words_are_copies_of_nothing(result):
    assert not result.duplicates()["doc_id"].is_in(["no words", "nothing"]).any()


def test_clusters_over_several_domains_are_counted_by_pair(write_corpus, text, tmp_path):
    documents = [
        {"domain": domain, "text": text(first, first + 100)}
        for domain, first in [("a", 0), ("b", 0), ("c", 0), ("a", 500), ("c", 500), ("b", 900)]
    ]
    found = sluicegate.duplicates(write_corpus(tmp_path / "c.jsonl", documents))
    assert found.report["domain_pairs"] == [
        {"domain": "a", "other_domain": "c", "clusters": 2},
        {"domain": "a", "other_domain": "b", "clusters": 1},
        {"domain": "b", "other_domain": "c", "clusters": 1},
    ]


def test_a_cluster_over_very_many_domains_makes_no_flood_of_pairs(write_corpus, text, tmp_path):
    documents = [{"domain": f"site{n:03}", "text": text(0, 50)} for n in range(300)]
    found = sluicegate.duplicates(write_corpus(tmp_path / "c.jsonl", documents))
    pairs = found.report["domain_pairs"]
    assert len(pairs) + found.report["domain_pairs_not_shown"] == 299
    assert {pair["domain"] for pair in pairs} == {"site000"}


def test_of_very_many_domains_the_largest_are_shown_in_both_versions(write_corpus, text, tmp_path):
    names = [f"site{n:04}" for n in range(1500)] + ["large"] * 3
    rows = [{"domain": name, "text": text(n, n + 9)} for n, name in enumerate(names)]
    new = write_corpus(tmp_path / "new.jsonl", rows)
    old = write_corpus(tmp_path / "old.jsonl", rows[::-1])
    found = sluicegate.duplicates(new, old)
    assert found.report["domains_not_shown"] == 501
    shown = [(row["version"], row["domain"]) for row in found.report["domains"]]
    assert len(shown) == 2000
    assert {("baseline", "large"), ("candidate", "large")} < set(shown)
    assert {name for _, name in shown} == {"large", *names[:999]}
    assert found.domains.height == 2 * 1501


# --- between two versions ---------------------------------------------------------------------------------


def test_what_is_kept_new_and_lost_is_counted_by_domain(change):
    columns = "version", "domain", "kept_exact", "kept_near", "unmatched", "without_words"
    assert rows_of(change.domains, *columns) == {
        ("baseline", "speech", 1, 1, 0, 0),
        ("baseline", "books", 3, 0, 1, 0),  # moved, twice, twice again; dropped
        ("baseline", None, 0, 0, 0, 1),
        ("candidate", "speech", 1, 1, 0, 0),
        ("candidate", "web", 1, 1, 4, 0),  # moved; moved and edited
        ("candidate", "books", 1, 0, 0, 0),
        ("candidate", None, 0, 0, 0, 2),
    }


def test_the_first_document_of_a_cluster_is_the_baselines(change):
    found = change.duplicates()
    firsts = found.filter(pl.col("kind").is_null())
    assert rows_of(firsts, "version", "doc_id") == {
        ("baseline", "same"), ("baseline", "edited"), ("baseline", "moved"),
        ("baseline", "twice"), ("candidate", "short"),
    }  # fmt: skip
    kinds = {("same", "exact"), ("edited", "near"), ("moved", "exact"), ("moved and edited", "near"),
             ("twice", "exact"), ("short again", "exact")}  # fmt: skip
    own = found.filter((pl.col("version") == "candidate") & pl.col("kind").is_not_null())
    assert rows_of(own, "doc_id", "kind") == kinds


def test_duplicates_within_a_version_are_the_same_beside_another(result, change, versions):
    inside = ["domain", "documents", "exact_duplicates", "near_duplicates", "clusters", "bytes"]
    beside = change.domains.filter(pl.col("version") == "candidate").select(inside)
    assert beside.equals(result.domains.select(inside))
    alone = sluicegate.duplicates(versions[0]).domains.select(inside)
    assert change.domains.filter(pl.col("version") == "baseline").select(inside).equals(alone)


def test_a_version_against_itself_keeps_every_document(versions):
    found = sluicegate.duplicates(versions[1], versions[1])
    assert found.domains["unmatched"].sum() == found.domains["kept_near"].sum() == 0
    kept = found.domains.select(pl.col("kept_exact") + pl.col("without_words")).to_series()
    assert kept.equals(found.domains["documents"], check_names=False)
    assert "9 have an exact copy" in found.report["title"]


# --- what changes nothing -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(change, tmp_path_factory):
    """The result files of the plain run, by name."""
    out = tmp_path_factory.mktemp("out")
    write_result(change, out)
    assert sorted(path.name for path in out.iterdir()) == sorted(RESULT_FILES)
    return {name: (out / name).read_bytes() for name in BYTE_EQUAL}


@pytest.mark.parametrize(
    "settings",
    [
        {"jobs": 1},
        {"jobs": 4},
        {"batch_bytes": 1},
        {"part_bytes": 1},
        {"jobs": 4, "part_bytes": 1, "batch_bytes": 2000},
    ],
    ids=str,
)
def test_jobs_batches_and_parts_do_not_change_a_byte(versions, files, tmp_path, settings):
    sluicegate.duplicates(versions[1], versions[0], out=tmp_path, **settings)
    assert {name: (tmp_path / name).read_bytes() for name in BYTE_EQUAL} == files


def test_the_order_of_shards_does_not_change_the_tables(versions, files, tmp_path):
    baseline, candidate = (sorted(folder.iterdir(), reverse=True) for folder in versions)
    sluicegate.duplicates(candidate, baseline, out=tmp_path)
    for name in ("duplicates.parquet", "domains.parquet"):
        assert (tmp_path / name).read_bytes() == files[name]


def test_no_working_file_is_left(change, versions, tmp_path):
    sluicegate.duplicates(versions[1], versions[0], out=tmp_path / "out")
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left == set(RESULT_FILES)


def test_what_a_killed_run_left_goes_with_the_next(versions, tmp_path):
    left = tmp_path / ".sluicegate-work" / "signatures"
    left.parent.mkdir()
    left.write_bytes(b"half")
    sluicegate.duplicates(versions[1], out=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(RESULT_FILES)


# --- how surely near-duplicates are found, and what is proven -------------------------------------------


def test_near_duplicates_are_found_at_the_rate_that_the_report_names(write_corpus, tmp_path):
    random = np.random.default_rng(11)
    n_pairs, n_words = 300, 120
    documents, expected = [], []
    for _ in range(n_pairs):
        made = [f"w{n}" for n in random.integers(0, 1 << 40, n_words)]
        edited = list(made)
        for place in random.choice(n_words, random.integers(1, 7), replace=False):
            edited[place] = f"x{random.integers(0, 1 << 40)}"
        documents += [" ".join(made), " ".join(edited)]
        expected.append(jaccard(*documents[-2:]))
    threshold = 0.8
    found = sluicegate.duplicates(
        write_corpus(tmp_path / "c.jsonl", documents), threshold=threshold
    )
    bands = optimal_bands(threshold, FALSE_NEGATIVE_WEIGHT)
    assert found.report["parameters"]["bands"] == bands.bands
    least = least_equal_positions(threshold)
    chances = np.array([link_probability(exact, bands, least) for exact in expected])
    linked = found.duplicates()["cluster"].n_unique()
    assert found.duplicates()["cluster_size"].to_list() == [2] * 2 * linked
    deviation = math.sqrt((chances * (1 - chances)).sum())
    assert 0.2 < chances.mean() < 0.8  # the test is one of both hits and misses
    assert abs(linked - chances.sum()) < 5 * deviation


def test_linked_pairs_are_read_again_and_counted(result, change):
    proof = result.report["proof"]
    assert (proof["near_pairs"], proof["near_confirmed"]) == (1, 1)
    assert proof["least_jaccard"] == 291 / 301
    assert (proof["exact_pairs"], proof["exact_confirmed"], proof["unread"]) == (1, 1, 0)
    assert change.report["proof"]["exact_confirmed"] == change.report["proof"]["exact_pairs"] == 5
    (weakest,) = proof["weakest"]
    assert (weakest["row"], weakest["other_row"]) == (3, 2)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a b c d e f", "A, b c d e f!", 1.0),
        ("a b c d e f", "a b c d e g", 1 / 3),
        ("a b", "a b", 1.0),
        ("a b", "a c", 0.0),
        ("", "", 0.0),
        ("学校に行く日", "学校に行く人", 1 / 3),
    ],
)
def test_exact_similarity_is_that_of_word_5_grams(one, other, expected):
    assert jaccard(one, other) == pytest.approx(expected)


def test_words_are_those_of_the_normal_form():
    assert words(" Ｆｕｌｌ-wi\u200bdth thе 学校 ½ ") == [
        "full",
        "width",
        "the",
        "学",
        "校",
        "1",
        "2",
    ]


# --- reading --------------------------------------------------------------------------------------------


def test_a_shard_that_breaks_off_makes_the_run_incomplete(versions, tmp_path):
    whole = (versions[1] / "a.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    found = sluicegate.duplicates([versions[1], tmp_path / "cut.parquet"], skip_bad=True)
    assert not found.complete
    assert not found.report["complete"]
    (summary,) = found.report["versions"]
    assert (summary["shards"], summary["shards_unread"]) == (3, 1)
    assert summary["problems"][0]["shard"] == (tmp_path / "cut.parquet").as_posix()


def test_a_bad_document_is_counted_and_named_unless_it_may_pass(write_corpus, text, tmp_path):
    path = write_corpus(tmp_path / "c.jsonl", [text(0, 50)] * 3)
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], b"{oops", *lines[2:]]))
    found = sluicegate.duplicates(path)
    assert not found.complete
    assert found.run["read"]["candidate"]["bad_documents"] == 1
    assert found.domains["exact_duplicates"].to_list() == [1]
    assert sluicegate.duplicates(path, skip_bad=True).complete


def test_a_corpus_without_documents_has_no_duplicates(write_corpus, tmp_path):
    found = sluicegate.duplicates(write_corpus(tmp_path / "c.parquet", [{"text": "?"}]))
    assert dict(found.duplicates().schema) == DUPLICATES
    assert found.duplicates().is_empty()
    nothing = write_corpus(tmp_path / "d.jsonl", [])
    empty = sluicegate.duplicates(nothing, nothing)
    assert (empty.domains.height, empty.complete) == (0, False)
    assert empty.report["versions"][1]["unmatched"] == 0


def test_several_text_columns_and_other_names_are_read(write_corpus, text, tmp_path):
    rows = [
        {"ask": text(0, 20), "say": text(20, 40), "key": "1", "site": "x"},
        {"ask": text(0, 39), "say": text(39, 40), "key": "2", "site": "y"},
    ]
    path = write_corpus(tmp_path / "c.jsonl", rows)
    found = sluicegate.duplicates(path, text=("ask", "say"), id="key", domain="site")
    assert rows_of(found.duplicates(), "doc_id", "domain", "kind") == {
        ("1", "x", None), ("2", "y", "exact"),
    }  # fmt: skip


def test_missing_ids_and_domains_stay_missing(write_corpus, text, tmp_path):
    found = sluicegate.duplicates(write_corpus(tmp_path / "c.jsonl", [text(0, 30)] * 2))
    assert found.duplicates().select("doc_id", "domain").null_count().row(0) == (2, 2)
    assert found.report["domains"][0]["domain"] == "(no domain)"


def test_hostile_names_and_texts_are_data(write_corpus, tmp_path):
    names = ["\x1b[2J", "=cmd|' /C calc'!A0", "\u202eabc", "a" * 10_000, "", "\U0001f600", "\x00"]
    documents = [
        {"id": name, "domain": name, "text": text}
        for name in names
        for text in ("\u200b" * 1000, "a " * 100_000, "\x1b[31m red", "e\u0301" * 5000)
    ]
    found = sluicegate.duplicates(
        write_corpus(tmp_path / "c.jsonl", documents), out=tmp_path / "out"
    )
    assert found.complete
    assert set(found.duplicates()["doc_id"]) == set(names)
    assert found.domains["without_words"].sum() == len(names)
    assert "\x1b" not in (tmp_path / "out" / "duplicates.json").read_text()


def test_thousands_of_copies_of_one_form_are_one_cluster(write_corpus, text, tmp_path):
    form = text(0, 200)
    documents = [f"{form} number{n}" for n in range(3000)]
    found = sluicegate.duplicates(write_corpus(tmp_path / "c.jsonl", documents))
    assert found.domains["near_duplicates"].to_list() == [2999]
    assert found.report["parameters"]["buckets_cut"] > 0
    assert found.report["parameters"]["comparisons"] < 10 * len(documents)
    assert found.report["largest_clusters"][0]["documents"] == 3000


@pytest.mark.parametrize(
    "settings", [{"threshold": 0.2}, {"threshold": 1.0}, {"jobs": 0}, {"tresh": 1}]
)
def test_an_impossible_setting_is_refused(versions, settings):
    with pytest.raises(ValidationError, match=next(iter(settings))):
        sluicegate.duplicates(versions[1], **settings)


def test_a_corpus_named_wrongly_is_refused_before_the_work(versions, tmp_path):
    with pytest.raises(CorpusError, match=r"gone\.jsonl"):
        sluicegate.duplicates(versions[1], tmp_path / "gone.jsonl", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


# --- files ----------------------------------------------------------------------------------------------


def test_tables_have_the_columns_of_the_contract(change, files, tmp_path):
    write_result(change, tmp_path)
    copies = pl.read_parquet(tmp_path / "duplicates.parquet")
    assert list(copies.schema.items()) == list(DUPLICATES.items())
    assert copies.equals(change.duplicates())
    assert pl.read_parquet(tmp_path / "domains.parquet").equals(change.domains)
    assert json.loads(files["duplicates.json"]) == change.report


def test_run_json_tells_what_was_compared_and_with_what(change):
    run = change.run
    assert run["schema"] == "sluicegate.duplicates.run/1"
    assert run["complete"] is True
    assert run["settings"]["threshold"] == 0.8
    assert {"bands", "rows", "permutations", "seed"} <= set(run["parameters"])
    assert [len(run["shards"][name]) for name in ("baseline", "candidate")] == [2, 2]
    assert all(len(s["sha256"]) == 64 for own in run["shards"].values() for s in own)
    assert {"signing_s", "linking_s", "proving_s"} <= set(run["timings"])


def test_progress_counts_all_documents(versions, old, new):
    told = []
    sluicegate.duplicates(versions[1], versions[0], progress=told.append)
    signing = [progress for progress in told if progress.stage == "signing"]
    assert (signing[-1].documents, signing[-1].parts_done) == (len(old) + len(new), 4)
    assert told[-1].stage == "proving"


# --- real data ----------------------------------------------------------------------------------------


def test_editions_of_a_book_are_near_and_other_books_are_not(shared_data):
    path = shared_data / "groundtruth" / "book_editions.jsonl.zst"
    found = sluicegate.duplicates(path, domain="work", threshold=0.5)
    assert found.report["domain_pairs"] == []  # no two works share a cluster


def test_domains_that_did_not_change_are_kept_whole(shared_data):
    mix = shared_data / "corpora" / "mix"
    found = sluicegate.duplicates(
        mix / "v2" / "speech-00000.jsonl.zst", mix / "v1" / "speech-00000.jsonl.zst"
    )
    assert found.domains["kept_exact"].to_list() == [126, 126]
