"""Settings of Spark for a few rows."""

# To compile each query, or the JVM's own code to the utmost, would take longer than to run it as it is. Clusters of tests and
# runs of the command compile.
QUICK = {
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.buffer.pageSize": "256k",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}
