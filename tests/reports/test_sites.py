"""The commands that results name: what they carry, and that the program takes every one of them."""

import shlex

import pytest

from reports.sites import Sites
from sluicegate.arguments import build_parser

PLAIN = Sites(mix="mix.yaml", benchmarks=("a.jsonl", "b c.jsonl"))
TOLD = Sites(
    mix="mix.yaml", against="last.yaml", policy="policy.yaml", benchmarks=("a.jsonl",),
    columns=("--text", "body"), shard_columns={"x/1": ("--text", "a,b", "--id", "url")},
    fields=("--fields", "question=q"), scanners=("--scanners", "ngram,minhash"),
    units=("--tokenizer", "t.json", "--seed", "7"),
)  # fmt: skip
COMMANDS = {
    "shard": lambda sites: sites.scan_command("b c.jsonl", ["x/1", "x/2", "x/1"]),
    "scan": lambda sites: sites.scan_command("a.jsonl", []),
    "drift": lambda sites: sites.drift_command(),
    "exposure": lambda sites: sites.drift_command(with_benchmarks=True),
    "duplicates": lambda sites: sites.duplicates_command(),
    "calibrate": lambda sites: sites.calibrate_command(),
    "gate": lambda sites: sites.gate_command(),
    "baseline": lambda sites: sites.gate_command(against="BASELINE.yaml"),
    "semantic": lambda sites: sites.gate_command(scanners="ngram,embedding"),
    "policy": lambda sites: sites.policy_command(),
}
ENDS = {
    "shard": "scan x/1 --text a,b --id url --benchmarks 'b c.jsonl' --fields question=q "
    "--scanners ngram,minhash --calibration off --out evidence",
    "scan": "scan mix.yaml --text body --benchmarks a.jsonl --fields question=q "
    "--scanners ngram,minhash --calibration off --out evidence",
    "drift": "drift last.yaml mix.yaml --text body --tokenizer t.json --seed 7 --out evidence",
    "exposure": "drift last.yaml mix.yaml --text body --tokenizer t.json --seed 7 --benchmarks a.jsonl "
    "--fields question=q --out evidence",
    "duplicates": "duplicates mix.yaml --against last.yaml --text body --out evidence",
    "calibrate": "calibrate mix.yaml --text body --benchmarks a.jsonl --fields question=q "
    "--scanners ngram,minhash --out evidence",
    "gate": "gate mix.yaml --against last.yaml --policy policy.yaml --text body --tokenizer t.json --seed 7 "
    "--benchmarks a.jsonl --fields question=q --scanners ngram,minhash --out gate",
    "baseline": "gate mix.yaml --against BASELINE.yaml --policy policy.yaml --text body --tokenizer t.json "
    "--seed 7 --benchmarks a.jsonl --fields question=q --scanners ngram,minhash --out gate",
    "semantic": "gate mix.yaml --against last.yaml --policy policy.yaml --text body --tokenizer t.json "
    "--seed 7 --benchmarks a.jsonl --fields question=q --scanners ngram,embedding --out gate",
    "policy": "policy check policy.yaml",
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("sites", [Sites(), PLAIN, TOLD], ids=["bare", "plain", "told"])
def test_the_program_takes_every_command(name, sites):
    program, *arguments = shlex.split(COMMANDS[name](sites))
    assert program == "sluicegate"
    assert build_parser().parse_args(arguments)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_carries_what_the_gate_was_told(name):
    assert COMMANDS[name](TOLD) == f"sluicegate {ENDS[name]}"


def test_a_command_names_shards_that_are_read_alike_and_no_more_than_three():
    columns = {"b": ("--text", "body"), **dict.fromkeys("acdef", ("--id", "url"))}
    sites = Sites(mix="mix.yaml", shard_columns=columns)
    command = sites.scan_command("x.jsonl", list("abcdef"))
    assert command.startswith("sluicegate scan a c d --id url --benchmarks x.jsonl")
