import gzip
import hashlib
import json
import unicodedata

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipelines.demo_copies import FORMS
from pipelines.demo_inputs import make_demo_inputs
from pipelines.demo_items import ORIGINAL_ITEMS, Item

SMALL_BYTES = 6_000_000


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_demo_inputs(tmp_path_factory.mktemp("demo"), max_bytes=SMALL_BYTES)


def lines(path):
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in data.decode().split("\n") if line]


def rows(shard):
    return lines(shard) if shard.suffix == ".gz" else pq.read_table(shard).to_pylist()


def shards(made):
    return sorted(path for path in made.corpus.rglob("*") if path.is_file())


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def all_text(made):
    return "\n".join(row["text"] for shard in shards(made) for row in rows(shard))


def test_every_domain_is_a_shard_in_one_of_two_formats(made):
    assert [str(shard.relative_to(made.corpus)) for shard in shards(made)] == [
        "docstrings/part-00000.parquet",
        "licences/part-00000.parquet",
        "package_docs/part-00000.jsonl.gz",
        "packages_code/part-00000.parquet",
        "stdlib/part-00000.parquet",
        "stdlib_tests/part-00000.parquet",
    ]


def test_documents_are_sorted_named_once_and_know_their_domain(made):
    for shard in shards(made):
        documents = rows(shard)
        ids = [document["id"] for document in documents]
        assert ids == sorted(set(ids))
        assert {document["domain"] for document in documents} == {shard.parent.name}
        assert all(document["text"].strip() for document in documents)


def test_the_corpus_keeps_to_its_size_but_for_the_planted_copies(made):
    planted_bytes = 16 * 5_000
    assert SMALL_BYTES / 2 < len(all_text(made).encode()) <= SMALL_BYTES + planted_bytes


def test_our_own_files_are_not_in_the_corpus(made):
    names = [row["id"] for shard in shards(made) for row in rows(shard)]
    assert not [name for name in names if "sluicegate" in name or "demo_inputs" in name]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_places(made, tmp_path):
    again = make_demo_inputs(tmp_path / "again", max_bytes=SMALL_BYTES)
    other = make_demo_inputs(tmp_path / "other", max_bytes=SMALL_BYTES, seed=1)
    assert digests(tmp_path / "again") == digests(made.corpus.parent)
    assert again.planted == made.planted
    assert other.planted != made.planted


def test_every_function_item_stands_in_the_standard_library(made):
    items = lines(made.corpus.parent / "benchmarks" / "pyfunctions.jsonl")
    documents = [row["text"] for row in rows(made.corpus / "stdlib" / "part-00000.parquet")]
    squeezed = [" ".join(text.split()) for text in documents]
    assert len(items) >= 50
    assert len({item["id"] for item in items}) == len(items)
    for item in items:
        whole = " ".join(f"{item['question']}\n{item['answer']}".split())
        assert any(whole in text for text in squeezed), item["id"]


def test_the_original_benchmark_has_48_items_with_their_answer_among_the_choices():
    items = lines(ORIGINAL_ITEMS)
    assert len({item["id"] for item in items}) == len(items) == 48
    for item in items:
        assert item["question"]
        assert item["answer"]
        assert not item["choices"] or (
            len(item["choices"]) == 4 and item["answer"] in item["choices"]
        )


def test_the_benchmarks_are_the_two_files(made):
    assert [path.name for path in made.benchmarks] == ["original.jsonl", "pyfunctions.jsonl"]
    assert made.benchmarks[0].read_bytes() == ORIGINAL_ITEMS.read_bytes()


def test_the_truth_names_sixteen_items_and_every_form_once_or_twice(made):
    truth = lines(made.corpus.parent / "planted.jsonl")
    assert [(row["item_id"], row["shard"], row["row"], row["form"]) for row in truth] == [
        (copy.item_id, copy.shard, copy.row, copy.form) for copy in made.planted
    ]
    assert len({copy.item_id for copy in made.planted}) == 16
    forms = [copy.form for copy in made.planted]
    assert set(forms) == set(FORMS)
    assert max(map(forms.count, FORMS)) == 2
    assert len({(copy.shard, copy.row) for copy in made.planted}) == 16


def test_a_planted_copy_stands_in_the_named_row_and_the_other_items_nowhere(made):
    items = {item["id"]: item for item in lines(ORIGINAL_ITEMS)}
    for copy in made.planted:
        host = rows(made.corpus / copy.shard)[copy.row]["text"]
        assert recognised(items[copy.item_id]["question"], host) >= 0.75, copy
    text = all_text(made)
    for item_id in items.keys() - {copy.item_id for copy in made.planted}:
        assert items[item_id]["question"] not in text


def recognised(question, host):
    """The share of the question's words that stand in the host, all look-alikes undone."""
    plain = unicodedata.normalize("NFKC", host).replace("\N{ZERO WIDTH SPACE}", "")
    both = plain + plain.replace("\N{CYRILLIC SMALL LETTER IE}", "e")
    words = question.split() if " " in question else list(question)
    return sum(word in both for word in words) / len(words)


ITEM = Item("x", "Which is it, Brask?", ("red", "blue", "green", "grey"), "blue")


@pytest.mark.parametrize(
    ("form", "copy"),
    [
        ("verbatim", "Which is it, Brask?\nred\nblue\ngreen\ngrey\nblue"),
        ("question_only", "Which is it, Brask?"),
        ("answer_first", "blue\nWhich is it, Brask?\nred\nblue\ngreen\ngrey"),
        (
            "markdown_list",
            "### Which is it, Brask?\n\n- **A.** red\n- **B.** blue\n- **C.** green\n- **D.** grey"
            "\n\n**Answer: B**",
        ),
        ("two_paragraphs", "Which is it,\n\nBrask?\nred\nblue\ngreen\ngrey\nblue"),
        ("look_alikes", "Which is it, Brask?\nrеd\nbluе\ngrееn\ngrеy\nbluе"),
    ],
)
def test_a_form_lays_the_item_out_as_named(form, copy):
    assert FORMS[form](ITEM, "", np.random.default_rng(0)) == copy


def test_a_full_width_copy_is_the_item_after_compatibility_normalization():
    copy = FORMS["full_width"](ITEM, "", np.random.default_rng(0))
    assert "Which" not in copy
    assert unicodedata.normalize("NFKC", copy) == FORMS["verbatim"](ITEM, "", None)


def test_one_word_of_ten_is_replaced_by_a_word_of_the_host():
    item = Item("x", "one two three four five six seven eight nine", (), "ten")
    copy = FORMS["words_replaced"](item, "pebble", np.random.default_rng(0))
    assert copy.split().count("pebble") == 1
    assert len(copy.split()) == 10
