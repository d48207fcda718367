import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.errors import FlowError
from flows.newest import in_order, newest_two, versions_to_compare


def make(folder, *names):
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "mix.yaml").touch()


def test_the_newest_two_folders_are_found_by_number(tmp_path):
    make(tmp_path, "v2", "v10", "v9", "other")
    assert newest_two(f"{tmp_path}/v*") == (f"{tmp_path}/v9", f"{tmp_path}/v10")


def test_mixes_in_folders_of_versions_are_found(tmp_path):
    make(tmp_path, "2026-11-02", "2026-10-31", "2025-12-24")
    assert newest_two(f"{tmp_path}/*/mix.yaml") == (
        f"{tmp_path}/2026-10-31/mix.yaml",
        f"{tmp_path}/2026-11-02/mix.yaml",
    )


@pytest.mark.parametrize("names", [(), ("v1",)])
def test_one_version_is_nothing_to_compare(tmp_path, names):
    make(tmp_path, *names)
    with pytest.raises(FlowError, match="two versions must match"):
        newest_two(f"{tmp_path}/v*")


def test_a_file_url_is_looked_up_as_one_of_object_storage_is(tmp_path):
    make(tmp_path, "mixes/v2", "mixes/v10", "mixes/v9", "v11")
    url = f"file://{tmp_path}/mixes/v*"
    assert newest_two(url) == (f"file://{tmp_path}/mixes/v9", f"file://{tmp_path}/mixes/v10")
    assert newest_two(f"{url}/mix.yaml")[1] == f"file://{tmp_path}/mixes/v10/mix.yaml"


@given(st.lists(st.integers(0, 10**6), min_size=2, unique=True), st.randoms())
def test_numbers_in_names_are_in_the_order_of_numbers(numbers, draw):
    names = [f"data/v{number}/mix.yaml" for number in numbers]
    draw.shuffle(names)
    assert sorted(names, key=in_order) == [f"data/v{n}/mix.yaml" for n in sorted(numbers)]


@given(st.lists(st.text(max_size=8)), st.integers())
def test_any_names_have_one_order(names, seed):
    shuffled = random.Random(seed).sample(names, len(names))
    assert sorted(names, key=in_order) == sorted(shuffled, key=in_order)


@pytest.mark.parametrize("told", [(None, None, None), ("a", None, None), ("a", "b", "v*")])
def test_it_must_be_clear_what_is_compared(told):
    with pytest.raises(FlowError, match="--newest-of"):
        versions_to_compare(*told)


def test_two_versions_that_are_named_need_not_be_looked_up():
    assert versions_to_compare("a", str(Path("b")), None) == ("a", "b")
