//! Checks that hold the shape of the workspace.
