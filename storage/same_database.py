"""Whether two addresses name one database, however each is spelled."""

from ipaddress import ip_address
from pathlib import Path

from sqlalchemy import URL, make_url

PORT = 5432


def same_database(one: str, other: str) -> bool:
    """Compare files by where they lie, and databases of PostgreSQL by server and name, whoever signs in."""
    return _place(make_url(one)) == _place(make_url(other))


def _place(url: URL) -> tuple[object, ...]:
    backend = url.get_backend_name()
    if backend == "sqlite":
        return backend, Path(url.database or "").resolve()
    host = url.query.get("host") or url.host or ""
    host, _, beside = (host if isinstance(host, str) else host[0]).partition(":")
    port = url.query.get("port") or url.port or beside or PORT
    return backend, _server(host), int(port if isinstance(port, str | int) else port[0]), _name(url)


def _server(host: str) -> str:
    """Name this machine once: its name, its loopback addresses, and a socket in a folder."""
    try:
        here = ip_address(host.strip("[]")).is_loopback
    except ValueError:
        here = host.lower() in ("", "localhost") or host.startswith("/")
    return "" if here else host.lower()


def _name(url: URL) -> str | None:
    asked = url.query.get("database")
    return url.database or (asked if isinstance(asked, str) else None) or url.username
