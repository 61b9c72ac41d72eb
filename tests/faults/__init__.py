"""The clients against peers that do everything wrong, over real sockets on loopback.

`server` is a peer that plays scripts, `case` says what a case is and what became of it, `cases_*` hold the cases.
"""
