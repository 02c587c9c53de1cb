"""Every error that a person may meet, as one sentence: what is wrong, which value, what to do."""

from __future__ import annotations


class MRPError(Exception):
    """Base of all errors raised by ``mrp_core``. ``str(error)`` is a sentence fit for a page or a terminal."""


class ConfigError(MRPError):
    """A knob, a plug-in name or a configuration file is not acceptable."""


class DataError(MRPError):
    """A data file is missing or damaged, or holds too few records for what was asked."""


class StoreError(MRPError):
    """The store can't be read or written, or doesn't hold what was asked for."""


class CheckpointError(MRPError):
    """A checkpoint or a saved strategy is truncated, altered or of another version."""


class TrainingError(MRPError):
    """Training can't go on: every configuration of the study has diverged."""


class JobCancelled(MRPError):
    """The person who started the job has cancelled it."""


class JobInterrupted(MRPError):
    """The job's process was told to stop; a checkpoint was taken, and the job goes on later."""
