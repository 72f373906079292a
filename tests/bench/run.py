"""The benchmark: Dovecot (direct and proxied) and the pair, by turns, in one run.

    run.py MAILBENCH [--quick] [--out=FOLDER] [--only=WORD] [--engine=mbedtls|openssl|both] [--link=unix|tcp|both]
        [--seconds=S] [--rounds=N]

Writes results.json, table.md and, where gnuplot is, plots (SVG) to FOLDER, and prints the table. Needs root, as
Dovecot does."""

import argparse
import imaplib
import json
import os
import platform
import re
import signal
import subprocess
import sys
import time

import limits
import plots
import servers

ENVELOPES = "UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE"
INBOX = 100  # messages of 10 KB in every user's INBOX before anything is measured


class Test:
    """One row: an operation of mailbench, and what its CPU is divided by. once: in one round, without a warm-up;
    settled: after what an operation before has left to be done behind it."""

    def __init__(self, title, operation, service, workers, *flags, unit="ms", per=1, once=False, settled=False):
        self.title = title
        self.operation = operation
        self.service = service
        self.flags = [f"--workers={workers}", *flags]
        self.unit = unit  # ms, us: of CPU per operation; s/GB: of CPU per octets
        self.per = per    # things in one operation, such as messages of one FETCH
        self.once, self.settled = once, settled


def tests(big):
    """In this order: what makes folders grow comes last."""
    in_big = ["--users=1", "--folder=Big"]
    return [
        Test("login session, TLS, full handshake", "login", "imaps", 16),
        Test("login session, TLS, resumed", "login", "imaps", 16, "--resume"),
        Test("login session, plain", "login", "imap", 16),
        Test("FETCH BODY.PEEK[], 10 KB messages, plain", "fetch", "imap", 8, f"--messages={INBOX}", unit="s/GB"),
        Test("FETCH BODY.PEEK[], 10 KB messages, TLS", "fetch", "imaps", 8, f"--messages={INBOX}", unit="s/GB"),
        Test("FETCH BODY.PEEK[], 10 KB that do not compress, plain", "fetch", "imap", 8, f"--messages={INBOX}",
             "--folder=Dense", unit="s/GB"),
        Test("FETCH BODY.PEEK[], 10 KB that do not compress, TLS", "fetch", "imaps", 8, f"--messages={INBOX}",
             "--folder=Dense", unit="s/GB"),
        Test(f"FETCH envelope and structure of {big:,} messages, per message", "fetch", "imap", 2, *in_big,
             f"--items={ENVELOPES}", f"--messages={big}", "--span=1000", unit="us", per=1000),
        Test(f"SELECT of {big:,} messages", "select", "imap", 4, *in_big),
        Test(f"SEARCH UNSEEN in {big:,}", "search", "imap", 2, *in_big, "--key=UNSEEN"),
        Test(f"SEARCH SUBJECT in {big:,}", "search", "imap", 2, *in_big, "--key=SUBJECT needle"),
        Test(f"SEARCH BODY in {big:,}, the first in this mailbox", "search", "imap", 1, *in_big,
             "--key=BODY haystack", "--count=1", once=True),
        Test(f"SEARCH BODY in {big:,}, again", "search", "imap", 1, *in_big, "--key=BODY haystack", settled=True),
        Test("POP3 session, TLS, 20 messages of 10 KB", "pop3", "pop3s", 16),
        Test("UID STORE of a flag", "store", "imap", 32),
        Test("APPEND 10 KB", "append", "imap", 32, "--folder=New"),
        Test("LMTP delivery 10 KB", "lmtp", "lmtp", 32),
        Test("IDLE: from the delivery's 250 to EXISTS", "idle", "imap", 4, "wake"),
    ]


class Failed(Exception):
    """The load generator did not get what it asked a server for."""


def mailbench(binary, server, operation, service, *flags):
    flags = [f"--lmtp-port={server.ports['lmtp']}" if flag == "wake" else flag for flag in flags]
    command = [binary, operation, f"--port={server.ports[service]}", "--tls12",
               *(["--tls"] if service.endswith("s") else []),
               *(f"--process={process}" for process in server.processes), *flags]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{server.name}: {' '.join(command[1:])}:\n{done.stdout}{done.stderr[-2000:]}"
                     f"{server.last_words()}")
    return json.loads(done.stdout)


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def create_folders(server, users):
    """Logs everybody in once, too, so that no password is hashed later."""
    for user in range(users):
        with imaplib.IMAP4("127.0.0.1", server.ports["imap"]) as client:
            client.login(f"u{user:03d}", servers.PASSWORD)
            for folder in ("Big", "New", "Dense"):
                client.create(folder)


