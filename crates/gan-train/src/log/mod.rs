//! What a run writes down while it trains.

pub mod jsonl;
pub mod tensorboard;
