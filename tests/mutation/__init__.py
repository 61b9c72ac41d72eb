"""Mutation testing: `python -m tests.mutation --number 60 --seed 1`. Which changes of the core does no test notice?"""
