"""What an idle, logged-in IMAP connection over TLS costs in memory, in both programs together.

    idle.py [--engine=mbedtls|openssl] [--count=N]

Opens N connections from several loopback addresses, each with LOGIN and SELECT, and prints by how much the
resident memory of front and back end has grown, divided by N. Every connection takes a descriptor here and one
in the front: N is bounded by `ulimit -Hn`."""

import argparse
import resource
import signal
import socket
import ssl
import sys
import time

import servers

WARM_UP = 50     # connections before anything is counted: what the programs allocate once
EACH_FROM = 10000  # connections of one client address


def resident(program):
    with open(f"/proc/{program.process.pid}/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


class Client:
    def __init__(self, pair, context, number):
        plain = socket.socket()
        plain.bind((f"127.0.0.{2 + number // EACH_FROM}", 0))
        plain.connect(("127.0.0.1", pair.ports["imaps"]))
        self.socket = context.wrap_socket(plain)
        self.socket.recv(1000)
        self.command(b"a LOGIN u%03d %s" % (number % servers.USERS, servers.PASSWORD.encode()))
        self.command(b"a SELECT INBOX")

    def command(self, line):
        self.socket.sendall(line + b"\r\n")
        answer = b""
        while b"a OK" not in answer:
            got = self.socket.recv(65536)
            if not got:
                raise SystemExit(f"{line}: {answer}, then the end of the connection")
            answer += got


def trusting():
    """A TLS context for clients that do not look at the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def most_connections():
    """Raises the limit of descriptors; returns how many connections besides the first WARM_UP it is enough for."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most - WARM_UP - 200


def measure(pair, count):
    context = trusting()
    clients = [Client(pair, context, number) for number in range(WARM_UP)]
    programs = (pair.front, pair.back)
    before = [resident(program) for program in programs]
    clients += [Client(pair, context, number) for number in range(WARM_UP, WARM_UP + count)]
    time.sleep(5)
    front, back = (resident(program) - was for program, was in zip(programs, before))
    print(f"{pair.name}: {count:,} idle connections, {clients[0].socket.version()}: {(front + back) / count / 1024:.1f} KB "
          f"each (front {front / count / 1024:.1f}, back end {back / count / 1024:.1f})")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", default="mbedtls", choices=list(servers.ENGINES))
    parser.add_argument("--count", type=int, default=2000)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if arguments.count > most_connections():
        raise SystemExit(f"{arguments.count} connections need more descriptors (ulimit -Hn)")
    with servers.pair.Deployment() as deployment:
        pair = servers.OurPair(deployment, arguments.engine, connections=arguments.count + WARM_UP)
        pair.start()
        try:
            measure(pair, arguments.count)
        finally:
            pair.stop()


if __name__ == "__main__":
    main()
