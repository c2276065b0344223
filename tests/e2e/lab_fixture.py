#!/usr/bin/env python3
"""The lab that all end-to-end tests of one ctest share. Usage: lab_fixture.py up|down DIR

Its owner is ctest, the parent of this process: with ctest the lab ends, whatever ends it. Output of `tools/lab up` goes by
way of a file, so that nothing of the lab holds the pipe that ctest reads.
"""

import os
import subprocess
import sys

TOOL = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))), "tools", "lab")


def main():
    action, directory = sys.argv[1:]
    command = [TOOL, action, "--dir", directory]
    if action == "up":
        subprocess.run([TOOL, "down", "--dir", directory], stderr=subprocess.DEVNULL, check=False)
        command += ["--owner", str(os.getppid())]
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, action + ".log"), "w+", encoding="utf-8") as log:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False).returncode
        log.seek(0)
        print(log.read(), end="")
    sys.exit(code)


if __name__ == "__main__":
    main()
