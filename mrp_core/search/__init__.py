"""Searches: each file holds one, and says which configurations are trained so that all of a study's settings can be served."""
