"""Parts of `pipelines.clean`: a cleaned copy of a corpus, made from the findings of a scan.

inputs    the result folder of a scan, held against the corpus and the benchmarks as they are now
layout    where in the copy each shard goes, and which folders may not be written into
plan      what is to go, in rows and characters of the corpus; what a later scan found, put back there
spans     the characters of one document: merged, cut or masked, and the way back
edits     what becomes of each document of one shard, and the log of it
lines, tables, texts, packing   the formats: everything that stays keeps its bytes or values
step      one shard to one file of the copy
rescan    the scan of the copy
rounds    write and scan, until nothing is found
workplace what a killed run left, and how the next one goes on
outcome   the result files
"""
