"""The command line: one file a command, the views, the reading of input.

In: arguments, standard input, files. Out: text on standard output, problems on standard error, an exit status.
"""
