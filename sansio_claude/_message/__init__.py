"""The message, its usage and its content blocks.

In: JSON objects as the API sends them. Out: typed attributes, and the same JSON again.
Promises: `from_dict(d).to_dict() == d`; unknown keys and blocks are kept.
"""
