#!/usr/bin/env python3
"""Hosts by telnet: a real telnetd and login, directly and from behind an ssh hop; a stack on such a parent."""

import copy
import signal
import time

import harness
from harness import await_true

MACHINE = "bean_old"
TELNET, INNER = "bean_telnet", "bean_inner"
SMALLER = 512 << 10


class Telnet(harness.Test):
    @classmethod
    def setUpClass(cls):
        cls.entries = harness.lab().start(MACHINE)
        cls.repo = harness.Repo("telnetty", MACHINE)
        cls.addClassCleanup(cls.repo.clear)
        cls.repo.replace(".otto/settings.toml", 'default_host = "pepper_seed"', f'default_host = "{TELNET}"')
        cls.hosts()

    @classmethod
    def hosts(cls, change=lambda hosts: None):
        cls.repo.write_hosts(lambda hosts: (hosts.update(copy.deepcopy(cls.entries)), change(hosts)))

    def host(self, *arguments, **options):
        return self.repo.text("host", *arguments, **options)

    def test_commands_as_by_ssh(self):
        outcome = self.host(TELNET, "oneshot", "echo out; echo err >&2; exit 7")
        self.assertEqual((outcome.code, outcome.out, outcome.err.splitlines()[-1:]), (7, "out\n", ["err"]))
        outcome = self.host(TELNET, "run", "cd /usr; x='a  b'", "pwd; echo \"$x\"; id -un", "tty; true")
        self.assertEqual((outcome.code, outcome.out), (0, "/usr\na  b\notto\nnot a tty\n"), outcome.err)
        outcome = self.host(TELNET, "oneshot", "wc -c; printf 'gr\\303\\274n'", stdin="x" * 100_000 + "\r\n")
        self.assertEqual(outcome.out, "100002\ngr\u00fcn", outcome.err)
        self.assertEqual(self.host(TELNET, "run", "false", "echo never").out, "")

    def test_files_go_there_and_back(self):
        # A telnet line is slow: the large file goes one way, and where telnet is the same, one that no buffer on the way holds.
        self.assert_goes_there_and_back(self.repo, TELNET)
        self.assert_goes_there_and_back(self.repo, INNER, size=SMALLER)

    def test_from_behind_an_ssh_hop(self):
        outcome = self.host(INNER, "oneshot", "hostname; echo $SSH_CONNECTION")
        self.assertEqual((outcome.code, outcome.out), (0, "bean_old\n\n"), outcome.err)

    def test_the_term_asked_for_wins(self):
        def both_ways(hosts):
            hosts[TELNET]["ssh_options"] = hosts[MACHINE]["ssh_options"]
        self.hosts(both_ways)
        self.addCleanup(self.hosts)
        question = ("oneshot", "hostname; echo ${SSH_CONNECTION:+ssh}")
        self.assertEqual(self.host(TELNET, *question).out, "bean_old\n\n")
        for line in (("--term", "ssh", TELNET, *question), (TELNET, "oneshot", "--term=ssh", *question[1:])):
            outcome = self.host(*line)
            self.assertEqual((outcome.code, outcome.out), (0, "bean_old\nssh\n"), outcome.err)
        self.assertEqual(self.host("--term", "telnet", "--transfer", "nc", TELNET, *question).out, "bean_old\n\n")

        wrong = self.host("--term", "rlogin", TELNET, *question)
        self.assertEqual(wrong.code, 2)
        self.assertIn("option '--term': unknown value 'rlogin'", wrong.err)
        self.assertIn("one of: local, ssh, telnet", wrong.err)
        self.assert_error(self.repo.otto("host", "--term", "local", TELNET, *question), 2, "usage", "not this machine", hint="ssh, telnet")

    def test_the_doctor_walks_the_way_through_the_hop(self):
        checks = self.repo.done("doctor", INNER).json["hosts"][0]["checks"]
        way = [(check["step"], check.get("subject")) for check in checks[:6]]
        self.assertEqual(way, [("route", None), ("connect", MACHINE), ("host-key", MACHINE), ("log-in", MACHINE), ("connect", None),
                               ("log-in", None)])
        self.assertEqual({check["step"]: check["status"] for check in checks if check["status"] != "ok"}, {"buildx": "warning"})

    def test_a_stack_on_a_telnet_parent(self):
        first = self.repo.up()
        self.assertEqual(first.json["parent"], TELNET)
        self.assertEqual(first.statuses(), {"base": "built", "api": "built"})
        self.assertEqual(set(self.repo.containers()), harness.SERVICES)
        again = self.repo.text("docker", "up")
        self.assertIn("nothing to do (2 images, 5 services up to date)", again.out, again.err)
        container = f"{TELNET}.telnetty.api"
        outcome = self.host(container, "oneshot", "cat; hostname; exit 5", stdin="in\n")
        self.assertEqual((outcome.code, outcome.out), (5, f"in\n{self.repo.containers()['api'].id[:12]}\n"), outcome.err)
        self.assert_goes_there_and_back(self.repo, container, size=SMALLER)
        self.repo.done("docker", "down", "--volumes")
        self.assertEqual(self.repo.containers(), {})

    def test_a_wrong_password_and_a_closed_port(self):
        self.addCleanup(self.hosts)
        self.hosts(lambda hosts: hosts[TELNET].update(creds={"otto": "wrong"}))
        self.assert_error(self.repo.otto("docker", "ps", "--on", TELNET), 3, "auth_failed", TELNET, "Login incorrect", hint="creds")
        self.hosts(lambda hosts: hosts[TELNET].update(telnet_options={"port": 1}))
        self.assert_error(self.repo.otto("docker", "ps", "--on", TELNET), 3, "unreachable", TELNET)

    def test_nothing_keeps_running_after_otto(self):
        for number, how in (("091", signal.SIGINT), ("092", signal.SIGKILL)):
            sleep = f"sleep 600.{number}"
            process = self.repo.start("host", TELNET, "run", sleep)
            await_true("the command runs", lambda: harness.lab().processes(MACHINE, f"^{sleep}"))
            ended = harness.lab().watch_end(MACHINE, sleep)
            at = time.time()
            process.send_signal(how)
            self.repo.finish(process)
            self.assertLess(ended() - at, 2.0, how)


class Silence(harness.Test):
    """The cable pulled: nothing is closed, nothing comes any more."""

    def test_a_silently_lost_connection_ends_both_sides(self):
        entries = harness.lab().start(MACHINE)
        repo = harness.Repo("pulled", MACHINE)
        self.addCleanup(repo.clear)
        port = harness.lab().link_up(MACHINE, "pulled-telnet", "--to", "telnet")
        self.addCleanup(harness.lab().tool, "link", "pulled-telnet", "--close")
        entries[TELNET]["telnet_options"] = {"port": port, "keepalive_interval": 1}
        repo.write_hosts(lambda hosts: hosts.update(entries))
        process = repo.start("host", TELNET, "run", "sleep 600.095")
        await_true("the command runs", lambda: harness.lab().processes(MACHINE, "^sleep 600.095"))
        at = time.time()
        harness.lab().link("pulled-telnet", "--stall", "on")
        outcome = repo.finish(process)
        self.assertEqual(outcome.code, 255, outcome.err)
        self.assertIn("does not answer any more", outcome.err)
        self.assertLess(time.time() - at, 15)
        await_true("the command has ended", lambda: not harness.lab().processes(MACHINE, "^sleep 600.095"), seconds=40)


if __name__ == "__main__":
    harness.main()
