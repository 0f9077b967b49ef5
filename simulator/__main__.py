"""`python -m simulator` is `simulate`."""

from simulator.cli.main import main

if __name__ == "__main__":
    main()
