"""How long front and back end take to be ready on a large store: after an orderly stop, after kill -9, and with cold
caches.

    start.py MAILBENCH [--out=FOLDER] [--gigabytes=N] [--messages=N] [--rounds=N] [--engine=openssl|mbedtls]

Fills a store in the folder for temporary files (TMPDIR), which needs as much room there: messages of 8 MB that do not
compress until the segments hold --gigabytes, then COPY of a thousand small ones until there are --messages. Writes
start.md and start.json to FOLDER and prints the table. Cold caches need root."""

import argparse
import imaplib
import json
import os
import signal
import sys
import time

import growth
import run
import servers

DENSE = 8000000  # octets of a message that fills segments
STEP = 0.002     # seconds between two looks
WAYS = ("after a stop", "after kill -9", "after a stop, caches cold")


def fill(binary, server, gigabytes, messages):
    run.create_folders(server, users=1)
    one = ("--users=1", "--workers=4")
    count = max(1, round(gigabytes * 1e9 / DENSE / 4))
    run.mailbench(binary, server, "append", "imap", *one, f"--size={DENSE}", "--dense", f"--count={count}",
                  "--folder=Dense")
    run.mailbench(binary, server, "append", "imap", *one, "--size=2000", f"--count={growth.SEED // 4}", "--folder=Big")
    growth.grow(server, growth.SEED, messages - 4 * count)


def logs_in(server):
    try:
        with imaplib.IMAP4("127.0.0.1", server.ports["imap"]) as client:
            client.login("u000", servers.PASSWORD)
        return True
    except (OSError, imaplib.IMAP4.error):
        return False


def seconds_until(check):
    began = time.monotonic()
    while not check():
        if time.monotonic() - began > servers.pair.PATIENCE:
            raise SystemExit("it does not start")
        time.sleep(STEP)
    return time.monotonic() - began


def end(server, way):
    kind = signal.SIGKILL if "kill" in way else signal.SIGTERM
    for program in (server.front, server.back):
        program.stop(kind)
    if "cold" in way:
        os.sync()
        with open("/proc/sys/vm/drop_caches", "w") as file:
            file.write("3\n")


def measure(server, way):
    """{program: seconds}: the back end until its link accepts, then the front until a login is answered OK."""
    end(server, way)
    taken = {}
    server.back.start(lambda: True)
    taken["back end"] = seconds_until(lambda: servers.pair.connects(f"{server.folder}/link"))
    server.front.start(lambda: True)
    taken["front"] = seconds_until(lambda: logs_in(server))
    end(server, way)
    server.back.start(lambda: True)
    server.front.start(lambda: True)
    taken["both at once"] = seconds_until(lambda: logs_in(server))
    return taken


def table(report):
    lines = [f"{report['messages']:,} messages, {report['gigabytes']:.1f} GB of segments; seconds, the least and the most "
             f"of {report['rounds']}.", "",
             "| started | back end until its link accepts | front until a login is OK | both at once, until a login is OK |",
             "|---|---:|---:|---:|"]
    for way, rounds in report["seconds"].items():
        figures = [f"{min(values):.3f}–{max(values):.3f}" for values in
                   ([taken[what] for taken in rounds] for what in ("back end", "front", "both at once"))]
        lines.append(f"| {way} | " + " | ".join(figures) + " |")
    return "\n".join(lines) + "\n"


def stored(server):
    """Octets of the store's files on the disk."""
    return sum(os.stat(os.path.join(folder, name)).st_blocks * 512
               for folder, _, names in os.walk(f"{server.folder}/back/data") for name in names)


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("mailbench")
    parser.add_argument("--out", default="bench-results")
    parser.add_argument("--gigabytes", type=float, default=10)
    parser.add_argument("--messages", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", default="openssl", choices=list(servers.ENGINES))
    return parser.parse_args()


def main():
    arguments = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are stopped then, too
    with servers.pair.Deployment() as deployment:
        server = servers.OurPair(deployment, arguments.engine)
        server.start()
        fill(os.path.abspath(arguments.mailbench), server, arguments.gigabytes, arguments.messages)
        run.say(f"filled: {stored(server) / 1e9:.1f} GB")
        ways = [way for way in WAYS if "cold" not in way or os.geteuid() == 0]
        report = {"messages": arguments.messages, "gigabytes": stored(server) / 1e9, "rounds": arguments.rounds,
                  "seconds": {way: [measure(server, way) for _ in range(arguments.rounds)] for way in ways}}
        server.stop()
    os.makedirs(arguments.out, exist_ok=True)
    with open(os.path.join(arguments.out, "start.json"), "w") as file:
        json.dump(report, file, indent=1)
    with open(os.path.join(arguments.out, "start.md"), "w") as file:
        file.write(table(report))
    print(table(report))


if __name__ == "__main__":
    main()
