"""Proxies: one that a caller gives, and those that the environment names."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from yarl import URL

from jibble_async.core.origins import is_loopback
from jibble_async.errors import ConfigurationError

__all__ = ["checked_proxy", "proxies_from"]


def checked_proxy(url: str, label: str = "proxy=") -> str:
    """The URL of a proxy, which may hold a name and a password.

    Args:
        url: What the caller gave.
        label: What it was given as, for the error, which does not show it.

    Raises:
        ConfigurationError: It is no such URL.
    """
    try:
        parsed = URL(url)
        usable = parsed.scheme in {"http", "https"} and parsed.host
    except (TypeError, ValueError):
        usable = None
    if not usable:
        raise ConfigurationError(
            f"{label} is not the URL of a proxy: write http://127.0.0.1:3128, with its scheme, "
            "which is http or https; for another kind of proxy give connector="
        )
    return url


def proxies_from(env: Mapping[str, str], urls: Iterable[str]) -> dict[str, str]:
    """The proxies that the environment names for some URLs, by their host and port.

    Read are HTTPS_PROXY and HTTP_PROXY by the scheme of the URL, ALL_PROXY where that is not set,
    and NO_PROXY, in small letters first. As with other programs a proxy needs no scheme here.
    What is sent in clear, which is only to this machine, does not leave it through a proxy either.

    Args:
        env: Usually `os.environ`.
        urls: Where requests go.

    Raises:
        ConfigurationError: One of them is not the URL of a proxy.
    """
    found: dict[str, str] = {}
    direct = [entry.strip() for entry in _value(env, "no_proxy").split(",")]
    for url in map(URL, urls):
        # In a CGI program HTTP_PROXY is a header of whoever asks.
        cgi = url.scheme == "http" and "REQUEST_METHOD" in env
        own = f"{url.scheme}_proxy"
        name = own if _value(env, own) and not cgi else "all_proxy"
        proxy = _value(env, name)
        if not proxy or any(_covers(entry, url) for entry in direct):
            continue
        proxy = checked_proxy(proxy if "://" in proxy else f"http://{proxy}", name.upper())
        if url.scheme == "https" or is_loopback(URL(proxy).host):
            found[url.raw_authority] = proxy
    return found


def _covers(entry: str, url: URL) -> bool:
    """Whether an entry of NO_PROXY means a host: `*`, a name, the end of one, a host and port."""
    host, name = url.host or "", entry.removeprefix("*").removeprefix(".").lower()
    if entry == "*" or name in {host, url.raw_authority, f"{host}:{url.port}"}:
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return bool(name) and host.endswith(f".{name}")


def _value(env: Mapping[str, str], name: str) -> str:
    return (env.get(name) or env.get(name.upper(), "")).strip()
