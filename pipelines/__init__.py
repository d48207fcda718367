"""What a user runs: plan the shards, one step per shard, merge."""
