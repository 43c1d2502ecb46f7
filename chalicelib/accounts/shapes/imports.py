"""Imports: request, rows of its files, answer."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from chalicelib.accounts.shapes import PhoneNumber, nothing
from chalicelib.accounts.shapes.clients import BlockedCountries, ClientIn
from chalicelib.fields import Amount, Day, Fee, InstantOut, Line, Name, Rate, Seconds, Shape, Username


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 9 else value


def _words(value: Any) -> Any:
    return value.split() if isinstance(value, str) else value


CellSeconds = Annotated[Seconds, BeforeValidator(_whole)]


class ClientRow(ClientIn):
    """A line of the file of clients: a client, its opening balance, and ``ref``, its name in the other files."""

    ref: Line = ""
    blocked_countries: Annotated[BlockedCountries, BeforeValidator(_words)] = []
    balance: Amount = nothing()


class SubAccountRow(Shape):
    """``client``: a ``ref`` of this import, or an id. ``package``: an id, or a name that only one package has."""

    username: Username
    client: Name
    package: Name
    next_billing_date: Day | None = None


class DidRow(Shape):
    """A number in the reseller's stock that a client gets. ``subaccount``: a user name."""

    number: PhoneNumber
    client: Name
    subaccount: Username | None = None
    monthly: Fee = nothing()
    setup: Fee = nothing()
    per_minute: Rate = nothing()
    initial: CellSeconds | None = None
    increment: CellSeconds | None = None
    next_billing_date: Day | None = None

    @model_validator(mode="after")
    def _whole_pulse(self) -> Self:
        if (self.initial is None) != (self.increment is None):
            raise ValueError("initial and increment go together")
        return self


FILES: dict[str, type[Shape]] = {"clients": ClientRow, "subaccounts": SubAccountRow, "dids": DidRow}
"""The files of an import in the order in which they are applied, and the shape of their lines."""


def _file(shape: type[Shape], example: str) -> Any:
    description = f"CSV with a header; columns: {', '.join(shape.model_fields)}"
    return Field(default="", description=description, examples=[example])


class ImportIn(Shape):
    """Files as text. ``preview``: answer what an import would do, and change nothing.

    ``columns`` (our column: the title in the file) and ``number_format`` say how the file of clients is written. With
    ``columns``, also an empty one, columns that have no meaning here are ignored; without it they are refused.
    ``number_format`` null: the one in which all its amounts are written, if there is only one.
    """

    clients: str = _file(ClientRow, "ref,company,balance\nold-1,Acme,12.50\n")
    subaccounts: str = _file(SubAccountRow, "username,client,package,next_billing_date\n")
    dids: str = _file(DidRow, "number,client,subaccount,monthly,per_minute\n")
    preview: bool = False
    columns: dict[str, Name] | None = None
    number_format: Literal["1,208.20", "1.208,20"] | None = None


class ColumnOut(Shape):
    """A column of the file of clients, and the column of ours that it is read as; null: it is ignored."""

    column: str
    read_as: str | None


class ImportFault(Shape):
    """What is wrong with a line; ``column`` is empty if it is about the whole line."""

    file: str
    line: int
    column: str
    message: str


class ImportOut(Shape):
    """``warnings`` and ``columns``: only of a preview; what may not be meant, and how the file of clients is read.
    ``applying``: the first ``done`` of the ``rows`` are applied. ``client_ids``: ids by ``ref``; empty for an import of
    more than 500 rows, whose clients are a list of their own.
    """

    id: str | None
    status: Literal["preview", "applying", "done"]
    rows: int
    done: int
    clients: int
    subaccounts: int
    dids: int
    errors: list[ImportFault]
    warnings: list[ImportFault]
    columns: list[ColumnOut]
    client_ids: dict[str, str]
    created_at: InstantOut | None
    finished_at: InstantOut | None


class ImportedClientOut(Shape):
    """``ref``: as in the file; empty if the line has none."""

    ref: str
    id: str
