#!/usr/bin/env python3
"""A host that OpenSSH's configuration has words for: what they say counts at once, and ssh is asked no more often than needed.

The configuration is /etc/ssh/ssh_config.d, for which each otto here has a folder of the test's, in a mount namespace of its own.
"""

import os
import shutil
import sqlite3
import subprocess

import harness

HOST = "carrot_seed"
IN_NAMESPACE = 'mount --bind "$0" /etc/ssh/ssh_config.d && exec "$@"'


class SshConfiguration(harness.Test):
    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own("sshwords")
        cls.words = os.path.join(cls.repo.folder, "ssh_config.d")
        os.mkdir(cls.words)
        cls.repo.launcher = ["unshare", "--mount", "sh", "-c", IN_NAMESPACE, cls.words]

        def by_alias(hosts):
            options = hosts[HOST]["ssh_options"]
            cls.port = options.pop("port")
            del options["use_ssh_config"]
            hosts[HOST].update(ip="carrot.alias")

        cls.repo.write_hosts(by_alias)

    def setUp(self):
        self.addCleanup(self.forget)
        self.configure(self.host(self.port))

    def forget(self):
        shutil.rmtree(self.repo.state, ignore_errors=True)

    @staticmethod
    def host(port):
        return f"Host carrot.alias\n  HostName 127.0.0.1\n  Port {port}\n"

    def configure(self, text):
        with open(os.path.join(self.words, "lab.conf"), "w", encoding="utf-8") as file:
            file.write(text)

    def memo(self, statement):
        connection = sqlite3.connect(os.path.join(self.repo.state, "memo.db"))
        try:
            with connection:
                return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def answers(self):
        return self.memo("SELECT answer FROM ssh_answer ORDER BY sequence")

    def assert_reached(self):
        outcome = self.repo.text("host", HOST, "run", "hostname")
        self.assertEqual((outcome.code, outcome.out), (0, HOST + "\n"), outcome.err)

    def assert_not_reached(self, port):
        outcome = self.repo.text("host", HOST, "run", "hostname")
        self.assertEqual(outcome.code, 3, outcome.err)
        self.assertIn(f"(127.0.0.1:{port}): connection refused", outcome.err)

    def test_an_answer_is_used_again(self):
        self.assert_reached()
        [(answer,)] = self.answers()
        self.assertIn(f"port {self.port}\n", answer)
        self.assert_reached()
        self.assertEqual(self.answers(), [(answer,)])
        self.memo(f"UPDATE ssh_answer SET answer = replace(answer, 'port {self.port}', 'port 1')")
        self.assert_not_reached(1)  # so ssh was not asked

    def test_an_edit_counts_at_once(self):
        self.assert_reached()
        self.configure(self.host(1))
        self.assert_not_reached(1)
        self.configure(self.host(self.port))
        self.assert_reached()
        self.assertEqual(len(self.answers()), 2)

    def test_algorithms_are_those_of_the_configuration(self):
        for line in ("KexAlgorithms diffie-hellman-group14-sha256", "Ciphers aes256-ctr", "MACs -hmac-sha2-256*", "HostKeyAlgorithms ssh-ed25519,rsa-sha2-512"):
            self.configure(f"{self.host(self.port)}  {line}\n")
            self.assert_reached()
        for line, words in (("Ciphers aes128-cbc", "the server takes nothing of what otto offers for ciphers (aes128-cbc)"),
                            ("KexAlgorithms diffie-hellman-group14-sha1", "for key exchange (diffie-hellman-group14-sha1) or host keys (ssh-ed25519,"),
                            ("KexAlgorithms sntrup761x25519-sha512@openssh.com", "of KexAlgorithms in the ssh configuration (sntrup761x25519-sha512@openssh.com)")):
            self.configure(f"{self.host(self.port)}  {line}\n")
            outcome = self.repo.text("host", HOST, "run", "hostname")
            self.assertIn(words, outcome.err)
            self.assertNotIn("known_hosts", outcome.err)

    def test_a_lost_memo_is_no_loss(self):
        self.assert_reached()
        self.forget()
        self.assert_reached()
        self.assertEqual(len(self.answers()), 1)

    def test_a_command_of_match_is_run_each_time(self):
        flag = os.path.join(self.repo.folder, "elsewhere")
        self.configure(f"Match host carrot.alias exec \"test -e '{flag}'\"\n  Port 1\n{self.host(self.port)}")
        self.assert_reached()
        with open(flag, "w", encoding="utf-8"):
            self.addCleanup(os.remove, flag)
        self.assert_not_reached(1)
        self.assertFalse(os.path.exists(self.repo.state), "nothing is to be kept")

    def test_revoked_host_keys_are_refused(self):
        scanned = subprocess.run(["ssh-keyscan", "-p", str(self.port), "127.0.0.1"], capture_output=True, text=True, check=True).stdout
        keys = "".join(line.split(" ", 1)[1] + "\n" for line in scanned.splitlines() if not line.startswith("#"))
        self.assertIn("ssh-", keys)
        revoked = os.path.join(self.words, "revoked")
        for content, words in ((keys, "is revoked"), ("SSHKRL\n\0", "binary list"), (None, "cannot be read"), ("# none\n", None)):
            if content is not None:
                with open(revoked, "w", encoding="utf-8") as file:
                    file.write(content)
            elif os.path.exists(revoked):
                os.remove(revoked)
            self.configure(self.host(self.port) + f"  RevokedHostKeys {revoked}\n")
            if words is None:
                self.assert_reached()
                continue
            outcome = self.repo.text("host", HOST, "run", "hostname")
            self.assertEqual(outcome.code, 3, outcome.err)
            self.assertIn(words, outcome.err)

    def test_the_local_end_counts(self):
        for words, said in (("BindAddress 192.0.2.1", "cannot connect from BindAddress '192.0.2.1'"), ("AddressFamily inet6", "127.0.0.1")):
            self.configure(self.host(self.port) + f"  {words}\n")
            outcome = self.repo.text("host", HOST, "run", "hostname")
            self.assertNotEqual(outcome.code, 0, words)
            self.assertIn(said, outcome.err)
        self.configure(self.host(self.port) + "  BindAddress 127.0.0.1\n  AddressFamily inet\n")
        self.assert_reached()

    def test_a_mistake_is_told_as_ssh_tells_it(self):
        self.configure("Host carrot.alias\n  Prot 22\n")
        outcome = self.repo.text("host", HOST, "run", "hostname")
        self.assertEqual(outcome.code, 2, outcome.err)
        self.assertIn("lab.conf: line 2: Bad configuration option: prot", outcome.err)


if __name__ == "__main__":
    harness.main()
