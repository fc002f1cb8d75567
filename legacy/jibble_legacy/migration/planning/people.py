"""Who in the new account is whom of the old one: the rules, in their order, and never by name.

1. Whom this ledger has written to, or begun to create, stays that.
2. What `people.csv` says.
3. A further member row of the same human (the same `user`) is the same person.
4. An address that exactly one person there has and one human here: matched; that nobody there
   has: created.
5. Everybody else is asked about, and so are member rows of one human whose punches interleave.

Nobody without entries is moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from jibble_legacy.migration.files.mapping_files import PEOPLE, PersonSaid
from jibble_legacy.migration.files.spreadsheets import Flaws
from jibble_legacy.migration.planning.matching import (
    There,
    TherePerson,
    address,
    is_guid,
    same_name,
)
from jibble_legacy.migration.planning.members import Choice, Claim, Member
from jibble_legacy.migration.states import CREATED, Decision

__all__ = ["decide_people"]

_REFERENCE = "id:"


def decide_people(
    members: Sequence[Member],
    there: There,
    said: Mapping[str, PersonSaid],
    claims: Mapping[int, Claim],
    interleaving: Mapping[int, int],
    flaws: Flaws,
) -> dict[int, Choice]:
    """What becomes of each person.

    Args:
        members: Everybody whom the old account lists or entries name.
        there: The new account.
        said: The lines of `people.csv`, by old id.
        claims: What was begun, by number.
        interleaving: How many punches interleave with another member row's, by number.
        flaws: Where it is noted which line can't be followed.
    """
    return _Deciding(members, there, said, claims, interleaving, flaws).choices()


class _Deciding:
    def __init__(
        self,
        members: Sequence[Member],
        there: There,
        said: Mapping[str, PersonSaid],
        claims: Mapping[int, Claim],
        interleaving: Mapping[int, int],
        flaws: Flaws,
    ) -> None:
        self._members = {each.n: each for each in sorted(members, key=lambda each: each.n)}
        self._there = there
        self._said = said
        self._claims = claims
        self._interleaving = interleaving
        self._flaws = flaws
        self._by_id = {member.id: member for member in members}
        self._humans: dict[str, list[Member]] = {}
        self._holders: dict[str, set[str]] = {}
        for member in self._members.values():
            self._humans.setdefault(_human(member), []).append(member)
            self._holders.setdefault(address(member.email), set()).add(_human(member))
        # An address is sent with one creation at most.
        self._given = {address(claim.email) for claim in claims.values()} - {""}

    def choices(self) -> dict[int, Choice]:
        found: dict[int, Choice] = {}
        for human in self._humans.values():
            for choice in self._choose(human):
                found[choice.n] = choice
        return _joined(self._followed(found), self._claims)

    def _choose(self, human: list[Member]) -> Iterator[Choice]:
        fixed = [choice for member in human if (choice := self._fixed(member)) is not None]
        yield from fixed
        done = {choice.n for choice in fixed}
        rest = [member for member in human if member.n not in done]
        for member in rest:
            if not member.entries:
                yield _choice(member, Decision.SKIP, how="has no entries")
        rest = [member for member in rest if member.entries]
        if not rest:
            return
        leader = next((each for each in fixed if each.moves or each.joins is not None), None)
        if any(self._interleaving.get(member.n) for member in rest):
            yield from (self._asked(member, _INTERLEAVING) for member in rest)
            return
        first = self._by_address(rest[0], human) if leader is None else leader
        if leader is None:
            yield first
            rest = rest[1:]
        for member in rest:
            if first.moves or first.joins is not None:
                how = f"merged: the same human as id:{self._members[first.n].id}"
                yield replace(first, n=member.n, how=how, joins=first.n, warning="")
            else:
                yield replace(first, n=member.n, root=member.n)

    def _fixed(self, member: Member) -> Choice | None:
        """What an earlier run or a line decides of a person, if one does."""
        said, claim = self._said.get(member.id), self._claims.get(member.n)
        if claim is not None:
            return self._claimed(member, claim, said)
        if said is None or not said.decision:
            return None
        if said.decision is Decision.SKIP:
            return _choice(member, Decision.SKIP, how="left out, as people.csv says")
        if said.decision is Decision.MATCH:
            return self._matched(member, said)
        return self._created(member, said)

    def _claimed(self, member: Member, claim: Claim, said: PersonSaid | None) -> Choice:
        decision, warning = claim.decision, ""
        if said is not None and said.decision:
            if {said.decision, decision} <= set(CREATED):
                # Whether somebody is removed in the end can still be decided.
                decision = said.decision
            elif not self._agrees(claim, said):
                warning = "was written already, and stays as it is: roll back to decide anew"
        return Choice(
            n=member.n,
            decision=decision,
            root=claim.root,
            target=claim.target,
            name=claim.name,
            email=claim.email,
            how="as it was begun",
            warning=warning,
        )

    def _agrees(self, claim: Claim, said: PersonSaid) -> bool:
        if said.decision is not Decision.MATCH:
            return False
        if said.new_person.startswith(_REFERENCE):
            other = self._by_id.get(said.new_person.removeprefix(_REFERENCE))
            begun = None if other is None else self._claims.get(other.n)
            return begun is not None and begun.root == claim.root
        guid = (claim.target or "").lower()
        return guid in {each.id.lower() for each in self._named(said.new_person)}

    def _matched(self, member: Member, said: PersonSaid) -> Choice | None:
        if said.new_person.startswith(_REFERENCE):
            other = self._by_id.get(said.new_person.removeprefix(_REFERENCE))
            if other is None or other.n == member.n:
                self._flaw(said, member, f"has no other old person {said.new_person!r} to join")
                return None
            how = f"the same as id:{other.id}, as people.csv says"
            return _choice(member, Decision.UNDECIDED, joins=other.n, how=how)
        found = self._named(said.new_person)
        if len(found) != 1:
            who = "nobody" if not found else f"{len(found)} people"
            way = "give the GUID of one" if found else "mend it, or write create"
            self._flaw(said, member, f"matches {said.new_person!r}, which {who} there has: {way}")
            return None
        return _choice(
            member, Decision.MATCH, target=found[0].id, how=f"{found[0]}, as people.csv says"
        )

    def _created(self, member: Member, said: PersonSaid) -> Choice | None:
        name, email = said.new_name or member.name, said.new_person
        if not name.strip():
            self._flaw(said, member, "creates somebody without a name: write a new_name")
            return None
        if email:
            taken = self._there.with_address([email])
            if is_guid(email) or "@" not in email:
                self._flaw(said, member, f"creates {email!r}: write an e-mail address, or nothing")
                return None
            if taken or address(email) in self._given:
                who = taken[0] if taken else "another line"
                self._flaw(said, member, f"creates {email!r}, which {who} has: write match")
                return None
        elif self._free(member.email):
            email = (member.email or "").strip()
        self._given.add(address(email))
        return _choice(
            member,
            said.decision,
            name=name,
            email=email or None,
            how="to be created, as people.csv says",
        )

    def _by_address(self, member: Member, human: list[Member]) -> Choice:
        """Rules 4 and 5, for a human of whom nothing is decided."""
        addresses = list(
            dict.fromkeys(address(each.email) for each in human if address(each.email))
        )
        if not addresses:
            gone = not any(each.listed for each in human)
            return self._asked(member, _GONE if gone else _NO_ADDRESS)
        if any(len(self._holders[each]) > 1 for each in addresses):
            return self._asked(member, _SHARED)
        found = self._there.with_address(addresses)
        if len(found) > 1:
            return self._asked(member, _SEVERAL)
        if found and found[0].removed:
            return self._asked(member, _REMOVED)
        if found:
            return _choice(
                member, Decision.MATCH, target=found[0].id, how=f"{found[0]}, by e-mail address"
            )
        if not any(each.listed for each in human):
            return self._asked(member, _GONE)
        spelt = next(each.email for each in human if address(each.email) == addresses[0])
        name = next((each.name for each in human if each.name.strip()), "")
        if not name:
            return self._asked(member, _NO_NAME)
        self._given.add(addresses[0])
        return _choice(
            member,
            Decision.CREATE,
            name=name,
            email=(spelt or "").strip(),
            how="to be created: nobody there has the address",
        )

    def _free(self, email: str | None) -> bool:
        """Whether an address can be sent with a creation."""
        folded = address(email)
        return (
            bool(folded)
            and len(self._holders[folded]) == 1
            and folded not in self._given
            and not self._there.with_address([folded])
        )

    def _named(self, text: str) -> list[TherePerson]:
        if is_guid(text):
            person = self._there.with_id(text)
            return [] if person is None else [person]
        return self._there.with_address([text])

    def _asked(self, member: Member, question: str) -> Choice:
        name = same_name(member.name)
        alike = [each for each in self._there.people if name and same_name(each.name) == name]
        found = {
            each.id: str(each) for each in [*self._there.with_address([member.email or ""]), *alike]
        }
        return _choice(
            member, Decision.UNDECIDED, question=question, candidates=tuple(found.values())
        )

    def _followed(self, found: dict[int, Choice]) -> dict[int, Choice]:
        """Whoever is to become the same person as another one becomes it."""
        return {n: self._end(found, choice) for n, choice in found.items()}

    def _end(self, found: dict[int, Choice], choice: Choice) -> Choice:
        seen, end = {choice.n}, choice
        while end.joins is not None and end.joins not in seen:
            seen.add(end.joins)
            end = found.get(end.joins, end)
        if choice.joins is None or end.moves:
            return replace(end, n=choice.n, how=choice.how, warning=choice.warning, joins=None)
        return self._asked(self._members[choice.n], _JOINS_NOBODY)

    def _flaw(self, said: PersonSaid, member: Member, what: str) -> None:
        self._flaws.add(PEOPLE.file, said.line, f"id:{member.id} {what}")


_GONE = "left, and no list shows who it was"
_NO_ADDRESS = "has no e-mail address"
_SHARED = "two people of the old account have this address"
_SEVERAL = "several people over there have this address"
_REMOVED = "was removed over there"
_NO_NAME = "has no name to be created with"
_INTERLEAVING = "two member rows of one human were punched at the same time"
_JOINS_NOBODY = "is to become the same person as somebody who is not decided"


def _human(member: Member) -> str:
    return f"user {member.user}" if member.user else f"member {member.id}"


def _choice(
    member: Member,
    decision: Decision,
    *,
    target: str | None = None,
    name: str | None = None,
    email: str | None = None,
    how: str = "",
    question: str = "",
    candidates: tuple[str, ...] = (),
    joins: int | None = None,
) -> Choice:
    return Choice(
        n=member.n,
        decision=decision,
        root=member.n,
        target=target,
        name=name,
        email=email,
        how=how,
        question=question,
        candidates=candidates,
        joins=joins,
    )


def _joined(choices: dict[int, Choice], claims: Mapping[int, Claim]) -> dict[int, Choice]:
    """The choices with one root for each person over there, the lowest.

    A claimed one goes before: a lane that was begun must not be called otherwise.
    """
    roots: dict[str, list[tuple[bool, int]]] = {}
    for choice in choices.values():
        if choice.moves and choice.target is not None:
            mark = (choice.n not in claims, choice.root)
            roots.setdefault(choice.target.lower(), []).append(mark)
    return {
        n: replace(choice, root=min(roots[choice.target.lower()])[1])
        if choice.moves and choice.target is not None and n not in claims
        else choice
        for n, choice in choices.items()
    }
