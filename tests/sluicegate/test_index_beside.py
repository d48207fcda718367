"""`index build --signatures --profiles`: what is made beside the index, once, and found by other commands."""

import json
import os
from pathlib import Path

import polars as pl
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

import pipelines.profile_step
import pipelines.signature_step
import sluicegate
from flows.errors import FlowError
from pipelines.drift import RESULT_FILES as DRIFT_FILES
from pipelines.duplicates import RESULT_FILES as DUPLICATES_FILES
from sluicegate import cli
from sluicegate.arguments import build_parser
from sluicegate.flow_parameters import parameters_of

YEAR_2001 = 1_000_000_000
NAMES = ("0.jsonl", "1.jsonl", "2.parquet")
BOTH = ("--signatures", "--profiles")
ALL = [f"{step} {name}" for step in ("profiled", "signed") for name in NAMES]


@pytest.fixture
def add_shard(vocabulary, write_corpus, tmp_path):
    """Write a shard of the corpus, long at rest."""

    def add(number, suffix=".jsonl"):
        first = 400 * number
        texts = [" ".join(vocabulary(first + 9 * n, first + 9 * n + 60)) for n in range(12)]
        texts[3] = texts[2].upper()
        texts[7] = " ".join(vocabulary(0, 90))  # in every shard
        rows = [
            {"id": f"{number}-{n}", "domain": ("web", "books")[n % 2], "text": text}
            for n, text in enumerate(texts)
        ]
        path = tmp_path / "corpus" / f"{number}{suffix}"
        write_corpus(path, rows)
        os.utime(path, (YEAR_2001, YEAR_2001))
        return path

    return add


@pytest.fixture
def corpus(add_shard):
    for name in NAMES:
        path = add_shard(int(name[0]), Path(name).suffix)
    return path.parent


@pytest.fixture
def tokenizer(vocabulary, tmp_path):
    """A tokenizer of byte pairs."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    made.train_from_iterator(vocabulary(0, 900), trainer)
    path = tmp_path / "tokenizer.json"
    made.save(str(path))
    return path


@pytest.fixture
def read(monkeypatch):
    """What is signed and profiled from the files of the corpus: "signed 0.jsonl"."""
    done = []
    for module, step in (
        (pipelines.signature_step, "signed"),
        (pipelines.profile_step, "profiled"),
    ):
        original = module.read_batches

        def noted(shard, *others, original=original, step=step, **more):
            done.append(f"{step} {Path(shard.path).name}")
            return original(shard, *others, **more)

        monkeypatch.setattr(module, "read_batches", noted)
    return done


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Run the command in this process: exit status, stdout, and stderr."""
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments):
        status = cli.main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run_command


@pytest.fixture
def build(run, corpus):
    """Build the corpus into `store`, without progress."""
    return lambda *arguments: run(
        "index", "build", "corpus", "--store", "store", "--quiet", *arguments
    )


@pytest.fixture
def results(run):
    """The files of `duplicates` or `drift` of the corpus, but for the record of the run."""

    def get(out, command, *told):
        corpus = {"duplicates": ["corpus"], "drift": ["corpus", "corpus"]}[command]
        assert run(command, *corpus, *told, "--out", out, "--quiet")[0] == 0
        names = {"duplicates": DUPLICATES_FILES, "drift": DRIFT_FILES}[command]
        return {name: Path(out, name).read_bytes() for name in names if name != "run.json"}

    return get


def made(said):
    """What a build says of each part: "signatures: 3 shards signed, 0 there already"."""
    return [
        line.partition(";")[0] for line in said.splitlines() if line.startswith(("signa", "profi"))
    ]


