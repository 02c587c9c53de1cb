"""Membership attacks: each file holds one; it scores records of models from what those models release."""
