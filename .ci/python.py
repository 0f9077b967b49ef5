"""Say in one line that a later Python is needed, and clear away the environment that an older one left behind.

`python3 .ci/python.py FOLDER` is run by whatever python3 there is: nothing here is newer than Python 3.6.
"""

import re
import shutil
import sys
from pathlib import Path

LEAST = (3, 12)


def main(folder):
    """Refuse an older Python; remove an environment in the folder that one has made."""
    if sys.version_info[:2] < LEAST:
        names = ["python3.%d" % minor for minor in range(20, LEAST[1] - 1, -1)]
        there = next((name for name in names if shutil.which(name)), "")
        how = "" if there else "install one (https://www.python.org/downloads), then "
        given = "%d.%d.%d" % tuple(sys.version_info[:3])
        sys.exit(
            "Python 3.12 or later is needed, and python3 is %s: %sgive the same command with %s in the place "
            "of python3." % (given, how, there or "python3.12")
        )
    settings = folder / "pyvenv.cfg"
    found = re.search(r"(?m)^version\w* *= *(\d+)\.(\d+)", settings.read_text()) if settings.is_file() else None
    if found and (int(found.group(1)), int(found.group(2))) < LEAST:
        shutil.rmtree(str(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
