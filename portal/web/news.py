"""What is new to the person making a request: read once, together with the records of the page if it shows any."""

from collections.abc import Sequence

from pyramid.request import Request

from portal.conditions import ALWAYS, Condition, without_records
from portal.records.reading.count_statements import Count
from portal.records.reading.news import News, PageShown, dismissed_records, hidden_records, read_news
from portal.records.reading.records import Record, Records


class RequestNews:
    """`request.news`"""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._counts: dict[str, Count] | None = None
        self._hidden: dict[str, list[int]] = {}

    @property
    def account(self) -> int:
        """The id of the signed-in account."""
        return self._request.visitor.identity.account.id

    def counts(self) -> dict[str, Count]:
        """How many records of each module are new; nothing on error pages, which may have no database."""
        if self._counts is None:
            self._counts = {} if self._request.exception is not None else self._read().counts
        return self._counts

    def of(
        self, records: Records, shown: Sequence[Record], tabs: tuple[Condition, ...] = (), commented: Sequence[int] = ()
    ) -> News:
        """Which records of a page are new, and how many in tabs; also reads the counts.

        `commented`: the ids of the records for which the page says who commented last.
        """
        news = self._read(PageShown(records, shown, tabs, commented))
        self._counts = news.counts
        return news

    def hidden(self, records: Records) -> list[int]:
        """The ids of the records that the account has hidden from itself."""
        if not records.module.has_news or not self._hides:
            return []
        if records.name not in self._hidden:
            self._hidden[records.name] = hidden_records(records, self.account)
        return self._hidden[records.name]

    def dismissed(self, records: Records) -> list[int]:
        """The ids of the notices that the account has dismissed."""
        return dismissed_records(records, self.account) if self._hides else []

    @property
    def _hides(self) -> bool:
        """Whether the account may have hidden or dismissed something: only then is there a statement for it."""
        return self._request.visitor.identity.account.hides

    def shown(self, records: Records) -> Condition:
        """The condition that excludes what the account has hidden from itself."""
        ids = self.hidden(records)
        return without_records(ids) if ids else ALWAYS

    def _read(self, page: PageShown | None = None) -> News:
        start = self._request.visitor.identity.account.news_from
        return read_news(self._request.connection, self._request.policy, self.account, start, page)
