"""The `simulate` command."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path as FilePath
from typing import Annotated, Literal, NoReturn

import typer

import simulator
from simulator.cli import options
from simulator.cli.explore import explore
from simulator.cli.export import export, report
from simulator.cli.hindcast import hindcast, published, score
from simulator.cli.history import app as history_app
from simulator.cli.history import fragility, freeze, moved, nowcast
from simulator.cli.run import extend, run, sweep
from simulator.cli.show import chart, priors, scenarios, show
from simulator.cli.studies import audit, boxes, compare, condition, influence, reweight, shares, signposts, swings
from simulator.cli.terminal import asked_word, echo, scenario_names, told
from simulator.errors import InputError, SimulatorError, near_name
from simulator.files import is_there

INTERRUPTED, TERMINATED = 130, 143


class Terminated(KeyboardInterrupt):
    """The process is told to end (SIGTERM): it ends as by Ctrl-C."""

    exit_code = TERMINATED


def validate(
    scenarios: Annotated[
        list[str],
        typer.Argument(metavar="SCENARIO...", help="Scenario files or shipped names.", autocompletion=scenario_names),
    ],
    set_: options.SetOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say only what is wrong.")] = False,
    json: options.JsonOption = False,
) -> None:
    """Check scenarios; print what was understood of each prior.

    Example: simulate validate baseline
    """
    from simulator.engine.validation import validated, validation_tables

    found = []
    for each in validated(scenarios, set_ or ()):
        options.warn(each.warnings)
        options.tell(() if json else each.lines(quiet=quiet))
        found.append(each)
    faulty = [str(each.error) for each in found if each.error]
    if json:
        options.answer(True, "validation", " ".join(scenarios), lambda: validation_tables(found), holds=not faulty)
    if faulty:
        raise InputError("\n".join(faulty))


def check(
    path: options.RunArgument,
    fast: Annotated[
        bool, typer.Option("--fast", help="Hold what is stored against its checksums alone; nothing is run.")
    ] = False,
    json: options.JsonOption = False,
) -> None:
    """Run a run's scenario again and compare every number.

    The exit code is 1 where they differ, and 2 where the file is not what was written.

    Example: simulate check latest
    """
    from simulator.engine.checking import describe_check

    with simulator.open_run(path) as opened:
        found = simulator.check_run(opened, fast=fast)
    options.answer(json, "check", str(path), found.tables, lambda: [describe_check(found)], holds=found.passed)
    options.fail_unless(found.passed)


def schema(
    of: Annotated[
        Literal["scenario", "priors"], typer.Argument(help="Of scenario files, or of prior libraries.")
    ] = "scenario",
    output: Annotated[
        FilePath | None, typer.Option(help="Write it to a file instead of printing it.", callback=options.file_option)
    ] = None,
) -> None:
    """Print the JSON Schema, by which editors complete files.

    They check them by it too.

    Example: simulate schema --output scenario.schema.json
    """
    from simulator.files import make_folder, write_text
    from simulator.scenario.describing import schema_text

    text = schema_text(of)
    if output is None:
        echo(text, end="")
    else:
        make_folder(output.parent)
        write_text(output, text)


def explain(
    key: Annotated[
        str, typer.Argument(help="A key, a kind of entry, or a path: half_life, regime, drivers.spending.caps.")
    ],
    json: options.JsonOption = False,
) -> None:
    """Explain a key of scenario files, with an example.

    It says what it means, what may stand there, its unit and its default.

    Example: simulate explain half_life
    """
    from simulator.scenario.reference import key_rows

    rows, lines = partial(key_rows, key), partial(simulator.explain_key, key)
    options.answer(json, "explanation", key, lambda: options.table("keys", rows()), lines)


def new(
    path: Annotated[FilePath, typer.Argument(metavar="FILE", help="The file to write, e.g. my-scenario.yaml.")],
    name: Annotated[str, typer.Option(help="What it is called; that of the file without it.")] = "",
    question: Annotated[str, typer.Option(help="What it shall answer; it stands in the notes.")] = "",
) -> None:
    """Write a commented starter scenario.

    On a terminal its name and question are asked for.

    Example: simulate new my.yaml --question 'When is 1e30 reached?'
    """
    from simulator.scenario.describing import check_new

    check_new(path)
    if sys.stdin.isatty() and sys.stdout.isatty():
        name = name or typer.prompt("What is it called?", default=path.stem)
        question = question or typer.prompt("Which question shall it answer?", default="", show_default=False)
    simulator.new_scenario(path, name=name, question=question)
    options.tell([f"{path}: written. Change it, then: simulate {path}"])


def upgrade(
    files: Annotated[
        list[FilePath], typer.Argument(metavar="FILE...", help="Scenario files and prior libraries of schema 1.")
    ],
    json: options.JsonOption = False,
) -> None:
    """Rewrite files of schema 1 as schema 2.

    Comments stay, and every change is told.

    Example: simulate upgrade my.yaml
    """
    from simulator.runs.table import Table
    from simulator.scenario.editions import change_rows

    changes = simulator.upgrade_file(*files)
    found = change_rows(files, changes)
    left = [
        f"{row['file']}: does not say schema: 1; nothing is changed." for row in found["files"] if not row["changed"]
    ]
    tables = {name: Table.of_rows(rows) for name, rows in found.items()}
    options.answer(json, "upgrade", " ".join(map(str, files)), lambda: tables, lambda: changes + left)


for _command in (nowcast, fragility, freeze, moved):
    history_app.command()(_command)

COMMANDS: Mapping[str, Callable[..., None]] = {
    command.__name__: command
    for command in (
        run, extend, explore, chart, compare, export, report, sweep, hindcast, published, score, shares, swings, audit,
        influence, reweight, condition, signposts, boxes, validate, show, check, priors, scenarios, schema, explain,
        new, upgrade,
    )
}  # fmt: skip
GROUPS: Mapping[str, typer.Typer] = {"history": history_app}


_HELP = "Forecast effective compute: 'simulate scenario.yaml' runs a scenario and writes its run folder."
_EPILOG = (
    "'simulate baseline' runs the shipped baseline; 'simulate scenarios' lists what is shipped. "
    "Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted, 143 terminated."
)


def command_line(*, only: str | None = None, shell: bool = False) -> typer.Typer:
    """Make the command line: with one command, since all take ten times as long to make; or with a list of all.

    For a shell that asks how a line goes on it has both.
    """
    settings = {"help_option_names": ["-h", "--help"]}
    look = {**options.LOOK, "add_completion": only is None or shell}
    made = typer.Typer(**look, context_settings=settings, help=_HELP, epilog=_EPILOG, callback=_every)
    for name, command in COMMANDS.items():
        if only in (None, name) or shell:
            made.command()(command if only == name else _listed(command))
    for name, group in GROUPS.items():
        if only in (None, name) or shell:
            made.add_typer(group, name=name)
    return made


def _listed(command: Callable[..., None]) -> Callable[[], None]:
    """Stand for a command where commands are listed: its options, and what packages add to them, are not made."""

    def listed() -> None:
        pass

    listed.__name__, listed.__doc__ = command.__name__, command.__doc__
    return listed


def _versions(asked: bool) -> None:
    """Print by what numbers are made here."""
    if not asked:
        return
    from simulator import version

    made = version.made_by()
    used = version.libraries(version.NUMERICAL)
    echo(f"effective-compute-simulator {made['simulator_version']}, code {made['code']}")
    echo(f"{', '.join(f'{name} {number}' for name, number in used.items())}\n{made['platform']}")
    raise typer.Exit


def _every(  # without it, a command that stands alone would not be called by its name
    _: Annotated[
        bool,
        typer.Option("--version", callback=_versions, is_eager=True, help="Say of which version and commit this is."),
    ] = False,
) -> None:
    pass


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; `simulate scenario.yaml` is `simulate run scenario.yaml`.

    Without arguments those of the process are taken, which is then set up for this one command.
    """
    if arguments is not None:
        _run(arguments)
        return
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is loaded: nothing here is large enough for more
    signal.signal(signal.SIGTERM, _terminate)
    gc.set_threshold(200_000)  # loading modules and files makes many objects and hardly a cycle
    try:
        _run(sys.argv[1:])
    finally:
        gc.freeze()  # what is left need not be searched for cycles when the process ends


