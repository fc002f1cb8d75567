"""A Spark of two executors on this machine, whose files are in a folder of ours."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyspark
from pyspark.sql import SparkSession

from jibble_async.integrations.spark import JibbleDataSource

# Tests are over before the second compiler of Java's would pay.
_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
_LOG = """
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %p %c{1}: %m%n%ex
"""


class Cluster:
    """The session, and where what it writes is.

    Attributes:
        spark: The session.
        home: The folder.
    """

    def __init__(self, spark: SparkSession, home: Path) -> None:
        self.spark = spark
        self.home = home

    @property
    def driver(self) -> int:
        """The process id of the driver's Java."""
        context: Any = self.spark.sparkContext
        return int(context._gateway.proc.pid)

    def read(self, **options: object) -> Any:
        reader = self.spark.read.format("jibble")
        for name, value in options.items():
            reader = reader.option(name, str(value))
        return reader.load()

    def executors(self) -> list[int]:
        """The process ids of the executors."""
        return [
            pid
            for pid in processes_below(self.driver)
            if "CoarseGrainedExecutorBackend" in command_line(pid)
        ]

    def kill_an_executor(self) -> None:
        os.kill(self.executors()[0], signal.SIGKILL)


@contextlib.contextmanager
def cluster(
    home: Path, settings: Mapping[str, str] | None = None, master: str = "local-cluster[2,1,1024]"
) -> Iterator[Cluster]:
    """A session of a cluster, by default with two executors of a core each."""
    conf = home / "conf"
    conf.mkdir(parents=True)
    (conf / "log4j2.properties").write_text(_LOG)
    wanted = {
        # Each failure is a new Python, which has to import all of it.
        "spark.task.maxFailures": "2",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.extraJavaOptions": _JAVA,
        "spark.executor.extraJavaOptions": _JAVA,
        "spark.ui.showConsoleProgress": "false",
        "spark.ui.enabled": "true",
        "spark.ui.port": "0",
        "spark.port.maxRetries": "100",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": (home / "events").as_uri(),
        "spark.local.dir": str(home / "local"),
        "spark.sql.warehouse.dir": str(home / "warehouse"),
        **(settings or {}),
    }
    (home / "events").mkdir()
    defaults = "".join(f"{name} {value}\n" for name, value in wanted.items())
    (conf / "spark-defaults.conf").write_text(defaults)
    # A cluster of this kind writes its logs below the folder of Spark itself.
    spark_home = home / "spark"
    spark_home.mkdir()
    for each in Path(pyspark.__file__).parent.iterdir():
        (spark_home / each.name).symlink_to(each)
    variables = {
        "SPARK_HOME": str(spark_home),
        "SPARK_CONF_DIR": str(conf),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }
    with _environment(variables), warnings.catch_warnings():
        # What Spark thinks of pandas, and sockets that it leaves open.
        warnings.simplefilter("ignore")
        spark = SparkSession.builder.master(master).getOrCreate()
        gateway: Any = spark.sparkContext._gateway
        try:
            spark.dataSource.register(JibbleDataSource)
            yield Cluster(spark, home)
        finally:
            spark.stop()
            gateway.shutdown()
            gateway.proc.stdin.close()
            gateway.proc.wait()
            context: Any = pyspark.SparkContext
            context._gateway = context._jvm = None
            gc.collect()


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def processes_below(pid: int) -> list[int]:
    """A process, and all that it started."""
    parents: dict[int, int] = {}
    for each in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            stat = (each / "stat").read_text()
            parents[int(each.name)] = int(stat.rpartition(")")[2].split()[1])
    found = [pid]
    for one in found:
        found.extend(child for child, parent in parents.items() if parent == one)
    return found
