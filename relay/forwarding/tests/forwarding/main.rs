//! The forwarder through its public interface, one behaviour a test.

mod cache;
mod churn;
mod churn_steps;
mod datagrams;
mod discovery;
mod ending;
mod fetch;
mod fetch_waiting;
mod joining;
mod limits;
mod model;
mod model_expected;
mod model_steps;
mod offers;
mod publisher;
mod publishing;
mod shards;
mod stopping;
mod subscribing;
mod support;
mod windows;
mod words;
