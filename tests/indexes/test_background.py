import json

import numpy as np
import pytest

from corpora.normal_form import fingerprint, word_hashes
from indexes import background
from indexes.background import Background, BackgroundError, load_background
from indexes.seeds import seed_hashes


def write_background(folder, *, normal_form=None, damage=b""):
    """A background of two words (in 4 and 1 of 8 documents) and one phrase."""
    words = np.sort(word_hashes("river stone"))
    np.savez_compressed(
        folder / "background.npz",
        word_hash=words,
        word_df=np.where(words == word_hashes("river")[0], 4, 1).astype(np.uint32),
        phrase_hash=seed_hashes(word_hashes("one two three four five")),
        common_shingles=np.array([7], np.uint32),
        documents=np.array(8, np.uint64),
    )
    path = folder / "background.npz"
    digest = background.hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes() + damage)
    record = {"sha256": digest, "normal_form": normal_form or fingerprint()}
    (folder / "background.json").write_text(json.dumps(record))
    return path


def test_rate_is_the_share_of_documents_and_zero_for_an_unknown_word(tmp_path):
    write_background(tmp_path)
    rates = load_background(tmp_path).rate_of(word_hashes("stone river pebble river"))
    assert rates.dtype == np.float64
    assert rates.tolist() == [1 / 8, 4 / 8, 0.0, 4 / 8]


def test_a_common_phrase_is_known_by_its_seed(tmp_path):
    write_background(tmp_path)
    seeds = seed_hashes(word_hashes("One, two, three, four, five, six"))
    assert load_background(tmp_path).is_common(seeds).tolist() == [True, False]


def test_nothing_is_known_to_an_empty_background():
    empty = Background(
        np.empty(0, np.uint64),
        np.empty(0, np.uint32),
        np.empty(0, np.uint64),
        np.empty(0, np.uint32),
        1,
    )
    assert empty.rate_of(word_hashes("river stone")).tolist() == [0.0, 0.0]
    assert empty.is_common(word_hashes("river")).tolist() == [False]


def test_a_damaged_file_is_refused_with_its_name_and_the_mend(tmp_path):
    path = write_background(tmp_path, damage=b"!")
    with pytest.raises(BackgroundError, match=r"damaged.*tools/build_background\.py") as error:
        load_background(tmp_path)
    assert error.value.path == path
    assert str(path) in str(error.value)


def test_another_normal_form_is_refused_with_both_names_and_the_mend(tmp_path):
    write_background(tmp_path, normal_form="nf0-old")
    with pytest.raises(BackgroundError, match=r"'nf0-old'.*tools/build_background\.py") as error:
        load_background(tmp_path)
    assert fingerprint() in str(error.value)


@pytest.fixture(scope="module")
def shipped():
    return load_background()


def test_the_shipped_tables_are_sorted_and_read_only(shipped):
    for table in (shipped.word_hash, shipped.phrase_hash):
        assert table.dtype == np.uint64
        assert np.all(table[:-1] < table[1:])
    for array in (shipped.word_hash, shipped.word_df, shipped.phrase_hash):
        assert not array.flags.writeable
    assert shipped.word_df.max() <= shipped.documents


def test_the_shipped_file_stays_within_its_size_and_record(shipped):
    record = json.loads((background.DATA / "background.json").read_text(encoding="utf-8"))
    assert (background.DATA / "background.npz").stat().st_size <= 2_000_000
    assert record["words"] == len(shipped.word_hash)
    assert record["phrases"] == len(shipped.phrase_hash)
    assert all(source["licence"] and source["bytes"] for source in record["sources"])


@pytest.mark.parametrize(
    ("common", "rare"),
    [("the", "apple"), ("und", "Vogel"), ("не", "птица"), ("的", "鸢"), ("return", "braid")],
)
def test_a_common_word_has_a_higher_rate_than_a_rare_one(shipped, common, rare):
    common_rate, rare_rate = shipped.rate_of(word_hashes(f"{common} {rare}"))
    assert common_rate > 20 * rare_rate


@pytest.mark.parametrize(
    "phrase",
    [
        "Which of the following is",
        "D. all of the above",
        "Choose the best answer",
        "Write a function that",
        "Let's think step by step",
        "下列说法正确的是",
        "without warranty of any kind",
        "at the end of the",
        "0 0 0 0 0",
    ],
)
def test_scaffolding_and_idioms_are_common(shipped, phrase):
    words = word_hashes(phrase)
    seeds = seed_hashes(words if len(words) >= 5 else word_hashes(f"b {phrase}"))
    assert shipped.is_common(seeds).all()


def test_the_middle_of_a_question_is_not_common(shipped):
    text = "Natalia sold clips to 48 of her friends in April"
    assert not shipped.is_common(seed_hashes(word_hashes(text))).any()
