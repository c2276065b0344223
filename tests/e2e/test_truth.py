#!/usr/bin/env python3
"""The tag tells the truth: whatever is edited, raced, killed or cut, an image holds what its tag's hash says."""

import os
import shutil
import signal
import threading
import time

import harness
from harness import await_true

WHOLE = "FROM otto-lab/base:1\nCOPY . /ctx/\n"


class Truth(harness.Test):
    """One image `whole` that holds all of its context, so that a hash can be taken again from what the image holds."""
    name = "truth"

    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own(cls.name)
        cls.repo.only_image("whole", WHOLE)

    def rehashed(self, tag):
        """The hash of what an image holds, taken by an otto that has never seen anything else."""
        other = self.repo.clone("rehash")
        try:
            shutil.rmtree(other.path("api"))
            other.parent.tree_in_image(f"{self.repo.name}-whole:{tag}", "/ctx", other.path("api"))
            return other.hash("whole")
        finally:
            shutil.rmtree(other.folder)

    def assert_true_tags(self, *known):
        """Every tag made since `known` holds exactly what it says."""
        made = set(self.repo.images("whole")) - {"latest"} - set(known)
        for tag in made:
            self.assertEqual(self.rehashed(tag), tag)
        return made

    def content(self, tag, name):
        return self.repo.parent.file_in_image(f"{self.repo.name}-whole:{tag}", "/ctx/" + name)


class Edits(Truth):
    def test_an_edit_that_keeps_size_and_mtime_is_built(self):
        path = self.repo.path("api/src/www/style/print.css")
        old = self.repo.build().image("whole")
        before, text = os.stat(path), self.repo.read("api/src/www/style/print.css")
        self.repo.write("api/src/www/style/print.css", text[:-2] + chr(ord(text[-2]) ^ 1) + text[-1])
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        after = os.stat(path)
        self.assertEqual((after.st_size, after.st_mtime_ns), (before.st_size, before.st_mtime_ns))
        outcome = self.repo.build()
        new = outcome.image("whole")
        self.assertEqual((new["status"], outcome.reasons("whole")), ("built", [("file-changed", "src/www/style/print.css")]))
        self.assertNotEqual(new["hash"], old["hash"])
        self.assertEqual(self.content(old["hash"], "src/www/style/print.css"), text)
        self.assertEqual(self.content(new["hash"], "src/www/style/print.css"), self.repo.read("api/src/www/style/print.css"))
        self.assert_true_tags()

    def test_an_edit_reverted_is_the_old_image_again(self):
        text = self.repo.read("api/src/www/index.html")
        old = self.repo.up().image("whole")
        self.repo.append("api/src/www/index.html", "<p>soon gone</p>\n")
        new = self.repo.up()
        self.assertEqual((new.statuses(), new.actions()), ({"whole": "built"}, {"app": "recreated"}))
        images = self.repo.images("whole")
        self.repo.write("api/src/www/index.html", text)
        since = self.repo.parent.clock()
        back = self.repo.up()
        self.assertEqual((back.statuses(), back.actions()), ({"whole": "cached"}, {"app": "recreated"}))
        self.assertEqual((back.image("whole")["tag"], back.image("whole")["image_id"]), (old["tag"], old["image_id"]))
        self.assertEqual({tag: each for tag, each in self.repo.images("whole").items() if tag != "latest"},
                         {tag: each for tag, each in images.items() if tag != "latest"})
        container = self.repo.containers()["app"]
        self.assertEqual((container.image, container.image_id, container.status), (old["tag"], old["image_id"], "running"))
        self.assertEqual(self.repo.parent.docker("exec", container.id, "cat", "/ctx/src/www/index.html"), text)
        self.assertEqual([event for event in self.repo.parent.events(since, self.repo.project, self.repo.repositories)
                          if "image" in event.split()[0] and "delete" in event], [])

    def test_a_permission_bit_is_content(self):
        old = self.repo.build().image("whole")["hash"]
        os.chmod(self.repo.path("api/src/lib/text.sh"), 0o755)
        self.addCleanup(os.chmod, self.repo.path("api/src/lib/text.sh"), 0o644)
        outcome = self.repo.build()
        self.assertEqual(outcome.reasons("whole"), [("mode-changed", "src/lib/text.sh")])
        self.assertNotEqual(outcome.image("whole")["hash"], old)
        self.assert_true_tags(old)

    def test_a_stage_edited_by_hand_is_repaired(self):
        name = "src/www/about.html"
        self.repo.build()
        staged = self.repo.staged(name)
        self.repo.parent.sh('size=$(stat -c %s "$1"); touch -r "$1" /tmp/mtime; head -c "$size" /dev/zero | tr "\\0" X > "$1"; '
                            'touch -r /tmp/mtime "$1"; rm /tmp/mtime', staged)
        self.assertEqual(set(self.repo.parent.sh('cat "$1"', staged)), {"X"})
        self.repo.append("api/notes.txt", "another edit\n")
        outcome = self.repo.build()
        self.assertEqual(self.content(outcome.image("whole")["hash"], name), self.repo.read("api/" + name))
        self.assertEqual(self.rehashed(outcome.image("whole")["hash"]), self.repo.hash("whole"))
        self.assertEqual(self.repo.parent.sh('cat "$1"', self.repo.staged(name)), self.repo.read("api/" + name))

    def test_a_file_added_to_the_stage_by_hand_is_not_built(self):
        self.repo.build()
        folder = os.path.dirname(self.repo.staged("src/www/robots.txt"))
        self.repo.parent.sh('echo stray > "$1/stray.txt" && chown otto: "$1/stray.txt"', folder)
        self.repo.append("api/notes.txt", "and another\n")
        self.assertEqual(self.rehashed(self.repo.build().image("whole")["hash"]), self.repo.hash("whole"))


    def test_another_builder_chosen_on_the_parent_is_not_used(self):
        as_otto = 'su otto -c "$1"'
        self.addCleanup(self.repo.parent.sh, as_otto, "docker buildx rm elsewhere")
        self.repo.parent.sh(as_otto, "docker buildx create --name elsewhere --driver docker-container --use")
        self.repo.append("api/notes.txt", "for any builder\n")
        self.assertEqual(self.repo.build().statuses(), {"whole": "built"})


