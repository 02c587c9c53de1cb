"""Meta-learners and the baselines: each file holds one, and says what gradient the strategy follows."""
