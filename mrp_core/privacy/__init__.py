"""Privacy losses: each file holds one, a differentiable leakage that the privacy weight λ multiplies."""
