#!/usr/bin/env python3
"""`otto host ID login`, seen in a real terminal (tmux): keys, full-screen programs, window size, every way to end."""

import copy
import subprocess

import harness
from harness import await_true
from screen import Screen

CONTAINER = "pepper_seed.logins.worker"
TELNET, OLD_PARENT = "bean_telnet", "bean_old"
HERE = "here_self"


class Login(harness.Test):
    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own("logins")
        cls.repo.write_hosts(lambda hosts: hosts.update(
            {HERE: {"ne": "here", "board": "self", "ip": "127.0.0.1", "term": "local", "labs": ["veggies"]}}))
        cls.repo.up()

    def setUp(self):
        self.screen = Screen(self.repo)
        self.addCleanup(self.screen.close)

    def pid(self):
        return int(subprocess.run(["pgrep", "-f", f"{harness.OTTO} host .* login", "-P", self.shell()], capture_output=True,
                                  text=True, check=True).stdout)

    def shell(self):
        return self.screen.tmux("display-message", "-p", "-t", "it", "#{pane_pid}").strip()

    def edit_a_file(self, path):
        """In the remote shell: a full-screen editor, whose window changes while it is open."""
        self.screen.line(f"vi {path}")
        self.screen.sees("~\n~\n~\n")
        self.screen.types("i")
        self.screen.types("-l", "written in vi")
        self.screen.sees("written in vi")
        self.screen.types("Escape")
        self.screen.awaits("the end of inserting", lambda shown: "INSERT" not in shown and "\nI " not in shown)
        self.screen.resize(70, 20)
        self.screen.awaits("vi's new window", lambda shown: 15 <= shown.splitlines().count("~") < 20)
        self.screen.line(":wq")
        self.screen.awaits("the prompt", lambda shown: shown.rstrip().endswith(("$", "#")))  # vi drops what is typed ahead
        self.screen.line(f"clear; cat {path}; stty size")
        self.screen.sees("written in vi\n20 70")


class Machine(Login):
    def test_a_log_in_shell_through_the_jump_host(self):
        self.screen.log_in("pepper_seed")
        self.screen.line("echo $0 on $(hostname) $TERM; tty; stty size")
        self.screen.sees("-bash on pepper_seed tmux", "/dev/pts/", "25 90")
        self.edit_a_file("/tmp/login-test.txt")
        self.screen.line("exit 7")
        self.screen.sees("otto: pepper_seed: the session has ended (exit 7)")
        self.screen.ends(7)

    def test_control_c_and_z_are_the_remote_shells(self):
        self.screen.log_in("pepper_seed")
        self.screen.line("sleep 600.201; echo was $?")
        await_true("it runs", lambda: harness.lab().processes("pepper_seed", "^sleep 600.201"))
        self.screen.types("C-c")
        self.screen.line("echo after $?")
        self.screen.sees("after 130")
        self.screen.line("sleep 600.202")
        await_true("it runs", lambda: harness.lab().processes("pepper_seed", "^sleep 600.202"))
        self.screen.types("C-z")
        self.screen.sees("Stopped")
        self.screen.types("C-]")
        self.screen.sees("otto: pepper_seed: left")
        self.screen.ends(0)
        await_true("what ran is hung up", lambda: not harness.lab().processes("pepper_seed", "^sleep 600.202"))

    def test_a_cut_connection_restores_the_terminal(self):
        self.screen.log_in("pepper_seed")
        self.screen.line("vi")
        self.screen.sees("~\n~\n~\n")
        harness.lab().link(self.repo.link, "--cut")
        self.screen.sees("otto: error: ", "connection")
        self.screen.ends(255)
        self.assertNotIn("~\n~\n", self.screen.shows())  # the alternate screen is left

    def test_signals_restore_the_terminal(self):
        for name in ("TERM", "HUP", "INT"):
            self.screen.log_in("pepper_seed")
            self.screen.line("vi")
            self.screen.sees("~\n~\n~\n")
            subprocess.run(["kill", f"-{name}", str(self.pid())], check=True)
            self.screen.ends(130)
            self.assertNotIn("~\n~\n", self.screen.shows(), name)

    def test_quiet_says_nothing_of_its_own(self):
        self.screen.line(f"clear; {harness.OTTO} host carrot_seed login -q; echo code=$?=")
        self.screen.sees("otto@carrot_seed")
        self.screen.line("exit 3")
        self.screen.sees("code=3=")
        self.assertNotIn("otto: ", self.screen.shows())

    def test_this_machine(self):
        self.screen.log_in(HERE)
        self.screen.line("echo \"[$(tty)]\"; stty size; exit 6")
        self.screen.sees("[/dev/pts/", "25 90")
        self.screen.ends(6)

    def test_without_a_terminal_the_way_out_is_named(self):
        outcome = self.repo.text("host", "pepper_seed", "login", stdin="exit\n")
        self.assertEqual((outcome.code, outcome.out), (2, ""))
        self.assertIn("standard input is none", outcome.err)
        self.assertIn("otto host ID run", outcome.err)
        self.assert_error(self.repo.otto("host", "pepper_seed", "login"), 2, "usage", "JSON")
        self.assertEqual(self.repo.text("host", "-n", "pepper_seed", "login").out, "would log in to pepper_seed\n")