class Saved(Truth):
    """What need not travel does not, and what does not fit is told."""

    def binary(self, name, content):
        with open(self.repo.path("api/src/" + name), "wb") as file:
            file.write(content)
        self.addCleanup(lambda: os.path.exists(self.repo.path("api/src/" + name)) and os.remove(self.repo.path("api/src/" + name)))

    def test_renamed_copied_and_large_edited_files_do_not_travel(self):
        big, small = os.urandom(3_000_000), os.urandom(400_000)
        self.binary("big.bin", big)
        self.binary("data.bin", small)
        known = self.repo.images("whole")
        self.repo.build()
        shutil.rmtree(self.repo.state)  # chunk lists are the parent's
        os.remove(self.repo.path("api/src/data.bin"))
        self.binary("www/moved.bin", small)
        self.binary("copy.bin", small)
        self.binary("big.bin", big[:1_500_000] + b"inserted" + big[1_500_000:] + b"appended")
        outcome, sent = self.repo.sent("docker", "build")
        self.assertLess(sent, 150_000)
        self.assertLess(outcome.image("whole")["uploaded_bytes"], 64_000)
        self.assertEqual(outcome.image("whole")["hash"], self.repo.hash("whole"))
        self.assertEqual(len(self.assert_true_tags(*known)), 2)

    def test_a_full_disk_is_told_and_the_next_build_converges(self):
        self.repo.parent.sh('mkdir -p /home/otto/small && mount -t tmpfs -o "size=6m,mode=0700,uid=$(id -u otto)" small /home/otto/small')
        self.addCleanup(self.repo.parent.sh, "umount /home/otto/small")
        self.addCleanup(self.repo.write_hosts)
        self.repo.write_hosts(lambda hosts: hosts["pepper_seed"].update(stage_dir="/home/otto/small/stages"))
        half = os.urandom(4_000_000)
        self.binary("half.bin", half)
        self.repo.build()
        known = self.repo.images("whole")
        self.binary("more.bin", os.urandom(4_000_000))
        outcome = self.repo.otto("docker", "build")
        self.assertEqual((outcome.code, outcome.statuses()), (1, {"whole": "failed"}), outcome.err)
        self.assertIn("No space left on device", outcome.err)
        self.assertIn("stage_dir", outcome.err)
        self.assertLess(len(outcome.err.splitlines()), 12, outcome.err)
        left = int(self.repo.parent.sh("du -sk /home/otto/small").split()[0])
        self.assertLess(left, 4_500, "what was half written is gone")
        self.assertEqual(self.repo.images("whole"), known)
        os.remove(self.repo.path("api/src/more.bin"))
        self.binary("half.bin", half + b"no room to put it together beside the old one")
        self.assertEqual(self.repo.build().statuses(), {"whole": "built"})
        self.assert_true_tags(*known)


