"""The benchmark suite of sansio_claude: `python -m benchmarks`.

Only ratios are claims. Both sides of a ratio run in one process (or in two processes that take turns),
interleaved, for several rounds; the figure is the median of the per-round ratios, of CPU time and not of wall
time. Before anything is timed, the sides' answers are compared.
"""
