"""One file per promise of docs/design/performance.md; each prints one JSON object last."""
