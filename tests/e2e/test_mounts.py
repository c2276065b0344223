#!/usr/bin/env python3
"""Mounted trees: what containers wrote is theirs. otto writes what changed here since it last wrote it, in place, or says what is in
the way before it touches anything."""

import os
import shutil
import subprocess

import harness

SLEEP = "    image: otto-lab/base:1\n    command: [sleep, '100000']\n    init: true\n    stop_signal: SIGKILL\n"
SETTINGS = 'name = "mounts"\nlabs = ["${sutDir}/lab"]\ndefault_lab = "veggies"\n' \
           '[[docker.composes]]\npath = "${sutDir}/compose.yml"\ndefault_host = "pepper_seed"\n'
BOUND = f"services:\n  db:\n{SLEEP}    volumes: ['./data:/data']\n"


class Mounts(harness.Test):
    """Each test has its own compose file and directories; containers and stage go in between."""

    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own("mounts")
        cls.repo.write(".otto/settings.toml", SETTINGS)

    def setUp(self):
        self.addCleanup(self.clear)
        self.stack(BOUND)
        self.repo.write("data/seed", "seed\n")

    def clear(self):
        self.repo.parent.clear(self.repo.project, [])
        self.repo.parent.sh('chmod -R u+rwx /home/otto/.cache/otto/stages/"$1"-compose; rm -rf /home/otto/.cache/otto/stages/"$1"-compose',
                            self.repo.project, check=False)
        subprocess.run(["rm", "-rf", self.repo.path("data"), self.repo.path("conf"), self.outside("")], check=True)

    def stack(self, text):
        self.repo.write("compose.yml", text)

    def outside(self, name):
        return os.path.join(self.repo.folder, "beside", name)

    def write_outside(self, name, text):
        harness.write_file(self.outside(name), text.encode())

    def up(self):
        return self.repo.done("docker", "up")

    def inside(self, service, script):
        return self.repo.parent.docker("exec", self.repo.containers()[service].id, "sh", "-c", script)

    def refused(self, *words, hint):
        """An `up` that refuses to touch anything; nothing was changed."""
        before = self.tree()
        outcome = self.repo.otto("docker", "up")
        self.assert_error(outcome, 1, "io", *words, hint=hint)
        self.assertNotIn("free some space", outcome.err)
        self.assertLess(len(outcome.error()["message"].splitlines()), 4, outcome.err)
        self.assertEqual(self.tree(), before)
        return outcome

    def tree(self):
        return self.repo.parent.sh('cd /home/otto/.cache/otto/stages/"$1"-compose && find tree.* stamp -printf "%p %y %m %s %T@ %U\\n" | sort',
                                   self.repo.project)


