#!/usr/bin/env python3
"""Draws what a terminal showed as an SVG: scripts/picture.py TITLE <transcript >docs/main-job.svg

Lines that begin with "$ " are what was typed. Kanji are twice as wide as letters.
"""
import html
import sys
import unicodedata

CELL, LINE, MARGIN, BAR = 8.4, 19, 18, 34


def cells(text):
    return sum(2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in text)


def main():
    title = sys.argv[1]
    lines = [line.rstrip('\n') for line in sys.stdin]
    width = int(max(cells(line) for line in lines) * CELL + 2 * MARGIN)
    height = len(lines) * LINE + BAR + 2 * MARGIN
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
          f'role="img" aria-label="{html.escape(title)}">')
    print(f'<rect width="{width}" height="{height}" rx="8" fill="#10151c"/>')
    print(f'<text x="{width / 2}" y="22" text-anchor="middle" font-family="sans-serif" font-size="13" '
          f'fill="#8a96a3">{html.escape(title)}</text>')
    print('<g font-family="ui-monospace,Menlo,Consolas,\'Noto Sans Mono CJK JP\',monospace" font-size="14" '
          'xml:space="preserve">')
    for number, line in enumerate(lines):
        y = BAR + MARGIN + (number + 1) * LINE - 5
        colour = '#7fd1b9' if line.startswith('$ ') else '#8a96a3' if line.startswith('#') else '#e6e9ed'
        # Each run of one width is placed by itself, so that columns stand under each other in every font.
        x, run = 0, ''
        runs = []
        for c in line:
            if run and cells(c) != cells(run[0]):
                runs.append((x, run))
                x, run = x + cells(run), ''
            run += c
        if run:
            runs.append((x, run))
        for at, text in runs:
            length = cells(text) * CELL
            print(f'<text x="{MARGIN + at * CELL:.1f}" y="{y}" fill="{colour}" textLength="{length:.1f}" '
                  f'lengthAdjust="spacingAndGlyphs">{html.escape(text)}</text>')
    print('</g></svg>')


main()
