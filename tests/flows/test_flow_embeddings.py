"""The flow of `index build --embeddings`: the bytes of the command, a task for each batch."""

import pytest

from flows.options import RunOptions
from flows.resources import gpus_of
from flows.steps import Expected, WorkerError, embed_batch, tool_version
from indexes.store import StoreError
from pipelines.index import build_index
from pipelines.index_settings import IndexSettings
from pipelines.stored_embeddings import EmbeddingSettings, build_embeddings, window_model

pytestmark = pytest.mark.filterwarnings(
    # Of Prefect and of what it imports; nothing of ours is called from there.
    "ignore::DeprecationWarning:prefect.*",
    "ignore::ResourceWarning",
)


@pytest.fixture
def embed(flows_here, corpus):
    def run(store, **options):
        parameters = {
            "corpus": [str(corpus)],
            "store": str(store),
            "embeddings": EmbeddingSettings(),
            "options": RunOptions(**options),
        }
        return flows_here.run_flow("index", parameters)

    return run


@pytest.fixture
def plain(corpus, tmp_path):
    """The store that the command makes, and the version of embeddings."""
    where = str(tmp_path / "plain")
    build_index([str(corpus)], where, IndexSettings(), tool_version=tool_version())
    model = window_model("static", "auto")
    built = build_embeddings(
        [str(corpus)], where, IndexSettings(), model, tool_version=tool_version()
    )
    return where, built.manifest


def test_vectors_have_the_bytes_of_the_command_and_a_task_for_each_batch(
    embed, plain, server, tmp_path, shard_files
):
    outcome = embed(tmp_path / "flow", task_bytes=1, jobs=2)
    where, manifest = plain
    assert shard_files(tmp_path / "flow") == shard_files(where)
    assert outcome.facts["embeddings"] == manifest.name
    assert (outcome.facts["built"], outcome.facts["embedded"]) == (6, 6)
    tasks = sorted(server.task_runs(server.last_run("index")["id"]))
    assert [name for name in tasks if name.startswith("embed ")] == [
        f"embed batch {number}" for number in range(6)
    ]
    assert tasks.count("train") == tasks.count("embeddings") == 1


def test_a_second_run_finds_training_and_vectors_there(embed, tmp_path, shard_files):
    first = embed(tmp_path / "flow")
    files = shard_files(tmp_path / "flow")
    again = embed(tmp_path / "flow")
    assert (first.facts["embedded"], again.facts["embedded"]) == (6, 0)
    assert again.facts["embeddings"] == first.facts["embeddings"]
    assert shard_files(tmp_path / "flow") == files


def test_a_worker_with_another_program_or_model_is_refused(plain, tmp_path):
    where, manifest = plain
    told = ([], where, EmbeddingSettings())
    assert embed_batch(*told, Expected(tool_version(), manifest.recipe)).shards == 0
    with pytest.raises(WorkerError, match=r"a worker has sluicegate .* and 9\.9 asks"):
        embed_batch(*told, Expected("9.9", manifest.recipe))
    other = manifest.recipe.model_copy(
        update={"fingerprints": f"embedding/1 other sq8 trained={'0' * 64}"}
    )
    with pytest.raises(StoreError, match="its vectors are not those of"):
        embed_batch(*told, Expected(tool_version(), other))


def test_only_a_transformer_on_cuda_asks_for_a_gpu():
    assert gpus_of(EmbeddingSettings(device="cuda", embedding_model="some/model")) == 1
    assert gpus_of(EmbeddingSettings(device="cuda")) == 0
    assert gpus_of(EmbeddingSettings(embedding_model="some/model")) == 0
