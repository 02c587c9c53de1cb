"""Tables of one's own: read, described, checked, kept, deleted. What a page or a command needs is offered here.

A table goes this way (every function raises :class:`mrp_core.errors.DataError` with one sentence for bad input,
and :class:`mrp_core.errors.StoreError` where the folder can't be written)::

    upload = store_upload("visits.csv", data)      # Upload(table=<sha256>, title, rows, columns, how); read in a process with limits
    columns = guess(upload)                        # tuple of Column(name, kind, missing, distinct, examples); kinds: KINDS
    spec = proposed(upload, label="died", task="ward", person="patient", sensitive=("sex",), kinds={"zip": "category"})
    report = check(upload, spec)                   # Report(rows, columns, findings, problem, tasks, members, facts, suggested)
    id = save(spec)                                # what TaskConfig(family="table", table=id, **report.suggested) names
    listing()                                      # tuple of Entry(id, spec, rows, problem), the newest first
    load(id)                                       # TableSpec
    delete(id)                                     # for good: the description, and the table unless another description uses it

``kinds`` are corrections of what :func:`guess` returned. For other inputs than those proposed, change the description:
``dataclasses.replace(spec, features=(...), kinds=(...))``; each column with a part needs its kind. ``report.problem`` is "" where tasks can be built.
:func:`opened` gives an upload again by its hash (after a rerun of a page); :func:`discard` deletes an upload that nobody wants to describe,
and so does the next upload after a day.
"""

from mrp_core.tables.checking import Report, check, guess, proposed
from mrp_core.tables.columns import KINDS, MODELLED, Column
from mrp_core.tables.quality import Finding
from mrp_core.tables.register import Entry, delete, listing, load, save
from mrp_core.tables.shelf import Upload, discard, opened, store_upload
from mrp_core.tables.spec import TableSpec

__all__ = ["KINDS", "MODELLED", "Column", "Entry", "Finding", "Report", "TableSpec", "Upload", "check", "delete", "discard", "guess", "listing", "load", "opened", "proposed",
           "save", "store_upload"]
