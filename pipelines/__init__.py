"""What the commands do: plan shards, one step per shard, merge, write. No orchestration engine."""
