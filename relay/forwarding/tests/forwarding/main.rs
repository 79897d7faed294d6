//! The forwarder through its public interface, one behaviour a test.

mod cache;
mod churn;
mod discovery;
mod fetch;
mod joining;
mod limits;
mod model;
mod publishing;
mod shards;
mod subscribing;
mod support;
