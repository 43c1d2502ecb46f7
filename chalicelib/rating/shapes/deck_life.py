"""Decks from the dropped file to force: list, lines, difference, confirmation, losses."""

from typing import Annotated, Literal, Self

from pydantic import AliasPath, Field, model_validator

from chalicelib.fields import AmountOut, Id, InstantOut, NumberPrefix, Paging, PercentOut, Query, RateOut, Shape
from chalicelib.rating.shapes import DownloadUrl
from chalicelib.rating.shapes.fx import CostCurrency, FxRate, FxRateOut


class DeckError(Shape):
    """``code`` names the kind of error; ``value`` is the beginning of the text that is wrong, or empty."""

    line: int
    field: str
    message: str
    code: str
    value: str


class Suspicion(Shape):
    """A reason why a deck is held."""

    code: str
    message: str


class DeckOut(Shape):
    """``in_force``: it prices calls of today; ``superseded_by``: the deck of the same date that counts."""

    id: Annotated[str, Field(validation_alias="deck_id")]
    route: str
    effective_from: str
    file: str
    by: Annotated[str, Field(description="the key that asked for the upload, or `bucket`")]
    status: Annotated[
        str, Field(json_schema_extra={"enum": ["publishing", "held", "published", "refused", "withdrawn"]})
    ]
    prefixes: int
    in_force: bool
    superseded_by: str | None
    suspicions: list[Suspicion]
    accepted: list[str]
    confirmed_by: str | None
    confirmed_at: InstantOut | None
    cost_currency: str | None
    fx: Annotated[FxRateOut | None, Field(validation_alias="fx_e10")]
    created_at: Annotated[
        InstantOut, Field(description="when the file came; of two decks of one date the later counts")
    ]
    errors: list[DeckError]
    errors_url: Annotated[DownloadUrl | None, Field(validation_alias="errors_key")]


class LineCounts(Shape):
    new: int
    gone: int
    dearer: int
    cheaper: int
    increments: int


class LineCost(Shape):
    prefix: str
    rate_per_minute: Annotated[RateOut, Field(validation_alias="rate_e10")]
    connect_fee: Annotated[AmountOut, Field(validation_alias="fee_e8")]
    initial: int
    increment: int


class DiffExample(Shape):
    kind: str
    prefix: str
    match: str
    country: str | None
    before: LineCost | None
    after: LineCost | None
    seconds: int


class DiffTotals(Shape):
    """What changes. ``seconds``: called in the last 30 days with a rate before; of them ``lost_seconds`` have none
    after, and ``changed_seconds`` change their cost by more than half."""

    lines: LineCounts
    seconds: int
    lost_seconds: int
    changed_seconds: int


class CountryDiff(DiffTotals):
    country: str | None


class DeckDiff(DiffTotals):
    """Examples of each kind begin with the most seconds."""

    to: Annotated[str | None, Field(description="the deck that this one is compared with; null: none is in force")]
    countries: list[CountryDiff]
    examples: list[DiffExample]


class RatedBatch(Shape):
    reseller_id: str
    batch_id: str


class BelowCost(Shape):
    """How many lines of the deck are sold below cost, and by how many packages. ``complete``: false if only the first
    of many resellers were looked at."""

    prefixes: int
    packages: int
    complete: bool
    url: Annotated[str, Field(description="the list of losses", examples=["/v1/decks/2026-12-01-value-5f0c/losses"])]


class DeckShown(DeckOut):
    """``rated_before``: up to 100 batches that were begun after the deck's first day and before it was published; they
    keep their prices until they are rated again. ``below_cost``: null unless the deck is held or published, and while
    the rate of exchange of its costs is missing."""

    difference: DiffTotals | None
    compared_to: str | None
    rated_before: list[RatedBatch]
    below_cost: BelowCost | None


class DeckPublishIn(Shape):
    """``accept``: the codes of all suspicions of the deck. ``fx``: convert its costs with it."""

    accept: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=100)] = []
    cost_currency: CostCurrency | None = None
    fx: FxRate | None = None

    @model_validator(mode="after")
    def _both(self) -> Self:
        if self.cost_currency and not self.fx:
            raise ValueError("cost_currency needs fx")
        return self


class LinesQuery(Paging):
    prefix: Annotated[NumberPrefix, Field(description="only lines whose digits begin so")] = ""


class DiffQuery(Query):
    to: Annotated[Id | None, Field(description="the deck to compare with; without it the one in force")] = None


class DeckLineOut(Shape):
    """``given_``: as the file has it, in ``cost_currency``; null where nothing was converted."""

    prefix: Annotated[str, Field(validation_alias=AliasPath("line", "prefix"))]
    destination: Annotated[str, Field(validation_alias=AliasPath("line", "destination"))]
    match: Annotated[Literal["prefix", "number"], Field(validation_alias=AliasPath("line", "match"))]
    rate_per_minute: Annotated[RateOut, Field(validation_alias=AliasPath("line", "rate_e10"))]
    connect_fee: Annotated[AmountOut, Field(validation_alias=AliasPath("line", "fee_e8"))]
    initial: Annotated[int, Field(validation_alias=AliasPath("line", "initial"))]
    increment: Annotated[int, Field(validation_alias=AliasPath("line", "increment"))]
    home: Annotated[list[str], Field(description="home countries that a number line is for; empty: all")]
    given_rate_per_minute: Annotated[RateOut | None, Field(validation_alias="given_rate_e10")]
    given_connect_fee: Annotated[AmountOut | None, Field(validation_alias="given_fee_e8")]


class LossesQuery(Query):
    cursor: Annotated[str | None, Field(max_length=2000, description="`next` of the page before")] = None


class LossOut(Shape):
    """Lines of the deck that a package sells below cost by a rule: how many, and the one that loses the largest share
    of its cost, by a call of ``seconds``."""

    reseller_id: str
    package_id: str
    rule: str
    lines: int
    prefix: str
    seconds: int
    cost: Annotated[AmountOut, Field(validation_alias="cost_e8")]
    sold: Annotated[AmountOut, Field(validation_alias="sold_e8")]
    loss_percent: Annotated[PercentOut, Field(validation_alias="loss_e4", description="of the cost")]
