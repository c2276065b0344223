#!/usr/bin/env python3
"""Compose stacks on a real engine: images that the compose file builds; orphans, replicas, early exits, waiting."""

import os

import compose_stack
import harness
from compose_stack import SLEEP

BUILDS = f"""services:
  web:
    build: {{context: ./web, dockerfile: Containerfile, target: prod, args: {{COLOUR: "${{COLOUR:-red}}", BARE: }}}}
    command: [sleep, '100000']
    init: true
    stop_signal: SIGKILL
  named:
    build: named
    image: team/named:1.0
    command: [sleep, '100000']
    init: true
    stop_signal: SIGKILL
  same:
    image: team/named:1.0
    command: [sleep, '100000']
    init: true
    stop_signal: SIGKILL
  other:
{SLEEP}"""


class Stack(compose_stack.Stack):
    name = "steps"


class Builds(Stack):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.repo.parent.clear, self.repo.project, ["steps-web", "steps-named"])
        self.stack(BUILDS)
        for name, text in {"web/Containerfile": "FROM otto-lab/base:1 AS prod\nARG COLOUR\nARG BARE\nCOPY page /page\n"
                                                "RUN echo $COLOUR $BARE > /args\nFROM prod AS never\nRUN false\n",
                           "web/page": "one\n", "named/Dockerfile": "FROM steps-web\nCOPY file /file\n", "named/file": "1\n"}.items():
            self.repo.write(name, text)

    def test_a_build_section_is_an_image_of_the_repo(self):
        first = self.repo.done("docker", "up", BARE="bare")
        self.assertEqual(first.statuses(), {"web": "built", "named": "built"})
        before = self.repo.containers()
        for service, image in {"web": "web", "named": "named", "same": "named"}.items():
            self.assert_hash_tag(before[service].image, f"steps-{image}")
            self.assertEqual(before[service].image, first.image(image)["tag"])
        self.assertEqual(self.inside("web", "cat", "/page", "/args"), "one\nred bare\n")
        self.assertEqual(self.repo.containers(), before)
        again = self.repo.done("docker", "up", BARE="bare")
        self.assertEqual((again.statuses(), set(again.actions().values())), ({"web": "cached", "named": "cached"}, {"unchanged"}))
        self.repo.write("named/file", "2\n")
        outcome = self.repo.done("docker", "up", BARE="bare")
        self.assertEqual(outcome.statuses(), {"web": "cached", "named": "built"})
        self.assertEqual(outcome.reasons("named"), [("file-changed", "file")])
        self.assertEqual(outcome.actions(), {"web": "unchanged", "named": "recreated", "same": "recreated", "other": "unchanged"})
        outcome = self.repo.done("docker", "build", "named", BARE="bare", COLOUR="blue")
        self.assertEqual(outcome.reasons("web"), [("build-arg-changed", "COLOUR")])
        self.assertEqual(outcome.reasons("named"), [("upstream-changed", "web")])
        listed = self.repo.done("docker", "context", "web").json
        self.assertEqual([file["path"] for file in listed["files"]], ["Containerfile", "page"])
        self.repo.parent.clear(self.repo.project, [])
        self.assertEqual(set(self.repo.done("docker", "up", "--no-build").actions().values()), {"created"})
        self.assertEqual(self.inside("web", "cat", "/args"), "blue bare\n")

    def test_a_named_service_needs_its_own_images_only(self):
        self.repo.write("named/Dockerfile", "FROM steps-web\nRUN false\n")
        first = self.repo.done("docker", "up", "web")
        self.assertEqual((first.statuses(), first.actions()), ({"web": "built"}, {"web": "created"}))
        again = self.repo.done("docker", "up", "web")  # by what is remembered of the model
        self.assertEqual((again.statuses(), again.actions()), ({"web": "cached"}, {"web": "unchanged"}))
        self.assertEqual(self.repo.done("docker", "up", "--no-build", "web").actions(), {"web": "unchanged"})
        self.assertEqual(self.repo.done("docker", "up", "other").statuses(), {})
        self.assert_error(self.repo.otto("docker", "up", "--no-build", "same"), 1, "not_running",
                          "image 'named' of service 'same'", hint="otto docker up")  # never built, or removed since
        self.assertEqual(self.repo.otto("docker", "up", "same").code, 1)  # now the broken image counts
        self.repo.write("named/Dockerfile", "FROM steps-web\nCOPY file /file\n")
        self.assertEqual(self.repo.done("docker", "up", "same").statuses(), {"web": "cached", "named": "built"})
        self.assertEqual(set(self.repo.containers()), {"web", "other", "same"})
        self.repo.parent.clear(self.repo.project, ["steps-named"])
        self.assert_error(self.repo.otto("docker", "up", "--no-build", "same"), 1, "not_running",
                          "image 'named' of service 'same' is no more on pepper_seed", hint="otto docker up")

    def test_the_dockerfile_may_stand_in_the_compose_file(self):
        text = ("services:\n  web:\n    build:\n      context: web\n      dockerfile_inline: |\n        FROM otto-lab/base:1\n"
                "        COPY page /page\n        RUN echo ${COLOUR} $$HOME > /args\n"
                "    command: [sleep, '100000']\n    init: true\n    stop_signal: SIGKILL\n")
        self.stack(text)
        self.assertEqual(self.repo.done("docker", "up", COLOUR="red").statuses(), {"web": "built"})
        self.assertEqual(self.inside("web", "cat", "/page", "/args"), "one\nred /root\n")
        self.stack(text.replace("COPY page", "COPY --chmod=600 page"))
        again = self.repo.done("docker", "up", COLOUR="red")
        self.assertEqual(again.reasons("web"), [("dockerfile-changed", "compose.yml (dockerfile_inline of web)")])
        self.assertEqual(again.actions(), {"web": "recreated"})
        self.assertEqual(self.repo.done("docker", "up", COLOUR="red").actions(), {"web": "unchanged"})

    def test_what_cannot_be_built_is_refused_with_its_place(self):
        for section, words, hint in (("{context: 'https://example.com/x.git'}", "not on this machine", "clone it"),
                                     ("./nowhere", "does not exist", "relative paths"),
                                     ("{context: web, dockerfile: Missing}", "Missing' does not exist", "relative to the build context"),
                                     ("{context: web, dockerfile: Containerfile, ssh: [default]}", "'build.ssh'", "leave it out")):
            self.stack(f"services:\n  web:\n    build: {section}\n")
            outcome = self.repo.otto("docker", "up")
            self.assert_error(outcome, 2, "config", "compose.yml:3:", words, hint=hint)
            self.assertEqual(self.repo.otto("--list-hosts").code, 0)


