//! The forwarder through its public interface, one behaviour a test.

mod discovery;
mod joining;
mod publishing;
mod subscribing;
mod support;
