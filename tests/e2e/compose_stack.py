"""What the tests of Compose stacks share: a service that idles and goes at once, and words about a stack."""

import harness

SLEEP = "    image: otto-lab/base:1\n    command: [sleep, '100000']\n    init: true\n    stop_signal: SIGKILL\n"


class Stack(harness.StackTest):
    def stack(self, *arguments, **options):
        self.repo.write_stack(*arguments, **options)

    def up(self, *arguments, **environment):
        return self.repo.done("docker", "up", *arguments, **environment)

    def all(self, service):
        return self.repo.replicas(service)

    def inside(self, service, *command):
        return self.repo.parent.docker("exec", self.repo.containers()[service].id, *command)

    def told(self, text):
        """service → (action, reason) as the table for people has them."""
        rows = (line.split(None, 3) for line in text.splitlines() if f"pepper_seed.{self.name}." in line)
        return {row[0]: (row[1], row[3].strip() if len(row) > 3 else "") for row in rows}
