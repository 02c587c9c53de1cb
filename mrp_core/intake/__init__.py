"""Files of unknown origin, read in a process with limits: CSV or Parquet becomes a Parquet file whose columns are all texts.

What the texts mean is decided later, by :mod:`mrp_core.tables`, so that a wrong guess can be corrected without the original file.
"""
