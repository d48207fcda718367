"""What a flow searches once a corpus was brought into a store, or could not be."""

import pytest

pytest.importorskip("prefect", reason="the extra flows is not installed")

from flows import bringing
from flows.options import RunOptions
from pipelines.settings import ScanSettings


@pytest.mark.parametrize(
    ("corpus", "store", "version", "searched", "kept"),
    [
        (["mix"], "index", "mix-1", [], ("index", "mix-1")),
        (
            ["mix"],
            "index",
            None,
            ["mix"],
            (None, None),
        ),  # a scan of the corpus tells what is unread
        (["mix"], None, "never asked for", ["mix"], (None, "newest")),
        ([], "index", "never asked for", [], ("index", "newest")),
    ],
)
def test_the_version_in_the_store_is_searched_or_else_the_corpus(
    monkeypatch, corpus, store, version, searched, kept
):
    monkeypatch.setattr(bringing, "bring_version", lambda *_: version)
    settings = ScanSettings(store=store, version="newest")
    found, changed = bringing.searched_through(corpus, settings, RunOptions())
    assert (found, (changed.store, changed.version)) == (searched, kept)
