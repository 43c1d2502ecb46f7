"""Where the columns of a file are."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Places:
    """Forfait's columns -> places from 0; ``answer`` and ``end`` beside them, which are only looked at."""

    of: dict[str, int] = field(default_factory=dict)
    titles: list[str] | None = None

    def name(self, place: int) -> str | int:
        """How a source names the column: by its title or, without a header or with a title twice, by its place."""
        if self.titles is None:
            return place + 1
        title = self.titles[place].strip()
        alike = [one for one in self.titles if one.strip().lower() == title.lower()]
        return title if title and len(alike) == 1 else place + 1