def _run(arguments: list[str]) -> None:
    given = list(arguments)
    commands = {*COMMANDS, *GROUPS}
    if given and not given[0].startswith("-") and given[0] not in commands:
        word = given[0]
        if "." not in word and "/" not in word and not is_there(FilePath(word)):
            from simulator.scenario.library import shipped_names

            near = "" if word in shipped_names("scenarios") else near_name(word, commands)
            if near:
                echo(f"simulate: no command or scenario '{word}'. {near}", err=True)
                raise SystemExit(2)
        given.insert(0, "run")
    try:
        _refuse_empty(given)
        asked = asked_word()
        shell = asked is not None
        word = (asked if asked in commands else "run") if asked else given[0] if given else ""
        shown = command_line(only=word if word in commands else None, shell=shell)
        shown(args=given, prog_name="simulate")  # prints its own faults of use, and exits with their code
    except SimulatorError as error:
        told([" ".join([str(error), *_notes(error)])], err=True, style="red")
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt as stop:
        _interrupted(stop)
    except SystemExit as ending:
        if ending.code == INTERRUPTED:  # typer's word for Ctrl-C
            _interrupted(ending)
        if ending.code:
            raise
    except OSError as error:
        _closed(error)


def _closed(error: OSError) -> NoReturn:
    """End in a line: of the file that cannot be read, or where it was printing that failed and a reader is left."""
    if error.filename is not None:  # of a name too long, or of a folder that is closed; what writes says so itself
        fault = InputError(f"{error.filename}: cannot be read: {error.strerror}. Name another file or folder.")
        told([str(fault)], err=True, style="red")
        raise SystemExit(fault.exit_code) from None
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still held is let go
    if not isinstance(error, BrokenPipeError):
        echo(f"What is printed cannot be written: {error.strerror}. Free space there, or print elsewhere.", err=True)
    raise SystemExit(1) from None


def _refuse_empty(words: Sequence[str]) -> None:
    """Refuse an option without its value, which is not the same as none."""
    for before, word in pairwise(["simulate", *words]):
        option, equals, value = word.partition("=")
        if not word.strip() or (option.startswith("--") and equals and not value.strip()):
            named = option if equals else before if before.startswith("-") else "an argument"
            raise InputError(f"{named}: is empty. Write what is meant, or leave it out.")


def _terminate(*_: object) -> NoReturn:
    raise Terminated


def _notes(error: BaseException | None) -> Sequence[str]:
    """Give what was noted of an error where it came by."""
    return tuple(dict.fromkeys(getattr(error, "__notes__", ())))


def _interrupted(ending: BaseException) -> NoReturn:
    stop: BaseException | None = ending
    while stop is not None and not isinstance(stop, KeyboardInterrupt):  # typer raised another for it
        stop = stop.__cause__ or stop.__context__
    ends = "interrupted: nothing half-written is left, earlier runs are as they were."
    echo(" ".join([ends, *_notes(stop)]), err=True)
    raise SystemExit(getattr(stop, "exit_code", INTERRUPTED)) from None


if __name__ == "__main__":
    main()