class Races(Truth):
    name = "races"

    def setUp(self):
        self.repo.build()
        self.addCleanup(harness.lab().link, self.repo.link, "--rate", "0")

    def big(self, name, size=1_500_000):
        with open(self.repo.path("api/src/" + name), "wb") as file:
            file.write(os.urandom(size))
        self.addCleanup(os.remove, self.repo.path("api/src/" + name))

    def await_upload(self):
        """Until file contents are on their way: more was sent than any handshake or question takes."""
        await_true("the upload runs", lambda: harness.lab().link(self.repo.link)["up_bytes"] > 200_000)

    def race(self, keep_times):
        """A build over a slow link while a file that is packed late is written again and again."""
        late = self.repo.path("api/src/www/zz_late.txt")
        ended = threading.Event()

        def write_on():
            for number in range(100_000):
                if ended.is_set():
                    return
                with open(late + ".tmp", "w", encoding="utf-8") as file:
                    file.write(f"version {number:06}\n")
                if keep_times:
                    os.utime(late + ".tmp", ns=(10**18, 10**18))
                os.replace(late + ".tmp", late)
                ended.wait(0.1)

        self.big("aa_big.bin")
        harness.lab().link(self.repo.link, "--clear", "--rate", "8mbit")
        writer = threading.Thread(target=write_on)
        process = self.repo.start("docker", "build", "--format", "json")
        try:
            writer.start()
            self.await_upload()
        finally:
            ended.set()
            writer.join()
        return self.repo.finish(process)

    def assert_race_converges(self, outcome):
        self.assertNotIn("was repaired", outcome.err, "it was otto's own upload that was cut")
        if outcome.code != 0:  # the writer was faster than three readings
            self.assertEqual((outcome.code, outcome.json.get("error", {}).get("code")), (1, "inputs_changed"), outcome.err)
        final = self.repo.build().image("whole")
        self.assertEqual(final["hash"], self.repo.hash("whole"))
        made = self.assert_true_tags()
        self.assertIn(final["hash"], made)
        self.assertEqual(self.content(final["hash"], "src/www/zz_late.txt"), self.repo.read("api/src/www/zz_late.txt"))

    def test_a_file_edited_while_the_upload_runs(self):
        self.assert_race_converges(self.race(keep_times=False))

    def test_a_file_edited_while_the_upload_runs_size_and_mtime_kept(self):
        self.assert_race_converges(self.race(keep_times=True))

    def test_two_checkouts_at_once_do_not_mix(self):
        other = self.repo.clone("races-other")
        self.addCleanup(shutil.rmtree, other.folder)
        mine, theirs = self.repo, other
        for number in range(20):
            mine.write(f"api/src/www/page{number}.txt", f"mine {number}\n")
            theirs.write(f"api/src/www/page{number}.txt", f"their {number}\n")
            self.addCleanup(os.remove, mine.path(f"api/src/www/page{number}.txt"))
        self.assertNotEqual(mine.hash("whole"), theirs.hash("whole"))
        running = [(each, each.start("docker", "up", "--format", "json")) for each in (mine, theirs)]
        outcomes = [(each, each.finish(process)) for each, process in running]
        for each, outcome in outcomes:
            self.assertEqual(outcome.code, 0, outcome.out + outcome.err)
            self.assertEqual(outcome.image("whole")["hash"], each.hash("whole"))
            self.assertEqual(self.content(outcome.image("whole")["hash"], "src/www/page7.txt"),
                             each.read("api/src/www/page7.txt"))
        self.assert_true_tags()
        self.assertIn(self.repo.containers()["app"].image, [outcome.image("whole")["tag"] for _, outcome in outcomes])

    def test_killed_during_the_upload(self):
        self.big("killed.bin")
        tags = self.repo.images("whole")
        harness.lab().link(self.repo.link, "--clear", "--rate", "8mbit")
        process = self.repo.start("docker", "build")
        self.await_upload()
        process.send_signal(signal.SIGKILL)
        self.assertEqual(self.repo.finish(process).code, -signal.SIGKILL)
        self.assertEqual(self.repo.images("whole"), tags)
        harness.lab().link(self.repo.link, "--rate", "0")
        outcome = self.repo.build()
        self.assertEqual(outcome.statuses(), {"whole": "built"})
        self.assertEqual(self.assert_true_tags(*tags), {self.repo.hash("whole")})

    def test_a_connection_cut_during_the_upload(self):
        self.big("cut.bin")
        tags = self.repo.images("whole")
        harness.lab().link(self.repo.link, "--clear", "--cut-after", "700000")
        outcome = self.repo.otto("docker", "build")
        harness.lab().link(self.repo.link, "--cut-after", "-1")
        self.assert_error(outcome, 1, "connection_lost", "connection lost", hint="run the command again")
        self.assertRegex(outcome.error()["message"], "leek_gate|pepper_seed")
        self.assertLess(outcome.seconds, 30)
        self.assertEqual(self.repo.images("whole"), tags)
        self.assertEqual(self.repo.build().statuses(), {"whole": "built"})
        self.assertEqual(self.assert_true_tags(*tags), {self.repo.hash("whole")})


