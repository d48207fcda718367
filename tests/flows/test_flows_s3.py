"""A flow over object storage (moto), where the storage has its bad moments."""

import http.client
import logging
import threading

import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from flows.newest import newest_two
from flows.options import RunOptions
from indexes.store import Store
from pipelines.index import build_index
from pipelines.index_settings import IndexSettings

pytestmark = pytest.mark.filterwarnings(
    # Of Prefect and of what it imports; nothing of ours is called from there.
    "ignore::DeprecationWarning:prefect.*",
    "ignore::ResourceWarning",
)
AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request"


class Storage:
    """Object storage that answers 503 for a path, as long as it is told to."""

    def __init__(self):
        self.app = DomainDispatcherApplication(create_backend_app)
        self.down = None
        self.refused = 0

    def __call__(self, environ, start_response):
        if self.down is not None and environ["PATH_INFO"].endswith(self.down):
            self.refused += 1
            start_response("503 Slow Down", [("Content-Length", "0")])
            return []
        return self.app(environ, start_response)


@pytest.fixture(scope="module")
def storage(corpus):
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    storage = Storage()
    server = make_server("127.0.0.1", 0, storage, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    storage.port = server.port
    put(storage.port, "/flows", b"")
    for path in sorted(corpus.iterdir()):
        for version in (9, 10):
            put(storage.port, f"/flows/data/v{version}/{path.name}", path.read_bytes())
    yield storage
    server.shutdown()
    server.server_close()


def put(port, path, data):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("PUT", path, data, {"Authorization": AUTHORIZATION})
    assert connection.getresponse().status == 200
    connection.close()


@pytest.fixture
def s3(storage, monkeypatch):
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{storage.port}",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    storage.down, storage.refused = None, 0
    return storage


@pytest.fixture
def index(flows_here):
    def run(store, **options):
        parameters = {"corpus": ["s3://flows/data/v9"], "store": store}
        return flows_here.run_flow("index", parameters | {"options": RunOptions(**options)})

    return run


def digests(store, keys):
    """The SHA-256 of every file of shards in a store, by shard."""
    return {key: [(f.name, f.sha256) for f in Store.open(store).record(key).files] for key in keys}


def test_a_store_in_object_storage_has_the_bytes_of_a_local_one(index, s3, tmp_path):
    outcome = index("s3://flows/store", task_bytes=1, jobs=2)
    assert (outcome.exit_status, outcome.facts["built"]) == (0, 6)
    build_index(["s3://flows/data/v9"], str(tmp_path), IndexSettings(), tool_version="0.1.0")
    keys = Store.open(str(tmp_path)).shard_keys()
    assert Store.open("s3://flows/store").shard_keys() == keys
    assert digests("s3://flows/store", keys) == digests(str(tmp_path), keys)


@pytest.mark.slow
def test_storage_that_is_down_twice_is_tried_a_third_time(
    index, s3, flows_here, server, tmp_path, monkeypatch
):
    """Each try of a task outlasts the client's own retries, and fails."""
    from flows import bringing

    monkeypatch.setattr(bringing.bring_batch, "retry_delay_seconds", [0.0, 0.0, 0.0])
    tries = []
    real = bringing.index_batch

    def counted(shards, *arguments, **named):
        brought = real(shards, *arguments, **named)
        tries.append(len(brought.problems))
        if len(tries) == 2:
            s3.down = None
        return brought

    monkeypatch.setattr(bringing, "index_batch", counted)
    s3.down = "/v9/003.jsonl"
    monkeypatch.setattr(bringing, "plan_shards", _listed_while_up(bringing.plan_shards, s3))
    outcome = index(str(tmp_path / "store"), task_bytes=1 << 30)
    assert (outcome.exit_status, outcome.facts["built"]) == (0, 6)
    assert tries == [1, 1, 0]
    assert s3.refused >= 2
    tasks = server.task_runs(server.last_run("index")["id"])
    assert tasks["index batch 0"]["run_count"] == 3


def _listed_while_up(plan, storage):
    def planned(*arguments):
        path, storage.down = storage.down, None
        shards = plan(*arguments)
        storage.down = path
        return shards

    return planned


@pytest.mark.slow
def test_an_object_that_is_gone_is_reported_and_the_run_is_incomplete(
    index, s3, server, tmp_path, monkeypatch
):
    from flows import bringing

    monkeypatch.setattr(bringing.bring_batch, "retry_delay_seconds", [0.0, 0.0, 0.0])
    monkeypatch.setattr(bringing, "plan_shards", _listed_while_up(bringing.plan_shards, s3))
    s3.down = "/v9/003.jsonl"
    outcome = index(str(tmp_path / "store"), task_bytes=1 << 30)
    assert (outcome.verdict, outcome.exit_status, outcome.facts["unread"]) == ("incomplete", 3, 1)
    run = server.last_run("index")
    assert run["state_type"] == "FAILED"
    assert server.task_runs(run["id"])["index batch 0"]["run_count"] == 4


def test_the_newest_versions_in_a_bucket_are_found(s3):
    expected = ("s3://flows/data/v9", "s3://flows/data/v10")
    assert newest_two("s3://flows/data/v*") == expected
    assert newest_two("s3://flows/data/v*/000.jsonl") == tuple(f"{v}/000.jsonl" for v in expected)
