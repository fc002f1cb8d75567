"""The month of a payroll clerk: what people are paid for, and what is odd about it.

Nothing here asks a server: `payroll()` takes rows that were read before, and gives lines that add
up. `tables()` has the same as tables, for files and frames.
"""

from __future__ import annotations

from jibble_async.payroll.checking import Check, Difference
from jibble_async.payroll.clockings import Clockings
from jibble_async.payroll.hours import Hours
from jibble_async.payroll.lateness import Deviation
from jibble_async.payroll.lines import Payee, PayrollDay, PayrollLine, PayrollSheet
from jibble_async.payroll.oddities import Oddity, OddityKind
from jibble_async.payroll.payroll import By, Payroll, Workplace, payroll
from jibble_async.payroll.periods import months, pay_periods
from jibble_async.payroll.rates import ROUNDING, Amount, Rate, Rates, read_rates
from jibble_async.payroll.table import Column, ColumnKind, Table
from jibble_async.payroll.tables import tables, totals

__all__ = [
    "ROUNDING",
    "Amount",
    "By",
    "Check",
    "Clockings",
    "Column",
    "ColumnKind",
    "Deviation",
    "Difference",
    "Hours",
    "Oddity",
    "OddityKind",
    "Payee",
    "Payroll",
    "PayrollDay",
    "PayrollLine",
    "PayrollSheet",
    "Rate",
    "Rates",
    "Table",
    "Workplace",
    "months",
    "pay_periods",
    "payroll",
    "read_rates",
    "tables",
    "totals",
]