@pytest.mark.parametrize(
    ("command", "flag", "more"),
    [
        ("duplicates", "--signatures", ()),
        ("drift", "--profiles", ()),
        ("drift", "--profiles", ("--tokenizer", "tokenizer.json")),
    ],
    ids=["duplicates", "drift", "drift of tokens"],
)
def test_a_command_reads_nothing_of_what_was_built(
    build, results, read, tokenizer, command, flag, more
):
    plain = results("plain", command, *more)
    read.clear()
    status, out, err = build(flag, *more)
    done = {"--signatures": "signed", "--profiles": "profiled"}[flag]
    assert (status, err, sorted(read)) == (0, "", [f"{done} {name}" for name in NAMES])
    assert made(out) == [f"{flag.removeprefix('--')}: 3 shards {done}, 0 there already"]
    read.clear()
    assert results("stored", command, *more, "--store", "store") == plain
    assert read == []


def test_a_gate_profiles_nothing_of_what_was_built(corpus, run, read, tmp_path):
    mix = tmp_path / "mix.yaml"
    mix.write_text(
        "name: m\nversion: 1\nsources:\n  - {name: a, paths: [corpus/*], domain: all, weight: 2}\n"
    )
    quiz = tmp_path / "quiz.jsonl"
    quiz.write_text(
        '{"id": "1", "question": "How many tin whistles does Odalys carve in a day?"}\n'
    )
    assert run("index", "build", mix, "--store", "store", "--profiles", "--quiet")[::2] == (0, "")
    read.clear()
    told = ("--against", mix, "--benchmarks", quiz, "--store", "store", "--out", "out", "--quiet")
    status, _, _ = run("gate", mix, *told, "--calibration", "off")
    assert status in (0, 3)  # whatever the shipped policy says of so small a mix
    shares = pl.read_parquet("out/domains.parquet")
    assert set(shares["domain"]) == {"all"}
    assert set(shares["change"]) == {0.0}
    assert read == []


def test_a_second_build_finds_all_there_and_list_names_it(build, run, read):
    versions = [
        line.removeprefix("version: ")
        for line in build(*BOTH)[1].splitlines()
        if line.startswith("version: ")
    ]
    assert [name.partition("-")[0] for name in versions] == ["corpus", "signatures", "profile"]
    status, out, _ = run("index", "list", "--store", "store")
    told = [line.partition(" (")[0] for line in out.splitlines()[:-1]]
    kinds = ("index of 3 shards", "signatures of 3 shards", "profiles of 3 shards")
    assert status == 0
    assert sorted(told) == sorted(f"{v}: {kind}" for v, kind in zip(versions, kinds, strict=True))
    assert run("index", "verify", "--store", "store")[0] == 0
    assert "nothing to remove" in run("index", "prune", "--store", "store")[1]
    read.clear()
    status, out, _ = build(*BOTH)
    assert (status, read) == (0, [])
    assert made(out) == [
        "signatures: 0 shards signed, 3 there already",
        "profiles: 0 shards profiled, 3 there already",
    ]


def test_a_build_without_the_flags_makes_neither(build, read):
    _, out, _ = build()
    assert (made(out), read) == ([], [])
    assert {"signatures", "profiles"}.isdisjoint(json.loads(build("--json")[1]))


def test_the_answer_as_json_has_sizes_of_each_part(build, corpus, run):
    told = json.loads(build(*BOTH, "--json")[1])
    listed = json.loads(run("index", "list", "--store", "store", "--json")[1])
    kinds = {version["version"]: version["kind"] for version in listed["versions"]}
    size = sum(path.stat().st_size for path in Path("store/shards").glob("*/profile-*.arrow"))
    for part in ("signatures", "profiles"):
        own = told[part]
        assert (own["built"], own["recognised"], own["documents"]) == (3, 0, 36)
        assert kinds[own["version"]] == part
        assert own["text_bytes"] == told["bytes_read"]
    assert told["profiles"]["stored_bytes"] == size


def test_only_what_is_new_is_made(build, add_shard, read):
    build(*BOTH)
    read.clear()
    add_shard(3)
    assert made(build(*BOTH)[1]) == [
        "signatures: 1 shards signed, 3 there already",
        "profiles: 1 shards profiled, 3 there already",
    ]
    assert read == ["signed 3.jsonl", "profiled 3.jsonl"]


