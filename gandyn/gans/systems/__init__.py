"""GANs of more than two networks, or of other costs, each a game of as many players as it has: by name.

Every entry is a `GANGame` built of (generator, discriminator, loss, penalties, data=..., batch_size=..., ...) and its
own options, so that a config says `system = "vae_gan"` and `options = { gamma = 0.01 }` beside its two networks.
"""

from __future__ import annotations

from ...registry import Entry
from ..gan_game import GANGame
from ..registries import systems as registry

registry.add(Entry("gan", GANGame))
registry.load(__name__, list(__path__))

__all__ = ["registry"]
__getattr__, __dir__ = registry.face(__all__)
