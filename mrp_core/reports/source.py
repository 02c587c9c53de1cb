"""What a report is made from: a study as it stands, whether it is finished, and what its author noted."""

from __future__ import annotations

from dataclasses import dataclass

from mrp_core.errors import ConfigError, DataError
from mrp_core.reports.texts import TEXT
from mrp_core.results import StudyState
from mrp_core.settings import UNPROTECTED, Setting, settings_of
from mrp_core.store import Store
from mrp_core.studyfile import StudyFile, samples


@dataclass(frozen=True, kw_only=True)
class Source:
    """A study to be reported.

    Attributes:
        key: Name of a sample, or id of an own study.
        file: Its configuration, with the present title, and what is measured so far.
        state: Where its job stands.
        note: What its author wrote about it.
    """

    key: str
    file: StudyFile
    state: StudyState = StudyState.DONE
    note: str = ""

    @property
    def measured(self) -> int:
        """Settings that have points."""
        return len({p.setting for p in self.file.points})

    @property
    def planned(self) -> int:
        """Settings that the study measures when it is finished."""
        return len(settings_of(self.file.config))


def source_of(key: str, store: Store | None = None) -> Source:
    """A sample by its name, or a study of the store by its id; without ``store``, it is opened where it is needed.

    Raises:
        StoreError: If the store doesn't hold it, or fails.
        DataError: If a sample is damaged.
    """
    found = samples()
    if key in found:
        return Source(key=key, file=StudyFile.read(found[key]))
    store = store or Store.open()
    row = store.study(key)
    return Source(key=key, file=store.study_file(key), state=row.state, note=row.note)


def chosen_setting(source: Source, key: str = "") -> Setting:
    """The setting of a study that a key names; without one, that in the middle of its λ grid, as the pages choose it.

    Raises:
        ConfigError: If the key is none, or the study hasn't measured it.
        DataError: If the study has no point yet.
    """
    settings = sorted({p.setting for p in source.file.points})
    if not settings:
        raise DataError(TEXT["no_point"].format(title=source.file.config.title))
    if key:
        asked = Setting.from_key(key)
        if asked not in settings:
            raise ConfigError(TEXT["unknown_point"].format(key=key, keys=", ".join(s.key for s in settings[:12]) + (" ..." if len(settings) > 12 else "")))
        return asked
    weighted = [s for s in settings if s.kind == "lambda"]
    others = [s for s in settings if s.kind in ("epsilon", "found")]
    usual = weighted if len(weighted) > 1 or not others else others
    return usual[len(usual) // 2] if usual else UNPROTECTED if UNPROTECTED in settings else settings[0]