def fill(binary, server, big):
    """INBOX and Dense of every user, folders Big and New."""
    create_folders(server, servers.USERS)
    mailbench(binary, server, "append", "imap", "--workers=32", f"--count={INBOX}")
    mailbench(binary, server, "append", "imap", "--workers=32", f"--count={INBOX}", "--folder=Dense", "--dense")
    mailbench(binary, server, "append", "imap", "--workers=8", "--users=1", "--folder=Big", "--size=2000",
              f"--count={big // 8}")
    say(f"filled: {server.name}")


def summary(test, rounds):
    """One server's figures in one test, over all rounds; None where a round failed."""
    if rounds is None:
        return None
    operations = sum(one["operations"] for one in rounds)
    cpu = sum(one["server_cpu"] for one in rounds)
    octets = sum(one["octets"] for one in rounds)
    result = {
        "rate": operations * test.per / sum(one["seconds"] for one in rounds),
        "p50": sum(one["p50"] for one in rounds) / len(rounds),
        "p99": sum(one["p99"] for one in rounds) / len(rounds),
        "generator_cpu": sum(one["own_cpu"] for one in rounds) / sum(one["seconds"] for one in rounds),
    }
    if test.unit == "s/GB":
        result["cost"] = cpu / (octets / 1e9) if octets else None
    elif operations:
        result["cost"] = cpu / operations / test.per * {"ms": 1e3, "us": 1e6}[test.unit]
    else:
        result["cost"] = None
    return result


def ticks(server):
    """CPU that the server's first processes have taken so far."""
    total = 0
    for process in server.processes:
        with open(f"/proc/{process}/stat") as file:
            total += sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))
    return total


def wait_until_settled(server):
    """A second in which it does next to nothing: what goes on behind a search, such as indexing, is over."""
    def quiet():
        before = ticks(server)
        time.sleep(1)
        return ticks(server) - before <= 1

    servers.pair.wait_until(quiet, f"{server.name} is at rest")


def one_round(binary, server, test, seconds, taken):
    """A server that fails has no figures in this row, and is not asked again; the others are."""
    if taken[server.name] is None:
        return
    try:
        taken[server.name].append(mailbench(binary, server, test.operation, test.service, *test.flags,
                                            f"--seconds={seconds}", f"--warm-up={0 if test.once else 0.3}"))
    except Failed as failure:
        say(f"FAILED: {test.title}: {failure}")
        taken[server.name] = None


def run_tests(binary, measured, chosen, seconds, rounds, report, out):
    """What has been measured is in the folder `out` after each row, so that a stop loses one."""
    for test in chosen:
        taken = {server.name: [] for server in measured}
        for server in measured if test.settled else ():
            wait_until_settled(server)
        for _ in range(1 if test.once else rounds):
            for server in measured:
                one_round(binary, server, test, seconds, taken)
        report["results"].append({"test": test.title, "unit": test.unit,
                                  **{name: summary(test, taken[name]) for name in taken}})
        save(report, out)
        say(f"measured: {test.title}")


def save(report, out):
    with open(os.path.join(out, "results.json"), "w") as file:
        json.dump(report, file, indent=1)


