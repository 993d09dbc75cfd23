"""Rules by the names people know them under."""

from __future__ import annotations

import re
from difflib import get_close_matches

# LifeWiki, "List of Life-like cellular automata".
_LIFE_LIKE = {
    "Life": "B3/S23",
    "Conway": "B3/S23",
    "Conway's Life": "B3/S23",
    "Conway's Game of Life": "B3/S23",
    "Game of Life": "B3/S23",
    "2x2": "B36/S125",
    "34 Life": "B34/S34",
    "Anneal": "B4678/S35678",
    "Assimilation": "B345/S4567",
    "Coagulations": "B378/S235678",
    "Coral": "B3/S45678",
    "Day & Night": "B3678/S34678",
    "DayNight": "B3678/S34678",
    "Diamoeba": "B35678/S5678",
    "DotLife": "B3/S023",
    "DryLife": "B37/S23",
    "EightLife": "B3/S238",
    "Flock": "B3/S12",
    "Fredkin": "B1357/S02468",
    "Gems": "B3457/S4568",
    "Geology": "B3578/S24678",
    "Gnarl": "B1/S1",
    "H-trees": "B1/S012345678",
    "HighLife": "B36/S23",
    "Holstein": "B35678/S4678",
    "Iceballs": "B25678/S5678",
    "Life without Death": "B3/S012345678",
    "Live Free or Die": "B2/S0",
    "LongLife": "B345/S5",
    "Maze": "B3/S12345",
    "Mazectric": "B3/S1234",
    "Morley": "B368/S245",
    "Move": "B368/S245",
    "Pedestrian Life": "B38/S23",
    "Persian Rug": "B234/S",
    "Plow World": "B378/S012345678",
    "Pseudo Life": "B357/S238",
    "Replicator": "B1357/S1357",
    "Seeds": "B2/S",
    "Serviettes": "B234/S",
    "Stains": "B3678/S235678",
    "Vote": "B5678/S45678",
    "Walled Cities": "B45678/S2345",
}
# LifeWiki, "tlife" and "Just Friends"; the latter is in Golly's help ("QuickLife"), too.
_ISOTROPIC = {"tlife": "B3/S2-i34q", "Just Friends": "B2-a/S12"}
# Golly's help, "Generations", after the MCell rules lexicon of Mirek Wojtowicz.
_GENERATIONS = {
    "Banners": "2367/3457/5",
    "Bloomerang": "234/34678/24",
    "Brian's Brain": "/2/3",
    "Caterpillars": "124567/378/4",
    "Cooties": "23/2/8",
    "Fireworks": "2/13/21",
    "Frogs": "12/34/3",
    "Lava": "12345/45678/8",
    "Lines": "012345/458/3",
    "Star Wars": "345/2/4",
    "Sticks": "3456/2/6",
    "Transers": "345/26/5",
    "Xtasy": "1456/2356/16",
}
# Golly's help, "Larger than Life".
_LARGER_THAN_LIFE = {
    "Bosco": "R5,C0,M1,S34..58,B34..45,NM",
    "Bosco's Rule": "R5,C0,M1,S34..58,B34..45,NM",
    "Bugs": "R5,C0,M1,S34..58,B34..45,NM",
    "Bugsmovie": "R10,C0,M1,S123..212,B123..170,NM",
    "Globe": "R8,C0,M0,S163..223,B74..252,NM",
    "Majority": "R4,C0,M1,S41..81,B41..81,NM",
    "Majorly": "R7,C0,M1,S113..225,B113..225,NM",
    "ModernArt": "R10,C255,M1,S2..3,B3..3,NM",
    "Waffle": "R7,C0,M1,S100..200,B75..170,NM",
}
# Bays, "Candidates for the Game of Life in Three Dimensions", Complex Systems 1 (1987): the digits are the least and the most
# neighbours to stay, then to be born. The others are from Softology, "3D Cellular Automata" (2019), where Clouds is Clouds 1.
_IN_3D = {
    "4555": "B5/S4-5",
    "Life 4555": "B5/S4-5",
    "5766": "B6/S5-7",
    "Life 5766": "B6/S5-7",
    "445": "4/4/5/M",
    "Amoeba": "9-26/5-7,12-13,15/5/M",
    "Architecture": "4-6/3/2/M",
    "Builder 1": "2,6,9/4,6,8-9/10/M",
    "Clouds": "13-26/13-14,17-19/2/M",
    "Clouds 1": "13-26/13-14,17-19/2/M",
    "Clouds 2": "12-26/13-14/2/M",
    "Crystal Growth 1": "0-6/1,3/2/N",
    "Pyroclastic": "4-7/6-8/10/M",
}

# From a name to its rule, by dimensions.
NAMES: dict[int, dict[str, str]] = {2: _LIFE_LIKE | _ISOTROPIC | _GENERATIONS | _LARGER_THAN_LIFE, 3: _IN_3D}


def _key(name: str) -> str:
    """Return a name without what people write differently: case, spaces, apostrophes, hyphens between words."""
    folded = re.sub(r"(?<=[a-z])-(?=[a-z])", "", name.casefold())
    return re.sub(r"[\s'\u2019]", "", folded.replace("&", "and"))


_BY_KEY = {dimensions: {_key(name): rule for name, rule in names.items()} for dimensions, names in NAMES.items()}


def rule_named(name: str, dimensions: int) -> str | None:
    """Return the string of the rule that goes by a name, or None; case, spaces, apostrophes and hyphens do not matter.

    >>> rule_named("Day and night", 2), rule_named("Clouds", 2)
    ('B3678/S34678', None)
    """
    return _BY_KEY[dimensions].get(_key(name))


def names_like(name: str, dimensions: int) -> list[str]:
    """Return the known names nearest to one that is not known, best first; often none.

    >>> names_like("Brian Brain", 2)
    ["Brian's Brain"]
    """
    keys = {_key(known): known for known in NAMES[dimensions]}
    return [keys[key] for key in get_close_matches(_key(name), keys, n=2, cutoff=0.7)]
