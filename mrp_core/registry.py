"""The plug-ins found in one package: a file in ``mrp_core/<package>/`` that defines ``PLUGIN`` is one plug-in."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from typing import Any

from mrp_core.errors import ConfigError

PACKAGES = ("tasks", "privacy", "meta", "search", "attacks", "estimators")


@functools.cache
def plugins(package: str) -> dict[str, Any]:
    """All plug-ins of ``mrp_core.<package>`` by name, sorted by their ``order`` and then by name.

    A plug-in is a module-level ``PLUGIN``: an object with ``name``, ``title`` and ``summary`` (one sentence each).
    Importing a plug-in module must not import torch: pages list plug-ins before the engine is warm.

    Raises:
        ConfigError: If there is no such package, or two plug-ins share a name.
    """
    if package not in PACKAGES:
        raise ConfigError(f"There are no plug-ins called {package!r}; there are: {', '.join(PACKAGES)}.")
    parent = importlib.import_module(f"mrp_core.{package}")
    found: dict[str, Any] = {}
    for info in pkgutil.iter_modules(parent.__path__):
        module = importlib.import_module(f"mrp_core.{package}.{info.name}")
        plugin = getattr(module, "PLUGIN", None)
        if plugin is None:
            continue
        if plugin.name in found:
            raise ConfigError(f"Two plug-ins of {package} are called {plugin.name!r}; rename one of them.")
        found[plugin.name] = plugin
    return dict(sorted(found.items(), key=lambda item: (getattr(item[1], "order", 100), item[0])))


def plugin(package: str, name: str) -> Any:
    """One plug-in by name.

    Raises:
        ConfigError: With the names that there are.
    """
    found = plugins(package)
    if name not in found:
        raise ConfigError(f"{name!r} is not known among {package}; choose one of: {', '.join(found)}.")
    return found[name]
