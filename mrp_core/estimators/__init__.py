"""Estimators of mutual information: each file holds one, and says whether it is a bound, an estimate or only a training penalty."""
