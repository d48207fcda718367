"""The same corpus from a local S3-compatible server (moto) through pyarrow's file system."""

import http.client
import logging

import pytest
from moto.server import ThreadedMotoServer

from corpora.documents import read_batches
from corpora.problems import CorpusError, ReadLog
from corpora.shards import Columns, resolve

OBJECTS = {
    "v1/a.jsonl": b'{"text": "one", "id": "x"}\n{"text": "two"}\n',
    "v1/deep/b c.txt": b"three",
    "v1/c.bin": b"\x00",
    "v1/.hidden/d.txt": b"four",
}


@pytest.fixture(scope="module")
def port():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    _, port = server.get_host_and_port()
    put(port, "/corpus", b"")
    for key, data in OBJECTS.items():
        put(port, f"/corpus/{key}".replace(" ", "%20"), data)
    yield port
    server.stop()


def put(port: int, path: str, data: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    authorization = "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request"
    connection.request("PUT", path, data, {"Authorization": authorization})
    assert connection.getresponse().status == 200
    connection.close()


@pytest.fixture(autouse=True)
def environment(port, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def read(url: str) -> dict[str, list[str]]:
    log = ReadLog()
    found = {
        shard.path: [text for batch in read_batches(shard, log) for text in batch.texts.to_pylist()]
        for shard in resolve([url], Columns())
    }
    assert log.n_problems == 0
    return found


def test_a_prefix_is_its_known_objects_at_any_depth():
    expected = {"s3://corpus/v1/a.jsonl": ["one", "two"], "s3://corpus/v1/deep/b c.txt": ["three"]}
    assert read("s3://corpus/v1") == expected
    assert read("s3://corpus/v1/") == expected
    assert read("s3://corpus") == expected


def test_one_object_and_a_glob_are_read():
    assert read("s3://corpus/v1/a.jsonl") == {"s3://corpus/v1/a.jsonl": ["one", "two"]}
    assert read("s3://corpus/v1/*.jsonl") == {"s3://corpus/v1/a.jsonl": ["one", "two"]}
    assert read("s3://corpus/**/*.txt") == {"s3://corpus/v1/deep/b c.txt": ["three"]}


def test_the_endpoint_may_stand_in_the_url(port, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    query = f"?endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
    url = f"s3://corpus/v1/*.jsonl{query}"
    assert read(url) == {f"s3://corpus/v1/a.jsonl{query}": ["one", "two"]}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://corpus/v1/a.json", "no such object or prefix; did you mean 'a.jsonl'?"),
        ("s3://corpus/v2/*.jsonl", "matches no object"),
        ("s3://other-bucket/x.jsonl", "s3://other-bucket/x.jsonl"),
    ],
)
def test_a_missing_object_is_refused_in_one_line(url, said):
    with pytest.raises(CorpusError) as caught:
        resolve([url], Columns())
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_object_that_vanished_is_a_problem_and_not_a_crash():
    [shard] = resolve(["s3://corpus/v1/a.jsonl"], Columns())
    log = ReadLog()
    gone = type(shard)(
        "s3://corpus/v1/gone.jsonl", *[getattr(shard, n) for n in shard.__slots__[1:]]
    )
    assert list(read_batches(gone, log)) == []
    assert [(problem.shard, problem.row) for problem in log.problems] == [(gone.path, None)]
