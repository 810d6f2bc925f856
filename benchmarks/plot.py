# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Draws what benchmarks/goals prints, which goes through it: benchmarks/goals | python3 benchmarks/plot.py FILE.svg

The least processor time on one thread, as a multiple of reading the floats once in the same process (numpy's sum for
what Python runs).
"""
import html
import sys

WANTED = ("one search", "each of 100 in a call", "prepared search")


def bars(lines):
    found, section, read = [], "", None
    for line in lines:
        print(line, end="")
        if line.startswith("== "):
            section, read = line[3:].strip(), None
            continue
        parts = line.rstrip("\n").split("\t")
        if len(parts) != 3 or not ("threads=1" in section or section == "peers"):
            continue
        name, least = parts[0], float(parts[2])
        if "read the floats once" in name:
            read = least
        elif read and any(w in name for w in WANTED):
            where = section.replace("-Dcalcitefaiss.threads=1", "").replace("--add-modules=jdk.incubator.vector", "Vector API")
            label = name if section == "peers" else f"{where.strip()}: {name.split(', 1')[0]}"
            found.append((label, least / read, section == "peers"))
    return found


def draw(found, path):
    longest = max(value for _, value, _ in found)
    height = 20 * len(found) + 50
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="820" height="{height}" font-family="sans-serif" font-size="12">',
        f'<rect width="820" height="{height}" fill="white"/>',
        '<text x="10" y="18">processor time on one thread, of reading the float32 once (logarithmic)</text>',
    ]
    import math

    least = 0.02
    scale = 330 / math.log(max(longest, 1) / least)
    x = 400 + scale * math.log(1 / least)
    for i, (label, value, peer) in enumerate(sorted(found, key=lambda bar: bar[1])):
        y = 34 + 20 * i
        width = max(1, scale * math.log(max(value, least) / least))
        out.append(f'<text x="392" y="{y + 12}" text-anchor="end">{html.escape(label)}</text>')
        colour = "#b0b0b0" if peer else "#2b6cb0"
        out.append(f'<rect x="400" y="{y}" width="{width:.0f}" height="15" fill="{colour}"/>')
        out.append(f'<text x="{404 + width:.0f}" y="{y + 12}">{value:.2f}</text>')
    out.append(f'<line x1="{x:.0f}" y1="28" x2="{x:.0f}" y2="{height - 10}" stroke="black" stroke-dasharray="4"/>')
    out.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


if __name__ == "__main__":
    drawn = bars(sys.stdin)
    if drawn:
        draw(drawn, sys.argv[1])