class Read(Stack):
    """What Compose takes from the files that it is given, as Compose takes it."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self.repo.parent.clear, self.repo.project, ["steps-web"])

    def test_only_what_is_active_is_held_to_account(self):
        self.stack("services:\n  web:\n" + SLEEP + "  dev:\n" + SLEEP + "    profiles: [dev]\n    env_file: dev.env\n"
                   "secrets: {unused: {file: ./gone.txt}}\n")
        self.assertEqual(self.up().actions(), {"web": "created"})
        outcome = self.repo.otto("docker", "up", "dev")
        self.assert_error(outcome, 2, "config", "dev.env' does not exist")
        self.assert_error(self.repo.otto("docker", "up", COMPOSE_PROFILES="dev"), 2, "config", "dev.env' does not exist")
        self.repo.write("dev.env", "A=1\n")
        self.assertEqual(self.up("dev").actions(), {"dev": "created"})
        self.repo.write(".env", "COMPOSE_PROFILES=x,dev\n")
        self.assertEqual(self.up().actions(), {"web": "unchanged", "dev": "unchanged"})

    def test_links_stand_for_what_they_lead_to(self):
        self.repo.write("real/x.env", "K=1\n")
        self.repo.write("real/page", "one\n")
        for link, target in {"link.env": "real/x.env", "page": "real/page", "folder": "real"}.items():
            os.symlink(target, self.repo.path(link))
        self.stack("services:\n  web:\n" + SLEEP + "    env_file: link.env\n    volumes: ['./page:/page', './folder:/folder']\n")
        self.up()
        self.assertEqual(self.inside("web", "sh", "-c", "echo $K; cat /page /folder/page"), "1\none\none\n")
        self.repo.write("real/page", "two\n")
        self.assertEqual(self.up().actions(), {"web": "unchanged"})
        self.assertEqual(self.inside("web", "cat", "/page", "/folder/page"), "two\ntwo\n")

    def test_variables_that_the_parent_has_too_are_the_clients(self):
        self.stack("services:\n  web:\n" + SLEEP + "    environment: {H: '${HOME}', P: '${PATH}', U: '${UID}', N: '${COMPOSE_PROJECT_NAME}'}\n")
        self.up(HOME="/home/me", UID="4321")
        said = self.inside("web", "sh", "-c", 'echo "$H"; echo "$P"; echo "$U"; echo "$N"').split("\n")
        self.assertEqual(said[0:1] + said[2:4], ["/home/me", "4321", self.repo.project])
        self.assertEqual(said[1], self.repo.environment["PATH"])

    def test_secrets_of_a_build_are_in_nothing_that_stays(self):
        self.stack("services:\n  web:\n    build:\n      context: web\n      secrets: [token, {source: key, target: id}]\n      tags: ['steps-tagged:7']\n"
                   "    command: [sleep, '100000']\n    init: true\n    stop_signal: SIGKILL\n"
                   "secrets: {token: {environment: TOKEN}, key: {file: ./key.bin}}\n")
        self.repo.write("web/Dockerfile", "FROM otto-lab/base:1\nRUN --mount=type=secret,id=token --mount=type=secret,id=id "
                        "cat /run/secrets/token | wc -c > /sizes && cat /run/secrets/id | wc -c >> /sizes\n")
        with open(self.repo.path("key.bin"), "wb") as file:
            file.write(b"\0'\\%s\n\xff$")
        secret = "hush-" + "x" * 20
        self.assertEqual(self.repo.done("docker", "up", TOKEN=secret).statuses(), {"web": "built"})
        self.assertEqual(self.inside("web", "cat", "/sizes"), f"{len(secret)}\n8\n")
        self.assertEqual(self.repo.done("docker", "up", TOKEN="another").statuses(), {"web": "cached"}, "a secret is no input")
        self.assertIn("steps-tagged:7", self.repo.parent.docker("images", "--format", "{{.Repository}}:{{.Tag}}"))
        self.repo.parent.docker("rmi", "steps-tagged:7")
        with open(os.path.join(self.repo.state, "memo.db"), "rb") as file:
            self.assertNotIn(secret.encode(), file.read())
        self.assert_error(self.repo.otto("docker", "up"), 2, "config", "the secret 'token' needs the variable 'TOKEN'")


    def test_an_additional_context_takes_the_place_of_a_stage(self):
        idle = "    command: [sleep, '100000']\n    init: true\n    stop_signal: SIGKILL\n"
        self.addCleanup(self.repo.parent.clear, self.repo.project, ["steps-named"])
        self.stack("services:\n  web:\n    build: {context: web, additional_contexts: {deps: 'docker-image://steps-named'}}\n" + idle +
                   "  named:\n    build: named\n" + idle)
        self.repo.write("web/Dockerfile", "FROM otto-lab/base:1 AS deps\nRUN echo stage > /file\nFROM otto-lab/base:1\nCOPY --from=deps /file /file\n")
        self.repo.write("named/Dockerfile", "FROM otto-lab/base:1\nCOPY file /file\n")
        self.repo.write("named/file", "one\n")
        self.up()
        self.assertEqual(self.inside("web", "cat", "/file"), "one\n")
        self.repo.write("named/file", "two\n")
        self.assertEqual(self.up().reasons("web"), [("upstream-changed", "named")])
        self.assertEqual(self.inside("web", "cat", "/file"), "two\n")

    def test_a_file_that_is_read_and_mounted_counts(self):
        self.stack("services:\n  web:\n" + SLEEP + "    env_file: app.env\n    volumes: ['./app.env:/app.env']\n")
        self.repo.write("app.env", "K=1\n")
        self.up()
        self.repo.write("app.env", "K=2\n")
        self.assertEqual(self.up().actions(), {"web": "recreated"})
        self.assertEqual(self.inside("web", "sh", "-c", "echo $K; cat /app.env"), "2\nK=2\n")


class Ends(Stack):
    def test_orphans_are_told_and_removed_when_asked(self):
        far = ("far.yml", f"services:\n  far:\n{SLEEP}", "carrot_seed")
        self.stack(f"services:\n  kept:\n{SLEEP}  gone:\n{SLEEP}", far)
        self.addCleanup(harness.Parent("carrot_seed").clear, self.repo.project, [])
        self.up("--on", "pepper_seed")  # both files' services on one parent
        self.assertEqual(set(self.repo.containers()), {"kept", "gone", "far"})
        self.stack(f"services:\n  kept:\n{SLEEP}", far)
        before = self.repo.containers()
        outcome = self.up()
        self.assertIn("steps.gone; `otto docker up --remove-orphans` removes", outcome.err)
        self.assertNotIn("steps.far", outcome.err)
        self.assertEqual(self.repo.containers(), before)
        self.assertIn("would be removed: pepper_seed.steps.gone", self.up("--remove-orphans", "-n").err)
        self.assertEqual(self.repo.containers(), before)
        self.assertIn("removed: pepper_seed.steps.gone", self.up("--remove-orphans").err)
        del before["gone"]
        self.assertEqual(self.repo.containers(), before)
        self.assertNotIn("pepper_seed.steps.gone", self.repo.done("--list-hosts").out)

    def test_every_replica_is_a_host_and_counts(self):
        self.stack(f"services:\n  web:\n{SLEEP}    deploy: {{replicas: 3}}\n  two:\n{SLEEP}    scale: 2\n  none:\n{SLEEP}    scale: 0\n")
        self.up("--wait")
        hosts = {host["id"] for host in self.repo.done("--list-hosts").json["hosts"] if host["state"] == "running"}
        self.assertEqual(hosts, {f"pepper_seed.steps.{name}" for name in ("web", "web-2", "web-3", "two", "two-2")})
        second = self.all("web")[1]
        answer = self.repo.text("host", "pepper_seed.steps.web-2", "oneshot", "hostname")
        self.assertEqual(answer.out.strip(), second["Config"]["Hostname"])
        self.repo.parent.docker("rm", "-f", second["Id"])
        kept = [each["State"]["StartedAt"] for each in (self.all("web"))]
        outcome = self.repo.text("docker", "up")
        self.assertEqual(self.told(outcome.out)["web"], ("created", "2 of 3 containers exist"))
        now = self.all("web")
        self.assertEqual(len(now), 3)
        self.assertLessEqual(set(kept), {each["State"]["StartedAt"] for each in now})
        self.repo.parent.docker("stop", "-t", "0", now[2]["Id"])
        outcome = self.repo.text("docker", "up")
        self.assertEqual(self.told(outcome.out)["web"], ("started", "exited with code 137"))
        self.assertEqual([each["State"]["Status"] for each in self.all("web")], ["running"] * 3)
        self.stack(f"services:\n  web:\n{SLEEP}    scale: 1\n")
        self.up()
        self.assertEqual(len(self.all("web")), 1)

    def test_a_service_keeps_its_id_where_a_replica_of_another_would_have_it(self):
        self.stack(f"services:\n  web:\n{SLEEP}    scale: 2\n  web-2:\n{SLEEP}")
        self.assertIn("replica 2 of service 'web' is no host: 'pepper_seed.steps.web-2' is service 'web-2'", self.up().err)
        answer = self.repo.text("host", "pepper_seed.steps.web-2", "oneshot", "hostname")
        self.assertEqual(answer.out.strip(), self.all("web-2")[0]["Config"]["Hostname"])

    def test_what_exits_at_once_is_named_with_its_last_words(self):
        self.stack(f"services:\n  bad:\n    image: otto-lab/base:1\n    command: [sh, -c, 'echo first; echo no such table >&2; exit 7']\n"
                   f"  loop:\n    image: otto-lab/base:1\n    command: [sh, -c, 'echo waiting for db; exit 1']\n    restart: always\n"
                   f"  once:\n    image: otto-lab/base:1\n    command: ['true']\n  good:\n{SLEEP}")
        outcome = self.repo.otto("docker", "up")
        self.assert_error(outcome, 1, "compose_failed", "'bad' exited at once with code 7", "no such table", hint="otto docker up")
        self.assertNotIn("'once'", outcome.error()["message"])
        self.assertIn("'loop' ended at once and is restarted", outcome.err)
        self.assertEqual(self.repo.containers()["good"].status, "running")
        listed = {host["id"]: host["state"] for host in self.repo.done("--list-hosts").json["hosts"]}
        self.assertEqual(listed["pepper_seed.steps.bad"], "exited")

    def test_what_is_paused_or_restarting_is_left_alone_and_told(self):
        self.stack(f"services:\n  held:\n{SLEEP}  fine:\n{SLEEP}  loop:\n    image: otto-lab/base:1\n    restart: always\n"
                   "    command: [sh, -c, 'test -e /tmp/broken && exit 1; touch /tmp/broken; sleep 2; exit 1']\n")
        self.up()
        held, loop = self.all("held")[0]["Id"], self.all("loop")[0]["Id"]
        self.repo.parent.docker("pause", held)
        harness.await_true("the loop to wait for its next attempt", lambda: self.all("loop")[0]["State"]["Restarting"])
        for options in (["-n"], []):
            outcome = self.repo.text("docker", "up", *options)
            self.assertEqual(self.told(outcome.out)["held"], ("unchanged", "is paused"))
            self.assertIn(f"service 'held' is paused; on host 'pepper_seed' `docker unpause {held[:12]}` lets it go on", outcome.err)
            self.assertNotIn("nothing to do", outcome.out)
            self.assertNotIn("'fine'", outcome.err)
        harness.await_true("otto to tell of the loop", lambda: f"`docker logs {loop[:12]}` says why" in self.repo.text("docker", "up").err)
        for verb in ("oneshot", "run"):
            self.assert_error(self.repo.otto("host", "pepper_seed.steps.held", verb, "true"), 1, "not_running", "is paused", hint="docker unpause")
        self.assertEqual(self.all("held")[0]["State"]["Status"], "paused")
        self.repo.parent.docker("unpause", held)
        self.assertNotIn("'held'", self.repo.text("docker", "up").err)

    def test_wait_is_content_with_a_one_shot_and_not_with_a_failure(self):
        self.stack("services:\n  once:\n    image: otto-lab/base:1\n    command: [sleep, '1']\n    restart: 'no'\n"
                   f"  slow:\n{SLEEP}    healthcheck: {{test: [CMD-SHELL, 'test -e /tmp/ok || {{ touch /tmp/ok; exit 1; }}'], interval: 1s, retries: 9}}\n")
        self.up("--wait")
        state = self.all("slow")[0]["State"]
        self.assertEqual(state["Health"]["Status"], "healthy")
        harness.await_true("the one-shot to end", lambda: self.all("once")[0]["State"]["Status"] == "exited")
        self.assertEqual(self.up("--wait").actions(), {"once": "completed", "slow": "unchanged"})
        self.stack("services:\n  fails:\n    image: otto-lab/base:1\n    command: [sh, -c, 'sleep 5; echo too late; exit 3']\n"
                   "    healthcheck: {test: [CMD, 'false'], interval: 1s, retries: 99}\n")
        self.assert_error(self.repo.otto("docker", "up", "--wait"), 1, "compose_failed", "'fails' exited with code 3", "too late")

    def test_a_network_the_engine_lost_sight_of_is_asked_for_once_more(self):
        """What the engine does under load, told in its own words by a docker command that then lets everything through."""
        self.stack(f"services:\n  app:\n{SLEEP}")
        wrapper = ('#!/bin/sh\ncase " $* " in *" up "*) echo x >> /tmp/otto-ups; '
                   'if [ "$(wc -l < /tmp/otto-ups)" -le "$(cat /tmp/otto-failures)" ]; then '
                   'echo "Error response from daemon: failed to set up container networking: network otto-steps_default not found" >&2; '
                   'exit 1; fi ;; esac\nexec docker "$@"\n')
        self.repo.parent.sh("cat > /tmp/lossy-docker; chmod 755 /tmp/lossy-docker", stdin=wrapper)
        self.addCleanup(self.repo.write_hosts)
        self.repo.write_hosts(lambda hosts: hosts["pepper_seed"].update(docker_command=["/tmp/lossy-docker"]))
        self.repo.parent.sh("rm -f /tmp/otto-ups; echo 2 > /tmp/otto-failures")
        self.assert_error(self.repo.otto("docker", "up"), 1, "compose_failed", "network otto-steps_default not found")
        self.repo.parent.sh("rm -f /tmp/otto-ups; echo 1 > /tmp/otto-failures")
        outcome = self.up()
        self.assertEqual(outcome.actions(), {"app": "created"})
        self.assertIn("asked again", outcome.err)
        self.assertEqual(self.repo.parent.sh("wc -l < /tmp/otto-ups").strip(), "2")


if __name__ == "__main__":
    harness.main()
