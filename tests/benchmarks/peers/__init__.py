"""The same job as people write it by hand: in pandas, Polars, DuckDB and dlt.

Each script routes and maps contacts, looks up closed lists, checks lengths and repeated numbers,
and writes ``customers.parquet``, ``persons.parquet`` and ``rejected.parquet``. None
accounts for every contact, hashes rows, or sees versions and deletions. They run in an environment
of their own: ``python -m tests.benchmarks.peers`` makes it.
"""
