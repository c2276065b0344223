#!/usr/bin/env python3
"""put and get: machines and containers, names and modes, merging, cuts, hostile archives, images without a shell."""

import hashlib
import io
import os
import pathlib
import signal
import stat
import subprocess
import tarfile

import harness
from harness import await_true, make_odd_tree, tree_of, write_file
from repo import OTTO
from screen import Screen

CONTAINER = "pepper_seed.moves.app"
MACHINE = "carrot_seed"
EVIL = "turnip_plain"
EVERYWHERE = (MACHINE, CONTAINER)
SHELL_LESS = "pepper_seed.moves.bare"


class Transfer(harness.Test):
    @classmethod
    def setUpClass(cls):
        fresh = "moves" not in harness.Test._repos
        cls.repo = cls.own("moves")
        if fresh:
            cls.set_up_stack()

    @classmethod
    def set_up_stack(cls):
        """Two services: one of busybox, one of an image that holds nothing but one static program."""
        repo = cls.repo
        os.makedirs(repo.path("bare"))
        repo.write("bare/say.c", '#include <stdio.h>\n#include <unistd.h>\nint main(int n, char** words) {\n'
                   '  if (n == 1) for (;;) pause();\n  for (int i = 1; i < n; ++i) printf("[%s]", words[i]);\n  return n;\n}\n')
        subprocess.run(["gcc", "-static", "-Os", "-o", repo.path("bare/say"), repo.path("bare/say.c")], check=True)
        os.remove(repo.path("bare/say.c"))
        repo.write("docker/app.Dockerfile", f"FROM {harness.lab().environment['BASE_IMAGE']}\nCMD [\"sleep\", \"100000\"]\n")
        repo.write("docker/bare.Dockerfile", "FROM scratch\nCOPY say /say\nCOPY data/ /data/\nCMD [\"/say\"]\n")
        repo.write("bare/data/inner/note.txt", "kept\n")
        images = "".join(f'[[docker.images]]\nname = "{name}"\ndockerfile = "${{sutDir}}/docker/{name}.Dockerfile"\n'
                         f'context = "${{sutDir}}/bare"\n' for name in ("app", "bare"))
        repo.write(".otto/settings.toml", f'name = "moves"\nlabs = ["${{sutDir}}/lab"]\ndefault_lab = "veggies"\n{images}'
                   '[[docker.composes]]\npath = "${sutDir}/compose.yml"\ndefault_host = "pepper_seed"\n')
        repo.write("compose.yml", "services:\n  app:\n    image: moves-app\n    init: true\n    stop_signal: SIGKILL\n"
                   "  bare:\n    image: moves-bare\n    stop_signal: SIGKILL\n    tmpfs: [/mem]\n")
        repo.repositories += ["moves-app", "moves-bare"]
        repo.up()

    def setUp(self):
        self.local = os.path.join(self.repo.folder, "local-" + self.id().split(".")[-1])
        os.makedirs(self.local)
        self.far = f"/tmp/{self.id().split('.')[-1]}-{os.getpid()}"
        self.addCleanup(subprocess.run, ["chmod", "-R", "u+rwx", self.local], check=False)

    def path(self, *names):
        return os.path.join(self.local, *names)

    def write(self, name, content=b"", mode=0o644):
        write_file(os.path.join(os.fsencode(self.local), os.fsencode(name)), content, mode)

    def host(self, id, *arguments, code=0, **more):
        outcome = self.repo.otto("host", id, *arguments, **more)
        self.assertEqual(outcome.code, code, outcome.out + outcome.err)
        return outcome

    def sh(self, id, script):
        return self.host(id, "oneshot", script).json["stdout"]


