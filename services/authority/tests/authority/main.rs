//! An authority at a real relay that asks for tokens, with a real store; participants are clients of the
//! SDK's data tracks.

mod app;
mod databases;
mod entering;
mod hostile;
mod malformed;
mod moderating;
mod restarting;
mod scene;
mod talking;
