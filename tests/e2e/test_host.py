#!/usr/bin/env python3
"""Machines and containers as hosts: `run`, `oneshot`, exit codes, streams, standard input, starting on demand, interrupts."""

import os
import signal
import subprocess
import time

import harness
from harness import SERVICES, await_true
from lab_access import die_with_parent
from repo import OTTO

CONTAINER = "pepper_seed.hosts.worker"
EVERYWHERE = ("pepper_seed", "carrot_seed", CONTAINER)


class Host(harness.Test):
    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own("hosts")
        cls.repo.up()

    def host(self, id, *arguments, stdin=None):
        return self.repo.text("host", id, *arguments, stdin=stdin)

    def assert_ends(self, outcome, code, out="", err=""):
        self.assertEqual((outcome.code, outcome.out), (code, out), outcome.err)
        if err is not None:
            self.assertEqual(self.without_progress(outcome.err), err)

    @staticmethod
    def without_progress(err):
        return "".join(line for line in err.splitlines(keepends=True) if not line.rstrip().endswith(": connecting"))


class Commands(Host):
    def test_long_commands_arrive_whole(self):
        for id in EVERYWHERE:
            for text in ("\u00e9" * 20000, "'" * 99000):
                quoted = text if "'" not in text else ""
                command = f"printf %s '{quoted}' | wc -c" if quoted else ": " + '"' + text + '"; echo 99000'
                wanted = f"{len(quoted.encode()) or 99000}\n"
                self.assertEqual(self.host(id, "run", command).out.strip(), wanted.strip())
            long = "v='" + "x" * 100000 + "'"
            self.assert_ends(self.host(id, "run", long, long + '; echo "${#v}"'), 0, "100000\n", err=None)

    def test_many_at_once_are_not_turned_away(self):
        processes = [self.repo.start("host", "carrot_seed", "oneshot", f"echo {number}") for number in range(40)]
        for number, process in enumerate(processes):
            out, err = process.communicate(timeout=120)
            self.assertEqual((process.returncode, out), (0, f"{number}\n"), err)

    def test_run_keeps_the_state_of_one_shell(self):
        for id in EVERYWHERE:
            self.assert_ends(self.host(id, "run", "cd /tmp", "pwd", "X='a b'", 'echo "$X"'), 0, "/tmp\na b\n")

    def test_run_stops_at_the_first_failure(self):
        for id in EVERYWHERE:
            self.assert_ends(self.host(id, "run", "echo one", "(exit 7)", "echo never"), 7, "one\n")

    def test_oneshot_keeps_no_state_and_gives_the_code(self):
        for id in EVERYWHERE:
            self.assert_ends(self.host(id, "oneshot", "cd /tmp; exit 42"), 42)
            self.assert_ends(self.host(id, "oneshot", "echo", "two", "words"), 0, "two words\n")
            self.assert_ends(self.host(id, "oneshot", "no-such-command 2> /dev/null"), 127)

    def test_a_signal_is_128_and_its_number(self):
        for id in EVERYWHERE:
            self.assert_ends(self.host(id, "oneshot", "kill -TERM $$"), 143, err=None)
            self.assert_ends(self.host(id, "run", "kill -KILL $$"), 137, err=None)

    def test_the_two_outputs_stay_apart(self):
        for id in EVERYWHERE:
            self.assert_ends(self.host(id, "oneshot", "echo out; echo err >&2; echo more"), 0, "out\nmore\n", "err\n")
            self.assert_ends(self.host(id, "run", "echo out; echo err >&2", "echo more"), 0, "out\nmore\n", "err\n")

    def test_standard_input_is_forwarded_to_oneshot(self):
        for id in EVERYWHERE:
            self.assert_ends(self.host(id, "oneshot", "cat", stdin="first\nsecond"), 0, "first\nsecond")
        lots = "".join(f"line {number}\n" for number in range(60_000))
        self.assert_ends(self.host(CONTAINER, "oneshot", "wc -c", stdin=lots), 0, f"{len(lots)}\n")
        self.assert_ends(self.host(CONTAINER, "oneshot", "head -n 1", stdin=lots), 0, "line 0\n")

    def test_run_gives_commands_no_input(self):
        for id in EVERYWHERE:
            self.assert_ends(self.host(id, "run", "cat", "echo after", stdin="not for you"), 0, "after\n")

    def test_much_output_arrives_whole(self):
        for id in EVERYWHERE:
            outcome = self.host(id, "oneshot", "yes 0123456789abcde | head -c 3000000")
            self.assertEqual((outcome.code, len(outcome.out)), (0, 3_000_000), outcome.err)

    def test_bytes_and_quotes_survive(self):
        for id in EVERYWHERE:
            self.assert_ends(self.host(id, "run", "printf '%s|' \"a'b\" '$HOME' 'ü' \"\\\\\""), 0, "a'b|$HOME|ü|\\|")

    def test_json_collects(self):
        outcome = self.repo.otto("host", CONTAINER, "run", "echo out", "echo err >&2", "(exit 5)")
        self.assertEqual(outcome.code, 5)
        self.assertEqual(outcome.json, {"host_id": CONTAINER, "exit_code": 5, "stdout": "out\n", "stderr": "err\n"})

    def test_a_jump_host_and_an_extra_hop(self):
        self.assert_ends(self.host("leek_gate", "oneshot", "hostname"), 0, "leek_gate\n")
        self.assert_ends(self.repo.text("host", "--hop", "leek_gate", "pepper_seed", "run", "hostname"), 0, "pepper_seed\n")

    def test_a_dry_run_knows_the_host_and_contacts_nothing(self):
        self.assert_ends(self.repo.text("-n", "host", CONTAINER, "run", "cd /srv", "touch x"), 0,
                         f"would run on {CONTAINER}: cd /srv; touch x\n")
        unknown = self.repo.otto("-n", "host", "peper_seed", "run", "true")
        self.assert_error(unknown, 2, "unknown_name", "peper_seed", "pepper_seed")
        self.assertTrue(unknown.json["dry_run"])
        self.assert_error(self.repo.otto("-n", "host", "peper_seed", "put", "a", "b"), 2, "unknown_name", "peper_seed")
        self.assert_error(self.repo.otto("-n", "host", "peper_seed", "login"), 2, "unknown_name", "peper_seed")

    def test_user_of_the_machine_and_of_the_container(self):
        self.assert_ends(self.host("pepper_seed", "oneshot", "id -un"), 0, "otto\n")
        self.assert_ends(self.host(CONTAINER, "oneshot", "id -u"), 0, "0\n")


