"""`python -m simulator` is `simulate`; Ctrl-C or SIGTERM while it loads ends it as later, in a line."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from simulator.cli.main import main as command_line

        command_line()
    except KeyboardInterrupt as stop:
        print("interrupted: nothing was begun.", file=sys.stderr)
        sys.exit(getattr(stop, "exit_code", 130))


if __name__ == "__main__":
    main()
