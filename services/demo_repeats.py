"""The demo's repeating notice of a branch, and a few of its invitations that ran out unused."""

from datetime import datetime, timedelta

from domain.audiences import Audience, Scope
from domain.holidays import Calendar
from domain.invitations import LIFETIME, InvitationForm
from domain.notices import NoticeState
from domain.recurrence import next_after
from domain.repeats import KIND, USEFUL_FOR, rule_of
from services.demo_notices import ZONE
from services.demo_people import BRANCH_SECRETARY
from services.demo_tree import Tree
from storage import accounts, audiences, expiry, holidays, invitations, people, schedules
from storage.database import Session
from storage.tables import NoticeRow

TEXT = "明天是支部主题日，晚七点在社区活动室。不便参加的同志告诉我一声就行。"
LAST_THURSDAY, EVENING = "l3", "1800"
RAN_OUT = 3
LOOKED_AT = 30


async def write_repeats(session: Session, tree: Tree, now: datetime) -> None:
    """Let the branch remind its members the evening before its theme day; the clock goes on from here."""
    branch = tree.communities[0]
    row = NoticeRow(
        organisation_id=branch,
        author_id=BRANCH_SECRETARY,
        audience_id=await audiences.save(session, Audience((Scope(branch, tree[branch].path),))),
        state=NoticeState.REPEATING,
        text=TEXT,
        created_at=now - timedelta(days=40),
    )
    session.add(row)
    await session.flush()
    rule = rule_of(LAST_THURSDAY, EVENING, ZONE)
    schedule_id = await schedules.write(session, KIND, row.id or 0, rule, USEFUL_FOR)
    coming = next_after(rule, now, Calendar(await holidays.read_all(session)), 1)[0]
    await schedules.wait_for(session, schedule_id, coming.planned, coming.at)
    await _let_run_out(session, tree[branch].path, now)


async def _let_run_out(session: Session, path: str, now: datetime) -> None:
    """Invite a few members who have no chat, so long ago that it is over; their secretary has been told."""
    found = await people.search(session, (path,), "", offset=0, limit=LOOKED_AT)
    unlinked = [one for one in found if not await accounts.names_of(session, one.member.id)]
    made = now - LIFETIME[InvitationForm.LINK] - timedelta(days=1)
    for one in unlinked[:RAN_OUT]:
        await invitations.add(
            session,
            member_id=one.member.id,
            code=f"demo-{one.member.id}",
            form=InvitationForm.LINK,
            created_by=BRANCH_SECRETARY,
            created_at=made,
            expires_at=made + LIFETIME[InvitationForm.LINK],
        )
    await expiry.close(session, now)
    await expiry.tell(session, BRANCH_SECRETARY, now)
