//! The forwarder through its public interface, one behaviour a test.

mod answering;
mod cache;
mod churn;
mod churn_steps;
mod datagrams;
mod discovery;
mod ending;
mod fetch;
mod fetch_upstream;
mod fetch_waiting;
mod fills;
mod filters;
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
