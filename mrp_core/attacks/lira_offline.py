"""LiRA offline, one-sided, pooled variance."""

from mrp_core.audit.likelihood import Lira

PLUGIN = Lira(
    name="lira_offline", title="LiRA offline, pooled variance", order=13, variance="pooled", offline=True,
    summary="How far above shadow models without the record it lies, one-sided; one variance for all records.",
)