class Places(Mounts):
    def test_a_path_outside_the_repo_moves_nothing(self):
        self.up()
        before = self.repo.containers()
        self.inside("db", "echo precious > /data/written")
        self.write_outside("outside.env", "O=1\n")
        self.write_outside("more/first", "1\n")
        self.stack(BOUND + f"  web:\n{SLEEP}    env_file: ../beside/outside.env\n    volumes: ['../beside/more:/more']\n")
        self.assertEqual(self.up().actions(), {"db": "unchanged", "web": "created"})
        self.assertEqual(self.repo.containers()["db"], before["db"])
        self.assertEqual(self.inside("web", "echo $O"), "1\n")
        self.inside("web", "echo mine > /more/written")
        self.repo.write("data/seed", "edited\n")
        self.write_outside("more/file", "m\n")
        self.assertEqual(self.up().actions(), {"db": "unchanged", "web": "unchanged"})
        self.assertEqual(self.inside("db", "cat /data/seed /data/written"), "edited\nprecious\n")
        self.assertEqual(self.inside("web", "cat /more/file /more/written"), "m\nmine\n")
        web = self.repo.containers()["web"]
        # One more, from higher up; and a container made by way of the link goes on after the engine has started it anew.
        self.stack(BOUND + f"  web:\n{SLEEP}    env_file: ../beside/outside.env\n    volumes: ['../beside/more:/more']\n"
                   f"  top:\n{SLEEP}    volumes: ['../../{os.path.basename(harness.lab().folder)}-far:/far', './data:/data']\n")
        self.assertEqual(self.up().actions(), {"db": "unchanged", "web": "unchanged", "top": "created"})
        self.assertEqual((self.repo.containers()["db"], self.repo.containers()["web"]), (before["db"], web))
        self.assertEqual(self.inside("top", "cat /data/written"), "precious\n")
        self.stack(BOUND + f"  top:\n{SLEEP}    volumes: ['./data:/data']\n")
        actions = self.up().actions()
        self.assertEqual(actions["db"], "unchanged")
        self.assertEqual(self.repo.containers()["db"], before["db"])
        self.repo.parent.docker("restart", "-t", "0", self.repo.containers()["top"].id, before["db"].id)
        self.assertEqual(self.inside("top", "cat /data/written"), "precious\n")
        self.assertEqual(self.inside("db", "cat /data/written"), "precious\n")

    def test_configs_secrets_and_includes_above_the_repo_count_and_travel(self):
        self.write_outside("site.conf", "site 1\n")
        self.write_outside("inc/more.yml", f"services:\n  more:\n{SLEEP}    env_file: [./more.env]\n    volumes: ['../../repo/data:/data']\n")
        self.write_outside("inc/more.env", "MORE=1\n")
        self.stack(f"include: [../beside/inc/more.yml]\n{BOUND}  conf:\n{SLEEP}    configs: [site]\n"
                   "configs:\n  site: {file: ../beside/site.conf}\n")
        self.up()
        self.assertEqual(self.inside("conf", "cat /site"), "site 1\n")
        self.assertEqual(self.inside("more", "echo $MORE; cat /data/seed"), "1\nseed\n")
        self.write_outside("site.conf", "site 2\n")
        self.assertEqual(self.up().actions(), {"db": "unchanged", "conf": "recreated", "more": "unchanged"})
        self.assertEqual(self.inside("conf", "cat /site"), "site 2\n")
        self.repo.replace("compose.yml", "configs: [site]", "configs: [site]\n    prots: []")
        outcome = self.repo.otto("docker", "up")
        self.assert_error(outcome, 1, "compose_failed", f"{self.repo.root}/compose.yml")

    def test_what_serves_no_longer_goes_but_for_what_containers_wrote(self):
        self.repo.write("data/more/file", "f\n")
        self.write_outside("env", "O=1\n")
        self.stack(f"services:\n  db:\n{SLEEP}    volumes: ['./data:/data', './conf:/conf']\n    env_file: ../beside/env\n")
        self.repo.write("conf/x", "x\n")
        self.up()
        self.inside("db", "echo mine > /data/written")
        self.stack(f"services:\n  db:\n{SLEEP}")
        self.up()
        left = self.repo.parent.sh('cd /home/otto/.cache/otto/stages/"$1"-compose && find tree.*/data tree.*/conf above ! -type d -printf "%P\\n"',
                                   self.repo.project, check=False).split()
        self.assertEqual(sorted(os.path.basename(path) for path in left), [".tree", "written"])


class InPlace(Mounts):
    def test_a_mode_alone_or_a_touch_keeps_what_the_container_wrote(self):
        self.up()
        self.inside("db", "echo by-container > /data/seed")
        os.utime(self.repo.path("data/seed"))
        self.up()
        self.assertEqual(self.inside("db", "cat /data/seed"), "by-container\n")
        os.chmod(self.repo.path("data/seed"), 0o600)
        os.chmod(self.repo.path("data"), 0o1777)
        self.assertEqual(self.up().actions(), {"db": "unchanged"})
        self.assertEqual(self.inside("db", "cat /data/seed; stat -c %a /data/seed /data"), "by-container\n600\n1777\n")
        self.repo.write("data/seed", "edited here\n")
        self.up()
        self.assertEqual(self.inside("db", "cat /data/seed; stat -c %a /data/seed"), "edited here\n600\n")

    def test_directories_have_their_modes(self):
        for name, mode in {"tmp": 0o1777, "priv": 0o700, "grp": 0o2775, "shut": 0o555}.items():
            self.repo.write(f"data/{name}/file", "f\n")
            os.chmod(self.repo.path(f"data/{name}"), mode)
        os.chmod(self.repo.path("data"), 0o711)
        self.up()
        ask = "stat -c %a /data /data/tmp /data/priv /data/grp /data/shut"
        self.assertEqual(self.inside("db", ask).split(), ["711", "1777", "700", "2775", "555"])
        os.chmod(self.repo.path("data/grp"), 0o755)
        self.up()
        self.assertEqual(self.inside("db", ask).split(), ["711", "1777", "700", "755", "555"])

    def test_read_only_files_and_directories_are_replaced(self):
        self.stack(f"services:\n  db:\n{SLEEP}    volumes: ['./data:/data', './conf/x:/etc/x:ro']\n    env_file: conf/a.env\n")
        self.repo.write("conf/x", "one\n")
        self.repo.write("conf/a.env", "K=1\n")
        self.repo.write("data/shut/file", "one\n")
        for name, mode in (("conf/x", 0o444), ("conf/a.env", 0o444), ("data/shut/file", 0o400), ("data/shut", 0o555)):
            os.chmod(self.repo.path(name), mode)
        self.up()
        inode = self.inside("db", "stat -c %i /etc/x")
        os.chmod(self.repo.path("data/shut"), 0o755)
        for name in ("conf/x", "data/shut/file", "conf/a.env"):
            os.chmod(self.repo.path(name), 0o644)
        self.repo.write("conf/x", "two, and longer\n")
        self.repo.write("data/shut/file", "two\n")
        self.repo.write("data/shut/more", "more\n")
        for name, mode in (("conf/x", 0o444), ("conf/a.env", 0o444), ("data/shut/file", 0o400), ("data/shut", 0o555)):
            os.chmod(self.repo.path(name), mode)
        self.assertEqual(self.up().actions(), {"db": "unchanged"})
        self.assertEqual(self.inside("db", "cat /etc/x /data/shut/file /data/shut/more; stat -c %i /etc/x"),
                         "two, and longer\ntwo\nmore\n" + inode)
        os.chmod(self.repo.path("conf/a.env"), 0o644)
        self.repo.write("conf/a.env", "K=2\n")
        os.chmod(self.repo.path("conf/a.env"), 0o444)
        self.assertEqual(self.up().actions(), {"db": "recreated"})
        self.assertEqual(self.inside("db", "echo $K"), "2\n")


