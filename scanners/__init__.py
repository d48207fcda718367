"""Detection: candidates are nominated, evidence is proven, items are judged; no file is opened."""
