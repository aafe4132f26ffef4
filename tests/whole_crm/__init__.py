"""The demo with more of BottleCRM's API: kinds of record on request, routes no tool uses."""
