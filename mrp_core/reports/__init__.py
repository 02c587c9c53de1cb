"""What goes out with a study: a report in one HTML file, and a script that measures a point anew."""

from mrp_core.reports.html import report_html, unfinished
from mrp_core.reports.reproduction import reproduction_zip
from mrp_core.reports.source import Source, chosen_setting, source_of

__all__ = ["Source", "chosen_setting", "report_html", "reproduction_zip", "source_of", "unfinished"]
