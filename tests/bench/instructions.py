"""Instructions that front and back end take for one operation, counted by callgrind: the same on a busy machine.

    instructions.py MAILBENCH [--write] [--out=FILE] [--engine=openssl|mbedtls] [--only=WORD]

Each operation is run 1 and then 1 + N times on one connection, and all of that three times; the difference of the
least of each, divided by N, is its cost, without that of the connection or of what happens once. Compares with the
baseline (instructions.json beside this file) and ends with 1 when something has become more than 5 % worse; --write
makes the figures the baseline."""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time

import run
import servers

BASELINE = os.path.join(servers.HERE, "instructions.json")
WORSE = 1.05  # of the baseline: more than this is a regression ...
NOISE = 0.01  # ... unless it is less than that of what both sides take together
ROUNDS = 3    # of which the one with the fewest instructions counts: the others had timers and threads in their way
QUIET = 200000  # instructions a second of a program that does nothing
MESSAGES = 100  # of 10 KB in INBOX and in Dense
BIG = 1000      # of 2 KB in Big
SIDES = ("front", "back")


class Case:
    """One operation of mailbench; per: things in one operation, such as messages of one FETCH."""

    def __init__(self, title, operation, service, times, *flags, per=1):
        self.title, self.operation, self.service = title, operation, service
        self.times, self.flags, self.per = times, flags, per


CASES = [
    Case("login session, plain", "login", "imap", 50),
    Case("login session, TLS, full handshake", "login", "imaps", 20),
    Case("login session, TLS, resumed", "login", "imaps", 50, "--resume"),
    Case("FETCH of 10 KB, per message", "fetch", "imap", 10, f"--messages={MESSAGES}", per=MESSAGES),
    Case("FETCH of 10 KB that do not compress, per message", "fetch", "imap", 10, f"--messages={MESSAGES}",
         "--folder=Dense", per=MESSAGES),
    Case("FETCH of envelope and structure, per message", "fetch", "imap", 3, f"--messages={BIG}", f"--span={BIG}",
         f"--items={run.ENVELOPES}", "--folder=Big", per=BIG),
    Case(f"SELECT of {BIG:,} messages", "select", "imap", 50, "--folder=Big"),
    Case(f"SEARCH SUBJECT in {BIG:,}", "search", "imap", 20, "--folder=Big", "--key=SUBJECT needle"),
    Case("UID STORE of a flag", "store", "imap", 200),
    Case("POP3 session, plain, 20 messages of 10 KB", "pop3", "pop3", 10),
    Case("APPEND 10 KB", "append", "imap", 100, "--folder=New"),
    Case("LMTP delivery 10 KB", "lmtp", "lmtp", 200),
]


class Counted:
    """A program of the pair that runs under callgrind from its next start on."""

    def __init__(self, program, folder):
        self.program = program
        self.files = os.path.join(folder, "callgrind")
        os.makedirs(folder)
        # on one processor, as there both sides wait for each other in the same way each time
        program.wrapper = ("taskset", "--cpu-list", str(min(os.sched_getaffinity(0))), "valgrind",
                           "--quiet", "--tool=callgrind", f"--callgrind-out-file={self.files}")

    def control(self, what):
        subprocess.run(["callgrind_control", what, str(self.program.process.pid)], check=True, capture_output=True,
                       timeout=servers.pair.PATIENCE)

    def taken(self):
        """Instructions since control("-z")."""
        self.control("-d")
        total = 0
        folder, name = os.path.split(self.files)
        for file in os.listdir(folder):
            path = os.path.join(folder, file)
            with open(path) as dump:
                found = re.search(r"^totals: (\d+)", dump.read(), re.M)
            total += int(found.group(1)) if found and file.startswith(name) else 0
            os.unlink(path)
        return total


def fill(binary, server):
    run.create_folders(server, users=1)
    one = ("--users=1", "--workers=1")
    run.mailbench(binary, server, "append", "imap", *one, f"--count={MESSAGES}")
    run.mailbench(binary, server, "append", "imap", *one, f"--count={MESSAGES}", "--folder=Dense", "--dense")
    run.mailbench(binary, server, "append", "imap", *one, f"--count={BIG}", "--folder=Big", "--size=2000")


