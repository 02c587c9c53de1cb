"""The process that reads a file of unknown origin: limits first, then bytes from standard input, a Parquet file to standard output.

Exit code 2 and one sentence on standard error where the file isn't a table.
"""

from __future__ import annotations

import contextlib
import sys

from mrp_core.errors import DataError
from mrp_core.intake.bounds import CPU_SECONDS, MEMORY, MOST_BYTES, MOST_TEXT, checked_bytes

NOT_A_TABLE = 2


def main() -> int:
    """Read, check, write; returns the exit code."""
    limit()
    try:
        data = sys.stdin.buffer.read(MOST_BYTES + 1)
        checked_bytes(len(data))
        _write(data)
    except DataError as error:
        sys.stderr.write(str(error))
        return NOT_A_TABLE
    except MemoryError:
        sys.stderr.write("The file needs more memory than reading may take; leave out rows or columns.")
        return NOT_A_TABLE
    return 0


def limit() -> None:
    """Bound this process's memory, time, files and children for good. Where the system has no such limits, the parent's clock is left."""
    try:
        import resource
    except ImportError:
        return
    for what, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_FSIZE, MOST_TEXT), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):  # a lower limit is set already, or the system has none of this kind
            resource.setrlimit(what, (most, most))


def _write(data: bytes) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from mrp_core.intake.columnar import read_any

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    table, how = read_any(data)
    pq.write_table(table.replace_schema_metadata({"how": how}), sys.stdout.buffer, compression="zstd", write_page_checksum=True)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
