"""The recording store: chunks in extents, an index that can be rebuilt, retention, holds, gaps with causes.

`recorder.Recorder` writes (two seconds at most are lost at a power cut), `reading.Archive` reads, `check` and `recover`
are for the engineer. The format is described in docs/design/0003-recording-store.md.
"""