def repeat(binary, server, case, times):
    run.mailbench(binary, server, case.operation, case.service, "--workers=1", "--users=1", f"--count={times}",
                  *case.flags)


def count(binary, server, counted, case):
    """{side: instructions of one operation}"""
    few, many = [], []
    repeat(binary, server, case, 1)  # what only the first one after the start does
    for _ in range(ROUNDS):
        for times, all_taken in ((1, few), (1 + case.times, many)):
            for program in counted.values():
                program.control("-z")
            repeat(binary, server, case, times)
            all_taken.append({side: program.taken() for side, program in counted.items()})
    run.say(f"counted: {case.title}")
    return {side: round((min(taken[side] for taken in many) - min(taken[side] for taken in few)) / case.times / case.per)
            for side in counted}


def wait_until_quiet(counted):
    """Until what goes on behind the start, such as indexing for searches, is over."""
    for program in counted.values():
        def quiet():
            program.control("-z")
            time.sleep(1)
            return program.taken() < QUIET

        servers.pair.wait_until(quiet, "the programs are at rest")


def measure(binary, engine, chosen):
    with servers.pair.Deployment() as deployment:
        # valgrind cannot map the index's usual address space
        server = servers.OurPair(deployment, engine, back_extra="[store]\nmap_size = 1G\n")
        server.start()
        fill(binary, server)
        server.stop()
        counted = {side: Counted(getattr(server, side), f"{server.folder}/count-{side}") for side in SIDES}
        server.start()
        wait_until_quiet(counted)
        operations = {case.title: count(binary, server, counted, case) for case in chosen}
        server.stop()
        return {"engine": engine, "pair": server.version(), "cpu": run.cpu_model(), "operations": operations}


def compare(report, baseline):
    """Prints the table; returns how many figures have become worse."""
    before = baseline["operations"] if baseline.get("engine") == report["engine"] else {}
    if before and baseline["cpu"] != report["cpu"]:
        print(f"The baseline was made on {baseline['cpu']}: libraries may choose other code there.\n")
    print("| operation | front | back end | against the baseline |\n|---|---:|---:|---|")
    worse = 0
    for title, now in report["operations"].items():
        remarks = []
        for side, was in before.get(title, {}).items():
            if abs(now[side] - was) < max(NOISE * sum(now.values()), (WORSE - 1) * was):
                continue
            remarks.append(f"{side} {'WORSE' if now[side] > was else 'better'}: was {was:,}")
            worse += now[side] > was
        print(f"| {title} | {now['front']:,} | {now['back']:,} | "
              f"{', '.join(remarks) or ('the same' if title in before else 'new')} |")
    return worse


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("mailbench")
    parser.add_argument("--write", action="store_true", help="make these figures the baseline")
    parser.add_argument("--out", help="the file that the figures are written to")
    parser.add_argument("--engine", default="openssl", choices=list(servers.ENGINES))
    parser.add_argument("--only", default="", help="operations whose title has this word")
    arguments = parser.parse_args()
    if arguments.write and arguments.only:
        parser.error("a baseline has all operations: --write without --only")
    return arguments


def load_baseline():
    if not os.path.exists(BASELINE):
        return {}
    with open(BASELINE) as file:
        return json.load(file)


def main():
    arguments = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are stopped then, too
    chosen = [case for case in CASES if arguments.only in case.title]
    report = measure(os.path.abspath(arguments.mailbench), arguments.engine, chosen)
    worse = compare(report, load_baseline())
    for path in filter(None, (arguments.out, BASELINE if arguments.write else None)):
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(path, "w") as file:
            file.write(json.dumps(report, indent=1) + "\n")
    if worse and not arguments.write:
        raise SystemExit(f"{worse} figures are more than 5 % worse than the baseline")


if __name__ == "__main__":
    main()
