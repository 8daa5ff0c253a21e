"""How much of the server's work and room one user, one provider and one process may take at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

SETTING_PREFIX = "WAYMARK_QUOTA_"
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Quotas:
    """Each is a setting, such as WAYMARK_QUOTA_EXPORTS=8, and a whole number of 1 or more."""

    # Exports that one process makes at once, and exports of one user that are made or downloaded at once.
    exports: int = 2
    exports_viewer: int = 2
    # Bulk exports that one process makes at once; those of one user are limited by `exports_viewer`.
    bulk_exports: int = 1
    # The size of the files of bulk exports that are kept, of one user and of one provider.
    bulk_export_megabytes: int = 5_000
    bulk_export_megabytes_provider: int = 50_000
    # Messages of one user in 24 hours.
    messages_day: int = 200
    # Links of one user to people who sign without an account, in 24 hours.
    guest_links_day: int = 200
    # Uploads that no record uses yet: their number and their size, of one user and of one provider.
    unused_files: int = 200
    unused_megabytes: int = 2_000
    unused_files_provider: int = 5_000
    unused_megabytes_provider: int = 50_000

    @classmethod
    def read(cls, settings: Mapping[str, str]) -> Self:
        """Reads the quotas, usually from the environment. Raises ValueError that names the setting and what to set."""
        names = {SETTING_PREFIX + each.name.upper(): each.name for each in fields(cls)}
        values: dict[str, int] = {}
        for setting, text in settings.items():
            if not setting.startswith(SETTING_PREFIX):
                continue
            if setting not in names:
                raise ValueError(f"{setting} is not a setting: see docs/operations.md for the names of the quotas")
            if not text.isdecimal() or int(text) < 1:
                raise ValueError(f"{setting} must be a whole number of 1 or more")
            values[names[setting]] = int(text)
        return cls(**values)