class Both(Transfer):
    def test_a_tree_goes_there_and_back_as_it_was(self):
        make_odd_tree(self.path("tree"))
        for id in EVERYWHERE:
            report = self.host(id, "put", self.path("tree"), self.far).json
            self.assertEqual((report["host_id"], report["files"]), (id, 13))
            self.host(id, "get", self.far, self.path("back-" + id))
            self.assertEqual(tree_of(self.path("back-" + id)), tree_of(self.path("tree")))
            self.assertEqual(self.sh(id, "ls -a /tmp | grep otto-put; true"), "")
        self.assertEqual([name for name in os.listdir(self.local) if "otto" in name], [])

    def test_one_file_and_what_dest_means(self):
        self.write("note", b"one\n", 0o751)
        self.write("other", b"two\n")
        for id in EVERYWHERE:
            self.sh(id, f"mkdir {self.far}")
            self.host(id, "put", self.path("note"), self.far)  # a directory that exists
            self.host(id, "put", self.path("note"), f"{self.far}/name")  # its own name
            self.host(id, "put", self.path("note"), f"{self.far}/new/")  # ends in /
            self.host(id, "put", self.path("note"), self.path("other"), f"{self.far}/both")  # several
            self.host(id, "put", self.path("other"), f"{self.far}/name")  # replaces
            self.assertEqual(self.sh(id, f"cd {self.far}; find . -type f | sort; cat name; stat -c %a note name both/other"),
                             "./both/note\n./both/other\n./name\n./new/note\n./note\ntwo\n751\n644\n644\n")
            back = self.path("back-" + id)
            self.host(id, "get", f"{self.far}/note", back)
            self.host(id, "get", f"{self.far}/note", f"{self.far}/both", back + "d")
            self.assertEqual(tree_of(back + "d"), {b"note": ("file", 0o751, b"one\n"), b"both": ("dir", 0o755),
                                                  b"both/note": ("file", 0o751, b"one\n"), b"both/other": ("file", 0o644, b"two\n")})
            with open(back, "rb") as file:
                self.assertEqual(file.read(), b"one\n")

    def test_what_is_fetched_runs_as_nobody_else(self):
        self.sh("carrot_seed", f"mkdir -p {self.far}/t && : > {self.far}/f && : > {self.far}/t/g && chmod 6755 {self.far}/f {self.far}/t/g")
        self.host("carrot_seed", "get", f"{self.far}/f", f"{self.far}/t", self.local + "/")
        self.host("carrot_seed", "get", f"{self.far}/f", self.path("alone"))
        for name in ("f", "t/g", "alone"):
            self.assertEqual(os.stat(self.path(name)).st_mode & 0o7777, 0o755, name)

    def test_merging_replaces_files_keeps_others_and_follows_no_link(self):
        self.write("tree/sub/new", b"new")
        self.write("tree/sub/old", b"changed")
        for id in EVERYWHERE:
            self.sh(id, f"mkdir -p {self.far}/tree/sub {self.far}-out; cd {self.far}; echo old > tree/sub/old; echo mine > tree/sub/mine;"
                    f"ln -s ../../../{self.far[5:]}-out tree/sub/kept")
            self.host(id, "put", self.path("tree"), self.far)
            self.assertEqual(self.sh(id, f"cd {self.far}/tree/sub; ls; cat old"), "kept\nmine\nnew\nold\nchanged")
            self.sh(id, f"rm -r {self.far}/tree/sub; ln -s {self.far}-out {self.far}/tree/sub")
            outcome = self.host(id, "put", self.path("tree"), self.far, code=1)
            self.assertIn("symbolic link", outcome.error()["message"])
            self.assertEqual(self.sh(id, f"ls -A {self.far}-out; ls -A {self.far}"), "tree\n")
            self.host(id, "put", self.path("tree") + "/.", f"{self.far}/contents")
            self.assertEqual(self.sh(id, f"ls {self.far}/contents"), "sub\n")

    def test_a_link_named_as_the_source_is_followed(self):
        self.write("real/file", b"x")
        os.symlink("real", self.path("link"))
        os.symlink("real/file", self.path("filelink"))
        for id in EVERYWHERE:
            self.host(id, "put", self.path("link"), self.path("filelink"), self.far + "/")
            self.sh(id, f"cd {self.far}; ln -s link again; ln -s filelink once")
            self.host(id, "get", f"{self.far}/again", f"{self.far}/once", self.path("back-" + id))
            self.assertEqual(tree_of(self.path("back-" + id)), {b"again": ("dir", 0o755), b"again/file": ("file", 0o644, b"x"),
                                                              b"once": ("file", 0o644, b"x")})

    def test_sparse_files_and_files_without_a_size(self):
        for id in EVERYWHERE:
            self.sh(id, f"dd if=/dev/zero of={self.far} bs=1 seek=300000000 count=1 2> /dev/null; echo end >> {self.far}")
            self.host(id, "get", self.far, self.path("sparse-" + id))
            facts = os.stat(self.path("sparse-" + id))
            self.assertEqual(facts.st_size, 300000005)
            if id == MACHINE:  # GNU tar is there
                self.assertLess(facts.st_blocks * 512, 10_000_000)
            self.sh(id, f"rm {self.far}")
            self.host(id, "get", "/proc/version", self.path("version-" + id))
            with open(self.path("version-" + id), encoding="utf-8") as file:
                self.assertIn("Linux version", file.read())

    def test_holes_stay_holes(self):
        """On the way, too: all hole, holes in the middle and at the end, alone and in a tree."""
        files = {"all": (0, ()), "middle": (200_000_000, ((0, b"begin"), (150_000_001, b"middle"))),
                 "ends": (200_000_000, ((100_000_000, b"x" * 5000), (199_999_990, b"0123456789")))}
        os.makedirs(self.path("tree"))
        for name, (size, pieces) in files.items():
            with open(self.path("tree", name), "wb") as file:
                file.truncate(size or 50_000_000)
                for at, content in pieces:
                    file.seek(at)
                    file.write(content)
        self.write("tree/plain", b"plain")
        digests = {name: hashlib.sha256(pathlib.Path(self.path("tree", name)).read_bytes()).hexdigest() for name in (*files, "plain")}
        for id in EVERYWHERE:
            self.host(id, "put", self.path("tree"), f"{self.far}/")
            for name in files:
                self.host(id, "put", self.path("tree", name), f"{self.far}/{name}-alone")
            told = self.sh(id, f"cd {self.far}; sha256sum tree/* *-alone; stat -c '%b %n' tree/* *-alone")
            lines = [line.split() for line in told.splitlines()]
            for first, name in lines[:7]:
                self.assertEqual(first, digests[os.path.basename(name).removesuffix("-alone")], (id, name))
            if id == MACHINE:  # GNU tar is there
                self.assertLess(sum(int(first) for first, name in lines[7:]) * 512, 1_000_000, lines)
            self.sh(id, f"rm -r {self.far}")

    def test_errors_come_before_anything_is_changed(self):
        self.write("note", b"x")
        for id in EVERYWHERE:
            for words, hint, arguments in (("cannot read", "check the path", ("put", self.path("absent"), self.far)),
                                           ("no directory", "mkdir -p", ("put", self.path("note"), "/nowhere/else/name")),
                                           ("No such file", "mkdir -p", ("put", self.path("note"), "/nowhere/else/")),
                                           ("not a directory", "", ("put", self.path("note"), "/etc/passwd/")),
                                           ("there is no", f"otto host {id} oneshot", ("get", "/nowhere/at/all", self.path("back"))),
                                           ("no directory", "mkdir -p", ("get", "/etc/passwd", self.path("absent", "back")))):
                outcome = self.host(id, *arguments, code=1)
                self.assertIn(words, outcome.error()["message"])
                self.assertIn(hint, outcome.error().get("hint", ""))
        self.assertEqual(os.listdir(self.local), ["note"])

    def test_what_cannot_be_read_is_named_and_the_rest_arrives(self):
        self.sh(MACHINE, f"mkdir {self.far}; echo x > {self.far}/fine; echo y > {self.far}/closed; chmod 0 {self.far}/closed")
        outcome = self.host(MACHINE, "get", self.far, self.path("back"), code=1)
        self.assertIn("closed", outcome.error()["message"])
        self.assertEqual(tree_of(self.path("back")), {b"fine": ("file", 0o644, b"x\n")})


