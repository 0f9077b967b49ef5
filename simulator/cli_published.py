"""`simulate published`: what others have published, and what the tool gives from what they assumed."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated

import typer

from simulator.cli_options import file_option, folder_option


def published(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Shipped scenarios with published numbers, e.g. cotra-2020; all of them without a name.",
            show_default=False,
        ),
    ] = None,
    document: Annotated[
        FilePath | None,
        typer.Option(metavar="FILE", help="Write the tables as a page, e.g. docs/published.md.", callback=file_option),
    ] = None,
    output: Annotated[
        FilePath | None,
        typer.Option(
            metavar="FOLDER", help="Write every number to published.csv in this folder.", callback=folder_option
        ),
    ] = None,
) -> None:
    """Run published forecasts from what their authors assumed, and compare with what they published.

    The exit code is 1 where a number is out of its tolerance. A scenario file of your own may have published numbers
    beside it, in targets/<its name>; name the file.
    """
    from simulator.files import make_folder, write_table, write_text
    from simulator.folders import keep_lines
    from simulator.published import load_published, published_names
    from simulator.published_page import published_page
    from simulator.published_runs import published_results, result_table
    from simulator.published_text import published_lines

    sources = [load_published(name) for name in names or published_names()]
    found, said = [], list[str]()
    for source in sorted(sources, key=lambda each: (each.date, each.scenario)):
        results = published_results(source)
        found.append((source, results))
        lines = list(published_lines(source, results))
        said += lines
        for line in lines:
            typer.echo(line)
    if output is not None:
        make_folder(output)
        write_table(
            output / "published.csv", [row for source, results in found for row in result_table(source, results)]
        )
        keep_lines(output, "published", said)
        typer.echo(f"  {output / 'published.csv'}")
    if document is not None:
        command = " ".join(["simulate published", *(names or []), f"--document {document}"])
        make_folder(document.parent)
        write_text(document, published_page(found, command=command))
        typer.echo(f"  {document}")
    if any(result.within is False for _, results in found for result in results):
        raise typer.Exit(1)
