"""LiRA online, per-record variance."""

from mrp_core.audit.likelihood import Lira

PLUGIN = Lira(
    name="lira_online_per_record", title="LiRA online, per-record variance", order=11, shadows=2, variance="per_record", decides=True,
    summary="Likelihood ratio of shadow models with and without the record; each record's own variance.",
)