class Killed(Truth):
    """What is left on the parent of an otto that ends in the middle of a build."""
    name = "killed"

    def interrupted(self, number, how):
        """Ends otto while the engine builds; gives its outcome and the seconds until the build's process was gone."""
        sleep = f"sleep 20.{number}"
        self.repo.write("docker/whole.Dockerfile", WHOLE + f"RUN {sleep}\n")
        tag = self.repo.hash("whole")
        process = self.repo.start("docker", "build")
        await_true("the build runs", lambda: harness.lab().processes("pepper_seed", f"^{sleep}"))
        ended = harness.lab().watch_end("pepper_seed", sleep)
        at = time.time()
        process.send_signal(how)
        outcome = self.repo.finish(process)
        self.assertLess(ended() - at, 2.0)
        self.assertNotIn(tag, self.repo.images("whole"))
        await_true("no client is left",
                   lambda: not harness.lab().processes("pepper_seed", "docker.*build.*/killed-"))
        return outcome

    def assert_converges(self, number):
        self.repo.write("docker/whole.Dockerfile", WHOLE + f"RUN sleep 0.{number}\n")
        self.assertEqual(self.repo.build().statuses(), {"whole": "built"})
        self.assertEqual(self.rehashed(self.repo.hash("whole")), self.repo.hash("whole"))

    def test_killed_during_the_build(self):
        self.assertEqual(self.interrupted("041", signal.SIGKILL).code, -signal.SIGKILL)
        self.assert_converges("041")

    def test_interrupted_during_the_build(self):
        outcome = self.interrupted("042", signal.SIGINT)
        self.assertEqual(outcome.code, 130, outcome.err)
        self.assertIn("interrupted", outcome.err)
        self.assert_converges("042")

    def test_terminated_during_the_build(self):
        self.interrupted("043", signal.SIGTERM)
        self.assert_converges("043")


if __name__ == "__main__":
    harness.main()
