"""LiRA offline, one-sided, Student-t."""

from mrp_core.audit.likelihood import Lira

PLUGIN = Lira(
    name="lira_offline_t", title="LiRA offline, Student-t", order=15, variance="student_t", offline=True,
    summary="How far above shadow models without the record it lies, one-sided; a prior over records, for few shadow models.",
)
