"""A real terminal for tests: tmux, drawing for nobody, with a shell in it that runs otto."""

import os
import shlex
import subprocess
import time

import harness
from harness import await_true


class Screen:
    """A terminal of its own with a shell that runs otto: what is typed, what is shown."""

    def __init__(self, repo):
        self.socket = os.path.join(repo.folder, f"tmux-{time.monotonic_ns()}")
        self.server = subprocess.Popen(["tmux", "-D", "-S", self.socket, "-f", "/dev/null"], start_new_session=True,
                                       preexec_fn=harness.die_with_parent, stdin=subprocess.DEVNULL)
        await_true("tmux listens", lambda: os.path.exists(self.socket))
        variables = [word for pair in repo.environment.items() for word in ("-e", "=".join(pair))]
        self.tmux("new-session", "-d", "-s", "it", "-x", "90", "-y", "25", "-c", repo.root, *variables, "sh")
        self.line("PS1='lo''cal> '; clear")
        self.sees("local>")

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-S", self.socket, *arguments], check=True, capture_output=True, text=True, timeout=30).stdout

    def close(self):
        self.server.kill()
        self.server.wait()

    def types(self, *keys):
        """Text, or names of keys as tmux knows them; each word by itself."""
        self.tmux("send-keys", "-t", "it", *keys)

    def line(self, text):
        self.tmux("send-keys", "-t", "it", "-l", text)
        self.types("Enter")

    def shows(self):
        return self.tmux("capture-pane", "-p", "-t", "it")

    def awaits(self, what, question):
        """Until what is shown answers the question; gives what is shown."""
        shown = [""]

        def answer():
            shown[0] = self.shows()
            return question(shown[0])
        try:
            await_true(what, answer)
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{shown[0]}") from None
        return shown[0]

    def sees(self, *words):
        return self.awaits(str(words), lambda shown: all(word in shown for word in words))

    def resize(self, columns, rows):
        self.tmux("resize-window", "-t", "it", "-x", str(columns), "-y", str(rows))

    def log_in(self, id, *options):
        """Begins a login whose exit code will be shown, with the settings of the terminal before and after."""
        otto = shlex.join([harness.OTTO, "host", id, "login", *options])
        self.line(f"clear; before=$(stty -g); {otto}; echo code=$?=; [ \"$(stty -g)\" = \"$before\" ] && echo same settings")
        self.sees(f"otto: {id}: logged in; Ctrl-] leaves")

    def ends(self, code):
        self.sees(f"code={code}=", "same settings")
