"""Which sources the folder of compiled kernels is named after."""

import re
from pathlib import Path

import pytest

from corpora import kernels

ROOT = Path(__file__).parents[2]
TEXTS = {
    "scanners.a": "from indexes.b.c import SIZE\n@kernel\ndef f(): pass\n",
    "indexes.b": "",
    "indexes.b.c": "from corpora.d import BASE\nSIZE = BASE + 1\n",
    "corpora.d": "BASE = 1\n",
    "corpora.g": "",
    "indexes.h": "from corpora import d, g\n",
    "corpora.e": "from scanners.a import f\n",
}


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Return the name of the folder of a module's kernels, given other sources."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def name(module, **changed):
        texts = TEXTS | {key.replace("__", "."): text for key, text in changed.items()}
        monkeypatch.setattr(kernels, "_sources", lambda: texts)
        return kernels._folder.__wrapped__(module)

    return name


@pytest.mark.parametrize("changed", ["scanners__a", "indexes__b__c", "corpora__d"])
def test_a_change_of_a_module_or_of_what_it_imports_makes_its_kernels_anew(folder, changed):
    assert folder("scanners.a", **{changed: "BASE = 2\n"}) != folder("scanners.a")


def test_a_module_that_is_imported_by_name_of_its_package_counts(folder):
    assert folder("indexes.h", corpora__g="changed") != folder("indexes.h")


def test_kernels_of_other_modules_stay(folder):
    assert folder("scanners.a", corpora__e="") == folder("scanners.a")
    assert folder("corpora.d", scanners__a="") == folder("corpora.d")


def test_modules_of_packages_are_sources_too():
    sources = kernels._sources()
    assert {"corpora.kernels", "indexes.store", "indexes.store.store"} <= sources.keys()
    assert sources["scanners.ngram"] == (ROOT / "scanners" / "ngram.py").read_text("utf-8")


def test_no_module_imports_ours_in_a_form_that_the_search_does_not_see():
    ours = "|".join(kernels.SOURCES)
    unseen = re.compile(
        rf"^ *(import ({ours})\b|from ({ours})[\w.]* import .* as |from ({ours}) import \()", re.M
    )
    sources = kernels._sources()
    assert len(sources) > 100
    assert [name for name, text in sources.items() if unseen.search(text)] == []
