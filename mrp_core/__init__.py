"""Meta-learning of privacy / utility trade-offs: the engine, its audit, the store and the jobs, without a browser."""

__version__ = "0.1.0"