class Obstacles(Mounts):
    def test_a_directory_with_the_containers_files_does_not_become_a_file(self):
        self.repo.write("data/w/mine", "m\n")
        self.up()
        self.inside("db", "echo t > /data/w/theirs")
        shutil.rmtree(self.repo.path("data/w"))
        self.repo.write("data/w", "now a file\n")
        self.repo.write("data/seed", "edited\n")
        self.refused("data/w/theirs", hint="Move those files away")
        self.inside("db", "rm /data/w/theirs")
        self.up()
        self.assertEqual(self.inside("db", "cat /data/w /data/seed"), "now a file\nedited\n")

    def test_a_file_that_the_container_made_where_a_directory_was(self):
        self.repo.write("data/w/mine", "m\n")
        self.up()
        self.inside("db", "rm -r /data/w; echo t > /data/w")
        self.repo.write("data/w/mine", "edited\n")
        self.refused("data/w is no directory any more", hint="Move those files away")
        self.inside("db", "rm /data/w")
        self.up()
        self.assertEqual(self.inside("db", "cat /data/w/mine"), "edited\n")

    def test_what_the_container_gave_away_is_named_when_it_must_change(self):
        self.repo.write("data/other", "o\n")
        self.up()
        self.inside("db", "chown 0:0 /data/seed")
        self.repo.write("data/other", "edited\n")
        self.up()  # it need not change
        self.repo.write("data/seed", "two\n")
        self.repo.write("data/other", "and this\n")
        self.refused("data/seed belongs to root", hint="chown")
        self.inside("db", "chown $(stat -c %u:%g /data/other) /data/seed; mkdir /data/made; chown 0:0 /data")
        self.up()  # both are there: their directory need not change
        self.assertEqual(self.inside("db", "cat /data/seed /data/other"), "two\nand this\n")
        self.repo.write("data/new", "n\n")
        self.refused("data belongs to root", hint="chown")

    def test_a_full_disk_says_so_and_nothing_is_touched(self):
        self.repo.parent.sh('mkdir -p /home/otto/small && mount -t tmpfs -o "size=3m,mode=0700,uid=$(id -u otto)" small /home/otto/small')
        self.addCleanup(self.repo.parent.sh, "umount /home/otto/small")
        self.addCleanup(self.repo.parent.clear, self.repo.project, [])
        self.addCleanup(self.repo.write_hosts)
        self.repo.write_hosts(lambda hosts: hosts["pepper_seed"].update(stage_dir="/home/otto/small/stages"))
        self.up()
        self.inside("db", "echo precious > /data/written")
        self.repo.write("data/seed", "edited\n")
        for number in range(50):
            harness.write_file(self.repo.path(f"data/big{number}"), os.urandom(160_000))
        outcome = self.repo.otto("docker", "up")
        self.assert_error(outcome, 1, "io", "No space left on device", hint="free some space")
        self.assertLess(len(outcome.err.splitlines()), 8, outcome.err)
        self.assertLess(int(self.repo.parent.sh("du -sk /home/otto/small").split()[0]), 400)
        self.assertEqual(self.inside("db", "cat /data/seed /data/written; ls /data"), "seed\nprecious\nseed\nwritten\n")
        for number in range(45):
            os.remove(self.repo.path(f"data/big{number}"))
        self.assertEqual(self.up().actions(), {"db": "unchanged"})
        self.assertEqual(self.inside("db", "cat /data/seed /data/written"), "edited\nprecious\n")


