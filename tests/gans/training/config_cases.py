"""A small config, for the tests of configs and of checkpoints."""

SMALL = """
about = "small"
[game]
generator = { architecture = "mlp", hidden = [8] }
discriminator = { architecture = "mlp", hidden = [8] }
data = "ring"
batch = 8
[rule]
call = "Alternating(Adam(0.001, betas=(0, 0.99)))"
[schedule]
kind = "cosine"
[train]
steps = 12
log_every = 4
checkpoint_every = 5
average = 0.9
"""
