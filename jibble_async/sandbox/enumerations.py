"""The members of enumerations, in the order of their numbers where these are known.

Those of the workspace are from its captured metadata. The time-tracking host's was never published:
its members are those that were seen, so a real one may be missing here.
"""

from __future__ import annotations

COMMON_STATUS = ("Active", "Archived")
PERSON_STATUS = ("NotInvited", "PendingInvitation", "Joined", "Removed")
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

ENTRY_TYPES = ("In", "Out", "StartBreak")
CLIENT_TYPES = ("Web", "Mobile", "Kiosk", "AutoOut", "Zapier")
TIME_OFF_STATUS = ("Pending", "Approved", "Rejected", "Cancelled")
# Of half days one program that ran for months has a kind of their own; the metadata has none.
TIME_OFF_KIND = ("FullDay", "Hours", "HalfDay")
COMPENSATION = ("Paid", "Unpaid")

WORK_ARRANGEMENT = ("Fixed", "Flexible", "Weekly")
BREAK_TYPE = ("Unpaid", "Paid")
PAY_PERIOD_CYCLE = ("Monthly", "TwiceInMonth", "OnceInTwoWeeks", "Weekly")
CALENDAR_DAY_STATUS = ("Manual", "Imported")
GEO_UNITS = ("Meters", "Feet")
TIME_RANGE_STYLE = ("Hours", "Time")


def member_of(members: tuple[str, ...], value: object) -> str | None:
    """The member that a text names, or its number; None for none.

    Args:
        members: The enumeration; where it has none, any text is taken.
        value: What was sent.
    """
    text = str(value)
    if not members or text in members:
        return text
    place = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else len(members)
    return members[place] if place < len(members) else None
