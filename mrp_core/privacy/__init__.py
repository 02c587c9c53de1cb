"""Privacy losses: each file holds one, a differentiable leakage that the privacy weight λ multiplies, or none where a guarantee alone protects.

What a loss asks of the engine beyond released logits it declares (``inner``, ``pairs``, ``needs``, ``critic``); whether λ multiplies it, too (``weighted``).
"""