class WrittenInPlace(Transfer):
    """What must not be replaced: devices, FIFOs, descriptors, mounted files, files in directories that are closed."""

    def setUp(self):
        super().setUp()
        self.write("note", b"noted\n")

    def test_get_writes_to_a_fifo_and_a_device(self):
        os.mkfifo(self.path("fifo"))
        os.symlink("/dev/null", self.path("null"))
        for id in EVERYWHERE:
            self.host(id, "put", self.path("note"), self.far)
            with subprocess.Popen(["cat", self.path("fifo")], stdout=subprocess.PIPE) as reader:
                self.host(id, "get", self.far, self.path("fifo"))
                self.assertEqual(reader.stdout.read(), b"noted\n")
            self.assertTrue(stat.S_ISFIFO(os.stat(self.path("fifo")).st_mode))
            self.host(id, "get", self.far, self.path("null"))
            self.assertEqual(os.readlink(self.path("null")), "/dev/null")
            self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))

    def test_get_waits_for_a_reader_and_can_be_interrupted(self):
        os.mkfifo(self.path("fifo"))
        process = self.repo.start("--progress", "plain", "host", MACHINE, "get", "/etc/passwd", self.path("fifo"))
        while "downloading" not in (line := process.stderr.readline()):
            self.assertNotEqual(line, "", "it has ended")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130)

    def test_get_writes_to_standard_output_as_it_was_opened(self):
        self.host(MACHINE, "put", self.path("note"), self.far)
        command = [*self.repo.launcher, OTTO, "-q", "host", MACHINE, "get", self.far, "/dev/stdout"]
        for mode, before in (("wb", b""), ("ab", b"first\n")):
            with open(self.path("out"), mode) as out:
                out.write(before)
                out.flush()
                subprocess.run(command, stdout=out, stderr=subprocess.PIPE, cwd=self.repo.root, check=True,
                               env={**self.repo.environment})
        self.assertEqual(pathlib.Path(self.path("out")).read_bytes(), b"noted\nfirst\nnoted\n")
        done = subprocess.run(command, capture_output=True, cwd=self.repo.root, check=True, env={**self.repo.environment})
        self.assertEqual(done.stdout, b"noted\n")
        self.assertTrue(os.path.islink("/dev/stdout"))

    def test_in_a_directory_get_replaces_no_device(self):
        self.host(MACHINE, "put", self.path("note"), self.far)
        os.makedirs(self.path("into"))
        os.mkfifo(self.path("into", os.path.basename(self.far)))
        outcome = self.host(MACHINE, "get", self.far, self.path("into"), code=1)
        self.assertIn("is not replaced", outcome.error()["message"])
        outcome = self.host(MACHINE, "get", "/etc", self.path("into", os.path.basename(self.far)), code=1)
        self.assertIn("a directory cannot be written", outcome.error()["message"])
        self.assertTrue(stat.S_ISFIFO(os.stat(self.path("into", os.path.basename(self.far))).st_mode))

    def test_put_writes_to_a_fifo_and_a_device(self):
        for id in EVERYWHERE:
            self.sh(id, f"mkdir {self.far}; cd {self.far}; mkfifo fifo note; (cat fifo > got) > /dev/null 2>&1 < /dev/null &")
            self.host(id, "put", self.path("note"), f"{self.far}/fifo")
            await_true("the reader has read", lambda: self.sh(id, f"cat {self.far}/got") == "noted\n")
            self.assertEqual(self.sh(id, f"test -p {self.far}/fifo && echo still"), "still\n")
            self.host(id, "put", self.path("note"), "/dev/null")
            self.assertEqual(self.sh(id, "test -c /dev/null && echo still"), "still\n")
            for sources in ((self.path("note"),), (self.path("note"), __file__)):
                outcome = self.host(id, "put", *sources, self.far, code=1)
                self.assertIn("is not replaced", outcome.error()["message"])
            self.assertEqual(self.sh(id, f"test -p {self.far}/note && echo still; ls /tmp/.otto* {self.far}/.otto* 2> /dev/null; true"),
                             "still\n")

    def test_put_writes_to_a_mounted_file(self):
        for name in ("hosts", "resolv.conf"):
            self.write("etc/" + name, b"127.0.0.1 localhost # " + name.encode() + b"\n")
        before = self.sh(CONTAINER, "stat -c %i /etc/hosts")
        self.host(CONTAINER, "put", self.path("etc", "hosts"), "/etc/hosts")
        self.assertIn("# hosts", self.sh(CONTAINER, "cat /etc/hosts"))
        self.host(CONTAINER, "put", self.path("etc") + "/.", "/etc")
        self.assertIn("# resolv.conf", self.sh(CONTAINER, "cat /etc/resolv.conf"))
        self.assertEqual(self.sh(CONTAINER, "stat -c %i /etc/hosts; ls -A /etc | grep otto; true"), before)

    def test_put_writes_to_a_file_in_a_closed_directory(self):
        self.sh(MACHINE, f"mkdir {self.far}; echo old > {self.far}/note; chmod 600 {self.far}/note; chmod 555 {self.far}")
        self.host(MACHINE, "put", self.path("note"), f"{self.far}/note")
        self.assertEqual(self.sh(MACHINE, f"cd {self.far}; cat note; stat -c %a note; ls -A"), "noted\n600\nnote\n")
        outcome = self.host(MACHINE, "put", self.path("note"), f"{self.far}/other", code=1)
        self.assertIn("Permission denied", outcome.error()["message"])
        self.sh(MACHINE, f"chmod 755 {self.far}")

    def test_files_whose_length_the_kernel_does_not_know(self):
        version = pathlib.Path("/proc/version").read_bytes()
        for id in EVERYWHERE:
            self.host(id, "get", "/proc/version", "/proc/filesystems", self.path("both-" + id))
            self.assertEqual(pathlib.Path(self.path("both-" + id, "version")).read_bytes(), version)
            self.assertIn(b"proc", pathlib.Path(self.path("both-" + id, "filesystems")).read_bytes())
            self.host(id, "get", "/sys/class/net/lo/statistics", self.path("lo-" + id))
            told = tree_of(self.path("lo-" + id))
            self.assertIn(b"rx_bytes", told)
            for name, facts in told.items():
                self.assertRegex(facts[2], rb"\A[0-9]+\n\Z", name)
            self.host(id, "put", "/proc/version", self.far)
            self.host(id, "put", "/sys/class/net/lo/statistics", "/proc/version", self.far + "-all/")
            self.assertEqual(self.sh(id, f"cat {self.far} {self.far}-all/version"), 2 * version.decode())
            self.assertRegex(self.sh(id, f"cat {self.far}-all/statistics/*"), r"\A([0-9]+\n)+\Z")
            self.assertEqual(self.sh(id, "ls -d /tmp/.otto-get* 2> /dev/null; true"), "")


