//! Tests over the program and the workspace as a whole; see `tests/`.
