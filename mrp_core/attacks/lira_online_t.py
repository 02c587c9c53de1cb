"""LiRA online, Student-t."""

from mrp_core.audit.likelihood import Lira

PLUGIN = Lira(
    name="lira_online_t", title="LiRA online, Student-t", order=12, variance="student_t", decides=True,
    summary="Likelihood ratio of shadow models with and without the record; a prior over records, so that few shadow models suffice.",
)
