"""Your own table: a CSV or Parquet file, whose columns a person has given their parts."""

from __future__ import annotations

from dataclasses import dataclass, field

from mrp_core.config import TaskConfig
from mrp_core.errors import DataError
from mrp_core.tables import register, shelf
from mrp_core.tables.building import build
from mrp_core.taskdata import TaskSet


@dataclass(frozen=True)
class Table:
    """A table that lies in the home folder; ``TaskConfig.table`` is the id of its description."""

    name: str = "table"
    title: str = "Your own table"
    summary: str = "Predict a column of your own table, for groups or classes that training never saw."
    area: str = "own"
    order: int = 99
    modes: tuple[str, ...] = ("site", "few_shot")
    defaults: dict[str, int | float | str] = field(default_factory=lambda: {"mode": "site", "ways": 2, "shots": 5, "queries": 7})
    sensitive: tuple[str, ...] = ()
    grid: tuple[int, ...] = ()
    simulated: bool = False
    optional: bool = True
    licence: str = "yours; the table stays on this machine"
    origin: str = "A file of your own."
    caveat: str = "Nobody but you knows how its rows came about; look at the findings before you trust a result."
    files: tuple[str, ...] = ()

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        """Group-disjoint or class-disjoint splits by the table's description; see :class:`mrp_core.taskdata.TaskFamily`.

        Raises:
            DataError: As the interface says, and if ``config.table`` names no table that is here.
        """
        if not config.table:
            raise DataError("table is empty; add a table on the data page or by mrp data add, and give its id.")
        spec = register.load(config.table)
        return build(shelf.frame_of(spec.table), spec, config, seed)

    def offered(self, config: TaskConfig) -> tuple[str, ...]:
        """Sensitive attributes of the table that ``config`` names.

        Raises:
            DataError: If there is no such table here.
        """
        return register.load(config.table).sensitive


PLUGIN = Table()