class InContainer(Login):
    def test_a_shell_with_an_editor(self):
        self.screen.log_in(CONTAINER)
        self.screen.line("echo on $(hostname) $TERM; tty; stty size")
        self.screen.sees(f"on {self.repo.containers()['worker'].id[:12]} tmux", "/dev/pts/", "25 90")
        self.edit_a_file("/tmp/login-test.txt")
        self.screen.line("exit 7")
        self.screen.ends(7)

    def test_leaving_ends_what_runs_inside(self):
        self.screen.log_in(CONTAINER)
        self.screen.line("trap '' HUP; sleep 600.203")
        await_true("it runs", lambda: harness.lab().processes("pepper_seed", "^sleep 600.203"))
        self.screen.types("C-]")
        self.screen.ends(0)
        await_true("it has ended", lambda: not harness.lab().processes("pepper_seed", "^sleep 600.203"))

    def test_a_killed_otto_leaves_nothing_inside(self):
        self.screen.log_in(CONTAINER)
        self.screen.line("sleep 600.204")
        await_true("it runs", lambda: harness.lab().processes("pepper_seed", "^sleep 600.204"))
        subprocess.run(["kill", "-KILL", str(self.pid())], check=True)
        await_true("it has ended", lambda: not harness.lab().processes("pepper_seed", "^sleep 600.204"))

    def test_a_stopped_container_is_started(self):
        self.repo.parent.docker("stop", "-t", "0", self.repo.containers()["worker"].id)
        self.screen.log_in(CONTAINER)
        self.screen.line("exit 5")
        self.screen.ends(5)
        self.assertEqual(self.repo.containers()["worker"].status, "running")


class ByTelnet(Login):
    def test_a_telnet_host(self):
        entries = copy.deepcopy(harness.lab().start(OLD_PARENT))
        self.addCleanup(self.repo.write_hosts)
        self.repo.write_hosts(lambda hosts: hosts.update(entries))
        self.screen.log_in(TELNET)
        self.screen.line("echo on $(hostname) $TERM; tty; stty size")
        self.screen.sees("on bean_old tmux", "/dev/pts/", "25 90")
        self.edit_a_file("/tmp/login-test.txt")
        self.screen.line("sleep 600.205")
        await_true("it runs", lambda: harness.lab().processes(OLD_PARENT, "^sleep 600.205"))
        self.screen.types("C-c")
        self.screen.line("exit 7")
        self.screen.ends(7)


if __name__ == "__main__":
    harness.main()
