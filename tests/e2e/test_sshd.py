#!/usr/bin/env python3
"""sshds that are set up in other ways than the lab's: each lets otto in, runs commands and moves files as any other.

They run beside the lab's own sshd on turnip_plain, reached through it, each on a port of its own. None of them has sftp.
"""

import os

import harness
import session_probe
from harness import lab

MACHINE = "turnip_plain"
BASE = """Port {port}
ListenAddress 127.0.0.1
HostKey {keys}/ssh_host_{type}_key
PidFile none
UsePAM yes
AuthorizedKeysFile {keys}/authorized_keys
StrictModes no
"""
NOISE = 'echo noise of the wrapper; echo noise of the wrapper >&2; exec sh -c "$SSH_ORIGINAL_COMMAND"'
SETUPS = {
    "password": ["AuthenticationMethods password"],
    "prompts": ["PasswordAuthentication no", "PubkeyAuthentication no", "KbdInteractiveAuthentication yes"],
    "rsa": [],
    "two": ["MaxSessions 2"],
    "noisy": ["ForceCommand " + NOISE],
    "keypass": ["AuthenticationMethods publickey,password"],
    "keyprompt": ["AuthenticationMethods publickey,keyboard-interactive"],
    "single": ["MaxSessions 1"],
    "none": ["MaxSessions 0"],
}


class Sshd(harness.Test):
    @classmethod
    def setUpClass(cls):
        cls.repo = harness.Repo("sshds")
        cls.addClassCleanup(cls.repo.clear)
        cls.keys = f"/tmp/otto-sshds-{os.getpid()}"
        cls.addClassCleanup(lab().exec, MACHINE, "sh", "-c", 'for pid in $(cat "$1"/pids); do kill "$pid"; done; rm -rf "$1"', "sh",
                            cls.keys, check=False)
        with open(lab().environment["KEY_ED25519"] + ".pub", encoding="utf-8") as file:
            public = file.read()
        lab().exec(MACHINE, "sh", "-c", 'mkdir -p "$1" && cat >"$1/authorized_keys" && for type in rsa ed25519; do '
                   'ssh-keygen -q -t $type -N "" -f "$1/ssh_host_${type}_key" </dev/null || exit 1; done', "sh", cls.keys, stdin=public)
        base = 20000 + os.getpid() % 20000
        cls.ports = {name: base + number for number, name in enumerate(SETUPS)}
        for name, lines in SETUPS.items():
            config = "\n".join(lines) + "\n" + BASE.format(port=cls.ports[name], keys=cls.keys, type="rsa" if name == "rsa" else "ed25519")
            lab().exec(MACHINE, "sh", "-c", 'cat >"$1/$2" && { setsid /usr/sbin/sshd -D -e -f "$1/$2" </dev/null >/dev/null 2>"$1/$2.log" & '
                       'echo $! >>"$1/pids"; }; for i in 1 2 3 4 5 6 7 8 9 10; do grep -q listening "$1/$2.log" && exit; sleep 0.2; done; '
                       'cat "$1/$2.log" >&2; exit 1', "sh", cls.keys, name, stdin=config)
        cls.repo.write_hosts(cls.add_hosts)

    @classmethod
    def add_hosts(cls, hosts):
        turnip = hosts["turnip_plain"]
        for name, port in cls.ports.items():
            options = {**turnip["ssh_options"], "port": port, "host_key_policy": "accept-new"}
            secret = name in ("password", "prompts", "keypass", "keyprompt")
            if name in ("password", "prompts"):
                options["identity_files"] = []
            hosts[f"odd_{name}"] = {"ne": "odd", "board": name, "ip": "127.0.0.1", "hop": MACHINE, "labs": turnip["labs"],
                                    "creds": {"otto": lab().environment["PASSWORD"] if secret else None}, "ssh_options": options}

    def assert_works(self, name):
        host, folder = f"odd_{name}", f"/tmp/otto-sshds-{name}-{os.getpid()}"
        outcome = self.repo.text("host", host, "run", "cd /usr", "pwd; echo err >&2; id -un")
        self.assertEqual((outcome.code, outcome.out), (0, "/usr\notto\n"), outcome.err)
        self.assertEqual(outcome.err.splitlines()[-1], "err")
        self.assertEqual(self.repo.text("host", host, "oneshot", "exit 7").code, 7)
        source, back = os.path.join(self.repo.folder, name), os.path.join(self.repo.folder, name + "-back")
        os.makedirs(os.path.join(source, "deep"))
        content = os.urandom(300_000)
        with open(os.path.join(source, "deep", "bytes"), "wb") as file:
            file.write(content)
        self.repo.done("host", host, "put", source, folder)
        self.repo.done("host", host, "get", folder, back)
        with open(os.path.join(back, "deep", "bytes"), "rb") as file:
            self.assertTrue(file.read() == content)
        self.repo.done("host", host, "oneshot", f"rm -r {folder}")
        self.assertNotIn("noise", outcome.out + outcome.err)

    def test_a_password_alone(self):
        self.assert_works("password")

    def test_the_prompts_of_pam(self):
        self.assert_works("prompts")

    def test_a_host_key_of_rsa_alone(self):
        self.assert_works("rsa")
        with open(self.repo.known_hosts, encoding="utf-8") as file:
            self.assertIn(f"[127.0.0.1]:{self.ports['rsa']} ssh-rsa ", file.read())

    def test_two_sessions(self):
        self.assert_works("two")

    def test_a_wrapper_that_makes_noise(self):
        self.assert_works("noisy")

    def test_a_key_and_then_a_password(self):
        self.assert_works("keypass")

    def test_a_key_and_then_the_prompts_of_pam(self):
        self.assert_works("keyprompt")

    def test_one_session_a_connection(self):
        self.assert_works("single")

    def test_sessions_and_overdue_commands_where_few_sessions_are_allowed(self):
        for host, sleep in (("odd_two", "615.1"), ("odd_single", "616.1")):
            session_probe.assert_works(self, self.repo, host, sleep)
            session_probe.assert_ended(MACHINE, sleep)

    def test_no_session_is_too_few_and_said_to_be(self):
        self.assert_error(self.repo.otto("host", "odd_none", "run", "true"), 1, "remote_failed", "0 session", hint="MaxSessions")


if __name__ == "__main__":
    harness.main()
