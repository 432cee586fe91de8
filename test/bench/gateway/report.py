"""Tables from what was measured."""

from statistics import median

# The goals: against which row, and the most (CPU, p99, memory) or least (req/s) that our row may have of it.
# (row, against, what it is, rps, cpu, p99, memory)
GOALS = [
    ("gateway", "haproxy-hs256", "HAProxy jwt HS256", 2.5, 0.38, 0.45, 0.15),
    ("gateway-rs256", "haproxy-rs256", "HAProxy jwt RS256, repeated tokens", 4.5, 0.22, 0.35, None),
    ("gateway-rs256-new", "haproxy-rs256-new", "HAProxy jwt RS256, every token new", 1.5, 0.65, None, None),
    ("gateway-hs256-new", "haproxy-hs256", "HAProxy jwt HS256, our cache of no use", None, None, None, None),
    ("gateway", "nginx-auth", "nginx auth_request", 2.2, 0.45, 0.5, 0.12),
    ("gateway", "nginx", "nginx plain, no token check", 1.5, 0.65, 0.7, 0.15),
    ("gateway", "haproxy", "HAProxy plain, no token check", 1.4, 0.68, 0.7, 0.15),
    ("gateway", "relay", "raw epoll relay", 0.9, 1.15, 1.2, None),
    ("gateway", "before", "the binary given with --before", None, 1.01, 1.03, None),
    # The floor: what remains of each distance for whoever looks at nothing.
    ("relay", "haproxy-hs256", "HAProxy jwt HS256", None, None, None, None),
    ("relay", "nginx-auth", "nginx auth_request", None, None, None, None),
    ("relay", "nginx", "nginx plain", None, None, None, None),
    ("relay", "haproxy", "HAProxy plain", None, None, None, None),
]


def table(head, rows):
    rows = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]

    def line(row):
        first = row[0].ljust(widths[0])
        return "| " + " | ".join([first] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]) + " |"

    return "\n".join([line(rows[0]), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(line, rows[1:])])


def middle(rounds, key):
    return median(one[key] for one in rounds)


def main_table(rounds, memory, calls, allocations):
    rows = []
    for name, found in rounds.items():
        spread = sorted(one["cpu_us"] for one in found)
        row = [name, f"{middle(found, 'cpu_us'):.1f}", f"{spread[0]:.1f}-{spread[-1]:.1f}",
               f"{middle(found, 'rps'):,.0f}",
               *(f"{middle(found, key):,.0f}" for key in ("p50_us", "p99_us", "p999_us")),
               f"{100 * middle(found, 'proxy_load'):.0f}%"]
        if memory or calls or allocations:
            row += [f"{memory[name]['quiet']:,.0f} / {memory[name]['burst']:,.0f}" if name in memory else "",
                    f"{calls[name]['all']:.2f}" if name in calls else "",
                    f"{allocations[name]:.3f}" if name in allocations else ""]
        rows.append(row)
    head = ["", "CPU µs/req", "lowest-highest", "req/s", "p50 µs", "p99 µs", "p99.9 µs", "core used"]
    if memory or calls or allocations:
        head += ["bytes/idle conn quiet / burst", "syscalls/req", "allocations/req"]
    return table(head, rows)


def ratios(rounds, memory):
    """Our rows against each peer: the median of the ratios round by round, so that a slow minute of the machine
    weighs on both sides alike."""
    found = []
    for ours, theirs, label, rps, cpu, p99, bytes_idle in GOALS:
        if ours not in rounds or theirs not in rounds:
            continue
        pairs = list(zip(rounds[ours], rounds[theirs]))
        entry = {"ours": ours, "against": theirs, "label": label}
        for key, goal in (("rps", rps), ("cpu_us", cpu), ("p99_us", p99)):
            entry[key] = median(a[key] / b[key] for a, b in pairs)
            entry[key + "_goal"] = goal
        if ours in memory and theirs in memory:
            for kind in ("quiet", "burst"):
                entry[kind] = memory[ours][kind] / max(1, memory[theirs][kind])
            entry["burst_goal"] = bytes_idle
        found.append(entry)
    return found


def ratio_table(found):
    def cell(entry, key, least):
        if key not in entry:
            return ""
        value, goal = entry[key], entry.get(key + "_goal")
        if goal is None:
            return f"{value:.2f}"
        good = value >= goal if least else value <= goal
        return f"{value:.2f} ({'≥' if least else '≤'} {goal}: {'pass' if good else 'SHORT'})"

    rows = [[f"{entry['ours']} / {entry['label']}", cell(entry, "rps", True), cell(entry, "cpu_us", False),
             cell(entry, "p99_us", False), cell(entry, "quiet", False), cell(entry, "burst", False)] for entry in found]
    return table(["ours / theirs, median of per-round ratios", "req/s", "CPU per request", "p99", "idle memory, quiet",
                  "after a burst"], rows)


def noise(rounds):
    shares = sorted(one["foreign"] for found in rounds.values() for one in found)
    return (f"Other programs used {100 * median(shares):.0f} % of the machine in the middle window, "
            f"{100 * shares[-1]:.0f} % in the worst.")


def call_table(calls):
    names = sorted({name for found in calls.values() for name in found if name != "all"})
    rows = [[peer, f"{found['all']:.2f}", *(f"{found[name]:.2f}" if name in found else "" for name in names)]
            for peer, found in calls.items()]
    return table(["system calls per request", "all", *names], rows)


def body_table(found):
    rows = []
    base = found.get("nginx")
    for name, directions in found.items():
        row = [name]
        for direction in ("down", "up"):
            speeds = [one["mb_per_cpu_s"] for one in directions[direction]]
            row.append(f"{median(speeds):,.0f}")
            if base:
                row.append(f"{median(a / b['mb_per_cpu_s'] for a, b in zip(speeds, base[direction])):.2f}")
            else:
                row.append("")
        rows.append(row)
    return table(["1 MiB bodies", "answers, MB per CPU s", "/ nginx", "uploads, MB per CPU s", "/ nginx"], rows)


def worker_table(found):
    rows = [[f"{count} worker(s)", f"{middle(one, 'cpu_us'):.1f}", f"{middle(one, 'rps'):,.0f}",
             f"{middle(one, 'p99_us'):,.0f}"] for count, one in found.items()]
    return table(["both cores shared with load and upstream", "CPU µs/req", "req/s", "p99 µs"], rows)
