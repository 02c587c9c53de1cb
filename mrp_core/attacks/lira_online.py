"""LiRA online, pooled variance."""

from mrp_core.audit.likelihood import Lira

PLUGIN = Lira(
    name="lira_online", title="LiRA online, pooled variance", order=10, variance="pooled", decides=True,
    summary="Likelihood ratio of shadow models with and without the record; one variance for all records.",
)
