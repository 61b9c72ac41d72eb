"""The fuzzing: `python -m tests.fuzz --seconds 60 --seed 1`. Any bytes, the promises held; eleven targets."""
