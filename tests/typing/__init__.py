"""Programs as a user would write them, for the type checkers: mypy and pyright look at them, strictly.

`assert_type` holds what a name promises; `assert_never` that a union is closed. The tests run them too.
"""
