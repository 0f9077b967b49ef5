"""A server of S3 in this process, and a bucket of it, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from simulator.addresses import Address, as_path

SECRET = "a-secret-key-of-the-tests"


@contextmanager
def bucket_of_s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Address]:
    """Serve a bucket that is empty; the environment, of processes that are started too, says where and who asks."""
    import boto3
    from moto.server import ThreadedMotoServer
    from s3fs import S3FileSystem

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "a-key",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }.items():
        monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()
    client = boto3.client("s3")
    client.create_bucket(Bucket="bucket")
    address = as_path("s3://bucket/outputs")
    assert isinstance(address, Address)
    try:
        yield address
    finally:
        address.remove()
        client.delete_bucket(Bucket="bucket")
        client.close()
        server.stop()
