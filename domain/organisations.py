"""The tree of organisations: kinds, levels, coordination modes and path arithmetic."""

from dataclasses import dataclass
from enum import StrEnum


class OrganisationKind(StrEnum):
    """What an organisation is (DOMAIN.md, glossary)."""

    COMMITTEE = "committee"
    GENERAL_BRANCH = "general_branch"
    BRANCH = "branch"
    JOINT_BRANCH = "joint_branch"
    GROUP = "group"
    REGIONAL = "regional"


class Level(StrEnum):
    """The four levels of the information network, highest first (DOMAIN.md, system 12)."""

    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"
    GRASSROOTS = "grassroots"


class RegionalMode(StrEnum):
    """The ten coordination modes of a regional organisation (DOMAIN.md, system 2)."""

    PARK = "park"  # 园区
    STREET_BLOCK = "street_block"  # 街区
    AREA = "area"  # 片区
    VILLAGE_ENTERPRISE = "village_enterprise"  # 村企
    VILLAGE_NEIGHBOURHOOD = "village_neighbourhood"  # 村居
    BUSINESS_DISTRICT = "business_district"  # 商圈
    BUILDING = "building"  # 楼宇
    TRADE = "trade"  # 行业
    INDUSTRY = "industry"  # 产业
    PERSONNEL = "personnel"  # 人员统筹


class OrganisationStatus(StrEnum):
    ACTIVE = "active"
    DISSOLVED = "dissolved"


class HolidayPolicy(StrEnum):
    """What happens to a service day that falls on a holiday (DOMAIN.md 2)."""

    KEEP = "keep"
    NEXT_FREE_SATURDAY = "next_free_saturday"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class Organisation:
    """One node of the tree. `path` is ``/1/23/456/``: the ids from the root down to this node."""

    id: int
    parent_id: int | None
    path: str
    name: str
    name_en: str
    kind: OrganisationKind
    level: Level
    status: OrganisationStatus
    regional_mode: RegionalMode | None = None
    zone: str = "Asia/Shanghai"
    holiday_policy: HolidayPolicy = HolidayPolicy.NEXT_FREE_SATURDAY
    contact: str = ""

    @property
    def chain(self) -> tuple[int, ...]:
        """Ids from the root down to this node."""
        return chain_of(self.path)


def chain_of(path: str) -> tuple[int, ...]:
    """Split ``/1/23/456/`` into ``(1, 23, 456)``."""
    return tuple(int(part) for part in path.strip("/").split("/") if part)


def child_path(parent_path: str, child_id: int) -> str:
    return f"{parent_path}{child_id}/"


def contains(ancestor_path: str, path: str) -> bool:
    """Say whether `path` is the ancestor itself or below it."""
    return path.startswith(ancestor_path)


def subtree_bounds(path: str) -> tuple[str, str]:
    """Half-open range of paths of a subtree: every path p below has low <= p < high in byte order.

    ``/1/23/`` gives ``("/1/23/", "/1/230")``, since "0" follows "/" in ASCII.
    """
    return path, f"{path[:-1]}0"
