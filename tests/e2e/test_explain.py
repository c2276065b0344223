#!/usr/bin/env python3
"""Why something was built, what is stale, what is needed no longer: explain, history, prune, graph."""

import os
import re
import shutil
import subprocess

import harness

EDITED = "api/src/www/about.html"


class Explain(harness.Test):
    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own("whys")
        cls.nothing = cls.repo.done("docker", "history").json, os.path.exists(cls.repo.state)
        cls.first = cls.repo.up()

    def explained(self, *arguments):
        return {image["name"]: image for image in self.repo.done("docker", "explain", *arguments).json["images"]}

    def test_history_before_any_build_creates_nothing(self):
        self.assertEqual(self.nothing, ({"builds": [], "services": []}, False))

    def test_explain_tells_the_last_build_and_what_is_stale(self):
        self.repo.up()
        images = self.explained()
        self.assertEqual(list(images), ["base", "api"])
        for image in images.values():
            self.assertEqual(set(image), {"name", "tag", "last_build", "now"})
            self.assertEqual(image["now"], {"status": "cached", "reasons": []})
            self.assertEqual(image["last_build"]["parent"], "pepper_seed")
            self.assertRegex(image["last_build"]["at"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
        self.assertEqual(images["base"]["last_build"]["reasons"], self.first.image("base")["reasons"])
        text = self.repo.read(EDITED)
        self.addCleanup(self.repo.write, EDITED, text)
        self.repo.append(EDITED, "<p>explained</p>\n")
        before = self.repo.images("api")
        stale = self.explained("api")
        self.assertEqual(list(stale), ["api"])
        self.assertEqual(stale["api"]["now"], {"status": "stale", "reasons": [
            {"kind": "file-changed", "subject": "src/www/about.html", "detail": ""}]})
        self.assertEqual(stale["api"]["last_build"], images["api"]["last_build"])
        self.assertEqual(self.repo.images("api"), before)
        self.assertEqual(self.repo.build().reasons("api"), [("file-changed", "src/www/about.html")])
        self.assertIn("  ~ file-changed src/www/about.html\n", self.repo.text("docker", "explain", "api").out)
        self.assertIn("nothing changed", self.repo.text("docker", "explain", "base").out)

    def test_lines_of_a_dockerfile_are_told_and_remembered(self):
        self.repo.build("--rebuild", "api")  # the parent's record is of what is on disk now
        dockerfile = self.repo.read("docker/api.Dockerfile")
        self.addCleanup(self.repo.write, "docker/api.Dockerfile", dockerfile)
        self.repo.write("docker/api.Dockerfile", dockerfile.replace("EXPOSE 8080", "EXPOSE 8081"))
        number = dockerfile.splitlines().index("EXPOSE 8080") + 1
        detail = f"- {number}: EXPOSE 8080\n+ {number}: EXPOSE 8081"
        reason = {"kind": "dockerfile-changed", "subject": "docker/api.Dockerfile", "detail": detail}
        self.assertEqual(self.explained("api")["api"]["now"]["reasons"], [reason])
        fresh = self.repo.clone("whys-fresh")  # whoever remembers nothing asks the parent
        self.assertEqual(fresh.done("docker", "explain", "api").json["images"][0]["now"]["reasons"], [reason])
        self.assertEqual(self.repo.build().image("api")["reasons"], [reason])
        self.assertIn(f"      + {number}: EXPOSE 8081\n", self.repo.text("docker", "history", "api", "--limit", "1").out)

    def test_history_is_newest_first_and_tells_what_was_found_there(self):
        self.repo.build()
        text = self.repo.read(EDITED)
        self.addCleanup(self.repo.write, EDITED, text)
        old = self.repo.tag("api")
        self.repo.append(EDITED, "<p>history</p>\n")
        new = self.repo.build().image("api")
        self.repo.write(EDITED, text)
        self.repo.build()
        builds = self.repo.done("docker", "history", "api").json["builds"]
        self.assertEqual([(build["tag"], build["status"]) for build in builds[:2]], [(old, "cached"), (new["tag"], "built")])
        self.assertEqual(set(builds[0]), {"at", "repo", "image", "parent", "status", "tag", "hash", "image_id", "reasons",
                                          "uploaded_bytes", "uploaded_files", "duration_ms"})
        for key in ("hash", "image_id", "reasons", "uploaded_bytes", "uploaded_files", "duration_ms"):
            self.assertEqual(builds[1][key], new[key])
        self.assertEqual(len(self.repo.done("docker", "history", "--limit", "1").json["builds"]), 1)
        self.assert_error(self.repo.otto("docker", "history", "apu"), 2, "unknown_name", "did you mean 'api'?")

    def test_nothing_is_invented_where_the_host_cannot_be_asked(self):
        harness.lab().link(self.repo.link, "--refuse", "on")
        self.addCleanup(harness.lab().link, self.repo.link, "--refuse", "off")
        outcome = self.repo.otto("docker", "explain")
        self.assertEqual(outcome.code, 3, outcome.err)
        for image in outcome.json["images"]:
            self.assertEqual(image["now"], {"status": "unknown", "reasons": []})
            self.assertEqual(image["last_build"]["parent"], "pepper_seed")
        graph = self.repo.otto("graph")
        self.assertEqual(graph.code, 3, graph.err)
        self.assertEqual({node["state"] for node in graph.json["nodes"]}, {"unknown"})
        self.assertIn("container:pepper_seed.whys.api", {node["id"] for node in graph.json["nodes"]})
        self.assertEqual(self.repo.done("docker", "history").code, 0)


class Services(harness.Test):
    """Why a service was, or would be, created, recreated or started; next week too."""

    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own("causes")
        # Three levels: tool is built from api, api from base.
        cls.repo.write("docker/tool.Dockerfile", "FROM causes-api\nRUN echo tool > /tool\n")
        cls.repo.append(".otto/settings.toml", '\n[[docker.images]]\nname = "tool"\ndockerfile = "${sutDir}/docker/tool.Dockerfile"\n'
                        'context = "${sutDir}/tool"\n')
        cls.repo.write("tool/x", "x\n")
        cls.repo.write("site", "site 1\n")
        cls.repo.write("key", "hunter2\n")
        cls.repo.replace("compose.yml", "  worker:", """  tool:
    image: causes-tool
    command: ["veggies-idle", "tool"]
    init: true
    stop_signal: SIGKILL
    ports: ["127.0.0.1::9000"]
    environment: {PLAIN: "1"}
    configs: [site]
    secrets: [key, token]

  worker:""")
        cls.repo.append("compose.yml", "configs: {site: {file: ./site}}\n"
                        "secrets: {key: {file: ./key}, token: {environment: TOKEN}}\n")
        cls.repo.repositories.append("causes-tool")
        cls.repo.environment["TOKEN"] = "hunter3"
        cls.first = cls.repo.up("--wait")

    def setUp(self):
        self.repo.up("--wait")

    def service(self, name, *arguments):
        found = self.repo.done("docker", "explain", name, *arguments).json["services"]
        self.assertEqual([service["service"] for service in found], [name])
        self.assertEqual(set(found[0]), {"service", "host_id", "last_action", "now"})
        return found[0]

    def now(self, name):
        now = self.service(name)["now"]
        return now["status"], [(reason["kind"], reason["subject"]) for reason in now["reasons"]]

    def last(self, name):
        last = self.service(name)["last_action"]
        return last["action"], [(reason["kind"], reason["subject"]) for reason in last["reasons"]]

    def edited(self, path, old, new):
        text = self.repo.read(path)
        self.addCleanup(self.repo.write, path, text)
        self.repo.replace(path, old, new)

    def expect(self, name, status, reasons):
        """Told before, done, and told after."""
        self.assertEqual(self.now(name), (status, reasons))
        done = {service["service"]: service for service in self.repo.up("--wait").json["services"]}[name]
        self.assertEqual((done["action"], [(reason["kind"], reason["subject"]) for reason in done["reasons"]]), (status, reasons))
        self.assertEqual(self.last(name), (status, reasons))
        self.assertEqual(self.now(name), ("unchanged", []))

    def test_nothing(self):
        self.assertEqual(self.now("db"), ("unchanged", []))
        self.assertEqual(self.now("migrate"), ("completed", []))
        first = {service["service"]: service["reasons"] for service in self.first.json["services"]}
        self.assertEqual(first["db"], [{"kind": "missing", "subject": "db", "detail": "not created yet"}])
        text = self.repo.text("docker", "explain", "db").out
        self.assertRegex(text, r"db  unchanged  pepper_seed\.causes\.db\n    checked: .*nothing changed\n  last (created|started) .*, because:\n    ")

    def test_an_edit_of_its_env_file(self):
        self.edited("api.env", "LOG_LEVEL=info", "LOG_LEVEL=debug")
        self.expect("api", "recreated", [("staged-file-changed", "api.env"), ("definition-changed", "environment.LOG_LEVEL")])
        self.assertEqual(self.last("metrics"), ("recreated", [("dependency", "api")]))

    def test_a_variable(self):
        self.repo.environment["VEGGIES_GREETING"] = "hi"
        self.addCleanup(self.repo.environment.pop, "VEGGIES_GREETING")
        self.expect("api", "recreated", [("variable-changed", "VEGGIES_GREETING"), ("definition-changed", "environment.GREETING")])

    def test_an_image_three_levels_up(self):
        text = self.repo.read("docker/base.Dockerfile")
        self.addCleanup(self.repo.write, "docker/base.Dockerfile", text)
        self.repo.write("docker/base.Dockerfile", text + "RUN echo three > /levels\n")
        self.repo.write("base/three", "levels\n")
        self.addCleanup(os.remove, self.repo.path("base/three"))
        service = self.service("tool")["now"]
        self.assertEqual([(reason["kind"], reason["subject"]) for reason in service["reasons"]], [("image-changed", "causes-tool")])
        self.assertRegex(service["reasons"][0]["detail"], r"\Abase → api → tool: dockerfile-changed docker/base.Dockerfile, and 1 more\Z")
        self.repo.up("--wait")
        last = self.service("tool")["last_action"]
        self.assertRegex(last["reasons"][0]["detail"], r"\Abase → api → tool: dockerfile-changed docker/base.Dockerfile, and 1 more\Z")

    def test_a_config_and_secrets_by_name(self):
        self.edited("site", "1", "2")
        self.expect("tool", "recreated", [("staged-file-changed", "configs.site")])
        self.edited("key", "2", "4")
        self.expect("tool", "recreated", [("secret-changed", "key")])
        self.addCleanup(self.repo.environment.update, TOKEN="hunter3")
        self.repo.environment["TOKEN"] = "hunter5"
        self.expect("tool", "recreated", [("secret-changed", "token")])
        found = self.repo.parent.inspect(f"label=com.docker.compose.project={self.repo.project}", "label=com.docker.compose.service=tool")
        self.assertEqual(self.repo.parent.docker("exec", found[0]["Id"], "cat", "/run/secrets/token").strip(), "hunter5")
        memo = b"".join(self.bytes_of(os.path.join(self.repo.state, name)) for name in os.listdir(self.repo.state))
        for secret in (b"hunter2", b"hunter3", b"hunter4", b"hunter5"):
            self.assertNotIn(secret, memo)

    @staticmethod
    def bytes_of(path):
        with open(path, "rb") as file:
            return file.read()

    def test_keys_with_what_they_held(self):
        self.edited("compose.yml", '"127.0.0.1::9000"', '"127.0.0.1::9001"')
        now = self.service("tool")["now"]
        self.assertEqual([(reason["kind"], reason["subject"]) for reason in now["reasons"]],
                         [("definition-changed", "ports.9000"), ("definition-changed", "ports.9001")])
        self.assertIn('added: {', now["reasons"][1]["detail"])
        self.edited("compose.yml", 'PLAIN: "1"', 'PLAIN: "2"')
        self.assertEqual(self.service("tool")["now"]["reasons"][0], {"kind": "definition-changed", "subject": "environment.PLAIN", "detail": "changed"})
        self.assertIn("its definition changed: environment.PLAIN, ports.9000 and 1 more", self.repo.text("docker", "up", "-n").out)

    def test_a_removed_and_a_stopped_container(self):
        containers = self.repo.containers()
        self.repo.parent.docker("rm", "-f", containers["worker"].id)
        self.expect("worker", "created", [("missing", "worker")])
        self.repo.parent.docker("stop", "-t", "0", containers["db"].id)
        self.expect("db", "started", [("stopped", "db")])

    def test_an_image_built_anew_that_is_the_same_leaves_the_container(self):
        before = self.repo.containers()["worker"].id
        self.edited("docker/base.Dockerfile", "FROM", "# the same image\nFROM")
        text = self.repo.text("docker", "up").out
        self.assertRegex(text, r"worker +unchanged +\S+ +its image was built anew and is the same")
        self.assertEqual(self.repo.containers()["worker"].id, before)

    def test_history_has_services_and_builds_in_one_line_of_time(self):
        self.repo.parent.docker("stop", "-t", "0", self.repo.containers()["db"].id)
        self.repo.up("--wait")
        history = self.repo.done("docker", "history", "db").json
        self.assertEqual(history["builds"], [])
        self.assertEqual({each["service"] for each in history["services"]}, {"db"})
        newest, oldest = history["services"][0], history["services"][-1]
        self.assertEqual((newest["action"], newest["host_id"], newest["parent"]), ("started", "pepper_seed.causes.db", "pepper_seed"))
        self.assertEqual((oldest["action"], oldest["reasons"][0]["kind"]), ("created", "missing"))
        api = self.repo.done("docker", "history", "api", "--limit", "0").json
        self.assertTrue(api["builds"] and api["services"])
        lines = [line for line in self.repo.text("docker", "history", "api", "--limit", "0").out.splitlines() if line.startswith("20")]
        self.assertEqual(lines, sorted(lines, key=lambda line: line.split()[0], reverse=True))
        self.assertEqual(len(lines), len(api["builds"]) + len(api["services"]))

    def test_files_that_were_never_staged_are_asked_about_and_leave_nothing(self):
        other = self.own("foreseen")
        other.write("../common/more.env", "MORE=1\n")
        other.replace("compose.yml", '"api.env"]', '"api.env", "../common/more.env"]')
        planned = other.done("docker", "up", "-n").json
        self.assertEqual({service["service"]: service["action"] for service in planned["services"]},
                         dict.fromkeys(("api", "db", "metrics", "migrate", "worker"), "created"))
        self.assertEqual(other.done("docker", "explain", "api").json["services"][0]["now"]["status"], "created")
        other.append("compose.yml", "  broken: {image: x, prots: []}\n")
        refused = other.otto("docker", "up", "-n")
        self.assertEqual(refused.code, 1)
        self.assertIn(other.path("compose.yml"), refused.json["error"]["message"])
        self.assertNotIn("/tree", refused.json["error"]["message"])
        left = "ls -d /home/otto/.cache/otto/stages/*foreseen* /tmp/otto-scratch.*; grep -rls foreseen- /home/otto/.cache/otto/stages/compose.*"
        self.assertEqual(other.parent.sh(left + " 2>/dev/null || :"), "")
        self.assertEqual(other.containers(), {})

    def test_what_is_foreseen_is_what_is_done(self):
        """The model of files that come with the question is that of staged ones: whatever is told is all that is done."""
        outside = os.path.join(self.repo.folder, "common", "more.env")
        os.makedirs(os.path.dirname(outside), exist_ok=True)
        with open(outside, "w", encoding="utf-8") as file:
            file.write("MORE=1\n")
        self.edited("compose.yml", '"api.env"]', '"api.env", "../common/more.env"]')
        self.repo.append("compose.yml", "# and a bind mount below the stage\n")
        self.edited("compose.yml", 'command: ["veggies-idle", "tool"]', 'command: ["veggies-idle", "tool"]\n    volumes: ["./site:/mounted"]')
        planned = self.repo.done("docker", "up", "-n").json["services"]
        done = self.repo.up("--wait").json["services"]
        self.assertEqual([(each["service"], each["action"], each["reasons"]) for each in planned],
                         [(each["service"], each["action"], each["reasons"]) for each in done])
        again = self.repo.done("docker", "up", "-n").json["services"]
        self.assertEqual({each["action"] for each in again}, {"unchanged", "completed"})

    def test_names_that_are_neither(self):
        for verb in ("explain", "history"):
            outcome = self.repo.otto("docker", verb, "wokrer")
            self.assertEqual(outcome.code, 2)
            self.assertIn("unknown image or service 'wokrer' … did you mean 'worker'?", outcome.json["error"]["message"])

    def test_who_cannot_be_asked(self):
        self.repo.write_hosts(lambda hosts: hosts["pepper_seed"].update(ip="127.0.0.1", hop=None, ssh_options={"port": 1}))
        self.addCleanup(self.repo.write_hosts)
        outcome = self.repo.otto("docker", "explain", "db")
        self.assertEqual(outcome.code, 3)
        db = outcome.json["services"][0]
        self.assertEqual(db["now"], {"status": "unknown", "reasons": []})
        self.assertIsNotNone(db["last_action"])

    def test_what_down_removed(self):
        self.repo.done("docker", "down")
        self.addCleanup(self.repo.up, "--wait")
        self.assertEqual(self.last("worker"), ("removed", []))
        self.assertEqual(self.now("worker"), ("created", [("missing", "worker")]))


class Graph(harness.Test):
    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own("whys")
        cls.repo.up()

    def nodes(self):
        return {node["id"]: node for node in self.repo.done("graph").json["nodes"]}

    def test_states_and_edges_are_those_of_up(self):
        self.repo.up()
        nodes = self.nodes()
        self.assertEqual({node["state"] for node in nodes.values()}, {"fresh"}, nodes)
        self.assertEqual(set(nodes["image:api"]["inputs"]),
                         {"dockerfile:docker/api.Dockerfile", "context:api", "image:base"})
        self.assertEqual(set(nodes["stack:otto-whys-e2e"]["inputs"]),
                         {f"container:pepper_seed.whys.{service}" for service in harness.SERVICES})
        self.assertEqual(nodes["container:pepper_seed.whys.api"]["inputs"], ["service:api"])
        self.assertEqual(nodes["service:api"]["inputs"], ["stack-files:otto-whys-e2e", "image:api"])
        text = self.repo.read(EDITED)
        self.addCleanup(self.repo.write, EDITED, text)
        self.repo.append(EDITED, "<p>graph</p>\n")
        stale = {id for id, node in self.nodes().items() if node["state"] == "stale"}
        self.assertEqual(stale, {"image:api", "context:api", "stack:otto-whys-e2e", "service:api", "service:metrics",
                                 "container:pepper_seed.whys.api", "container:pepper_seed.whys.metrics"})
        tree = self.repo.text("graph").out
        self.assertEqual(tree.count("file-changed src/www/about.html"), 1, tree)
        self.assertIn("base  image  fresh  (see above)", tree)

    def test_graphviz_draws_it(self):
        self.assertIsNotNone(shutil.which("dot"), "graphviz is installed by tools/setup")
        dot = self.repo.text("graph", "--format", "dot").out
        drawn = subprocess.run(["dot", "-Tsvg"], input=dot, text=True, capture_output=True, timeout=60, check=True)
        self.assertEqual(drawn.stderr, "")
        self.assertIn("docker/api.Dockerfile", drawn.stdout)
        self.assertEqual(drawn.stdout.count('class="node"'), len(self.nodes()))
        self.assertEqual(self.repo.otto("docker", "build", "--format", "dot").code, 2)


class Prune(harness.Test):
    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own("whys")
        cls.repo.repositories += ["whys-api-x", "other-api"]
        cls.repo.up()

    def built_again(self, word):
        """One more edit of api, built: its hash."""
        self.repo.append(EDITED, f"<p>{word}</p>\n")
        return self.repo.build().image("api")["hash"]

    def names(self, outcome, key="removed"):
        return {entry["name"] for entry in outcome.json[key]}

    def test_only_what_is_needed_no_longer_goes(self):
        text = self.repo.read(EDITED)
        self.addCleanup(self.repo.write, EDITED, text)
        used, old, current = (self.built_again(word) for word in ("used", "old", "current"))
        docker = self.repo.parent.docker
        docker("run", "-d", "--name", "whys-user", "--network", "none", f"whys-api:{used}", "sleep", "1000")
        self.addCleanup(docker, "rm", "-f", "whys-user")
        colleague, base = "c" * 40, f"whys-base:{self.repo.hash('base')}"
        for reference in (f"whys-api:{colleague}", f"whys-api-x:{old}", f"other-api:{old}", "whys-api:mine"):
            docker("tag", f"whys-api:{old}", reference)
        planned = self.repo.done("docker", "prune", "--dry-run")
        self.assertIn(f"whys-api:{old}", self.names(planned))
        self.assertIn(old, self.repo.images("api"))
        outcome = self.repo.done("docker", "prune")
        self.assertEqual(self.names(outcome), self.names(planned))
        left = self.repo.images("api")
        self.assertNotIn(old, left)
        self.assertLessEqual({used, current, colleague, "mine", "latest"}, set(left))
        self.assertIn(old, self.repo.parent.images("whys-api-x"))
        self.assertIn(old, self.repo.parent.images("other-api"))
        self.assertIn(base.split(":")[1], self.repo.images("base"))
        kept = {entry["name"]: entry["why"] for entry in outcome.json["kept"]}
        self.assertEqual(kept[f"whys-api:{used}"], "used by container whys-user")
        self.assertTrue(all(entry["size"] > 0 for entry in outcome.json["removed"]), outcome.out)
        again = self.repo.done("docker", "prune")
        self.assertEqual(again.json["removed"], [])
        self.assertIn("nothing to prune", self.repo.text("docker", "prune").out)
        self.assertEqual(set(self.repo.up().statuses().values()), {"cached"})

    def test_keep(self):
        text = self.repo.read(EDITED)
        self.addCleanup(self.repo.write, EDITED, text)
        oldest, older, _ = (self.built_again(word) for word in ("oldest", "older", "kept"))
        self.repo.up()
        outcome = self.repo.done("docker", "prune", "--keep", "1")
        self.assertIn(f"whys-api:{oldest}", self.names(outcome))
        self.assertIn(f"whys-api:{older}", self.names(outcome, "kept"))
        self.assertIn(older, self.repo.images("api"))

    def test_a_stage_that_nobody_declares_goes_unless_it_is_in_use(self):
        settings = self.repo.read(".otto/settings.toml")
        self.addCleanup(self.repo.write, ".otto/settings.toml", settings)
        self.repo.write("docker/extra.Dockerfile", "FROM otto-lab/base:1\nCOPY motd /motd\n")
        self.repo.write(".otto/settings.toml", settings + '\n[[docker.images]]\nname = "extra"\n'
                        'dockerfile = "${sutDir}/docker/extra.Dockerfile"\ncontext = "${sutDir}/base/etc"\n')
        tag = self.repo.build("extra").image("extra")["tag"]
        self.repo.repositories.append("whys-extra")
        stage = re.search(r"stages/([^/]+)/", self.repo.parent.sh(
            "find /home/otto/.cache/otto/stages/whys-*/tree.* -maxdepth 1 -name motd -type f")).group(1)
        self.repo.write(".otto/settings.toml", settings)
        root = "/home/otto/.cache/otto/stages"
        holder = subprocess.Popen(harness.lab().command("pepper_seed", "flock", "-s", f"{root}/{stage}/lock", "sh", "-c", "echo held; cat"),
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=harness.die_with_parent)
        self.assertEqual(holder.stdout.readline(), "held\n")
        busy = self.repo.done("docker", "prune")
        holder.communicate("", timeout=30)
        kept = {entry["name"]: entry["why"] for entry in busy.json["kept"]}
        self.assertEqual(kept.get(stage), "in use by another otto", busy.out)
        self.assertIn(tag, self.names(busy))
        self.assertIn("whys-extra", self.names(busy))  # its record
        outcome = self.repo.done("docker", "prune")
        self.assertEqual(self.names(outcome), {stage})
        self.assertEqual(self.repo.parent.sh(f"ls {root}/{stage}").split(), ["lock"])
        self.assertEqual(self.repo.done("docker", "prune").json["removed"], [])
        self.repo.write(".otto/settings.toml", settings + '\n[[docker.images]]\nname = "extra"\n'
                        'dockerfile = "${sutDir}/docker/extra.Dockerfile"\ncontext = "${sutDir}/base/etc"\n')
        self.assertEqual(self.repo.build("extra").statuses(), {"extra": "built"})


if __name__ == "__main__":
    harness.main()
