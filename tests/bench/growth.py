"""How the pair's costs grow with messages in a folder, with users, and with idle connections.

    growth.py MAILBENCH [--out=FOLDER] [--quick] [--messages=N,N…] [--users=N,N…] [--connections=N,N…]
              [--only=messages|users|connections] [--engine=openssl|mbedtls]

Writes growth.json, growth.md and, where gnuplot is, growth-*.svg to FOLDER, and prints the tables."""

import argparse
import imaplib
import json
import os
import platform
import signal
import sys
import time

import idle
import plots
import run
import servers

SEED = 1000     # messages that are sent; a folder grows from them by COPY
STEP = 50000    # messages of one COPY
REGULARS = 100  # users that log in, among all there are
QUICK = {"messages": [1000, 5000, 20000], "users": [10, 200, 2000], "connections": [100, 400, 1600]}
WHOLE = {"messages": [1000, 10000, 100000, 1000000], "users": [10, 100, 1000, 10000, 100000],
         "connections": [100, 1000, 5000, 10000, 20000]}


class Bench:
    """What all three have in common. run_on() gives one row's figures of one operation."""

    def __init__(self, binary, engine, seconds):
        self.binary, self.engine, self.seconds = binary, engine, seconds

    def started(self, deployment, **settings):
        server = servers.OurPair(deployment, self.engine, **settings)
        server.start()
        return server

    def run_on(self, server, operation, service, *flags):
        if not any(flag.startswith("--count") for flag in flags):
            flags += (f"--seconds={self.seconds}", "--warm-up=0.3")
        result = run.mailbench(self.binary, server, operation, service, *flags)
        operations = max(result["operations"], 1)
        return {"cpu": result["server_cpu"] / operations * 1e3, "p50": result["p50"] * 1e3, "p99": result["p99"] * 1e3}


def grow(server, have, want):
    """Copies the folder's first messages behind its last until there are as many as wanted."""
    with imaplib.IMAP4("127.0.0.1", server.ports["imap"]) as client:
        client.login("u000", servers.PASSWORD)
        client.select("Big")
        while have < want:
            part = min(have, want - have, STEP)
            kind, answer = client.copy(f"1:{part}", "Big")
            if kind != "OK":
                raise SystemExit(f"COPY: {answer}")
            have += part
    return have


def messages(bench, sizes):
    """Operations in one folder of ever more messages; {title: [(size, figures), ...]}."""
    big, taken = ("--users=1", "--folder=Big"), {}
    with servers.pair.Deployment() as deployment:
        server = bench.started(deployment)
        run.create_folders(server, users=1)
        run.mailbench(bench.binary, server, "append", "imap", "--workers=8", *big, "--size=2000", f"--count={SEED // 8}")
        have = SEED
        for size in sizes:
            have = grow(server, have, size)
            middle = have // 2
            for title, operation, *flags in (
                    ("SELECT", "select", "--workers=4"),
                    ("FETCH of 100 envelopes", "fetch", "--workers=4", f"--messages={have}",
                     "--items=UID FLAGS ENVELOPE"),
                    ("SEARCH in 100 uids", "search", "--workers=4", f"--key=UID {middle}:{middle + 99} UNSEEN"),
                    ("UID STORE", "store", "--workers=16"),
                    ("APPEND 2 KB", "append", "--workers=16", "--size=2000", "--count=60")):
                taken.setdefault(title, []).append((have, bench.run_on(server, operation, "imap", *big, *flags)))
            have += 16 * 60  # those of APPEND
            run.say(f"measured: {size:,} messages")
    return taken


def users(bench, sizes):
    """Login sessions of some users among ever more, each of whom has a mailbox with a message in it."""
    taken = []
    for size in sizes:
        with servers.pair.Deployment() as deployment:
            server = bench.started(deployment, users=size)
            run.mailbench(bench.binary, server, "lmtp", "lmtp", "--workers=32", f"--users={size}", "--size=2000",
                          f"--count={size // 32 + 1}")
            some = f"--users={min(size, REGULARS)}"
            run.mailbench(bench.binary, server, "login", "imap", "--workers=10", some, f"--count={REGULARS // 10}")
            taken.append((size, bench.run_on(server, "login", "imap", "--workers=16", some)))
        run.say(f"measured: {size:,} users")
    return {"login session, plain": taken}