class Streams(Host):
    """otto's own descriptors as shells and build systems leave them: closed, broken, full, and not blocking."""

    def start(self, script, **more):
        """A shell that finds otto as "$@"; what follows it are its own words."""
        return subprocess.Popen(["sh", "-c", script, *self.repo.launcher, OTTO], cwd=self.repo.root, env=self.repo.environment,
                                stderr=subprocess.PIPE, start_new_session=True, preexec_fn=die_with_parent, **more)

    def test_the_end_of_the_reader_is_the_end_of_the_command(self):
        for id in EVERYWHERE:
            for verb in ("run", "oneshot"):
                marker = f"4{os.getpid()}"
                script = f'{{ "$0" "$@" host {id} {verb} "yes {marker}"; echo $? >&2; }} | head -n 1'
                with self.start(script, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
                    out, err = process.communicate(timeout=60)
                self.assertEqual(out.decode(), f"{marker}\n")
                self.assertEqual(err.split()[-1:], [b"141"], err)
                await_true("the command has ended", lambda: marker not in self.host(id, "oneshot", "ps -o args 2> /dev/null || ps").out)

    def test_closed_descriptors_are_null(self):
        for id in EVERYWHERE:
            for script, code in ((f'"$0" "$@" host {id} oneshot cat <&-', 0), (f'"$0" "$@" host {id} oneshot "echo x" >&-', 0),
                                 (f'"$0" "$@" host {id} run "cat; echo x" <&- >&- 2>&-', 0), ('"$0" "$@" --version >&- <&-', 0)):
                with self.start(script) as process:
                    process.communicate(timeout=60)
                self.assertEqual(process.returncode, code, script)

    def test_output_that_does_not_block_comes_whole(self):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        with self.start('"$0" "$@" host carrot_seed oneshot "head -c 3000000 /dev/zero"', stdin=subprocess.DEVNULL, stdout=writer) as process:
            os.close(writer)
            time.sleep(2)
            got = 0
            while piece := os.read(reader, 8192):
                got += len(piece)
            process.communicate(timeout=60)
        os.close(reader)
        self.assertEqual((process.returncode, got), (0, 3000000))

    def test_a_full_disk_is_said(self):
        with open("/dev/full", "wb") as full, self.start('"$0" "$@" host carrot_seed oneshot "echo x"', stdin=subprocess.DEVNULL, stdout=full) as process:
            err = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"standard output could not be written", err)

    def test_a_command_that_begins_like_an_option(self):
        for id in EVERYWHERE:
            for verb in ("run", "oneshot"):
                for command in ("-odd-command", "+odd-command"):
                    outcome = self.host(id, verb, "--", command + " x")
                    self.assertEqual(outcome.code, 127, outcome.err)
                    self.assertIn(command, outcome.err)