class CutOff(Mounts):
    def test_what_a_cut_command_had_begun_to_write_is_put_right_though_the_edit_was_taken_back(self):
        self.up()
        stage = f"/home/otto/.cache/otto/stages/{self.repo.project}-compose"
        self.repo.parent.sh('cd "$1" && mv stamp stamp.old && printf "data/seed\\0" > pending && chown otto: pending && echo half > "$(echo tree.*)/data/seed"', stage)
        self.assertEqual(self.up().actions(), {"db": "unchanged"})
        self.assertEqual(self.inside("db", "cat /data/seed"), "seed\n")
        self.inside("db", "echo theirs > /data/seed")
        self.up()
        self.assertEqual(self.inside("db", "cat /data/seed"), "theirs\n")


class OlderStages(Mounts):
    """A stage as otto left it when the nearest directory that held all paths was the tree, made here line by line."""

    LAYOUT = r"""set -e
dir=$1; shift; tree=$dir/tree.0a data=$dir/data.0a
install -d -o otto -m 0700 "${dir%/*/*/*}" "${dir%/*/*}" "${dir%/*}" "$dir" "$data"; mkdir -p "$tree"; : > "$data/lines"; cd "$tree"
for entry; do
  path=${entry%%=*}
  case $path in
  */) mkdir -p "$path"; printf '%s\001d\001\001\001\n' "${path%/}" >> "$data/lines" ;;
  *) mkdir -p "$(dirname "$path")"; printf '%s\n' "${entry#*=}" > "$path"
     printf '%s\001f\001644\001%s\001%s\n' "$path" "$(wc -c < "$path")" "$(sha256sum < "$path" | cut -d' ' -f1)" >> "$data/lines" ;;
  esac
done
LC_ALL=C sort "$data/lines" > "$data/manifest"; rm "$data/lines"; : > "$data/bumps"; : > "$data/listing"; : > "$dir/lock"
printf 'otto-stage 1\nin-place\n%s\ntree.0a\ndata.0a\n%s\nend\n' 0b "$(sha256sum < "$data/manifest" | cut -d' ' -f1)" > "$dir/stamp"
chown -R otto: "$dir"
"""

    def test_what_containers_wrote_there_stays_theirs(self):
        self.addCleanup(shutil.rmtree, self.repo.state, ignore_errors=True)  # it remembers where the repo lay
        self.write_outside("site.env", "S=1\n")
        web = f"  web:\n{SLEEP}    env_file: ../beside/site.env\n"
        self.stack(BOUND + web)
        stage = f"/home/otto/.cache/otto/stages/{self.repo.project}-compose"
        entries = ("beside/", "beside/site.env=S=1", "repo/", "repo/data/", "repo/data/seed=seed")
        self.repo.parent.sh(self.LAYOUT, stage, *entries, "repo/compose.yml=" + self.repo.read("compose.yml").rstrip("\n"))
        tree = f"{stage}/tree.0a"
        self.repo.parent.sh('cd "$1/repo" && docker compose -p "$2" up -d --quiet-pull 2>&1', tree, self.repo.project)
        self.inside("db", "echo precious > /data/written; echo theirs > /data/seed")
        self.up()
        self.assertEqual(self.mounted("db"), [f"{tree}/repo/data"])
        self.assertEqual(self.inside("db", "cat /data/seed /data/written"), "theirs\nprecious\n")
        self.repo.write("data/seed", "edited\n")
        self.write_outside("more.env", "M=1\n")
        self.stack(BOUND + web + f"  more:\n{SLEEP}    env_file: ../beside/more.env\n")
        self.assertEqual(self.up().actions(), {"db": "unchanged", "web": "unchanged", "more": "created"})
        self.assertEqual(self.inside("db", "cat /data/seed /data/written"), "edited\nprecious\n")
        shutil.rmtree(self.repo.state)  # where the repo lies there is the parent's to say, too
        self.assertEqual(set(self.up().actions().values()), {"unchanged"})
        self.assertEqual(self.mounted("db"), [f"{tree}/repo/data"])

    def mounted(self, service):
        sources = self.repo.parent.docker("inspect", "-f", "{{range .Mounts}}{{.Source}}\n{{end}}", self.repo.containers()[service].id)
        return sources.split()


if __name__ == "__main__":
    harness.main()
