#!/usr/bin/env python3
"""Tests of the link proxy alone: delay, rate, counters, cut, stall, refusal, throughput. Usage: link_proxy_test.py BINARY"""

import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BINARY = sys.argv.pop(1)


def serve(listener, received):
    """The far end: 'e' echoes, 's' swallows and answers with the count."""
    def handle(connection):
        with connection:
            try:
                kind, count = connection.recv(1), 0
                while data := connection.recv(1 << 20):
                    count += len(data)
                    if kind == b"e":
                        connection.sendall(data)
                if kind == b"s":
                    connection.sendall(b"%d" % count)
            except OSError:
                pass
            received.append(count)
    while True:
        threading.Thread(target=handle, args=(listener.accept()[0],), daemon=True).start()


class LinkProxyTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.received = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=serve, args=(self.listener, self.received), daemon=True).start()
        self.control = self.folder.name + "/control"
        port = str(self.listener.getsockname()[1])
        self.process = subprocess.Popen([BINARY, "0", "-", "127.0.0.1", port, self.control], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def tearDown(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()

    def tell(self, line):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.control)
            connection.sendall(line.encode() + b"\n")
            return json.loads(connection.makefile().read())

    def connect(self, kind):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        self.addCleanup(connection.close)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(kind)
        return connection

    def swallow(self, size):
        connection, block, started = self.connect(b"s"), bytes(1 << 20), time.monotonic()
        for _ in range(size >> 20):
            connection.sendall(block)
        connection.shutdown(socket.SHUT_WR)
        self.assertEqual(int(connection.recv(99)), size)
        return time.monotonic() - started

    def round_trip(self, connection):
        started = time.monotonic()
        connection.sendall(b"x")
        self.assertEqual(connection.recv(1), b"x")
        return time.monotonic() - started

    def test_a_plain_link_counts_every_byte(self):
        self.swallow(256 << 20)
        self.assertEqual(self.tell("")["up_bytes"], (256 << 20) + 1)

    def test_round_trip_time_is_what_was_asked_for(self):
        self.tell("rtt_us=60000")
        started = time.monotonic()
        connection = self.connect(b"e")
        self.round_trip(connection)
        self.assertGreaterEqual(time.monotonic() - started, 0.150)  # half a round trip more for the handshake, one and a half
        trips = [self.round_trip(connection) for _ in range(5)]
        self.assertGreaterEqual(min(trips), 0.060)
        self.assertLess(min(trips), 0.120)

    def test_bandwidth_is_limited_in_each_direction(self):
        self.tell("rate_bit=80000000")
        self.assertGreaterEqual(self.swallow(4 << 20), 0.95 * (4 << 20) * 8 / 80e6)

    def test_cut_after_takes_exactly_so_many_bytes_and_cuts_once(self):
        self.tell("cut_after=1000001")
        with self.assertRaises(OSError):
            self.swallow(64 << 20)
        deadline = time.monotonic() + 10
        while not self.received and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertLessEqual(self.received[0], 1000000)  # what was in flight is lost
        state = self.tell("")
        self.assertEqual((state["up_bytes"], state["cuts"], state["cut_after"]), (1000001, 1, -1))
        self.swallow(2 << 20)

    def test_cut_now_resets_open_connections(self):
        connection = self.connect(b"e")
        self.round_trip(connection)
        self.tell("cut=1")
        with self.assertRaises(ConnectionResetError):
            connection.recv(1)

    def test_a_stalled_link_is_silent_until_it_is_released(self):
        connection = self.connect(b"e")
        self.round_trip(connection)
        self.tell("stall=1")
        connection.sendall(b"y")
        connection.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            connection.recv(1)
        self.tell("stall=0")
        connection.settimeout(10)
        self.assertEqual(connection.recv(1), b"y")

    def test_refused_connections_are_reset(self):
        self.tell("refuse=1")
        with self.assertRaises(OSError):
            self.connect(b"e").recv(1) or self.fail("closed without a reset")
        self.tell("refuse=0")
        self.round_trip(self.connect(b"e"))

    def test_words_that_are_not_understood_are_named(self):
        self.assertEqual(self.tell("bogus=1"), {"error": "not understood: bogus=1"})
        self.assertEqual(self.tell("rtt_us=fast"), {"error": "not understood: rtt_us=fast"})


if __name__ == "__main__":
    unittest.main()
