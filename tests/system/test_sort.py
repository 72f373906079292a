"""SORT against a simple model: Python's stable sort by one criterion after the other, the last one first."""

import random

from pair import Pair

NAMES = ["ann", "Bob", "carl", "Dora", "eve", ""]
SUBJECTS = ["one", "Two", "three", "FOUR", ""]
MARKS = ["", "Re: ", "[list] ", "Fwd: Re: "]
CRITERIA = ["ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO"]


def mail(rng):
    facts = {"FROM": rng.choice(NAMES), "TO": rng.choice(NAMES), "CC": rng.choice(NAMES),
             "SUBJECT": rng.choice(SUBJECTS), "DATE": rng.randrange(1, 29), "ARRIVAL": rng.randrange(1, 29)}
    lines = [f"{field}: {facts[field]}@example.org" for field in ("FROM", "TO", "CC") if facts[field]]
    lines.append(f"Subject: {rng.choice(MARKS) if facts['SUBJECT'] else 'Re: '}{facts['SUBJECT']}")
    lines.append(f"Date: {facts['DATE']} Jan 2020 10:00:00 +0000")
    text = ("\r\n".join(lines) + "\r\n\r\n" + "x" * rng.randrange(10) + "\r\n").encode()
    facts["SIZE"] = len(text)
    return facts, text


def fold(value):
    return value.upper() if isinstance(value, str) else value


def by_model(messages, program):
    order = list(messages)
    for name, reverse in reversed(program):
        order.sort(key=lambda uid: fold(messages[uid][name]), reverse=reverse)
    return order


def test_messages_come_in_the_order_of_a_simple_model():
    rng = random.Random(5256)
    with Pair() as pair:
        imap = pair.imap("alice")
        messages = {}
        imap.select("INBOX")
        for uid in range(1, 51):
            messages[uid], text = mail(rng)
            day = f'"{messages[uid]["ARRIVAL"]:02}-Feb-2020 12:00:00 +0000"'
            assert imap.append("INBOX", None, day, text)[0] == "OK"
        imap.noop()
        for _ in range(80):
            program = [(rng.choice(CRITERIA), rng.random() < 0.4) for _ in range(rng.randrange(1, 4))]
            words = " ".join(("REVERSE " if reverse else "") + name for name, reverse in program)
            told = imap.uid("SORT", f"({words})", "UTF-8", "ALL")[1][0].split()
            assert [int(uid) for uid in told] == by_model(messages, program), words
