"""Requests and bytes that runs at an address of an object store take, counted at a server of S3 in this process.

    python benchmarks/stores.py [--samples 1e5]

three_drivers.yaml as one file and as a Zarr store: what writing, showing, and reading one year, one sample and all of a
variable ask of the store. Needs the extras `stores` and `zarr`, moto and flask. Times tell nothing: the server is slow.
"""

from __future__ import annotations

import argparse
import logging
import os
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

SCENARIO = Path(__file__).parent / "three_drivers.yaml"


class Counting:
    """An application that counts what is asked of it, by kind, and the bytes that it gives."""

    def __init__(self, app: Any) -> None:
        self.app, self.asked, self.given = app, Counter[str](), 0

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        kind = environ["REQUEST_METHOD"]
        kind = "LIST" if kind == "GET" and "list-type" in environ["QUERY_STRING"] else kind

        def begun(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            self.asked[kind] += 1
            self.given += int(dict(headers).get("Content-Length", 0)) if kind in ("GET", "LIST") else 0
            return start(status, headers, *rest)

        return self.app(environ, begun)

    def told(self, name: str, do: Callable[[], Any]) -> Any:
        """Do something, and print what it asked."""
        self.asked, self.given = Counter(), 0
        result = do()
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.asked.items()))
        print(f"{name:<34}{self.asked.total():>9,}{self.given / 1e3:>12,.0f}   {kinds}", flush=True)
        return result


def served() -> Counting:
    """Serve a bucket; the environment says where."""
    import boto3
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.disable(logging.CRITICAL)
    counting = Counting(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, counting, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    os.environ.update(keys | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"})
    boto3.client("s3").create_bucket(Bucket="bucket")
    return counting


def main() -> None:
    """Print a table for each form of a run."""
    from simulator import load_scenario, open_result, open_run
    from simulator.addresses import as_path
    from simulator.engine.run_folders import run_to_folder
    from simulator.engine.simulation import How

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=float, default=1e5)
    samples = int(parser.parse_args().samples)
    counting, name = served(), "trajectories/effective_compute"
    scenario = load_scenario(SCENARIO, overrides=[f"samples={samples}"])
    for store in ("netcdf", "zarr"):
        print(f"\n--store {store}, {samples:,} samples{'requests':>13}{'kB':>12}")
        how = How(store=store)
        folder = counting.told("run", lambda how=how: run_to_folder(scenario, as_path("s3://bucket/runs"), how=how)[1])
        counting.told("show", lambda folder=folder: list(open_result(folder).lines()))
        for what, chosen in (
            ("open, and one year", lambda levels: levels.isel(year=-1)),
            ("open, and one sample", lambda levels: levels.isel(sample=samples // 2)),
            ("open, and one variable", lambda levels: levels),
        ):
            counting.told(what, lambda folder=folder, chosen=chosen: chosen(open_run(folder)[name]).values)


if __name__ == "__main__":
    main()
