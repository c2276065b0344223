"""Sessions and overdue commands of the library on one host, by the program session_probe.cc."""

import os
import subprocess

import harness

PROBE = os.environ.get("OTTO_SESSION_PROBE", os.path.join(harness.SOURCE, "build", "dev", "tests", "e2e", "otto_session_probe"))
TOLD = """overdue: 124 true "begun\\n"
deaf to SIGINT: 124 true
state afterwards: 0 "state\\n/tmp\\nu"
a name twice: a session 'shell' is open on 'HOST' already
group: 42
the other: <one>
directory: /usr
not in time: timed out
after Ctrl-C: still here
exit code: 5
"""


def assert_works(test, repo, host, sleep):
    """`sleep` is the duration of the command that is overdue, for processes() to find it by."""
    answer = subprocess.run([PROBE, repo.root, host, sleep], env=repo.environment, capture_output=True, text=True, timeout=120, check=False)
    test.assertEqual((answer.stdout, answer.returncode), (TOLD.replace("HOST", host), 0), answer.stderr)


def assert_ended(machine, sleep):
    harness.await_true("what was overdue has ended", lambda: not harness.lab().processes(machine, f"sleep {sleep}"))