def connections(bench, sizes):
    """Memory of each idle connection, and a command beside them."""
    most = idle.most_connections()
    if max(sizes) > most:
        run.say(f"{most:,} connections at most: more need more descriptors (ulimit -Hn)")
    sizes = sorted({min(size, most) for size in sizes})
    taken = []
    with servers.pair.Deployment() as deployment:
        server = bench.started(deployment, connections=sizes[-1] + 2 * idle.WARM_UP)
        context = idle.trusting()
        clients = [idle.Client(server, context, number) for number in range(idle.WARM_UP)]
        before = sum(map(idle.resident, (server.front, server.back)))
        for size in sizes:
            clients += [idle.Client(server, context, number) for number in range(len(clients), idle.WARM_UP + size)]
            time.sleep(2)  # buffers of a session that has become idle are given back
            memory = sum(map(idle.resident, (server.front, server.back))) - before
            taken.append((size, {"memory": memory / size / 1024,
                                 **bench.run_on(server, "select", "imap", "--workers=1", "--users=1")}))
            run.say(f"measured: {size:,} connections")
    return {"SELECT beside idle connections": taken}


PARTS = {"messages": (messages, "messages in the folder"), "users": (users, "users"),
         "connections": (connections, "idle connections over TLS")}
FIGURES = {"cpu": "CPU per operation, ms", "p50": "p50, ms", "p99": "p99, ms", "memory": "memory of each, KB"}


def table(part, rows):
    """Markdown: a row for each operation and size."""
    shown = [figure for figure in FIGURES if figure in next(iter(rows.values()))[0][1]]
    lines = [f"| operation | {PARTS[part][1]} | " + " | ".join(FIGURES[figure] for figure in shown) + " |",
             "|---|---:|" + "---:|" * len(shown)]
    lines += [f"| {title} | {size:,} | " + " | ".join(run.figure(figures[figure]) for figure in shown) + " |"
              for title, taken in rows.items() for size, figures in taken]
    return "\n".join(lines) + "\n"


def draw(part, rows, folder):
    x_title = PARTS[part][1]
    for figure, y_title in FIGURES.items():
        lines = {title: [(size, figures[figure]) for size, figures in taken if figures.get(figure)]
                 for title, taken in rows.items()}
        if figure != "p99":
            plots.of_growth(folder, f"growth-{part}-{figure}", f"The pair: {y_title}", x_title, y_title, lines)


def sizes(text):
    numbers = [int(number) for number in text.split(",")]
    if min(numbers) < 1 or numbers != sorted(numbers):
        raise argparse.ArgumentTypeError("numbers from 1 on, in ascending order")
    return numbers


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("mailbench")
    parser.add_argument("--out", default="bench-results")
    parser.add_argument("--engine", default="openssl", choices=list(servers.ENGINES))
    parser.add_argument("--quick", action="store_true", help="smaller numbers, shorter rounds: about 2 minutes")
    parser.add_argument("--only", choices=list(PARTS), help="one of the three")
    for part in PARTS:
        parser.add_argument(f"--{part}", type=sizes, help=f"how many {part}, such as {','.join(map(str, QUICK[part]))}")
    return parser.parse_args()


def main():
    arguments = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are stopped then, too
    bench = Bench(os.path.abspath(arguments.mailbench), arguments.engine, 1 if arguments.quick else 3)
    report = {"date": time.strftime("%Y-%m-%d"), "cpu": run.cpu_model(), "processors": os.cpu_count(),
              "kernel": platform.release(), "pair": servers.OurPair.version(), "engine": arguments.engine}
    for part in [arguments.only] if arguments.only else PARTS:
        numbers = getattr(arguments, part) or (QUICK if arguments.quick else WHOLE)[part]
        report[part] = PARTS[part][0](bench, numbers)
    os.makedirs(arguments.out, exist_ok=True)
    with open(os.path.join(arguments.out, "growth.json"), "w") as file:
        json.dump(report, file, indent=1)
    text = "\n".join(table(part, report[part]) for part in PARTS if part in report)
    with open(os.path.join(arguments.out, "growth.md"), "w") as file:
        file.write(text)
    for part in PARTS:
        if part in report:
            draw(part, report[part], arguments.out)
    print(text)


if __name__ == "__main__":
    main()
