"""Leaves: files and pictures, the small things every room needs. They import nothing of ours.

Left out: anything that knows what a rollout, a verdict or a page is.
"""