def test_what_an_ended_build_lacks_is_made_by_the_next(build, read, monkeypatch):
    noted = pipelines.profile_step.read_batches

    def ended(shard, *others, **more):
        if shard.path.endswith("1.jsonl"):
            raise KeyboardInterrupt
        return noted(shard, *others, **more)

    with monkeypatch.context() as patched:
        patched.setattr(pipelines.profile_step, "read_batches", ended)
        assert build(*BOTH, "--jobs", "1")[0] == 130
    before = [step for step in read if step.startswith("profiled")]
    status, out, _ = build(*BOTH)
    assert status == 0
    assert made(out) == [
        "signatures: 0 shards signed, 3 there already",
        f"profiles: {3 - len(before)} shards profiled, {len(before)} there already",
    ]
    assert sorted(read) == ALL


def test_a_shard_that_is_changed_meanwhile_leaves_no_version_of_that_part(
    build, run, read, monkeypatch
):
    noted = pipelines.signature_step.read_batches

    def changing(shard, *others, **more):
        if shard.path.endswith("1.jsonl"):
            os.utime(shard.path, (YEAR_2001 + 1, YEAR_2001 + 1))
        return noted(shard, *others, **more)

    with monkeypatch.context() as patched:
        patched.setattr(pipelines.signature_step, "read_batches", changing)
        status, out, err = build(*BOTH)
    assert status == 3
    assert made(out) == [
        "signatures: 2 shards signed, no version was written",
        "profiles: 3 shards profiled, 0 there already",
    ]
    assert err.startswith("sluicegate: incomplete: ")
    assert "1.jsonl: it was changed while it was read; " in err
    status, out, _ = build(*BOTH)
    assert status == 0
    assert made(out)[0] == "signatures: 1 shards signed, 2 there already"


@pytest.mark.parametrize(("part", "number"), [("signatures", 0), ("profile", 1)])
def test_verify_reads_the_stored_files_and_mends_what_is_damaged(build, read, part, number):
    build(*BOTH)
    path = sorted(Path("store").glob(f"shards/*/{part}-*.arrow"))[1]
    whole = path.read_bytes()
    path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    read.clear()
    assert build(*BOTH)[0] == 0
    assert read == []  # sizes and dates are as they were
    status, out, err = build(*BOTH, "--verify")
    assert status == 0
    assert "built anew: " in err
    assert path.name in err
    assert (" 1 shards " in made(out)[number], len(read)) == (True, 1)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tokenizer", "tokenizer.json"], "--tokenizer: it says what a profile counts; give --profiles"),
        (["--profiles", "--tokenizer", "none.json"], "none.json: cannot be read: No such file"),
    ],
)  # fmt: skip
def test_a_tokenizer_that_is_of_no_use_is_refused_before_anything_is_built(
    build, tokenizer, arguments, words
):
    status, out, err = build(*arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"sluicegate: {words}")
    assert not Path("store").exists()


@pytest.mark.parametrize("flag", [["--signatures"], ["--profiles"], ["--tokenizer", "t.json"]])
def test_the_flow_refuses_what_it_does_not_make(flag):
    told = ["flow", "run", "index", "corpus", "--store", "store", *flag]
    with pytest.raises(FlowError, match=f"{flag[0]}: the flow makes .* run sluicegate index build"):
        parameters_of(build_parser().parse_args(told))


def test_the_functions_return_the_versions_that_the_command_names(build, corpus, tmp_path):
    store = tmp_path / "other"
    signed = sluicegate.build_signatures("corpus", store, jobs=2)
    profiled = sluicegate.build_profiles("corpus", store, jobs=2)
    told = json.loads(build(*BOTH, "--json")[1])
    assert signed.manifest.name == told["signatures"]["version"]
    assert profiled.manifest.name == told["profiles"]["version"]
    assert (signed.complete, profiled.complete) == (True, True)
