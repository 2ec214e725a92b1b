"""Leaves: files, pictures, programs, threads, names and how models write, the small things every room needs.
Front door: each file is its own.

May import nothing of ours. Left out: anything that knows what a rollout, a verdict or a page is.
"""