def figure(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def rate(result):
    return figure(result and result["rate"])


def latency(result):
    if result is None:
        return "–"
    return f"{figure(result['p50'] * 1e3)} / {figure(result['p99'] * 1e3)}"


def table(report):
    names = report["servers"]
    lines = [f"{report['date']}, {report['cpu']}, {report['processors']} processors, Linux {report['kernel']}; "
             f"Dovecot {report['dovecot']}, {report['pair']}.", "",
             "Server CPU per operation; a ratio is the proxied Dovecot's divided by that pair's:", "",
             "| operation | unit | " + " | ".join(names) + " |" +
             "".join(f" ratio, {name.removeprefix('pair, ')} |" for name in names[2:]),
             "|---|---|" + "---:|" * (len(names) + len(names[2:]))]
    for row in report["results"]:
        costs = [row[name] and row[name]["cost"] for name in names]
        ratios = [f"{costs[1] / cost:.1f}" if cost and costs[1] else "–" for cost in costs[2:]]
        lines.append(f"| {row['test']} | {row['unit'].replace('us', 'µs')} | " +
                     " | ".join([*map(figure, costs), *ratios]) + " |")
    lines += ["", "Rate per second, and p50 / p99 in milliseconds:", "",
              "| operation | " + " | ".join(f"{name}: rate | p50 / p99" for name in names) + " |",
              "|---|" + "---:|---:|" * len(names)]
    for row in report["results"]:
        lines.append(f"| {row['test']} | " + " | ".join(
            f"{rate(row[name])} | {latency(row[name])}" for name in names) + " |")
    lines += ["", "The machine in the same minutes:", "", "| limit | before | after |", "|---|---:|---:|"]
    lines += [f"| {name} | {report['before'][name]:,} | {report['after'][name]:,} |" for name in report["before"]]
    busiest = max(row[name]["generator_cpu"] for row in report["results"] for name in names if row[name])
    lines += ["", f"Load of the machine (1 minute) before: {report['load']:.1f}. The load generator took "
              f"{busiest:.2f} processors at most."]
    return "\n".join(lines) + "\n"


def cpu_model():
    with open("/proc/cpuinfo") as file:
        found = re.search(r"model name\s*: (.*)", file.read())
    return found.group(1) if found else platform.machine()


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("mailbench")
    parser.add_argument("--quick", action="store_true", help="about 3 minutes, a smaller folder")
    parser.add_argument("--out", default="bench-results")
    parser.add_argument("--engine", default="both", choices=[*servers.ENGINES, "both"],
                        help="the TLS engine of the pair; both: two pairs, a column each")
    parser.add_argument("--link", choices=["unix", "tcp", "both"],
                        help="how front and back are linked: a unix socket, TCP with mutual TLS, or a pair of each; "
                        "unless said, the unix socket and, without --quick, TCP for the last engine as well")
    parser.add_argument("--seconds", type=float, help="of each round, instead of 5 (1 with --quick)")
    parser.add_argument("--rounds", type=int, help="of each row, instead of 3 (2 with --quick)")
    parser.add_argument("--only", default="", help="tests whose title has this word")
    return parser.parse_args()


def pairs(arguments):
    """The (engine, link) of each pair that is measured."""
    engines = list(servers.ENGINES) if arguments.engine == "both" else [arguments.engine]
    if arguments.link is not None:
        links = ["unix", "tcp"] if arguments.link == "both" else [arguments.link]
        return [(engine, link) for link in links for engine in engines]
    return [(engine, "unix") for engine in engines] + ([] if arguments.quick else [(engines[-1], "tcp")])


def main():
    arguments = parse()
    if os.geteuid() != 0:
        raise SystemExit("run this as root: Dovecot needs it")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are stopped then, too
    big, seconds, rounds = (4000, 1, 2) if arguments.quick else (48000, 5, 3)
    seconds, rounds = arguments.seconds or seconds, arguments.rounds or rounds
    binary = os.path.abspath(arguments.mailbench)
    chosen = [test for test in tests(big) if arguments.only in test.title]
    os.makedirs(arguments.out, exist_ok=True)
    started = []
    with servers.pair.Deployment() as deployment:
        os.chmod(deployment.folder, 0o755)  # Dovecot's processes run as users of their own
        direct = servers.Dovecot(deployment, "Dovecot direct")
        measured = [direct, servers.Dovecot(deployment, "Dovecot proxied", direct),
                    *(servers.OurPair(deployment, engine, link) for engine, link in pairs(arguments))]
        report = {"date": time.strftime("%Y-%m-%d"), "cpu": cpu_model(), "processors": os.cpu_count(),
                  "kernel": platform.release(), "dovecot": measured[0].version(), "pair": measured[-1].version(),
                  "load": os.getloadavg()[0], "servers": [server.name for server in measured],
                  "before": limits.measure(deployment.folder), "results": []}
        try:
            for server in measured:
                started.append(server)
                server.start()
            for server in (measured[0], *measured[2:]):
                fill(binary, server, big)
            run_tests(binary, measured, chosen, seconds, rounds, report, arguments.out)
        finally:
            for server in reversed(started):
                server.stop()
            say("all servers have stopped")
        report["after"] = limits.measure(deployment.folder)
    save(report, arguments.out)
    with open(os.path.join(arguments.out, "table.md"), "w") as file:
        file.write(table(report))
    plots.of_comparison(report, arguments.out)
    print(table(report))


if __name__ == "__main__":
    main()
