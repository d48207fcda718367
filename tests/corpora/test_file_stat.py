"""Whether a file is still the one that was read."""

import os

import pytest

from corpora.file_stat import FileStat, file_stat, identity


def test_a_stat_tells_size_and_time_and_when_it_was_taken(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"12345")
    os.utime(path, ns=(1, 1_700_000_000_123_456_789))
    stat = file_stat(str(path))
    assert (stat.size_bytes, stat.modified_ns, stat.etag) == (5, 1_700_000_000_123_456_789, None)
    assert stat.taken_ns > stat.modified_ns
    assert file_stat(f"file://{path}").size_bytes == 5
    with pytest.raises(FileNotFoundError):
        file_stat(str(tmp_path / "b.txt"))


@pytest.mark.parametrize(
    ("stat", "is_settled"),
    [
        (FileStat(1, 10**18, 10**18 + 2_000_000_001), True),
        (FileStat(1, 10**18, 10**18 + 2_000_000_000), False),  # a clock of seconds, FAT's of two
        (FileStat(1, 10**18 + 1, 10**18 + 20_000_002), True),
        (FileStat(1, 10**18 + 1, 10**18 + 20_000_001), False),
        (FileStat(1, 10**18 + 1, 10**18), False),  # another host's clock
        (FileStat(1, 10**18, 10**18, "etag"), True),
    ],
)
def test_a_change_within_a_tick_might_not_show(stat, is_settled):
    assert stat.is_settled == is_settled


def test_two_spellings_of_a_file_are_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("a")
    assert identity("link") == identity("./a") == str(tmp_path.resolve() / "a")
    assert identity("s3://bucket/./a") == "s3://bucket/./a"
