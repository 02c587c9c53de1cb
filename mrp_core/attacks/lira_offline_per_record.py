"""LiRA offline, one-sided, per-record variance."""

from mrp_core.audit.likelihood import Lira

PLUGIN = Lira(
    name="lira_offline_per_record", title="LiRA offline, per-record variance", order=14, shadows=2, variance="per_record", offline=True,
    summary="How far above shadow models without the record it lies, one-sided; each record's own variance.",
)
