"""Reports: from one dictionary (`report.json`) to pages, comments and terminals."""
