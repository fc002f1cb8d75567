"""200 organisations on a cluster: how often each person of each clocked, with a quota for each.

`spark-submit spark_organisations.py keys/ 2026-07-01 2026-07-31 punches/`, with a file `NAME.env`
for each organisation in `keys/`, for its owner only, that holds `JIBBLE_CLIENT_ID` and
`JIBBLE_CLIENT_SECRET`; on the driver's host and on every executor's.
"""

import sys

from pyspark.sql import DataFrame, SparkSession

from jibble_async.integrations.spark import JibbleDataSource

keys, since, until, out = sys.argv[1:]
spark = SparkSession.builder.appName("jibble").getOrCreate()
spark.dataSource.register(JibbleDataSource)


def jibble(**options: str) -> DataFrame:
    reader = spark.read.format("jibble").options(credentials=keys, accounts="*", concurrency=10)
    return reader.options(**options).load()


punches = jibble(set="time_entries", since=since, until=until, columns="personId,belongsToDate")
people = jibble(set="people", columns="id,fullName", include_archived="true")
people = people.withColumnsRenamed({"id": "personId"})
counts = punches.groupBy("account", "personId", "belongsToDate").count()
counts.join(people, ["account", "personId"], "left").write.partitionBy("account").parquet(out)