class Cut(Transfer):
    """Nothing under a final name, and nothing left beside it."""

    def far_names(self, id, folder):
        machine = id.split(".")[0]
        if id == machine:
            return harness.lab().exec(machine, "sh", "-c", f"ls -A {folder}").split()
        return self.repo.parent.docker("exec", self.repo.containers()["app"].id, "ls", "-A", folder).split()

    def begin(self, id, *arguments):
        """A transfer that has begun and cannot end: the link is stalled half way. Gives otto."""
        harness.lab().link(self.repo.link, "--rate", "2M")
        self.addCleanup(harness.lab().link, self.repo.link, "--rate", "0")
        return self.repo.start("host", id, *arguments)

    def cut_put(self, id, how):
        self.write("big", os.urandom(30_000_000))
        self.write("tree/big", os.urandom(30_000_000))
        for name in ("big", "tree"):
            folder = f"{self.far}-{name}"
            self.sh(id, f"mkdir {folder}")
            process = self.begin(id, "put", self.path(name), folder)
            await_true("it has begun", lambda: self.far_names(id, folder))
            how(process)
            self.repo.finish(process)
            await_true("nothing is left", lambda: self.far_names(id, folder) == [], seconds=5)
            harness.lab().link(self.repo.link, "--rate", "0")

    def test_an_interrupted_put_leaves_nothing_on_a_machine(self):
        self.cut_put("pepper_seed", lambda process: process.send_signal(signal.SIGINT))

    def test_a_killed_put_leaves_nothing_on_a_machine(self):
        self.cut_put("pepper_seed", lambda process: process.kill())

    def test_a_killed_put_leaves_nothing_in_a_container(self):
        self.cut_put(CONTAINER, lambda process: process.kill())

    def test_a_lost_connection_leaves_nothing_in_a_container(self):
        self.cut_put(CONTAINER, lambda process: harness.lab().link(self.repo.link, "--cut"))

    def test_an_interrupted_get_leaves_nothing_here(self):
        self.sh("pepper_seed", f"mkdir {self.far}; head -c 30000000 /dev/urandom > {self.far}/big")
        for source in (self.far, f"{self.far}/big"):
            process = self.begin("pepper_seed", "get", source, self.path("back"))
            await_true("it has begun", lambda: os.listdir(self.local))
            process.send_signal(signal.SIGINT)
            self.assertEqual(self.repo.finish(process).code, 130)
            self.assertEqual(os.listdir(self.local), [])
            process = self.begin("pepper_seed", "get", source, self.path("back"))
            await_true("it has begun", lambda: os.listdir(self.local))
            harness.lab().link(self.repo.link, "--cut")
            self.assertEqual(self.repo.finish(process).code, 1)
            self.assertEqual(os.listdir(self.local), [])
            harness.lab().link(self.repo.link, "--rate", "0")


