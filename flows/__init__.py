"""The pipelines as Prefect flows: retries, schedules, runs on many machines. Nothing is computed here.

The only package that knows Prefect, Dask and Ray. What is done and what is not lies in the files of the
index store and of the result folder, never in Prefect: no result of a task is kept by it or taken from it.
"""
