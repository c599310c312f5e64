"""The hoster's working time: weekends, public holidays and office hours. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import holidays

from checker.settings import WEEKDAYS, HosterSettings


def is_working_day(day: date, hoster: HosterSettings) -> bool:
    """Whether people work on a day."""
    if WEEKDAYS[day.weekday()] not in hoster.office_hours.days:
        return False
    return day not in holidays.country_holidays(hoster.country, years=day.year)


def is_open(now: datetime, hoster: HosterSettings) -> bool:
    """Whether it is office time."""
    local = now.astimezone(hoster.zone)
    hours = hoster.office_hours
    return is_working_day(local.date(), hoster) and hours.opens <= local.time() < hours.closes


def working_days_since(start: datetime, now: datetime, hoster: HosterSettings) -> int:
    """How many working days began after the day of ``start`` (local dates), today included."""
    first, last = start.astimezone(hoster.zone).date(), now.astimezone(hoster.zone).date()
    days = min((last - first).days, 60)  # nobody waits for the count beyond that
    return sum(is_working_day(first + timedelta(days=d), hoster) for d in range(1, days + 1))