class Hostile(Transfer):
    """On a machine and as a user that no other test logs in to: what it does to the shell would meet them all."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self.repo.write_hosts)
        self.repo.write_hosts(lambda hosts: hosts[EVIL].update(creds={harness.lab().environment["NODOCKER_USER"]: None}))

    def evil(self, *members):
        """A get from a machine whose tar sends these members after the root of the source."""
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for name, kind, link in (("./", tarfile.DIRTYPE, ""), *members):
                member = tarfile.TarInfo(name)
                member.type, member.linkname, member.mode = kind, link, 0o755
                if kind == tarfile.REGTYPE:
                    member.size = 4
                archive.addfile(member, io.BytesIO(b"evil") if kind == tarfile.REGTYPE else None)
        self.write("evil.tar", stream.getvalue())
        self.host(EVIL, "put", self.path("evil.tar"), f"{self.far}/evil.tar")
        os.remove(self.path("evil.tar"))
        return self.repo.otto("host", EVIL, "get", "/etc/ssh", self.path("back"))

    def test_an_archive_cannot_write_outside_of_dest(self):
        self.write("target", b"mine")
        self.sh(EVIL, f"mkdir {self.far}; cd {self.far}; printf '#!/bin/sh\\ncat {self.far}/evil.tar\\n' > tar; chmod +x tar;"
                f"cp ~/.bashrc kept || : > kept; echo PATH={self.far}:$PATH > ~/.bashrc")
        self.addCleanup(self.sh, EVIL, f"cp {self.far}/kept ~/.bashrc")
        self.assertEqual(self.sh(EVIL, "command -v tar"), f"{self.far}/tar\n")
        file, link, hard = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
        self.assertEqual(self.evil(("./fine", file, "")).code, 0)  # it is believed as far as it is harmless
        self.assertEqual(sorted(os.listdir(self.local)), ["back", "target"])
        os.rename(self.path("back"), self.path("first"))
        for members in ([("../climbed", file, "")], [("./a/../../../climbed", file, "")],
                        [(self.path("absolute"), file, "")],
                        [("./out", link, self.local), ("./out/through", file, "")],
                        [("./out", link, ".."), ("./out/through", file, "")],
                        [("./stolen", hard, "../target")], [("./stolen", hard, self.path("target"))]):
            outcome = self.evil(*members)
            self.assertEqual(outcome.code, 1, (members, outcome.out))
            self.assertEqual(sorted(os.listdir(self.local)), ["first", "target"], members)


class WithoutShell(Transfer):
    def test_run_says_what_is_missing_and_what_works(self):
        outcome = self.host(SHELL_LESS, "run", "true", code=1)
        self.assertEqual(outcome.error()["code"], "unsupported")
        self.assertIn("has no shell", outcome.error()["message"])
        self.assertIn("put, get", outcome.error()["hint"])

    def test_a_terminal_is_refused_with_the_same_words(self):
        screen = Screen(self.repo)
        self.addCleanup(screen.close)
        screen.line(f"clear; {OTTO} host {SHELL_LESS} login; echo code=$?=")
        screen.sees("has no shell", "code=1=")

    def test_a_plain_program_runs(self):
        outcome = self.host(SHELL_LESS, "oneshot", "/say 'two words' \"it's\" x\\ y", code=4)
        self.assertEqual(outcome.json["stdout"], "[two words][it's][x y]")
        outcome = self.host(SHELL_LESS, "oneshot", "/say | cat", code=1)
        self.assertIn("'|'", outcome.error()["message"])

    def test_put_and_get_go_by_the_engine(self):
        self.write("tree/sub/file", b"x", 0o750)
        self.write("note", b"note\n", 0o640)
        os.symlink("sub/file", self.path("tree", "link"))
        self.host(SHELL_LESS, "put", self.path("tree"), "/data")
        self.host(SHELL_LESS, "put", self.path("note"), "/data/renamed")
        self.host(SHELL_LESS, "put", self.path("note"), "/data/")
        self.host(SHELL_LESS, "get", "/data/tree", self.path("back"))
        self.assertEqual(tree_of(self.path("back")), tree_of(self.path("tree")))
        self.host(SHELL_LESS, "get", "/data/renamed", "/data/inner", "/data/note", self.path("several"))
        self.assertEqual(tree_of(self.path("several")), {
            b"renamed": ("file", 0o640, b"note\n"), b"note": ("file", 0o640, b"note\n"),
            b"inner": ("dir", 0o755), b"inner/note.txt": ("file", 0o644, b"kept\n")})
        outcome = self.host(SHELL_LESS, "get", "/absent", self.path("absent"), code=1)
        self.assertIn("absent", outcome.error()["message"])
        outcome = self.host(SHELL_LESS, "put", self.path("note"), "/absent/", code=1)
        self.assertIn("not a directory", outcome.error()["message"])
        for dest in ("/mem/note", "/mem/", "/dev/shm/note", "mem/note", "//mem/x/../note"):
            outcome = self.host(SHELL_LESS, "put", self.path("note"), dest, code=1)
            self.assertIn("lies in a file system in memory", outcome.error()["message"])
        text = self.repo.text("host", SHELL_LESS, "oneshot", "/say alone")
        self.assertEqual(text.out, "[alone]", "the engine's words about a shell are not the command's")


if __name__ == "__main__":
    harness.main()