class Stopped(Host):
    def test_a_stopped_container_is_started_without_building(self):
        self.repo.up()
        before, images = self.repo.containers(), self.repo.images("api")
        self.repo.append("api/src/www/about.html", "<p>not to be built now</p>\n")
        self.repo.parent.docker("stop", "-t", "0", before["worker"].id)
        self.assert_ends(self.host(CONTAINER, "run", "hostname"), 0, before["worker"].id[:12] + "\n", err=None)
        now = self.repo.containers()
        self.assertEqual({service: each.id for service, each in now.items()}, {service: each.id for service, each in before.items()})
        self.assertEqual(now["worker"].status, "running")
        self.assertEqual(self.repo.images("api"), images)

    def test_a_stack_that_is_down_is_started_with_what_was_built(self):
        self.repo.up()
        tag = self.repo.containers()["api"].image
        self.repo.done("docker", "down")
        self.repo.append("api/src/www/about.html", "<p>nor now</p>\n")
        outcome = self.host("pepper_seed.hosts.api", "run", "cat /srv/api/www/version.txt")
        self.assert_ends(outcome, 0, "1.4.0\n", err=None)
        self.assertEqual(self.repo.containers()["api"].image, tag)

    def test_without_an_image_the_way_out_is_named(self):
        fresh = harness.Repo("neverbuilt")
        self.addCleanup(fresh.clear)
        outcome = fresh.otto("host", "pepper_seed.neverbuilt.api", "run", "true")
        self.assert_error(outcome, 1, "not_running", "pepper_seed.neverbuilt.api", hint="run `otto docker up` first")
        self.assertEqual((fresh.containers(), fresh.images("api")), ({}, {}))


class Interrupted(Host):
    def end(self, id, number, how, by=""):
        """Ends otto while a command runs on the host; gives otto's outcome once nothing of it is left there."""
        sleep = f"sleep 9{number}"
        process = self.repo.start("host", id, "run", f"{by}{sleep} & {by}{sleep}; echo never")
        machine = id.split(".")[0]
        await_true("the command runs", lambda: len(harness.lab().processes(machine, f"^{sleep}")) == 2)
        ended = harness.lab().watch_end(machine, sleep)
        at = time.time()
        process.send_signal(how)
        outcome = self.repo.finish(process)
        self.assertLess(ended() - at, 2.0)
        self.assertEqual(outcome.out, "")
        return outcome

    def test_interrupt_ends_what_runs_in_a_container(self):
        self.assertEqual(self.end(CONTAINER, "1001", signal.SIGINT).code, 130)

    def test_interrupt_ends_what_has_lost_its_environment(self):
        self.assertEqual(self.end(CONTAINER, "1007", signal.SIGINT, "env -i ").code, 130)
        self.assertEqual(self.end(CONTAINER, "1008", signal.SIGINT, "setsid env -i ").code, 130)

    def test_interrupt_ends_what_runs_on_a_machine(self):
        self.assertEqual(self.end("pepper_seed", "1002", signal.SIGINT).code, 130)

    def test_kill_ends_what_runs_in_a_container(self):
        self.assertEqual(self.end(CONTAINER, "1003", signal.SIGKILL).code, -signal.SIGKILL)

    def test_kill_ends_what_runs_on_a_machine(self):
        self.assertEqual(self.end("carrot_seed", "1004", signal.SIGKILL).code, -signal.SIGKILL)

    def test_termination_ends_what_runs_in_a_container(self):
        self.end(CONTAINER, "1005", signal.SIGTERM)

    def test_a_cut_connection_is_255(self):
        process = self.repo.start("host", CONTAINER, "run", "sleep 91006")
        await_true("the command runs", lambda: harness.lab().processes("pepper_seed", "^sleep 91006"))
        harness.lab().link(self.repo.link, "--cut")
        outcome = self.repo.finish(process)
        self.assertEqual(outcome.code, 255, outcome.err)
        self.assertRegex(outcome.err, "(?m)^otto: error: .*connection")
        await_true("nothing is left", lambda: not harness.lab().processes("pepper_seed", "^sleep 91006"))

    def test_the_stack_survives_all_this(self):
        self.assertEqual(set(self.repo.containers()), SERVICES)


if __name__ == "__main__":
    harness.main()
