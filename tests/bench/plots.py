"""Figures of the benchmark, as SVG made by gnuplot. Where there is no gnuplot there are no figures."""

import os
import shutil
import subprocess
import sys

COLOURS = ["#9aa5b1", "#52606d", "#f0b429", "#2186eb", "#3ebd93", "#8e2de2"]
ROW = 13      # pixels of one bar
LABELS = 540  # pixels that the names of the rows take


def draw(folder, name, script):
    """Has gnuplot run the script and write NAME.svg to the folder."""
    if shutil.which("gnuplot") is None:
        print(f"no gnuplot: {name}.svg is not drawn", file=sys.stderr)
        return
    path = os.path.join(folder, f"{name}.svg")
    head = f"set encoding utf8\nset output {quoted(path)}\n"
    done = subprocess.run(["gnuplot"], input=head + script, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{name}: gnuplot: {done.stderr[-2000:]}")


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def terminal(width, height):
    return f"set terminal svg noenhanced size {width},{height} font 'sans-serif,11' background '#ffffff'\n"


def label(row):
    return row["test"] + {"ms": "", "us": " [µs]"}.get(row["unit"], f" [{row['unit']}]")


def bars(block, columns):
    """Data of horizontal bars: columns[server][row], rows from the top, a server's bars all in one block. A missing
    value is no bar."""
    lines = []
    rows, thick = len(columns[0]), 0.8 / len(columns)
    for server, values in enumerate(columns):
        lines.append(f"${block}{server} << EOD")
        for row, value in enumerate(values):
            top = rows - row + 0.4 - server * thick
            if value:
                lines.append(f"{value} {top - thick:.3f} {top:.3f}")
        lines += ["1 -2 -1", "EOD"]  # so that no block is empty; it lies below what is shown
    return "\n".join(lines) + "\n"


def panel(block, columns, names, title, place, rows, base):
    """One panel of a multiplot, its scale logarithmic. place: shares of the figure's width and height; base: where
    bars begin, None: at the left."""
    left, right, bottom = place
    values = [value for column in columns for value in column if value] or [1]
    least, most = min(values) / 2, max(values) * 2
    colours = COLOURS[2:] if base else COLOURS  # so that a pair has its colour in every figure
    base = base or least
    tics = ", ".join(f"{quoted(name)} {len(rows) - number}" for number, name in enumerate(rows))
    plots = ", ".join(
        f"${block}{number} using ({base}):(($2+$3)/2):($1 > {base} ? {base} : $1):($1 > {base} ? $1 : {base}):2:3 "
        f"with boxxyerror fillstyle solid noborder linecolor rgb {quoted(colours[number % len(colours)])} "
        f"title {quoted(name)}" for number, name in enumerate(names))
    return (f"set lmargin at screen {left}\nset rmargin at screen {right}\nset bmargin at screen {bottom}\n"
            f"set title {quoted(title)}\n"
            f"set logscale x\nset xrange [{least}:{most}]\nset yrange [0.5:{len(rows) + 0.5}]\n"
            f"set ytics scale 0 ({tics})\nset grid x\nset key below\nset tics nomirror\n"
            "set format x '%g'\nset xtics rotate by -45\n"
            f"plot {plots}\n")


def panels(folder, name, report, shown, base=None):
    """A figure of one or two panels side by side; shown: (title, names, columns) of each. base: for a figure of
    ratios, of the pairs only."""
    rows = [label(row) for row in report["results"]]
    width = LABELS + 520 * len(shown)
    height = 190 + len(rows) * ROW * max(2, len(shown[0][1]) + 1)
    script = [terminal(width, height), f"set multiplot layout 1,{len(shown)}\n"]
    for number, (title, names, columns) in enumerate(shown):
        left = (LABELS + 520 * number) / width
        script += [bars(f"d{number}", columns),
                   panel(f"d{number}", columns, names, title, (left, left + 480 / width, 150 / height),
                         rows if number == 0 else [""] * len(rows), base)]
    draw(folder, name, "".join(script) + "unset multiplot\n")


def of_comparison(report, folder):
    """comparison.svg: rate and CPU of each server; ratios.svg: by how much the pairs need less CPU than Dovecot as a
    proxy."""
    names, results = report["servers"], report["results"]

    def columns(key):
        return [[row[name] and row[name][key] for row in results] for name in names]

    if not results:
        return
    panels(folder, "comparison", report, [
        ("operations a second", names, columns("rate")),
        ("server CPU per operation: ms, or what is in brackets", names, columns("cost"))])
    costs = columns("cost")
    ratios = [[theirs / ours if theirs and ours else None for theirs, ours in zip(costs[1], column)]
              for column in costs[2:]]
    panels(folder, "ratios", report, [(f"CPU of {names[1]} / CPU of the pair", names[2:], ratios)],
           base=1)


def of_growth(folder, name, title, x_title, y_title, lines):
    """NAME.svg: lines over a logarithmic scale; lines: {title: [(x, y), ...]}."""
    lines = {name: points for name, points in lines.items() if points}
    if not lines:
        return
    data = "".join(f"$l{number} << EOD\n" + "".join(f"{x} {y}\n" for x, y in points) + "EOD\n"
                   for number, points in enumerate(lines.values()))
    plots = ", ".join(
        f"$l{number} using 1:2 with linespoints linewidth 2 pointtype 7 pointsize 0.6 "
        f"linecolor rgb {quoted(COLOURS[(number + 1) % len(COLOURS)])} title {quoted(line)}"
        for number, line in enumerate(lines))
    draw(folder, name, terminal(900, 520) + data +
         f"set title {quoted(title)}\nset xlabel {quoted(x_title)}\nset ylabel {quoted(y_title)}\n"
         "set logscale xy\nset format '%g'\nset grid\nset key outside right\nset tics nomirror\n"
         f"plot {plots}\n")
