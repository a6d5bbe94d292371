"""Recomputes a benchmark's table from results.jsonl alone, with nothing but Python's standard library.

    python3 bench/recompute_table.py OUT/results.jsonl

prints {"<method> <lambda>": {"<measure>": [mean, deviation]}}, with " <budget>" behind lambda for rows at equal seconds: a subject's value is the mean over its seeds, mean and sample deviation
are over subjects. It shares no code with the program, whose tests compare both.
"""

import json
import statistics
import sys
from collections import defaultdict

MEASURES = ["dino", "clipI", "clipT", "alignI", "alignT", "harmonic", "copyRate", "diversity", "steps", "seconds", "memory"]


def value(row, measure):
    if measure != "harmonic":
        return row.get(measure)
    image, text = row["alignI"], row["alignT"]
    return None if image is None or text is None else 2 / (1 / image + 1 / text)


def table(rows):
    groups = defaultdict(lambda: defaultdict(list))
    for row in rows:
        groups[(row["method"], row["lambda"], row.get("budget"))][row["subject"]].append(row)
    out = {}
    for (method, weight, budget), subjects in groups.items():
        line = {}
        for measure in MEASURES:
            means = []
            for seeds in subjects.values():
                values = [v for v in (value(row, measure) for row in seeds) if v is not None]
                if values:
                    means.append(statistics.fmean(values))
            if means:
                line[measure] = [statistics.fmean(means), statistics.stdev(means) if len(means) > 1 else None]
        out[f"{method} {'-' if weight is None else weight}" + ("" if budget is None else f" {budget}")] = line
    return out


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        lines = dict.fromkeys(line for line in file if line.endswith("\n"))  # a line that stands twice counts once
    rows = [json.loads(line) for line in lines]
    json.dump(table(rows), sys.stdout)
