"""Task families: each file holds one, and turns real or simulated records into training episodes and held-out tasks.

A family is a module-level ``PLUGIN`` with the attributes of :class:`TaskFamily`. It needs numpy and pandas only.
"""
