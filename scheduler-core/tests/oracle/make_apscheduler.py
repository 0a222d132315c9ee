#!/usr/bin/env python3
"""Writes apscheduler.tsv: crontab patterns as APScheduler reads them, with the next three instants.

    python3 -m venv venv && venv/bin/pip install APScheduler==3.6.1
    venv/bin/python make_apscheduler.py > apscheduler.tsv

Each row: pattern, start, three instants strictly after it, in UTC epoch seconds, or the one word
`refused` where APScheduler raises. All in UTC: what a change of offset does is `cron.tsv`'s matter.

Not drawn, because the meanings differ on purpose: a step longer than its range (`6/1` of weekdays;
APScheduler raises, cron takes the first value), and a step after a range of names (`feb-oct/3`;
APScheduler drops the step without a word, this scheduler obeys it).
"""

import random
from datetime import datetime, timedelta

import pytz
from apscheduler.triggers.cron import CronTrigger

SEED = 361
ROWS = 600
DAYS = "mon tue wed thu fri sat sun".split()
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()


def weekday(rng):
    day = lambda: rng.choice([str(rng.randint(0, 6)), rng.choice(DAYS)])

    def item():
        low, high = sorted((rng.randint(0, 6), rng.randint(0, 6)))
        return rng.choice([
            day(),
            f"{low}-{high}",
            f"{DAYS[low]}-{DAYS[high]}",
            f"{DAYS[high]}-{DAYS[low]}",
            f"*/{rng.randint(1, 6)}",
            f"{low}/{rng.randint(1, 6 - low)}" if low < 6 else "6",
            rng.choice(["7", "8", "0-6", "sat,sun", "6", "0"]),
        ])

    return rng.choice(["*", item(), item(), item(), f"{item()},{item()}"])


def draw(rng):
    minute = rng.choice(["0", "*/15", "5/20", "10,40", "30-35/2", "60"])
    hour = rng.choice(["0", "9", "*", "8/6", "9-17", "24"] if rng.random() < 0.2 else ["0", "9", "8/6"])
    dom = rng.choice(["*", "*", "*", "13", "1-7", "*/2", "10/9", "last", "32"])
    month = rng.choice(["*", "*", "*", "2", rng.choice(MONTHS), "feb-oct", "2-10/3", "5/3"])
    return f"{minute} {hour} {dom} {month} {weekday(rng)}"


def instants(text, start):
    try:
        trigger = CronTrigger.from_crontab(text, timezone=pytz.utc)
    except ValueError:
        return ["refused"]
    found, at = [], datetime.fromtimestamp(start, pytz.utc)
    for _ in range(3):
        at = trigger.get_next_fire_time(None, at + timedelta(seconds=1))
        if at is None:
            return None
        found.append(int(at.timestamp()))
    return found


def main():
    rng = random.Random(SEED)
    print("# pattern, start, next three instants or refused; written by make_apscheduler.py")
    rows = 0
    while rows < ROWS:
        text, start = draw(rng), rng.randrange(946684800, 2114380800)
        found = instants(text, start)
        if found:
            print(text, start, " ".join(map(str, found)), sep="\t")
            rows += 1


main()
