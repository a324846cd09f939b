#!/usr/bin/env python3
"""In: rows of JSON, one a peer, workload, type and round. Out: a table of ours over what is written by hand.

A ratio is the median over rounds of the ratio within a round; times are the lowest median of any round, in microseconds.
"""
import json
import statistics
import sys

times = {}
for path in sys.argv[1:]:
    for line in open(path):
        row = json.loads(line)
        key = (row["workload"], row["dtype"], row.get("threads", 1))
        times.setdefault(key, {}).setdefault(row["peer"], {})[row.get("round")] = row["median_us"]


def number(value):
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def ratio(a, b):
    both = a.keys() & b.keys()
    return f"{statistics.median(a[r] / b[r] for r in both):.2f}" if both else ""


print("| workload | type | threads | by hand, µs | ours, µs | ours / by hand | default flags, µs | default / native |")
print("|---|---|---|---|---|---|---|---|")
for (workload, dtype, threads), peers in sorted(times.items(), key=lambda item: (item[0][2], item[0][1], item[0][0].replace("W10", "X"))):
    if "ours" not in peers:
        continue
    hand = times.get((workload.removesuffix("any"), dtype, threads), {}).get("rust-hand", {})
    ours, plain = peers["ours"], peers.get("ours-plain", {})
    cells = [
        workload,
        dtype,
        str(threads),
        number(min(hand.values())) if hand else "",
        number(min(ours.values())),
        ratio(ours, hand),
        number(min(plain.values())) if plain else "",
        ratio(plain, ours),
    ]
    print("| " + " | ".join(cells) + " |")
